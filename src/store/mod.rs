//! Objects as bytes: bodies into extents, records into transactions, and back.
//!
//! Owns the extents, the frames in them, the space they take and the readers that hold them. Knows nothing of S3's
//! words: no XML, no headers, no actions. Each core has its own [`Store`]; what they share is the index, the space
//! and the way to the committer.

pub mod body_reader;
pub mod body_shape;
pub mod body_writer;
pub mod buckets;
pub mod complete;
pub mod copy;
pub mod delete;
pub mod error;
pub mod extent;
pub mod keys;
pub mod lifecycle;
pub mod multipart;
pub mod objects;
pub mod org_policies;
pub mod pins;
pub mod preconditions;
pub mod put;
pub mod release;
mod remembered;
pub mod rename;
pub mod rewrite;
mod slicing;
pub mod start;
pub mod tags;
pub mod upload_id;
pub mod version_id;
pub mod versions;
pub mod write_condition;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ringstone_io::buffer::{Buffer, BufferPool};
use ringstone_io::disk::CoreDisk;
use ringstone_io::runtime;

use crate::commit::Commit;
use crate::config::Calendar;
use crate::config::limits::BUFFER_WAIT_S;
use crate::index::engine::Engine;
use crate::store::error::StoreError;
use crate::store::extent::space::Space;
use crate::store::lifecycle::RulesCache;
use crate::store::pins::CorePins;

/// The store as one core sees it. Cheap to clone within the core.
#[derive(Clone)]
pub struct Store {
    pub(crate) engine: Engine,
    pub(crate) commit: Commit,
    pub(crate) space: Arc<Space>,
    pub(crate) disk: Rc<CoreDisk>,
    pub(crate) buffers: BufferPool,
    pub(crate) pins: Arc<CorePins>,
    /// Bounds how many bodies are written anew at once: a buffer of it stands for a turn, and is never touched.
    pub(crate) turns: BufferPool,
    /// The days of lifecycle rules.
    pub(crate) calendar: Calendar,
    lifecycle_rules: Rc<RefCell<RulesCache>>,
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod history_tests;
#[cfg(test)]
mod model;
#[cfg(test)]
#[path = "sealed_tests.rs"]
mod sealed_tests;
#[cfg(test)]
#[path = "store_tests.rs"]
mod store_tests;
#[cfg(test)]
pub(crate) mod test_node;
#[cfg(test)]
#[path = "versions_tests.rs"]
mod versions_tests;

impl Store {
    /// The core's buffers, for whoever moves bytes on this core.
    pub fn buffers(&self) -> &BufferPool {
        &self.buffers
    }

    /// A buffer, after a bounded wait in turn where none is free.
    pub(crate) async fn buffer(&self) -> Result<Buffer, StoreError> {
        if let Some(buffer) = self.buffers.try_acquire() {
            return Ok(buffer);
        }
        runtime::timeout(Duration::from_secs(BUFFER_WAIT_S), self.buffers.acquire())
            .await
            .map_err(|_elapsed| StoreError::Overloaded)
    }
}
