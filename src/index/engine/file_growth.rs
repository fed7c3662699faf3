//! Keeps written disk space ahead of the tree, so that a full device is found out before a commit and not in it.
//!
//! LMDB makes its file longer in the middle of a commit. On a full device the kernel then writes a part, LMDB
//! calls that an input/output error, and nobody can tell it from a broken disk. Here the file is made longer
//! first, with zeros that are written and synced; the pages of a commit then only overwrite blocks that exist.
//! This also spares commits the journal entry for a longer file. On filesystems that copy on write, an overwrite
//! can still find the device full; the commit then ends as unknown, which is safe.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::config::limits::{INDEX_GROWTH_BYTES_MAX, INDEX_GROWTH_BYTES_MIN};
use crate::index::error::is_no_space;

/// Zeros written by one call.
const ZEROS_BYTES: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct FileGrowth {
    file: File,
    /// Up to here the file consists of written blocks. Only the holder of the write transaction changes it.
    written_bytes: AtomicU64,
    /// LMDB fails cleanly where the tree reaches the end of the map: no space is needed beyond.
    map_bytes: u64,
}

impl FileGrowth {
    pub(super) fn new(file: File, map_bytes: u64) -> io::Result<Self> {
        let written_bytes = AtomicU64::new(file.metadata()?.len());
        Ok(Self { file, written_bytes, map_bytes })
    }

    /// Sees to it that the file is written up to `bytes`. To be called inside a write transaction.
    pub(super) fn cover(&self, bytes: u64) -> io::Result<()> {
        // Should LMDB ever have written more than was foreseen, those are pages of the tree: zeros must not go there.
        let length = self.file.metadata()?.len();
        let written = self.written_bytes.fetch_max(length, Ordering::Relaxed).max(length);
        let target = bytes.min(self.map_bytes);
        if target <= written {
            return Ok(());
        }
        let step = (written / 8).clamp(INDEX_GROWTH_BYTES_MIN, INDEX_GROWTH_BYTES_MAX);
        let generous = target.max(written + step).min(self.map_bytes);
        match self.extend(written, generous) {
            // Where the step does not fit any more, what is needed may.
            Err(error) if is_no_space(&error) && target < generous => self.extend(written, target),
            result => result,
        }
    }

    fn extend(&self, from: u64, to: u64) -> io::Result<()> {
        let result = self.write_zeros(from, to).and_then(|()| self.file.sync_all());
        match &result {
            Ok(()) => self.written_bytes.store(to, Ordering::Relaxed),
            // What was written is useless alone. If the file stays longer, it is just that.
            Err(_) => drop(self.file.set_len(from)),
        }
        result
    }

    fn write_zeros(&self, mut from: u64, to: u64) -> io::Result<()> {
        let zeros = vec![0; ZEROS_BYTES];
        while from < to {
            let bytes = ZEROS_BYTES.min((to - from) as usize);
            self.file.write_all_at(zeros.get(..bytes).unwrap_or_default(), from)?;
            from += bytes as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "file_growth_tests.rs"]
mod tests;
