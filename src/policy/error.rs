//! Why a document is no policy.

use std::fmt;

/// A refused document. Displays as S3's sentence, followed by the place and the text there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError {
    sentence: &'static str,
    place: String,
}

impl PolicyError {
    pub(super) fn new(sentence: &'static str, place: String) -> Self {
        Self { sentence, place }
    }

    /// S3's sentence alone.
    pub fn sentence(&self) -> &'static str {
        self.sentence
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.sentence)?;
        if self.place.is_empty() { Ok(()) } else { write!(formatter, " ({})", self.place) }
    }
}
