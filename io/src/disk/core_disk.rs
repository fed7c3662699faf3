//! The disk as one core sees it: reads and writes through its ring, whole windows or an error.
//!
//! Each core opens its own file of an extent, at first use, so that no descriptor is shared between
//! rings. A future that is dropped leaves its operation to the ring: the memory stays lent until the
//! kernel is done, then goes back to its pool; whether the bytes of a dropped write arrived is unknown.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use monoio::fs::File;

use super::counters::DiskCounters;
use super::{BLOCK_BYTES, Disk, FileDisk};
use crate::buffer::{Rented, Window};
use crate::error::IoError;
use crate::runtime::{core_count, open_files_limit};
use crate::sim::SimulatedDisk;

/// Files that one core keeps open at least and at most. Opening costs about as much as a small read, so
/// a core keeps many, as far as the process's limit allows.
const OPEN_FILES_MIN: usize = 16;
const OPEN_FILES_MAX: usize = 4096;
/// Of all descriptors that the process may have, the cores' extents take at most one in so many; the
/// rest is for connections.
const DESCRIPTORS_SHARE: usize = 4;

/// A core's handle on a [`Disk`]. Clones share the open files; it never leaves its thread.
#[derive(Clone)]
pub struct CoreDisk {
    backend: Rc<Backend>,
}

enum Backend {
    Files(CoreFiles),
    Simulated(Arc<SimulatedDisk>),
}

struct CoreFiles {
    disk: Arc<FileDisk>,
    counters: Arc<DiskCounters>,
    open: RefCell<OpenFiles>,
}

struct OpenFiles {
    files: HashMap<u32, Rc<File>>,
    /// In the order of opening; the first makes room.
    order: VecDeque<u32>,
    files_max: usize,
    /// Removals of the disk when the files were opened.
    removals_seen: u64,
}

impl CoreDisk {
    pub(super) fn new(disk: Disk) -> Self {
        let of_a_core = open_files_limit() / DESCRIPTORS_SHARE / core_count();
        Self::with_open_files(disk, of_a_core.clamp(OPEN_FILES_MIN, OPEN_FILES_MAX))
    }

    fn with_open_files(disk: Disk, files_max: usize) -> Self {
        let backend = match disk {
            Disk::Files(disk) => {
                let removals_seen = disk.removals();
                let open = RefCell::new(OpenFiles {
                    files: HashMap::new(),
                    order: VecDeque::new(),
                    files_max,
                    removals_seen,
                });
                let counters = disk.new_counters();
                Backend::Files(CoreFiles { disk, counters, open })
            }
            Disk::Simulated(disk) => Backend::Simulated(disk),
        };
        Self { backend: Rc::new(backend) }
    }

    /// Writes the whole window at `offset`, or fails. Completed is not durable: see [`Disk::sync`].
    ///
    /// The window's memory, its length and `offset` must be multiples of [`BLOCK_BYTES`], on every
    /// disk, so that a test on tmpfs finds what O_DIRECT would refuse.
    pub async fn write_at(&self, extent: u32, offset: u64, window: Window) -> (Result<(), IoError>, Window) {
        match &*self.backend {
            Backend::Files(files) => files.write_at(extent, offset, window).await,
            Backend::Simulated(disk) => {
                let result = aligned("write", extent, offset, &window)
                    .and_then(|()| disk.write(extent, offset, &window));
                (result, window)
            }
        }
    }

    /// Fills the whole window from `offset`, or fails: `UnexpectedEof` where the extent ends before.
    /// Alignment as for [`CoreDisk::write_at`].
    pub async fn read_at(
        &self,
        extent: u32,
        offset: u64,
        mut window: Window,
    ) -> (Result<(), IoError>, Window) {
        match &*self.backend {
            Backend::Files(files) => files.read_at(extent, offset, window).await,
            Backend::Simulated(disk) => {
                let result = aligned("read", extent, offset, &window)
                    .and_then(|()| disk.read(extent, offset, &mut window));
                (result, window)
            }
        }
    }
}

impl CoreFiles {
    async fn write_at(&self, extent: u32, offset: u64, mut window: Window) -> (Result<(), IoError>, Window) {
        let failed = |source| Err(self.disk.error("write", extent, source).at(offset));
        if let Err(error) = aligned("write", extent, offset, &window) {
            return (Err(error), window);
        }
        let file = match self.file(extent) {
            Ok(file) => file,
            Err(error) => return (Err(error), window),
        };
        let mut written = 0;
        while written < window.len() {
            let (result, rented) = file.write_at(Rented::new(window, written), offset + written as u64).await;
            window = rented.into_inner();
            match result {
                Ok(0) => return (failed(io::ErrorKind::WriteZero.into()), window),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (failed(error), window),
            }
        }
        self.counters.count_write(written);
        (Ok(()), window)
    }

    async fn read_at(&self, extent: u32, offset: u64, mut window: Window) -> (Result<(), IoError>, Window) {
        let failed = |source| Err(self.disk.error("read", extent, source).at(offset));
        if let Err(error) = aligned("read", extent, offset, &window) {
            return (Err(error), window);
        }
        let file = match self.file(extent) {
            Ok(file) => file,
            Err(error) => return (Err(error), window),
        };
        let mut read = 0;
        while read < window.len() {
            // A read that ended inside a block met the end of the file; O_DIRECT would refuse to go on.
            if !read.is_multiple_of(BLOCK_BYTES) {
                return (failed(io::ErrorKind::UnexpectedEof.into()), window);
            }
            let (result, rented) = file.read_at(Rented::new(window, read), offset + read as u64).await;
            window = rented.into_inner();
            match result {
                Ok(0) => return (failed(io::ErrorKind::UnexpectedEof.into()), window),
                Ok(count) => read += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (failed(error), window),
            }
        }
        self.counters.count_read(read);
        (Ok(()), window)
    }

    fn file(&self, extent: u32) -> Result<Rc<File>, IoError> {
        let mut open = self.open.borrow_mut();
        let removals = self.disk.removals();
        if open.removals_seen != removals {
            // Some extent is gone, and its number may have come back as another file.
            open.files.clear();
            open.order.clear();
            open.removals_seen = removals;
        }
        if let Some(file) = open.files.get(&extent) {
            return Ok(Rc::clone(file));
        }
        let file = self.disk.open_file(extent)?;
        let file = File::from_std(file).map_err(|source| self.disk.error("open", extent, source))?;
        let file = Rc::new(file);
        if open.order.len() >= open.files_max
            && let Some(oldest) = open.order.pop_front()
        {
            // Operations in flight keep their file open by themselves.
            open.files.remove(&oldest);
        }
        open.order.push_back(extent);
        open.files.insert(extent, Rc::clone(&file));
        Ok(file)
    }
}

/// What O_DIRECT asks of an operation, checked before the kernel answers with a bare EINVAL.
fn aligned(operation: &'static str, extent: u32, offset: u64, window: &Window) -> Result<(), IoError> {
    let aligned = offset.is_multiple_of(BLOCK_BYTES as u64)
        && window.len().is_multiple_of(BLOCK_BYTES)
        && window.as_ptr().addr().is_multiple_of(BLOCK_BYTES);
    if aligned && !window.is_empty() {
        return Ok(());
    }
    let message = format!(
        "length {} and window start {} must be multiples of {BLOCK_BYTES}, as the offset, and the length not zero",
        window.len(),
        window.range().start
    );
    let source = io::Error::new(io::ErrorKind::InvalidInput, message);
    Err(IoError::new(operation, format!("extent {extent}"), source).at(offset))
}

#[cfg(test)]
#[path = "core_disk_tests.rs"]
mod tests;
