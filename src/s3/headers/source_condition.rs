//! Conditions on the source of a copy, and on both objects of a rename. Whatever fails is a 412: nothing is sent that a
//! 304 could spare.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html>

use crate::http::conditional::{Conditions, TagMember, tag_members};
use crate::http::head::RequestHead;
use crate::s3::error::S3Error;
use crate::store::preconditions::{Combination, ETags, Preconditions, Unmet};

/// The object that conditions are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    CopySource,
    RenameSource,
    RenameDestination,
}

impl Subject {
    fn prefix(self) -> &'static str {
        match self {
            Self::CopySource => "x-amz-copy-source-",
            Self::RenameSource => "x-amz-rename-source-",
            Self::RenameDestination => "",
        }
    }

    /// The answer where a condition on this object did not hold.
    pub fn failed(self, unmet: Unmet) -> S3Error {
        let field = match unmet {
            Unmet::IsOneOf => "If-Match",
            Unmet::IsNoneOf => "If-None-Match",
            Unmet::ModifiedSince => "If-Modified-Since",
            Unmet::UnmodifiedSince => "If-Unmodified-Since",
        };
        S3Error::precondition_failed(&format!("{}{field}", self.prefix()))
    }

    /// Reads the conditions on this object. Of a rename each must hold, for it replaces and removes.
    pub fn conditions(self, head: &RequestHead) -> Result<Preconditions, S3Error> {
        let Conditions { if_match, if_none_match, if_modified_since, if_unmodified_since } =
            Conditions::from_prefixed(head, self.prefix());
        let is_none_of = if_none_match.as_deref().map(weakly_named);
        if self == Self::RenameDestination && is_none_of.as_ref().is_some_and(|etags| *etags != ETags::Any) {
            return Err(S3Error::invalid_request("If-None-Match accepts only the value * on writes."));
        }
        Ok(Preconditions {
            is_one_of: if_match.as_deref().map(strongly_named),
            is_none_of,
            modified_since: if_modified_since,
            unmodified_since: if_unmodified_since,
            combination: match self {
                Self::CopySource => Combination::TagsBeforeDates,
                Self::RenameSource | Self::RenameDestination => Combination::All,
            },
        })
    }
}

/// For If-Match: a weak tag names nothing (RFC 9110 §13.1.1).
fn strongly_named(list: &[u8]) -> ETags {
    named(tag_members(list).filter(|member| !matches!(member, TagMember::Tag { weak: true, .. })))
}

/// For If-None-Match: weak tags count (RFC 9110 §13.1.2).
fn weakly_named(list: &[u8]) -> ETags {
    named(tag_members(list))
}

fn named<'a>(members: impl Iterator<Item = TagMember<'a>>) -> ETags {
    let mut etags = Vec::new();
    for member in members {
        match member {
            TagMember::Any => return ETags::Any,
            TagMember::Tag { opaque, .. } => etags.push(String::from_utf8_lossy(opaque).into_owned()),
        }
    }
    ETags::Listed(etags)
}

#[cfg(test)]
#[path = "source_condition_tests.rs"]
mod tests;
