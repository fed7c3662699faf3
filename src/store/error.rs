//! What can go wrong below S3.

use ringstone_io::IoError;

use crate::commit::CommitError;
use crate::index::IndexError;
use crate::store::extent::frame::FrameFault;

/// A failure of the store. Only `s3::error` turns it into a response.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("no space left")]
    NoSpace,
    #[error("too many requests at once")]
    Overloaded,
    #[error("extent {extent} block {block}: {fault}")]
    Frame { extent: u32, block: u32, fault: FrameFault },
    #[error("a sealed body does not open under its key")]
    Unsealed,
    #[error("extent {0}: {1}")]
    ExtentHeader(u32, String),
    #[error("extent {0} holds committed bodies, but its file is missing")]
    ExtentMissing(u32),
    #[error("{0}")]
    Corrupt(String),
    #[error(transparent)]
    Io(#[from] IoError),
    #[error("index: {0}")]
    Index(String),
    #[error("the node has stopped accepting writes: {0}")]
    Poisoned(String),
    #[error("cannot start a thread: {0}")]
    Thread(String),
    #[error("cannot start the committer: {0}")]
    Start(String),
}

impl From<IndexError> for StoreError {
    fn from(error: IndexError) -> Self {
        Self::Index(error.to_string())
    }
}

/// A transaction's own refusal, or a failure below it.
#[derive(Debug)]
pub enum Refusal<E> {
    Refused(E),
    Failed(StoreError),
}

impl<E> From<CommitError<E>> for Refusal<E> {
    fn from(error: CommitError<E>) -> Self {
        Self::Failed(match error {
            CommitError::Refused(refusal) => return Self::Refused(refusal),
            CommitError::Overloaded => StoreError::Overloaded,
            CommitError::NoSpace => StoreError::NoSpace,
            CommitError::Index(error) => StoreError::Index(error),
            CommitError::Poisoned(reason) => StoreError::Poisoned(reason),
        })
    }
}
