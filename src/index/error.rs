//! What can go wrong in the index. Nothing here is the fault of a client: the layers above check what they are
//! given before they ask.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A stored record that cannot be read.
#[derive(Debug, Error)]
pub enum RecordError {
    #[error("the record is empty")]
    Empty,
    #[error("the record has format version {0}, which this version of the program does not know")]
    Version(u8),
    #[error("the {section} section is malformed: {source}")]
    Malformed { section: &'static str, source: postcard::Error },
    #[error("the record names a layout {0}, which this version of the program does not know")]
    Layout(u8),
}

/// A failed operation on the index.
#[derive(Debug, Error)]
pub enum IndexError {
    #[error("index: {operation} failed: {source}")]
    Engine { operation: &'static str, source: heed::Error },
    #[error("index: {} cannot be used: {source}", path.display())]
    Directory { path: PathBuf, source: io::Error },
    #[error("index: {} holds no index that this version of the program can read: {reason}", path.display())]
    Format { path: PathBuf, reason: &'static str },
    #[error("index: the entry under key {} is damaged: {reason}", hex::encode(key))]
    Damaged { key: Vec<u8>, reason: &'static str },
    #[error("index: the record under key {} cannot be read: {source}", hex::encode(key))]
    Record { key: Vec<u8>, source: RecordError },
    #[error("index: a key of {bytes} bytes is outside the limits of the engine")]
    KeySize { bytes: usize },
    #[error("index: a value of {bytes} bytes is outside the limits of the engine")]
    ValueSize { bytes: usize },
}

impl IndexError {
    /// The device or the map is full. LMDB says so in more ways than one, see `engine::file_growth`.
    pub fn is_no_space(&self) -> bool {
        match self {
            Self::Engine { source: heed::Error::Io(source), .. } | Self::Directory { source, .. } => {
                is_no_space(source)
            }
            Self::Engine { source: heed::Error::Mdb(heed::MdbError::MapFull), .. } => true,
            _ => false,
        }
    }
}

/// The filesystem, or the user's share of it, is full.
pub(super) fn is_no_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
