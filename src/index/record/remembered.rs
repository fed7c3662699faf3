//! Answers that are remembered for a while, so that a request sent twice acts once.

use serde::{Deserialize, Serialize};

use super::object::Listed;
use super::{append_section, take_section, take_version};
use crate::index::error::RecordError;

const VERSION: u8 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// SHA-256 of what the request asked for: the same token with another request is a mistake.
    pub fingerprint: [u8; 32],
    /// What was made, where the answer names it.
    pub made: Option<Listed>,
    /// When it may be forgotten, Unix milliseconds.
    pub due_ms: i64,
}

impl Remembered {
    pub fn encode(&self) -> Vec<u8> {
        append_section(self, vec![VERSION])
    }

    pub fn decode(mut bytes: &[u8]) -> Result<Self, RecordError> {
        take_version(VERSION, &mut bytes)?;
        take_section("remembered", &mut bytes)
    }
}
