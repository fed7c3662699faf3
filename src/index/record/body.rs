//! Where the bytes of an object or part are: segments, each a slice of a body that was written once.
//!
//! A body never changes. Copies, and parts made of other objects, refer to the same runs; who frees them is counted
//! in the index (table `H`).

use serde::{Deserialize, Serialize};

/// Bytes of the salt that a sealed body's key is derived with.
pub const SALT_BYTES: usize = 32;

/// Random, drawn once for each sealed body.
pub type Salt = [u8; SALT_BYTES];

/// Consecutive bytes of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Segment {
    /// In the record itself.
    Inline(Inline),
    /// In the extents.
    Extents(Slice),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inline {
    /// The bytes; of a sealed body its one frame: ciphertext and tag.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
    /// Set where the body is sealed under a customer's key.
    pub salt: Option<Salt>,
}

/// Part of a body in extents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Drawn for each body; every frame carries it, so that a stale or misplaced frame is known as such.
    pub body_id: u64,
    /// Bytes of the whole body: what each of its frames holds follows from it.
    pub body_bytes: u64,
    /// First byte of the body that belongs to the slice.
    pub skip: u64,
    /// Bytes of the slice.
    pub bytes: u64,
    /// Number of the frame that the first run begins with.
    pub first_frame: u64,
    /// In the order of the body: all runs that hold a byte of the slice.
    pub runs: Vec<Run>,
    /// Set where the body is sealed under a customer's key.
    pub salt: Option<Salt>,
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

/// One part of an object that came in parts, as long as the object lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub number: u16,
    pub bytes: u64,
    /// Digest of the part by the object's algorithm.
    #[serde(with = "serde_bytes")]
    pub checksum: Option<Vec<u8>>,
}

impl Segment {
    /// Bytes of the object that it holds.
    pub fn bytes(&self, tag_bytes: usize) -> u64 {
        match self {
            Self::Inline(Inline { bytes, salt: None }) => bytes.len() as u64,
            Self::Inline(Inline { bytes, salt: Some(_) }) => bytes.len().saturating_sub(tag_bytes) as u64,
            Self::Extents(slice) => slice.bytes,
        }
    }

    pub fn is_sealed(&self) -> bool {
        match self {
            Self::Inline(inline) => inline.salt.is_some(),
            Self::Extents(slice) => slice.salt.is_some(),
        }
    }

    /// The runs that it refers to; none if inline.
    pub fn runs(&self) -> &[Run] {
        match self {
            Self::Inline(_) => &[],
            Self::Extents(slice) => &slice.runs,
        }
    }
}

/// All runs that some segments refer to, in order.
pub fn runs_of(segments: &[Segment]) -> impl Iterator<Item = &Run> {
    segments.iter().flat_map(Segment::runs)
}
