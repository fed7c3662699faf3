//! The one error of this crate: what was attempted, on which file or address, where, and the kernel's
//! answer. It carries the answer unchanged, so that callers can tell a full disk from a broken one.

use std::io;

/// A kernel operation that failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {subject}{}: {source}", OffsetSuffix(*.offset))]
pub struct IoError {
    operation: &'static str,
    subject: String,
    offset: Option<u64>,
    source: io::Error,
}

impl IoError {
    /// `operation` is a verb ("write"), `subject` the file or address that it was meant for.
    pub fn new(operation: &'static str, subject: impl Into<String>, source: io::Error) -> Self {
        Self { operation, subject: subject.into(), offset: None, source }
    }

    /// The same error, naming the byte offset of the operation.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    pub fn operation(&self) -> &'static str {
        self.operation
    }

    pub fn subject(&self) -> &str {
        &self.subject
    }

    pub fn offset(&self) -> Option<u64> {
        self.offset
    }

    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }

    pub fn raw_os_error(&self) -> Option<i32> {
        self.source.raw_os_error()
    }

    /// The device or the quota is full: the request fails, the server lives.
    pub fn is_no_space(&self) -> bool {
        matches!(self.source.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT))
    }

    /// The file ends before the range that was asked for.
    pub fn is_unexpected_eof(&self) -> bool {
        self.source.kind() == io::ErrorKind::UnexpectedEof
    }
}

struct OffsetSuffix(Option<u64>);

impl std::fmt::Display for OffsetSuffix {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(offset) => write!(formatter, " at byte {offset}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
