//! CRC32C in one call, for frames on disk.

use crc_fast::{CrcAlgorithm, Digest};

/// Castagnoli CRC of the concatenation of `pieces`.
pub fn crc32c_of(pieces: &[&[u8]]) -> u32 {
    let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
    for piece in pieces {
        digest.update(piece);
    }
    digest.finalize() as u32
}
