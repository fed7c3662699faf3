//! The values that conditions compare with: read once, when the document is; compared as what they are.

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ipnet::{IpNet, Ipv4Net};
use jiff::Timestamp;

use super::super::context::Scene;
use super::super::template::{Pattern, Syntax, Template, Text};

/// What an operator compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text {
        ignores_case: bool,
    },
    Pattern,
    Arn,
    Number(Comparison),
    Date(Comparison),
    Bool,
    Bytes,
    Address,
    /// Whether the key is absent.
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equals => ordering.is_eq(),
            Self::LessThan => ordering.is_lt(),
            Self::LessThanEquals => ordering.is_le(),
            Self::GreaterThan => ordering.is_gt(),
            Self::GreaterThanEquals => ordering.is_ge(),
        }
    }
}

/// The parts of an ARN: `arn:partition:service:region:account:resource`. The last may hold colons.
const ARN_PARTS: usize = 6;

/// The values of one condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operands {
    Text { values: Vec<Text>, ignores_case: bool },
    Patterns(Vec<Pattern>),
    Arns(Vec<Vec<Pattern>>),
    Numbers { values: Vec<f64>, comparison: Comparison },
    Dates { values: Vec<Timestamp>, comparison: Comparison },
    Bools(Vec<bool>),
    Bytes(Vec<Vec<u8>>),
    Addresses(Vec<IpNet>),
    Null(Vec<bool>),
}

impl Operands {
    pub(super) fn none(kind: Kind) -> Self {
        match kind {
            Kind::Text { ignores_case } => Self::Text { values: Vec::new(), ignores_case },
            Kind::Pattern => Self::Patterns(Vec::new()),
            Kind::Arn => Self::Arns(Vec::new()),
            Kind::Number(comparison) => Self::Numbers { values: Vec::new(), comparison },
            Kind::Date(comparison) => Self::Dates { values: Vec::new(), comparison },
            Kind::Bool => Self::Bools(Vec::new()),
            Kind::Bytes => Self::Bytes(Vec::new()),
            Kind::Address => Self::Addresses(Vec::new()),
            Kind::Null => Self::Null(Vec::new()),
        }
    }

    /// Takes one value of the document; `None` where it is not of the kind.
    pub(super) fn add(&mut self, text: &str, has_variables: bool) -> Option<()> {
        let template = |has_wildcards| Template::parse(text, Syntax { has_variables, has_wildcards }).ok();
        match self {
            Self::Text { values, .. } => values.push(Text::new(template(false)?)),
            Self::Patterns(patterns) => patterns.push(Pattern::new(template(true)?)),
            Self::Arns(arns) => {
                let parts = template(true)?.split_at_colons(ARN_PARTS);
                if parts.len() != ARN_PARTS {
                    return None;
                }
                arns.push(parts.into_iter().map(Pattern::new).collect());
            }
            Self::Numbers { values, .. } => values.push(number(text)?),
            Self::Dates { values, .. } => values.push(date(text)?),
            Self::Bools(values) | Self::Null(values) => values.push(boolean(text)?),
            Self::Bytes(values) => values.push(BASE64.decode(text).ok()?),
            Self::Addresses(values) => values.push(network(text)?),
        }
        Some(())
    }

    /// How many passes over a value its patterns may take.
    pub(super) fn searches(&self) -> usize {
        match self {
            Self::Text { values, ignores_case } => {
                values.iter().map(|text| text.searches(*ignores_case)).sum()
            }
            Self::Patterns(patterns) => patterns.iter().map(Pattern::searches).sum(),
            Self::Arns(arns) => arns.iter().flatten().map(Pattern::searches).sum(),
            _ => 0,
        }
    }

    /// Whether some operand compares with this value of the request. One that is not of the kind compares with none.
    pub(super) fn compare(&self, value: &str, scene: &Scene<'_>) -> bool {
        match self {
            Self::Text { values, ignores_case } => {
                values.iter().any(|text| text.equals(value, *ignores_case, scene))
            }
            Self::Patterns(patterns) => patterns.iter().any(|pattern| pattern.matches(value, scene)),
            Self::Arns(arns) => arns.iter().any(|parts| is_arn(parts, value, scene)),
            Self::Numbers { values, comparison } => number(value).is_some_and(|value| {
                let orderings = values.iter().filter_map(|operand| value.partial_cmp(operand));
                orderings.into_iter().any(|ordering| comparison.holds(ordering))
            }),
            Self::Dates { values, comparison } => date(value)
                .is_some_and(|value| values.iter().any(|operand| comparison.holds(value.cmp(operand)))),
            Self::Bools(values) => boolean(value).is_some_and(|value| values.contains(&value)),
            Self::Bytes(values) => values.iter().any(|operand| operand == value.as_bytes()),
            Self::Addresses(values) => {
                address(value).is_some_and(|address| values.iter().any(|network| network.contains(&address)))
            }
            Self::Null(_) => false,
        }
    }
}

fn is_arn(parts: &[Pattern], value: &str, scene: &Scene<'_>) -> bool {
    let values = value.splitn(ARN_PARTS, ':');
    values.clone().count() == ARN_PARTS
        && parts.iter().zip(values).all(|(pattern, value)| pattern.matches(value, scene))
}

/// A decimal number. Compared as a double: whole numbers are exact up to 2^53.
fn number(text: &str) -> Option<f64> {
    // Without this, names such as `inf` would be numbers.
    let is_decimal = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse().ok().filter(|number: &f64| is_decimal && number.is_finite())
}

/// A time in ISO 8601 with its offset, a date (its midnight in UTC), or Unix seconds.
fn date(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse() {
        return Timestamp::from_second(seconds).ok();
    }
    // A name of a time zone in brackets is no matter of ISO 8601.
    if text.contains('[') {
        return None;
    }
    let is_day = text.len() == "2026-01-31".len();
    if is_day { format!("{text}T00:00:00Z").parse().ok() } else { text.parse().ok() }
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    text.eq_ignore_ascii_case("false").then_some(false)
}

/// An address; one of IPv4 in the clothes of IPv6 is one of IPv4.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// A range of addresses, or one.
fn network(text: &str) -> Option<IpNet> {
    if !text.contains('/') {
        return address(text).map(IpNet::from);
    }
    let network: IpNet = text.parse().ok()?;
    let IpNet::V6(mapped) = network else { return Some(network) };
    let (Some(address), Some(bits)) = (mapped.addr().to_ipv4_mapped(), mapped.prefix_len().checked_sub(96))
    else {
        return Some(network);
    };
    Ipv4Net::new(address, bits).ok().map(IpNet::V4)
}
