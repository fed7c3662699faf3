//! Bytes by name: pieces of contents that follow from their seeds. So the model holds, cuts and joins bodies of any
//! size without having them.

use std::ops::RangeInclusive;

use crate::checksum::{Algorithm, Digest, Hasher, Md5};
use crate::store::test_node::Content;

/// Up to here a sum is taken of the bytes themselves, not combined from the sums of parts.
pub(super) const SUMMED_BYTES_MAX: u64 = 1024 * 1024;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Bytes {
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Piece {
    content: Content,
    first: u64,
    bytes: u64,
}

impl Bytes {
    pub(super) fn of(content: Content) -> Self {
        let piece = Piece { content, first: 0, bytes: content.bytes as u64 };
        Self { pieces: [piece].into_iter().filter(|piece| piece.bytes > 0).collect() }
    }

    pub(super) fn len(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.bytes).sum()
    }

    pub(super) fn append(&mut self, other: &Self) {
        self.pieces.extend(&other.pieces);
    }

    /// Without a range: nothing.
    pub(super) fn cut(&self, range: Option<&RangeInclusive<u64>>) -> Self {
        let Some(range) = range else { return Self::default() };
        let mut pieces = Vec::new();
        let mut position = 0;
        for piece in &self.pieces {
            let first = (*range.start()).max(position);
            let end = (range.end() + 1).min(position + piece.bytes);
            if first < end {
                pieces.push(Piece { first: piece.first + first - position, bytes: end - first, ..*piece });
            }
            position += piece.bytes;
        }
        Self { pieces }
    }

    pub(super) fn make(&self) -> Vec<u8> {
        self.pieces.iter().flat_map(|piece| piece.content.part(piece.first, piece.bytes)).collect()
    }

    pub(super) fn md5(&self) -> [u8; 16] {
        let mut md5 = Md5::new();
        self.pieces.iter().for_each(|piece| md5.update(&piece.content.part(piece.first, piece.bytes)));
        md5.finish()
    }

    pub(super) fn digest(&self, algorithm: Algorithm) -> Digest {
        let mut hasher = Hasher::new(algorithm);
        self.pieces.iter().for_each(|piece| hasher.update(&piece.content.part(piece.first, piece.bytes)));
        hasher.finish()
    }
}
