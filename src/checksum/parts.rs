//! Digests of a whole from those of its parts, without reading a byte of either.

use super::algorithm::Family;
use super::{Algorithm, Digest, Hasher};

impl Digest {
    /// The digest of what this one covers followed by `next_bytes` bytes that `next` covers. `None`: the algorithms
    /// differ, or it is not a CRC; nothing else can be combined.
    pub fn combine(&self, next: &Digest, next_bytes: u64) -> Option<Digest> {
        let Family::Crc(crc) = self.algorithm().family() else { return None };
        if next.algorithm() != self.algorithm() {
            return None;
        }
        let value = crc_fast::checksum_combine(crc, self.crc(), next.crc(), next_bytes);
        Some(Digest::from_crc(self.algorithm(), value))
    }

    fn crc(&self) -> u64 {
        self.bytes().iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }
}

/// The digest of the digests, one after the other as bytes. They should be of the same algorithm.
pub fn composite<'a>(algorithm: Algorithm, digests: impl IntoIterator<Item = &'a Digest>) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    for digest in digests {
        debug_assert_eq!(digest.algorithm(), algorithm, "parts of one upload have one algorithm");
        hasher.update(digest.bytes());
    }
    hasher.finish()
}

#[cfg(test)]
#[path = "parts_tests.rs"]
mod tests;
