//! The first block of an extent file. See `FORMAT.md`.

use crate::checksum;
use crate::config::limits::BLOCK_BYTES;

const MAGIC: [u8; 8] = *b"RINGEXT1";
const FORMAT_VERSION: u32 = 1;

const VERSION: usize = MAGIC.len();
const EXTENT: usize = VERSION + size_of::<u32>();
const CAPACITY: usize = EXTENT + size_of::<u32>();
const CREATED: usize = CAPACITY + size_of::<u64>();
const CHECKSUM: usize = CREATED + size_of::<i64>();
const END: usize = CHECKSUM + size_of::<u32>();
const _: () = assert!(END <= BLOCK_BYTES);

/// What the header of an extent file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtentHeader {
    pub extent: u32,
    pub capacity_bytes: u64,
    pub created_ms: i64,
}

/// Why a header block was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    #[error("no valid extent header")]
    Invalid,
    #[error("extent format version {0} is not known to this program")]
    Version(u32),
}

impl ExtentHeader {
    pub fn encode(self) -> [u8; BLOCK_BYTES] {
        let mut block = [0; BLOCK_BYTES];
        block[..VERSION].copy_from_slice(&MAGIC);
        block[VERSION..EXTENT].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        block[EXTENT..CAPACITY].copy_from_slice(&self.extent.to_le_bytes());
        block[CAPACITY..CREATED].copy_from_slice(&self.capacity_bytes.to_le_bytes());
        block[CREATED..CHECKSUM].copy_from_slice(&self.created_ms.to_le_bytes());
        let checksum = checksum::crc32c_of(&[&block[..CHECKSUM]]);
        block[CHECKSUM..END].copy_from_slice(&checksum.to_le_bytes());
        block
    }

    pub fn decode(block: &[u8; BLOCK_BYTES]) -> Result<Self, HeaderFault> {
        let u32_at = |at: usize| u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
        let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
        if block[..VERSION] != MAGIC || u32_at(CHECKSUM) != checksum::crc32c_of(&[&block[..CHECKSUM]]) {
            return Err(HeaderFault::Invalid);
        }
        if u32_at(VERSION) != FORMAT_VERSION {
            return Err(HeaderFault::Version(u32_at(VERSION)));
        }
        Ok(Self {
            extent: u32_at(EXTENT),
            capacity_bytes: u64_at(CAPACITY),
            created_ms: u64_at(CREATED).cast_signed(),
        })
    }
}

#[cfg(test)]
#[path = "header_tests.rs"]
mod tests;
