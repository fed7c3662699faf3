//! Opening a data directory: what is shared by all cores, and each core's part of it.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use ringstone_io::buffer::BufferPool;
use ringstone_io::disk::{CoreDisk, Disk, DiskCounts};
use ringstone_io::runtime::Clock;

use crate::commit::poison::Poison;
use crate::commit::{Commit, CommitOptions, Committer};
use crate::config::Calendar;
use crate::config::limits::{BLOCK_BYTES, BUFFER_BYTES, LIST_WALK_ENTRIES_MAX, REWRITE_BUFFERS};
use crate::index::engine::{Engine, KeyRange, Statistics, Step};
use crate::index::key_encoding;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::extent::preparer::Preparer;
use crate::store::extent::space::{Space, SpaceOptions, SpaceStatistics};
use crate::store::keys::Accounts;
use crate::store::lifecycle::Tally;
use crate::store::lifecycle::counts::Counts;
use crate::store::lifecycle::job::LifecycleParts;
use crate::store::pins::CorePins;
use crate::store::release::Release;

/// Everything of a data directory that the cores share. Dropping it, after the cores' stores, ends the preparer and
/// the committer.
pub struct SharedStore {
    pub engine: Engine,
    disk: Disk,
    commit: Commit,
    committer: Committer,
    calendar: Calendar,
    space: Arc<Space>,
    preparer: Preparer,
    pins: Vec<Arc<CorePins>>,
    poison: Poison,
    clock: Clock,
    lifecycle: Arc<Counts>,
}

/// What one core needs to make its [`Store`]; goes to the core's thread.
pub struct CoreParts {
    engine: Engine,
    disk: Disk,
    commit: Commit,
    calendar: Calendar,
    space: Arc<Space>,
    pins: Arc<CorePins>,
}

impl SharedStore {
    /// Opens the directory with real files: the index in `index/`, bodies in `extents/`.
    pub fn open_directory(
        directory: &Path,
        options: SpaceOptions,
        cores: usize,
        clock: Clock,
        calendar: Calendar,
    ) -> Result<Self, StoreError> {
        let engine = Engine::open(&directory.join("index"))?;
        let disk = Disk::open(&directory.join("extents"))?;
        Self::open(engine, disk, options, cores, clock, calendar)
    }

    /// Opens an index and a disk that belong together.
    pub fn open(
        engine: Engine,
        disk: Disk,
        options: SpaceOptions,
        cores: usize,
        clock: Clock,
        calendar: Calendar,
    ) -> Result<Self, StoreError> {
        let space = Space::open(&engine, disk.clone(), options)?;
        let pins: Vec<Arc<CorePins>> = (0..cores).map(|_| Arc::default()).collect();
        let poison = Poison::default();
        let (committer, commit) = Committer::start(CommitOptions {
            engine: engine.clone(),
            disk: disk.clone(),
            clock: clock.clone(),
            calendar,
            release: Box::new(Release { space: space.clone(), cores: pins.clone() }),
            poison: poison.clone(),
        })
        .map_err(|error| StoreError::Start(error.to_string()))?;
        let preparer = Preparer::start(space.clone(), clock.clone())?;
        Ok(Self {
            engine,
            disk,
            commit,
            committer,
            calendar,
            space,
            preparer,
            pins,
            poison,
            clock,
            lifecycle: Arc::default(),
        })
    }

    pub fn core(&self, core: usize) -> CoreParts {
        CoreParts {
            engine: self.engine.clone(),
            disk: self.disk.clone(),
            commit: self.commit.clone(),
            calendar: self.calendar,
            space: self.space.clone(),
            pins: self.pins[core].clone(),
        }
    }

    /// The access keys and policies of organisations; goes to any thread, and must be gone before the store closes.
    pub fn accounts(&self) -> Accounts {
        Accounts { engine: self.engine.clone(), commit: self.commit.clone() }
    }

    /// For the thread that does the lifecycle's work.
    pub fn lifecycle(&self) -> LifecycleParts {
        LifecycleParts {
            engine: self.engine.clone(),
            commit: self.commit.clone(),
            space: self.space.clone(),
            clock: self.clock.clone(),
            calendar: self.calendar,
            counts: self.lifecycle.clone(),
        }
    }

    pub fn is_direct(&self) -> bool {
        self.disk.is_direct()
    }

    /// For whoever watches the store without using it.
    pub fn monitor(&self) -> Monitor {
        Monitor {
            engine: self.engine.clone(),
            disk: self.disk.clone(),
            space: self.space.clone(),
            poison: self.poison.clone(),
            clock: self.clock.clone(),
            lifecycle: self.lifecycle.clone(),
        }
    }

    /// Waits until everything acknowledged or queued is on disk. The cores' stores must have been dropped.
    pub fn close(self) {
        drop(self.preparer);
        drop(self.commit);
        self.committer.join();
    }
}

/// Figures and health of the store; goes to any thread.
#[derive(Clone)]
pub struct Monitor {
    engine: Engine,
    disk: Disk,
    space: Arc<Space>,
    poison: Poison,
    clock: Clock,
    lifecycle: Arc<Counts>,
}

impl Monitor {
    /// Why the node no longer accepts writes, once a sync has failed.
    pub fn poison(&self) -> &Poison {
        &self.poison
    }

    /// Whether the filesystem has room for writes.
    pub fn is_accepting(&self) -> bool {
        self.space.is_accepting()
    }

    pub fn space(&self) -> SpaceStatistics {
        self.space.statistics()
    }

    pub fn index(&self) -> Statistics {
        self.engine.statistics()
    }

    pub fn disk(&self) -> DiskCounts {
        self.disk.counts()
    }

    /// What the lifecycle has done since the start.
    pub fn lifecycle(&self) -> Tally {
        self.lifecycle.tally()
    }

    /// Hints of the lifecycle that are due, counted no further than one walk goes.
    pub fn lifecycle_due(&self) -> u64 {
        let (start, end) = key_encoding::due_range(self.clock.unix_ms());
        self.entries(KeyRange::between(&start, &end))
    }

    /// Buckets that the lifecycle sweeps because they got rules.
    pub fn lifecycle_sweeps(&self) -> u64 {
        let (start, end) = key_encoding::sweep_range();
        self.entries(KeyRange::between(&start, &end))
    }

    fn entries(&self, range: KeyRange<'_>) -> u64 {
        let mut entries = 0;
        let counted = self.engine.walk(range, &mut |_, _, _| {
            entries += 1;
            Ok(if entries < LIST_WALK_ENTRIES_MAX as u64 { Step::Next } else { Step::Stop })
        });
        if let Err(error) = counted {
            tracing::error!(%error, "cannot count entries of the index");
        }
        entries
    }
}

impl CoreParts {
    /// Makes the core's store; called on the core's own thread.
    pub fn into_store(self, pool_bytes: u64) -> Result<Store, StoreError> {
        let buffers = BufferPool::new((pool_bytes as usize / BUFFER_BYTES).max(2), BUFFER_BYTES)?;
        let turns = BufferPool::new((buffers.capacity() / REWRITE_BUFFERS).max(1), BLOCK_BYTES)?;
        let disk: CoreDisk = self.disk.core();
        Ok(Store {
            engine: self.engine,
            commit: self.commit,
            space: self.space,
            disk: Rc::new(disk),
            buffers,
            pins: self.pins,
            turns,
            calendar: self.calendar,
            lifecycle_rules: Rc::default(),
        })
    }
}
