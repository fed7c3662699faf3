//! What the index keeps of an object, in three sections: what a listing shows, what a HEAD adds, where the bytes
//! are. A listing decodes the first section alone, from the front of the stored value.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{append_section, take_section, take_version};
use crate::config::limits::OWNER_NAME_BYTES_MAX;
use crate::index::error::RecordError;

const VERSION: u8 = 1;

const LAYOUT_INLINE: u8 = 0;
const LAYOUT_EXTENTS: u8 = 1;

const VARINT_U64_BYTES_MAX: usize = 10;
const VARINT_U16_BYTES_MAX: usize = 3;
const DIGEST_BYTES_MAX: usize = 32;

/// So much of a stored value always holds its [`Listed`]: version, flag, three numbers, ETag, checksum, owner.
pub const LISTED_BYTES_MAX: usize = 2
    + 3 * VARINT_U64_BYTES_MAX
    + (16 + 1 + VARINT_U16_BYTES_MAX)
    + (1 + 2 + 1 + DIGEST_BYTES_MAX)
    + 2 * (2 + OWNER_NAME_BYTES_MAX);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRecord {
    pub listed: Listed,
    pub metadata: Metadata,
    pub layout: Layout,
}

/// What a listing shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub delete_marker: bool,
    pub size: u64,
    pub last_modified_ms: i64,
    /// Rises with every write of a key, whatever the clock does.
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

/// Where the body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// In the record itself.
    Inline(Vec<u8>),
    /// In the extents.
    Extents {
        /// Drawn for each body; every frame carries it, so that a stale or misplaced frame is known as such.
        body_id: u64,
        /// In the order of the body.
        runs: Vec<Run>,
    },
}

/// Consecutive blocks of one extent of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Run {
    pub node: u32,
    pub extent: u32,
    /// First block.
    pub block: u32,
    pub blocks: u32,
}

impl ObjectRecord {
    pub fn encode(&self) -> Vec<u8> {
        let inline_bytes = if let Layout::Inline(body) = &self.layout { body.len() } else { 0 };
        let mut encoded = Vec::with_capacity(256 + inline_bytes);
        encoded.push(VERSION);
        encoded = append_section(&self.listed, encoded);
        encoded = append_section(&self.metadata, encoded);
        match &self.layout {
            Layout::Inline(body) => {
                encoded.push(LAYOUT_INLINE);
                encoded.extend_from_slice(body);
                encoded
            }
            Layout::Extents { body_id, runs } => {
                encoded.push(LAYOUT_EXTENTS);
                append_section(&(body_id, runs), encoded)
            }
        }
    }

    pub fn decode(mut bytes: &[u8]) -> Result<Self, RecordError> {
        take_version(VERSION, &mut bytes)?;
        let listed = take_section("listed", &mut bytes)?;
        let metadata = take_section("metadata", &mut bytes)?;
        let layout = match bytes.split_first() {
            None => return Err(RecordError::Empty),
            Some((&LAYOUT_INLINE, body)) => Layout::Inline(body.to_vec()),
            Some((&LAYOUT_EXTENTS, mut rest)) => {
                let (body_id, runs) = take_section("extents", &mut rest)?;
                Layout::Extents { body_id, runs }
            }
            Some((&other, _)) => return Err(RecordError::Layout(other)),
        };
        Ok(Self { listed, metadata, layout })
    }

    /// The first section, from a stored value that may be cut off after [`LISTED_BYTES_MAX`] bytes.
    pub fn decode_listed(mut bytes: &[u8]) -> Result<Listed, RecordError> {
        take_version(VERSION, &mut bytes)?;
        take_section("listed", &mut bytes)
    }
}
