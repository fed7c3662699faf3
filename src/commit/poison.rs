//! The state after a failed sync: nothing is acknowledged any more.
//!
//! After a failed `fsync` the kernel may drop the dirty pages and report success next time with the data lost, so a
//! retry would acknowledge what is gone. The only sound continuation is to stop, and to start again from the disk.

use std::sync::{Arc, OnceLock};

/// Set once, never cleared while the process lives.
#[derive(Clone, Debug, Default)]
pub struct Poison {
    reason: Arc<OnceLock<String>>,
}

impl Poison {
    /// Remembers the first reason.
    pub fn set(&self, reason: String) {
        tracing::error!(%reason, "a sync failed: the node stops accepting writes and will exit");
        // A later failure adds nothing.
        let _ = self.reason.set(reason);
    }

    pub fn reason(&self) -> Option<&str> {
        self.reason.get().map(String::as_str)
    }
}
