//! What versions are called. The name says when a version was made, inverted, so that names in order are versions in
//! order, newest first.

use std::fmt;

/// The name of the version that was written while the bucket kept no others.
const NULL: &str = "null";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VersionId {
    Null,
    /// The stamp of the transaction that made the version.
    Stamp(u64),
}

impl VersionId {
    /// Reads a name exactly as it is written: each version has one. `None`: no version can be called so.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            NULL => Some(Self::Null),
            _ => number(text).map(|inverted| Self::Stamp(!inverted)),
        }
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str(NULL),
            Self::Stamp(stamp) => write!(formatter, "{:016x}", !stamp),
        }
    }
}

/// Sixteen lower-case hexadecimal digits.
pub(super) fn number(text: &str) -> Option<u64> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 16 || !text.bytes().all(is_digit) {
        return None;
    }
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
#[path = "version_id_tests.rs"]
mod tests;
