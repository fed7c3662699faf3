//! A policy document.

use super::PolicyError;

/// Where a document applies, and so what its grammar demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer<'a> {
    /// The policy of this bucket: it names principals, and resources of this bucket.
    Bucket(&'a str),
    /// A policy of an organisation: a statement without principal is about everybody of it.
    Organisation,
}

/// A policy that has been read and checked. Immutable; shared by all who judge by it.
#[derive(Debug)]
pub struct Document {}

impl Document {
    pub fn parse(bytes: &[u8], layer: Layer<'_>) -> Result<Self, PolicyError> {
        let _ = layer;
        if bytes.first() != Some(&b'{') {
            let sentence = "Policies must be valid JSON and the first byte must be '{'";
            return Err(PolicyError::new(sentence, String::new()));
        }
        Ok(Self {})
    }
}
