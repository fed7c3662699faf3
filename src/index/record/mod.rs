//! The stored records. The first byte of each is the version of its format; what follows is postcard, in sections
//! that can be read without the later ones.
//!
//! The bytes are a promise to every data directory in use: fields and variants keep their order, and a change of
//! meaning takes a new version byte beside the old one. Decoding takes any bytes and answers with an error where
//! they are no record.

pub mod body;
pub mod bucket;
pub mod key;
pub mod lifecycle;
pub mod object;
pub mod remembered;
pub mod space_map;
pub mod tag_set;
pub mod upload;
mod version_1;

use serde::de::Deserialize;
use serde::ser::Serialize;

use super::error::RecordError;

pub use body::{Inline, Part, Run, Salt, Segment, Slice};
pub use bucket::{BucketRecord, Versioning};
pub use key::KeyRecord;
pub use lifecycle::{
    Expiration, FilterForm, HistoryCursor, LifecycleFilter, LifecycleHint, LifecycleRule, LifecycleRules,
    LifecycleSweep, NoncurrentExpiration, SweptTable,
};
pub use object::{
    Content, ETag, LISTED_BYTES_MAX, Listed, Metadata, ObjectRecord, Owner, StoredChecksum, SystemHeader,
};
pub use remembered::Remembered;
pub use tag_set::TagSet;
pub use upload::{PART_LISTED_BYTES_MAX, PartListed, PartRecord, UploadChecksum, UploadRecord};

/// Reads one section and leaves `bytes` behind it.
fn take_section<'a, T: Deserialize<'a>>(
    section: &'static str,
    bytes: &mut &'a [u8],
) -> Result<T, RecordError> {
    let (value, rest) =
        postcard::take_from_bytes(bytes).map_err(|source| RecordError::Malformed { section, source })?;
    *bytes = rest;
    Ok(value)
}

fn append_section<T: Serialize>(value: &T, encoded: Vec<u8>) -> Vec<u8> {
    // A vector takes everything, and every field of a record is of a kind that postcard can write.
    postcard::to_extend(value, encoded).expect("records are serialisable")
}

/// Checks the version byte and leaves `bytes` behind it.
fn take_version(known: u8, bytes: &mut &[u8]) -> Result<(), RecordError> {
    match bytes.split_first() {
        None => Err(RecordError::Empty),
        Some((&version, _)) if version != known => Err(RecordError::Version(version)),
        Some((_, rest)) => {
            *bytes = rest;
            Ok(())
        }
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
