//! What the index keeps of one version of an object, in three sections: what a listing shows, what a HEAD adds, where
//! the bytes are. A listing decodes the first section alone, from the front of the stored value.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::body::{Part, Segment};
use super::{append_section, take_section, version_1};
use crate::checksum::Digest;
use crate::config::limits::OWNER_NAME_BYTES_MAX;
use crate::index::error::RecordError;
use crate::seal::KeyCheck;

const VERSION: u8 = 2;

const VARINT_U64_BYTES_MAX: usize = 10;
const VARINT_U16_BYTES_MAX: usize = 3;
const DIGEST_BYTES_MAX: usize = 32;

/// So much of a stored value always holds its [`Listed`]: version, two flags, three numbers, ETag, checksum, owner.
pub const LISTED_BYTES_MAX: usize = 3
    + 3 * VARINT_U64_BYTES_MAX
    + (16 + 1 + VARINT_U16_BYTES_MAX)
    + (1 + 2 + 1 + DIGEST_BYTES_MAX)
    + 2 * (2 + OWNER_NAME_BYTES_MAX);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRecord {
    pub listed: Listed,
    pub metadata: Metadata,
    pub content: Content,
}

/// The bytes of an object, and what is known of them beside their digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// In order; their bytes add up to the object's size.
    pub segments: Vec<Segment>,
    /// The parts that it came in, in order; empty for an object that was put whole.
    pub parts: Vec<Part>,
    /// Set where the segments are sealed under a customer's key: how to know the key.
    pub encryption: Option<KeyCheck>,
}

/// What a listing shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub delete_marker: bool,
    /// Its version id is `null`: it was written while the bucket kept no versions.
    pub null_version: bool,
    pub size: u64,
    pub last_modified_ms: i64,
    /// Rises with every write of a key, whatever the clock does. The version id is made of it.
    pub stamp: u64,
    pub etag: ETag,
    pub checksum: Option<StoredChecksum>,
    pub owner: Owner,
}

/// MD5 of the body, or of the parts' MD5s together with their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ETag {
    pub md5: [u8; 16],
    pub parts: Option<u16>,
}

/// As clients see it, without quotes.
impl fmt::Display for ETag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.md5 {
            write!(formatter, "{byte:02x}")?;
        }
        match self.parts {
            None => Ok(()),
            Some(parts) => write!(formatter, "-{parts}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredChecksum {
    /// Id of the algorithm, see `checksum`.
    pub algorithm: u8,
    /// Of the body as a whole, not of the parts' checksums.
    pub full_object: bool,
    /// At most 32 bytes.
    pub bytes: Vec<u8>,
}

impl StoredChecksum {
    pub fn of(digest: &Digest, full_object: bool) -> Self {
        Self { algorithm: digest.algorithm().id(), full_object, bytes: digest.bytes().to_vec() }
    }
}

/// Names of at most [`OWNER_NAME_BYTES_MAX`] bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub user: String,
    pub display_name: String,
}

/// Headers that are stored with an object and returned with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    pub system: Vec<(SystemHeader, String)>,
    /// Names in lower case, without `x-amz-meta-`.
    pub user: Vec<(String, String)>,
    pub tags: Vec<(String, String)>,
}

/// The order is stored: new variants go last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum SystemHeader {
    CacheControl,
    ContentDisposition,
    ContentEncoding,
    ContentLanguage,
    ContentType,
    Expires,
    StorageClass,
}

impl ObjectRecord {
    pub fn encode(&self) -> Vec<u8> {
        let inline_bytes: usize = self.content.segments.iter().map(inline_bytes_of).sum();
        let mut encoded = Vec::with_capacity(256 + inline_bytes);
        encoded.push(VERSION);
        encoded = append_section(&self.listed, encoded);
        encoded = append_section(&self.metadata, encoded);
        append_section(&self.content, encoded)
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut rest = match bytes.split_first() {
            None => return Err(RecordError::Empty),
            Some((&VERSION, rest)) => rest,
            Some((1, rest)) => return version_1::decode(rest),
            Some((&version, _)) => return Err(RecordError::Version(version)),
        };
        let listed = take_section("listed", &mut rest)?;
        let metadata = take_section("metadata", &mut rest)?;
        let content = take_section("content", &mut rest)?;
        Ok(Self { listed, metadata, content })
    }

    /// The first two sections.
    pub fn decode_described(bytes: &[u8]) -> Result<(Listed, Metadata), RecordError> {
        match bytes.split_first() {
            Some((&VERSION, mut rest)) => {
                Ok((take_section("listed", &mut rest)?, take_section("metadata", &mut rest)?))
            }
            _ => Self::decode(bytes).map(|record| (record.listed, record.metadata)),
        }
    }

    /// The first section, from a stored value that may be cut off after [`LISTED_BYTES_MAX`] bytes.
    pub fn decode_listed(bytes: &[u8]) -> Result<Listed, RecordError> {
        match bytes.split_first() {
            None => Err(RecordError::Empty),
            Some((&VERSION, mut rest)) => take_section("listed", &mut rest),
            Some((1, mut rest)) => version_1::take_listed(&mut rest),
            Some((&version, _)) => Err(RecordError::Version(version)),
        }
    }
}

fn inline_bytes_of(segment: &Segment) -> usize {
    if let Segment::Inline(inline) = segment { inline.bytes.len() } else { 0 }
}
