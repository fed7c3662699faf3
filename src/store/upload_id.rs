//! What multipart uploads are called: names in order are uploads in order, oldest first.

use std::fmt;

use super::version_id::number;

/// Length of half a name.
const NUMBER_CHARACTERS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UploadId {
    /// The stamp of the transaction that began the upload.
    pub stamp: u64,
    /// Drawn at random, so that a name cannot be guessed from another.
    pub tag: u64,
}

impl UploadId {
    /// Reads a name exactly as it is written. `None`: no upload can be called so.
    pub fn parse(text: &str) -> Option<Self> {
        let (stamp, tag) = text.split_at_checked(NUMBER_CHARACTERS)?;
        Some(Self { stamp: number(stamp)?, tag: number(tag)? })
    }

    /// As it stands in keys of the index.
    pub fn bytes(self) -> [u8; 16] {
        (u128::from(self.stamp) << 64 | u128::from(self.tag)).to_be_bytes()
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}{:016x}", self.stamp, self.tag)
    }
}

#[cfg(test)]
#[path = "upload_id_tests.rs"]
mod tests;
