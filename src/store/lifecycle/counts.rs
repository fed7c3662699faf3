//! What the lifecycle has done since the start, for whoever watches.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::look::Tally;

/// Written by the job, read by any thread.
#[derive(Debug, Default)]
pub(in crate::store) struct Counts {
    expired_objects: AtomicU64,
    deleted_versions: AtomicU64,
    removed_markers: AtomicU64,
    aborted_uploads: AtomicU64,
}

impl Counts {
    pub(super) fn add(&self, tally: Tally) {
        self.expired_objects.fetch_add(tally.expired_objects, Relaxed);
        self.deleted_versions.fetch_add(tally.deleted_versions, Relaxed);
        self.removed_markers.fetch_add(tally.removed_markers, Relaxed);
        self.aborted_uploads.fetch_add(tally.aborted_uploads, Relaxed);
    }

    pub(in crate::store) fn tally(&self) -> Tally {
        Tally {
            expired_objects: self.expired_objects.load(Relaxed),
            deleted_versions: self.deleted_versions.load(Relaxed),
            removed_markers: self.removed_markers.load(Relaxed),
            aborted_uploads: self.aborted_uploads.load(Relaxed),
        }
    }
}
