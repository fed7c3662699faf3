//! The value of one checksum.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Algorithm;

/// Length of the longest digest.
const DIGEST_BYTES_MAX: usize = 32;

/// A digest of exactly its algorithm's length; CRCs are big-endian as on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    /// Zero beyond the algorithm's length, so that derived equality holds.
    bytes: [u8; DIGEST_BYTES_MAX],
}

impl Digest {
    /// `None`: the length is not the algorithm's.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        if bytes.len() != algorithm.digest_bytes() {
            return None;
        }
        let mut padded = [0; DIGEST_BYTES_MAX];
        padded[..bytes.len()].copy_from_slice(bytes);
        Some(Self { algorithm, bytes: padded })
    }

    /// The low bytes of a CRC register. The algorithm must be a CRC.
    pub(super) fn from_crc(algorithm: Algorithm, value: u64) -> Self {
        let mut bytes = [0; DIGEST_BYTES_MAX];
        let length = algorithm.digest_bytes();
        bytes[..length].copy_from_slice(&value.to_be_bytes()[size_of::<u64>() - length..]);
        Self { algorithm, bytes }
    }

    /// Padded base64 as in the header; `None` for anything else, other lengths included.
    pub fn from_base64(algorithm: Algorithm, text: impl AsRef<[u8]>) -> Option<Self> {
        // 44 characters encode 32 bytes; the decoder asks for room by its own estimate, hence the slack.
        let mut decoded = [0; DIGEST_BYTES_MAX + 4];
        let length = STANDARD.decode_slice(text, &mut decoded).ok()?;
        Self::from_bytes(algorithm, decoded.get(..length)?)
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.digest_bytes()]
    }

    pub fn base64(&self) -> String {
        STANDARD.encode(self.bytes())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm.name(), self.base64())
    }
}
