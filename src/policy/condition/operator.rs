//! The operators of conditions: `[ForAnyValue:|ForAllValues:]NAME[IfExists]`.

use super::operand::{Comparison, Kind};

/// What an operator's name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) struct Operator {
    pub(super) kind: Kind,
    /// Holds where the comparison does not.
    pub(super) is_negated: bool,
    pub(super) qualifier: Qualifier,
    /// Holds where the key is absent.
    pub(super) if_exists: bool,
}

/// How the values of a key that has several count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Qualifier {
    /// Some value must compare; where the operator is negated, none may.
    Plain,
    /// The operator must hold for some value.
    ForAnyValue,
    /// The operator must hold for every value there is.
    ForAllValues,
}

const NAMES: [(&str, Kind, bool); 27] = [
    ("StringEquals", Kind::Text { ignores_case: false }, false),
    ("StringNotEquals", Kind::Text { ignores_case: false }, true),
    ("StringEqualsIgnoreCase", Kind::Text { ignores_case: true }, false),
    ("StringNotEqualsIgnoreCase", Kind::Text { ignores_case: true }, true),
    ("StringLike", Kind::Pattern, false),
    ("StringNotLike", Kind::Pattern, true),
    ("NumericEquals", Kind::Number(Comparison::Equals), false),
    ("NumericNotEquals", Kind::Number(Comparison::Equals), true),
    ("NumericLessThan", Kind::Number(Comparison::LessThan), false),
    ("NumericLessThanEquals", Kind::Number(Comparison::LessThanEquals), false),
    ("NumericGreaterThan", Kind::Number(Comparison::GreaterThan), false),
    ("NumericGreaterThanEquals", Kind::Number(Comparison::GreaterThanEquals), false),
    ("DateEquals", Kind::Date(Comparison::Equals), false),
    ("DateNotEquals", Kind::Date(Comparison::Equals), true),
    ("DateLessThan", Kind::Date(Comparison::LessThan), false),
    ("DateLessThanEquals", Kind::Date(Comparison::LessThanEquals), false),
    ("DateGreaterThan", Kind::Date(Comparison::GreaterThan), false),
    ("DateGreaterThanEquals", Kind::Date(Comparison::GreaterThanEquals), false),
    ("Bool", Kind::Bool, false),
    ("BinaryEquals", Kind::Bytes, false),
    ("IpAddress", Kind::Address, false),
    ("NotIpAddress", Kind::Address, true),
    ("ArnEquals", Kind::Arn, false),
    ("ArnLike", Kind::Arn, false),
    ("ArnNotEquals", Kind::Arn, true),
    ("ArnNotLike", Kind::Arn, true),
    ("Null", Kind::Null, false),
];

impl Operator {
    /// `None` where there is no such operator.
    pub(super) fn named(name: &str) -> Option<Self> {
        let (qualifier, rest) = if let Some(rest) = name.strip_prefix("ForAnyValue:") {
            (Qualifier::ForAnyValue, rest)
        } else if let Some(rest) = name.strip_prefix("ForAllValues:") {
            (Qualifier::ForAllValues, rest)
        } else {
            (Qualifier::Plain, name)
        };
        let (rest, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |rest| (rest, true));
        let (_, kind, is_negated) = *NAMES.iter().find(|(known, ..)| *known == rest)?;
        // Null asks for nothing but the presence, so neither has a meaning with it.
        let is_bare = qualifier == Qualifier::Plain && !if_exists;
        (kind != Kind::Null || is_bare).then_some(Self { kind, is_negated, qualifier, if_exists })
    }

    /// What the operator says of an absent key; `Null` is no matter of this.
    pub(super) fn holds_without_key(self) -> bool {
        match self.qualifier {
            _ if self.if_exists => true,
            Qualifier::Plain => self.is_negated,
            Qualifier::ForAnyValue => false,
            Qualifier::ForAllValues => true,
        }
    }
}
