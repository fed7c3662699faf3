//! The extent files of one data directory, as a whole.
//!
//! Extents are opaque here: a number, a file `{number:010}.extent`, bytes at offsets. What stands in them
//! is the business of the store. Blocking operations belong to start-up, to the committer and to
//! maintenance; request cores use [`CoreDisk`], which goes through their ring.
//!
//! Durability: [`Disk::create`] and [`Disk::remove`] are durable when they return; written bytes and the
//! length that [`Disk::preallocate`] gives are durable after [`Disk::sync`] of that extent. A sync that
//! failed says that some earlier write is lost, and the next one may say that all is well: this layer
//! never retries one, and neither may its callers.

mod core_disk;
mod counters;
mod files;
mod lock;

use std::path::Path;
use std::sync::Arc;

pub use core_disk::CoreDisk;
pub use counters::DiskCounts;
pub use files::FileDisk;
pub use lock::{DirectoryLock, fsync_directory};

use crate::buffer::ALIGNMENT_BYTES;
use crate::error::IoError;
use crate::sim::SimulatedDisk;

/// Unit of every operation of a [`CoreDisk`]: memory, offset and length are multiples of it.
pub const BLOCK_BYTES: usize = ALIGNMENT_BYTES;

/// The extents of one data directory. Clones share it; every thread may use it.
#[derive(Clone)]
pub enum Disk {
    Files(Arc<FileDisk>),
    Simulated(Arc<SimulatedDisk>),
}

impl Disk {
    /// Creates the directory where it is missing and finds out whether it takes O_DIRECT.
    pub fn open(directory: &Path) -> Result<Self, IoError> {
        Ok(Self::Files(Arc::new(FileDisk::open(directory)?)))
    }

    /// An empty disk in memory whose misfortunes follow from `seed`.
    pub fn simulated(seed: u64) -> Self {
        Self::Simulated(Arc::new(SimulatedDisk::new(seed)))
    }

    /// Whether reads and writes pass by the page cache.
    pub fn is_direct(&self) -> bool {
        match self {
            Self::Files(files) => files.is_direct(),
            Self::Simulated(_) => true,
        }
    }

    /// Numbers of the extents that exist, in ascending order.
    pub fn extents(&self) -> Result<Vec<u32>, IoError> {
        match self {
            Self::Files(files) => files.extents(),
            Self::Simulated(disk) => Ok(disk.extents()),
        }
    }

    /// Creates an empty extent, durably. Fails where it exists.
    pub fn create(&self, extent: u32) -> Result<(), IoError> {
        match self {
            Self::Files(files) => files.create(extent),
            Self::Simulated(disk) => disk.create(extent),
        }
    }

    /// Reserves space for a range and extends the extent over it; new bytes read as zeros.
    pub fn preallocate(&self, extent: u32, offset: u64, length: u64) -> Result<(), IoError> {
        match self {
            Self::Files(files) => files.preallocate(extent, offset, length),
            Self::Simulated(disk) => disk.preallocate(extent, offset, length),
        }
    }

    /// Removes an extent, durably.
    pub fn remove(&self, extent: u32) -> Result<(), IoError> {
        match self {
            Self::Files(files) => files.remove(extent),
            Self::Simulated(disk) => disk.remove(extent),
        }
    }

    /// Makes every completed write of the extent durable. An error is final: see the module.
    pub fn sync(&self, extent: u32) -> Result<(), IoError> {
        match self {
            Self::Files(files) => files.sync(extent),
            Self::Simulated(disk) => disk.sync(extent),
        }
    }

    /// Fills `bytes` from `offset`, or fails (`UnexpectedEof` past the end). Any alignment.
    pub fn read_blocking(&self, extent: u32, offset: u64, bytes: &mut [u8]) -> Result<(), IoError> {
        match self {
            Self::Files(files) => files.read(extent, offset, bytes),
            Self::Simulated(disk) => disk.read(extent, offset, bytes),
        }
    }

    /// Writes all of `bytes` at `offset`, or fails. Any alignment, but the caller must own the whole
    /// blocks that it touches: on a direct disk their edges are read and written back, and an extent
    /// that grows ends on a block boundary.
    pub fn write_blocking(&self, extent: u32, offset: u64, bytes: &[u8]) -> Result<(), IoError> {
        match self {
            Self::Files(files) => files.write(extent, offset, bytes),
            Self::Simulated(disk) => disk.write(extent, offset, bytes),
        }
    }

    /// Length of the file: where preallocated space ends.
    pub fn length(&self, extent: u32) -> Result<u64, IoError> {
        match self {
            Self::Files(files) => files.length(extent),
            Self::Simulated(disk) => disk.length(extent),
        }
    }

    /// Bytes that an unprivileged process can still allocate.
    pub fn free_bytes(&self) -> Result<u64, IoError> {
        match self {
            Self::Files(files) => files.free_bytes(),
            Self::Simulated(disk) => Ok(disk.free_bytes()),
        }
    }

    /// Operations of all threads so far.
    pub fn counts(&self) -> DiskCounts {
        match self {
            Self::Files(files) => files.counts(),
            Self::Simulated(disk) => disk.counts(),
        }
    }

    /// The simulation behind this disk, to cut its power or make it fail.
    pub fn simulation(&self) -> Option<&SimulatedDisk> {
        match self {
            Self::Files(_) => None,
            Self::Simulated(disk) => Some(disk),
        }
    }

    /// The handle of one core: its own open files, its own ring.
    pub fn core(&self) -> CoreDisk {
        CoreDisk::new(self.clone())
    }
}
