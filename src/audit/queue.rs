//! Lines on their way from the cores to the thread that writes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};

use super::entry::Entry;
use crate::config::limits::{AUDIT_QUEUE_BYTES_MAX, AUDIT_QUEUE_LINES_MAX};

/// Where requests are recorded. Clones are the same log.
#[derive(Clone, Debug)]
pub struct AuditLog {
    lines: Sender<Vec<u8>>,
    tally: Arc<Tally>,
}

/// What became of the lines.
#[derive(Debug, Default)]
pub(super) struct Tally {
    queued_bytes: AtomicUsize,
    written: AtomicU64,
    lost: AtomicU64,
}

impl AuditLog {
    pub(super) fn new() -> (Self, LineQueue) {
        let (sender, lines) = bounded(AUDIT_QUEUE_LINES_MAX);
        let tally = Arc::new(Tally::default());
        (Self { lines: sender, tally: Arc::clone(&tally) }, LineQueue { lines, tally })
    }

    /// Records a request. Never waits.
    pub fn record(&self, entry: &Entry<'_>) {
        let line = entry.line();
        let bytes = line.len();
        let queued_bytes = self.tally.queued_bytes.fetch_add(bytes, Relaxed);
        let is_queued = queued_bytes + bytes <= AUDIT_QUEUE_BYTES_MAX
            && match self.lines.try_send(line) {
                Ok(()) => true,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
            };
        if !is_queued {
            self.tally.queued_bytes.fetch_sub(bytes, Relaxed);
            self.tally.lost.fetch_add(1, Relaxed);
        }
    }

    /// Lines that reached the file.
    pub fn written(&self) -> u64 {
        self.tally.written.load(Relaxed)
    }

    /// Lines that did not.
    pub fn lost(&self) -> u64 {
        self.tally.lost.load(Relaxed)
    }
}

/// The other end.
#[derive(Debug)]
pub(super) struct LineQueue {
    lines: Receiver<Vec<u8>>,
    tally: Arc<Tally>,
}

impl LineQueue {
    /// Moves lines into `batch` until it has `bytes` or nothing waits.
    pub(super) fn drain_into(&self, batch: &mut Vec<u8>, bytes: usize) {
        while batch.len() < bytes
            && let Ok(line) = self.lines.try_recv()
        {
            self.tally.queued_bytes.fetch_sub(line.len(), Relaxed);
            batch.extend_from_slice(&line);
        }
    }

    pub(super) fn count(&self, written: u64, lost: u64) {
        self.tally.written.fetch_add(written, Relaxed);
        self.tally.lost.fetch_add(lost, Relaxed);
    }

    pub(super) fn lost(&self) -> u64 {
        self.tally.lost.load(Relaxed)
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
