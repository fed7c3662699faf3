//! What the index keeps of a bucket's lifecycle: its rules, all that is needed to apply them and to show them as they
//! came; how far the sweep that they began has come; hints of when they want something.

use serde::{Deserialize, Serialize};

use super::{append_section, take_section, take_version};
use crate::index::error::RecordError;

const VERSION: u8 = 1;

/// The rules of a bucket, in the order in which they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleRules(pub Vec<LifecycleRule>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleRule {
    pub id: String,
    pub enabled: bool,
    pub filter: LifecycleFilter,
    /// Of the current version.
    pub expiration: Option<Expiration>,
    pub noncurrent: Option<NoncurrentExpiration>,
    /// Days after which an upload that was not completed is aborted.
    pub abort_upload_days: Option<u32>,
}

/// Which objects a rule is about: those for which all of this holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleFilter {
    pub form: FilterForm,
    pub prefix: Option<String>,
    pub tags: Vec<(String, String)>,
    pub size_greater_than: Option<u64>,
    pub size_less_than: Option<u64>,
}

/// How a filter was written, and is shown again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FilterForm {
    /// `Filter` with one predicate, or none.
    #[default]
    Filter,
    /// `Filter` with several in `And`.
    And,
    /// `Prefix` in the rule itself, as before filters.
    RulePrefix,
    /// Neither `Filter` nor `Prefix`.
    Absent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expiration {
    Days(u32),
    /// Midnight UTC, Unix milliseconds.
    Date(i64),
    /// Whether a delete marker goes when it is all that is left of its key.
    ExpiredObjectDeleteMarker(bool),
}

/// At least one of these is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoncurrentExpiration {
    /// Days after a version was superseded.
    pub days: Option<u32>,
    /// So many of the newest noncurrent versions stay, whatever their age.
    pub newer_versions: Option<u32>,
}

/// How far the sweep over a bucket that got new rules has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleSweep {
    pub bucket: String,
    /// Stamp of the rules.
    pub rules: u64,
    pub table: SweptTable,
    /// The last entry of the table that was passed.
    pub after: Option<Vec<u8>>,
}

/// The tables that are swept, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SweptTable {
    Objects,
    Versions,
    Uploads,
}

/// What is known where lifecycle rules may want something of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleHint {
    pub bucket: String,
    /// Where a look at a long history goes on.
    pub history: Option<HistoryCursor>,
}

/// How far a look at the noncurrent versions of a key has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryCursor {
    /// Stamp of the last version that was seen and stays.
    pub last: u64,
    /// The soonest time at which something that was passed will be due.
    pub due_ms: Option<i64>,
    /// Something has changed since: another look is needed after this one.
    pub again: bool,
}

impl LifecycleSweep {
    pub fn begin(bucket: &str, rules: u64) -> Self {
        Self { bucket: bucket.to_owned(), rules, table: SweptTable::Objects, after: None }
    }

    pub fn encode(&self) -> Vec<u8> {
        append_section(self, vec![VERSION])
    }

    pub fn decode(mut bytes: &[u8]) -> Result<Self, RecordError> {
        take_version(VERSION, &mut bytes)?;
        take_section("lifecycle sweep", &mut bytes)
    }
}

impl LifecycleHint {
    pub fn encode(&self) -> Vec<u8> {
        append_section(self, vec![VERSION])
    }

    pub fn decode(mut bytes: &[u8]) -> Result<Self, RecordError> {
        take_version(VERSION, &mut bytes)?;
        take_section("lifecycle hint", &mut bytes)
    }
}

impl LifecycleRules {
    pub fn encode(&self) -> Vec<u8> {
        append_section(self, vec![VERSION])
    }

    pub fn decode(mut bytes: &[u8]) -> Result<Self, RecordError> {
        take_version(VERSION, &mut bytes)?;
        take_section("lifecycle rules", &mut bytes)
    }
}
