//! What the index keeps of a bucket.

use serde::{Deserialize, Serialize};

use super::{append_section, take_section, take_version};
use crate::index::error::RecordError;

const VERSION: u8 = 1;

/// A bucket. Its id, not its name, stands in the keys of its objects, and is never given twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketRecord {
    pub id: u64,
    pub name: String,
    /// Id of the owner.
    pub user: String,
    pub display_name: String,
    pub org: String,
    pub region: String,
    pub created_ms: i64,
    pub versioning: Versioning,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    /// Never enabled.
    #[default]
    Unset,
    Enabled,
    Suspended,
}

impl BucketRecord {
    pub fn encode(&self) -> Vec<u8> {
        append_section(self, vec![VERSION])
    }

    pub fn decode(mut bytes: &[u8]) -> Result<Self, RecordError> {
        take_version(VERSION, &mut bytes)?;
        take_section("bucket", &mut bytes)
    }
}
