//! What must hold of an object for it to be copied, moved or replaced. Values without a request behind them, so that a
//! transaction can judge them over what it reads.

use serde::Serialize;

/// Entity tags as opaque text, without quotes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ETags {
    /// The tag of any object that exists.
    Any,
    /// One of these.
    Listed(Vec<String>),
}

impl ETags {
    fn name(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(etags) => etags.iter().any(|listed| listed == etag),
        }
    }
}

/// How the conditions of one object go together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Combination {
    /// As RFC 9110 §13.2.2 has it: where there is a condition on the entity tag, the date beside it does not count, and
    /// a modification date in the future counts for nothing.
    #[default]
    TagsBeforeDates,
    /// Each must hold for itself.
    All,
}

/// Conditions on one object. Dates are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Preconditions {
    pub is_one_of: Option<ETags>,
    pub is_none_of: Option<ETags>,
    pub modified_since: Option<i64>,
    pub unmodified_since: Option<i64>,
    pub combination: Combination,
}

/// The condition that did not hold; the first, where several did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unmet {
    IsOneOf,
    IsNoneOf,
    ModifiedSince,
    UnmodifiedSince,
}

impl Preconditions {
    pub fn is_empty(&self) -> bool {
        let Self { is_one_of, is_none_of, modified_since, unmodified_since, combination: _ } = self;
        is_one_of.is_none() && is_none_of.is_none() && modified_since.is_none() && unmodified_since.is_none()
    }

    /// Judges an object by its entity tag (without quotes) and the second of its last change. No object is none of any
    /// tags and is not modified since any date.
    pub fn judge(&self, object: Option<(&str, i64)>, now_s: i64) -> Result<(), Unmet> {
        let is_named = |etags: &ETags| object.is_some_and(|(etag, _)| etags.name(etag));
        let is_modified_since = |date_s: i64| object.is_some_and(|(_, modified_s)| modified_s > date_s);
        let tags_alone = self.combination == Combination::TagsBeforeDates;

        if self.is_one_of.as_ref().is_some_and(|etags| !is_named(etags)) {
            return Err(Unmet::IsOneOf);
        }
        let unmodified_since = self.unmodified_since.filter(|_| !(tags_alone && self.is_one_of.is_some()));
        if unmodified_since.is_some_and(is_modified_since) {
            return Err(Unmet::UnmodifiedSince);
        }
        if self.is_none_of.as_ref().is_some_and(is_named) {
            return Err(Unmet::IsNoneOf);
        }
        let modified_since = self
            .modified_since
            .filter(|date_s| !(tags_alone && (self.is_none_of.is_some() || *date_s > now_s)));
        if modified_since.is_some_and(|date_s| !is_modified_since(date_s)) {
            return Err(Unmet::ModifiedSince);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "preconditions_tests.rs"]
mod tests;
