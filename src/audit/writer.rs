//! The thread that writes the audit log.

use std::io;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::queue::{AuditLog, LineQueue};
use super::rotation::RotatedFile;
use crate::config::limits::{AUDIT_STEP_MS, AUDIT_WRITE_BYTES};

/// How often a trouble that lasts is told at most.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// Why there is no audit log. The node does not start then.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the audit log {}: {source}", path.display())]
pub struct AuditError {
    path: PathBuf,
    source: io::Error,
}

/// The running thread.
#[derive(Debug)]
pub struct AuditThread {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl AuditThread {
    /// Opens the log at `path` and starts the thread. The log is rotated at `bytes_max`, with `kept` old files.
    pub fn start(path: &Path, bytes_max: u64, kept: u64) -> Result<(AuditLog, Self), AuditError> {
        let failed = |source| AuditError { path: path.to_owned(), source };
        let file = RotatedFile::open(path, bytes_max, kept).map_err(failed)?;
        let (log, lines) = AuditLog::new();
        let (stop, stopped) = bounded(1);
        let writer =
            Writer { file, lines, batch: Vec::new(), failure: None, reported: None, reported_lost: 0 };
        let thread = std::thread::Builder::new()
            .name("audit".into())
            .spawn(move || writer.run(&stopped))
            .map_err(failed)?;
        Ok((log, Self { stop, thread }))
    }

    /// Writes what waits, syncs the file and ends the thread.
    pub fn stop(self) {
        // A thread that has ended needs no telling.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            tracing::error!("the thread of the audit log panicked");
        }
    }
}

struct Writer {
    file: RotatedFile,
    lines: LineQueue,
    batch: Vec<u8>,
    /// The last write that failed since a trouble was last told.
    failure: Option<io::Error>,
    /// When a trouble was last told, and the lines that were lost by then.
    reported: Option<Instant>,
    reported_lost: u64,
}

impl Writer {
    fn run(mut self, stopped: &Receiver<()>) {
        let step = Duration::from_millis(AUDIT_STEP_MS);
        while matches!(stopped.recv_timeout(step), Err(RecvTimeoutError::Timeout)) {
            self.write_waiting();
        }
        self.write_waiting();
        if let Err(error) = self.file.sync() {
            tracing::error!(%error, "the audit log could not be synced");
        }
    }

    /// Writes what is in the queue, until less than a whole write is left there.
    fn write_waiting(&mut self) {
        loop {
            self.batch.clear();
            self.lines.drain_into(&mut self.batch, AUDIT_WRITE_BYTES);
            let is_full = self.batch.len() >= AUDIT_WRITE_BYTES;
            if !self.batch.is_empty()
                && let Err(error) = self.write_batch()
            {
                self.failure = Some(error);
            }
            self.report();
            if !is_full {
                return;
            }
        }
    }

    fn write_batch(&mut self) -> io::Result<()> {
        let rotated = if self.file.is_full(self.batch.len()) { self.file.rotate() } else { Ok(()) };
        let (kept_bytes, written) = match self.file.append(&self.batch) {
            Ok(()) => (self.batch.len(), Ok(())),
            Err(failed) => (failed.kept_bytes, Err(failed.error)),
        };
        let (kept, lost) = self.batch.split_at(kept_bytes);
        self.lines.count(line_count(kept), line_count(lost));
        written.and(rotated)
    }

    fn report(&mut self) {
        let lost = self.lines.lost();
        let is_trouble = self.failure.is_some() || lost > self.reported_lost;
        if !is_trouble || self.reported.is_some_and(|reported| reported.elapsed() < REPORT_EVERY) {
            return;
        }
        let lines = lost - self.reported_lost;
        if let Some(error) = self.failure.take() {
            tracing::error!(%error, lost = lines, "the audit log cannot be written");
        } else {
            tracing::error!(lost = lines, "the audit log cannot keep up");
        }
        (self.reported, self.reported_lost) = (Some(Instant::now()), lost);
    }
}

fn line_count(lines: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', lines).count() as u64
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
