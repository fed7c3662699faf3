//! What the index keeps of a bucket's tags. Those of an object are part of its metadata.

use serde::{Deserialize, Serialize};

use super::{append_section, take_section, take_version};
use crate::index::error::RecordError;

const VERSION: u8 = 1;

/// Keys and values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagSet(pub Vec<(String, String)>);

impl TagSet {
    pub fn encode(&self) -> Vec<u8> {
        append_section(self, vec![VERSION])
    }

    pub fn decode(mut bytes: &[u8]) -> Result<Self, RecordError> {
        take_version(VERSION, &mut bytes)?;
        take_section("tag set", &mut bytes)
    }
}
