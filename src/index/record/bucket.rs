//! What the index keeps of a bucket.

use serde::{Deserialize, Serialize};

use super::{append_section, take_section, take_version};
use crate::index::error::RecordError;

const VERSION: u8 = 2;

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
    /// Stamp of the transaction that put the bucket's policy, if it has one: what was parsed of another is stale.
    pub policy: Option<u64>,
    /// The same of its lifecycle rules.
    pub lifecycle: Option<u64>,
}

/// A bucket as the first version of the format has it: neither policy nor lifecycle.
#[derive(Deserialize)]
struct Version1 {
    id: u64,
    name: String,
    user: String,
    display_name: String,
    org: String,
    region: String,
    created_ms: i64,
    versioning: Versioning,
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
        if bytes.first() == Some(&1) {
            take_version(1, &mut bytes)?;
            return take_section("bucket", &mut bytes).map(Version1::upgrade);
        }
        take_version(VERSION, &mut bytes)?;
        take_section("bucket", &mut bytes)
    }
}

impl Version1 {
    fn upgrade(self) -> BucketRecord {
        let Self { id, name, user, display_name, org, region, created_ms, versioning } = self;
        BucketRecord {
            id,
            name,
            user,
            display_name,
            org,
            region,
            created_ms,
            versioning,
            policy: None,
            lifecycle: None,
        }
    }
}
