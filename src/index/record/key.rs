//! What the index keeps of an access key.

use serde::{Deserialize, Serialize};

use super::{append_section, take_section, take_version};
use crate::index::error::RecordError;
use crate::seal::SealedSecret;

const VERSION: u8 = 1;

/// An access key, beside its name, which is the key of the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    pub user: String,
    pub display_name: String,
    pub org: String,
    pub created_ms: i64,
    pub disabled: bool,
    /// Sealed under the node's key, for access key, user and organisation.
    pub secret: SealedSecret,
}

impl KeyRecord {
    pub fn encode(&self) -> Vec<u8> {
        append_section(self, vec![VERSION])
    }

    pub fn decode(mut bytes: &[u8]) -> Result<Self, RecordError> {
        take_version(VERSION, &mut bytes)?;
        take_section("access key", &mut bytes)
    }
}
