//! What the index keeps of a multipart upload and of its parts.

use serde::{Deserialize, Serialize};

use super::body::Segment;
use super::object::{Metadata, Owner, StoredChecksum};
use super::{append_section, take_section, take_version};
use crate::index::error::RecordError;
use crate::seal::KeyCheck;

const VERSION: u8 = 1;

/// An upload that was begun and neither completed nor aborted. Everything that the object will be, beside its
/// bytes, is fixed here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadRecord {
    /// Second half of the upload's id, so that an id cannot be guessed from a time.
    pub tag: u64,
    pub initiated_ms: i64,
    pub owner: Owner,
    pub metadata: Metadata,
    pub checksum: UploadChecksum,
    /// Set where the parts are sealed under a customer's key.
    pub encryption: Option<KeyCheck>,
}

/// The additional checksum of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadChecksum {
    /// Id of the algorithm, see `checksum`.
    pub algorithm: u8,
    /// Of the object as a whole, not of the parts' checksums.
    pub full_object: bool,
    /// Whether the client asked for it; otherwise it is the node's own.
    pub declared: bool,
}

/// A part that was received whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    pub bytes: u64,
    /// The part's ETag: MD5 of its bytes, or random where they are sealed.
    pub md5: [u8; 16],
    /// By the upload's algorithm.
    pub checksum: Option<StoredChecksum>,
    pub last_modified_ms: i64,
    pub segments: Vec<Segment>,
}

/// What a listing of parts shows: a part without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PartListed {
    pub bytes: u64,
    pub md5: [u8; 16],
    pub checksum: Option<StoredChecksum>,
    pub last_modified_ms: i64,
}

/// So much of a stored part always holds its [`PartListed`]: version, two numbers, MD5, checksum.
pub const PART_LISTED_BYTES_MAX: usize = 1 + 2 * 10 + 16 + (1 + 2 + 1 + 32);

impl UploadRecord {
    pub fn encode(&self) -> Vec<u8> {
        append_section(self, vec![VERSION])
    }

    pub fn decode(mut bytes: &[u8]) -> Result<Self, RecordError> {
        take_version(VERSION, &mut bytes)?;
        take_section("upload", &mut bytes)
    }
}

impl PartRecord {
    pub fn encode(&self) -> Vec<u8> {
        append_section(self, vec![VERSION])
    }

    pub fn decode(mut bytes: &[u8]) -> Result<Self, RecordError> {
        take_version(VERSION, &mut bytes)?;
        take_section("part", &mut bytes)
    }

    /// The front of a record, from a stored value that may be cut off after [`PART_LISTED_BYTES_MAX`] bytes.
    pub fn decode_listed(mut bytes: &[u8]) -> Result<PartListed, RecordError> {
        take_version(VERSION, &mut bytes)?;
        take_section("part", &mut bytes)
    }
}
