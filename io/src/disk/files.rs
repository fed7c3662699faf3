//! Extents as files of a directory, for blocking callers on any thread.
//!
//! Opened with O_DIRECT where the file system takes it. Everything here also works without (tmpfs, some
//! overlays): same calls, same durability, through the page cache.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memmap2::MmapMut;
use rustix::fs::FallocateFlags;

use super::BLOCK_BYTES;
use super::counters::{DiskCounters, DiskCounts};
use super::lock::{create_directory, fsync_directory};
use crate::error::IoError;

const EXTENT_SUFFIX: &str = ".extent";
/// File of the O_DIRECT probe; gone when `open` returns.
const PROBE_NAME: &str = "direct-probe.tmp";
/// Extents kept open for blocking calls. The committer syncs a handful; descriptors are scarce.
const OPEN_FILES_MAX: usize = 128;

/// The extent files of one directory.
pub struct FileDisk {
    directory: PathBuf,
    direct: bool,
    /// Open files of blocking calls. Opening and removing happen under the lock, so that a removed file
    /// is never found here.
    files: Mutex<BTreeMap<u32, Arc<File>>>,
    /// Grows with every removal: cores compare it to drop files of extents that are gone.
    removals: AtomicU64,
    /// Of blocking calls.
    counters: DiskCounters,
    /// Of every core handle that was ever given out; there are as many as cores.
    core_counters: Mutex<Vec<Arc<DiskCounters>>>,
}

impl FileDisk {
    pub(super) fn open(directory: &Path) -> Result<Self, IoError> {
        create_directory(directory)?;
        let direct = probe_direct(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
            direct,
            files: Mutex::new(BTreeMap::new()),
            removals: AtomicU64::new(0),
            counters: DiskCounters::default(),
            core_counters: Mutex::default(),
        })
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn is_direct(&self) -> bool {
        self.direct
    }

    pub(super) fn removals(&self) -> u64 {
        self.removals.load(Ordering::Acquire)
    }

    pub(super) fn extents(&self) -> Result<Vec<u32>, IoError> {
        let failed = |source| IoError::new("list", self.directory.display().to_string(), source);
        let mut extents = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            extents.extend(extent_of(&entry.map_err(failed)?.file_name()));
        }
        extents.sort_unstable();
        Ok(extents)
    }

    pub(super) fn create(&self, extent: u32) -> Result<(), IoError> {
        let failed = |source| self.error("create", extent, source);
        let mut options = self.options();
        let file = options.create_new(true).open(self.path(extent)).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        fsync_directory(&self.directory)
    }

    pub(super) fn preallocate(&self, extent: u32, offset: u64, length: u64) -> Result<(), IoError> {
        let failed = |source| self.error("preallocate", extent, source).at(offset);
        let file = self.file(extent)?;
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), offset, length) {
            Ok(()) => Ok(()),
            // No reservation on this file system: give the length at least; a full disk then shows
            // when the bytes are written.
            Err(rustix::io::Errno::OPNOTSUPP) => {
                let end = offset.saturating_add(length);
                if file.metadata().map_err(failed)?.len() < end {
                    file.set_len(end).map_err(failed)?;
                }
                Ok(())
            }
            Err(errno) => Err(failed(errno.into())),
        }
    }

    pub(super) fn remove(&self, extent: u32) -> Result<(), IoError> {
        let mut files = self.lock_files();
        files.remove(&extent);
        fs::remove_file(self.path(extent)).map_err(|source| self.error("remove", extent, source))?;
        // After the unlink: a core that saw the new count cannot open the old file any more.
        self.removals.fetch_add(1, Ordering::AcqRel);
        drop(files);
        fsync_directory(&self.directory)
    }

    pub(super) fn sync(&self, extent: u32) -> Result<(), IoError> {
        self.file(extent)?.sync_data().map_err(|source| self.error("sync", extent, source))?;
        self.counters.count_sync();
        Ok(())
    }

    pub(super) fn read(&self, extent: u32, offset: u64, bytes: &mut [u8]) -> Result<(), IoError> {
        self.counters.count_read(bytes.len());
        let failed = |source| self.error("read", extent, source).at(offset);
        let file = self.file(extent)?;
        if !self.direct || is_aligned(offset, bytes) {
            return read_exact(&file, offset, bytes).map_err(failed);
        }
        let mut bounce = Bounce::covering(offset, bytes.len()).map_err(failed)?;
        let filled = read_until_end(&file, bounce.offset, &mut bounce.blocks).map_err(failed)?;
        if filled < bounce.skip + bytes.len() {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }
        bytes.copy_from_slice(&bounce.blocks[bounce.skip..][..bytes.len()]);
        Ok(())
    }

    pub(super) fn write(&self, extent: u32, offset: u64, bytes: &[u8]) -> Result<(), IoError> {
        self.counters.count_write(bytes.len());
        let failed = |source| self.error("write", extent, source).at(offset);
        let file = self.file(extent)?;
        if !self.direct || is_aligned(offset, bytes) {
            return file.write_all_at(bytes, offset).map_err(failed);
        }
        let mut bounce = Bounce::covering(offset, bytes.len()).map_err(failed)?;
        // Blocks that the write covers in part keep the rest of their content.
        read_until_end(&file, bounce.offset, &mut bounce.blocks).map_err(failed)?;
        bounce.blocks[bounce.skip..][..bytes.len()].copy_from_slice(bytes);
        file.write_all_at(&bounce.blocks, bounce.offset).map_err(failed)
    }

    pub(super) fn length(&self, extent: u32) -> Result<u64, IoError> {
        let metadata = self
            .file(extent)
            .and_then(|file| file.metadata().map_err(|error| self.error("length", extent, error)))?;
        Ok(metadata.len())
    }

    pub(super) fn free_bytes(&self) -> Result<u64, IoError> {
        let status = rustix::fs::statvfs(&self.directory)
            .map_err(|errno| IoError::new("statvfs", self.directory.display().to_string(), errno.into()))?;
        Ok(status.f_bavail.saturating_mul(status.f_frsize))
    }

    pub(super) fn counts(&self) -> DiskCounts {
        let mut sum = self.counters.counts();
        for counters in self.core_counters.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            sum += counters.counts();
        }
        sum
    }

    pub(super) fn new_counters(&self) -> Arc<DiskCounters> {
        let counters = Arc::new(DiskCounters::default());
        let mut all = self.core_counters.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::clone(&counters));
        counters
    }

    /// A new open file of an extent, for a core's ring.
    pub(super) fn open_file(&self, extent: u32) -> Result<File, IoError> {
        self.options().open(self.path(extent)).map_err(|source| self.error("open", extent, source))
    }

    pub(super) fn error(&self, operation: &'static str, extent: u32, source: io::Error) -> IoError {
        IoError::new(operation, self.path(extent).display().to_string(), source)
    }

    fn file(&self, extent: u32) -> Result<Arc<File>, IoError> {
        let mut files = self.lock_files();
        if let Some(file) = files.get(&extent) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(self.open_file(extent)?);
        if files.len() >= OPEN_FILES_MAX {
            files.pop_first();
        }
        files.insert(extent, Arc::clone(&file));
        Ok(file)
    }

    fn lock_files(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<File>>> {
        // The map is consistent at every step, so a panic elsewhere does not spoil it.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn options(&self) -> OpenOptions {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        if self.direct {
            options.custom_flags(libc::O_DIRECT);
        }
        options
    }

    fn path(&self, extent: u32) -> PathBuf {
        self.directory.join(format!("{extent:010}{EXTENT_SUFFIX}"))
    }
}

/// Aligned memory over all blocks that a byte range touches.
struct Bounce {
    blocks: MmapMut,
    /// Offset of the first block in the extent.
    offset: u64,
    /// Bytes of the first block before the range.
    skip: usize,
}

impl Bounce {
    fn covering(offset: u64, length: usize) -> io::Result<Self> {
        let skip = (offset % BLOCK_BYTES as u64) as usize;
        let covered = (skip + length).next_multiple_of(BLOCK_BYTES);
        Ok(Self { blocks: MmapMut::map_anon(covered.max(BLOCK_BYTES))?, offset: offset - skip as u64, skip })
    }
}

fn is_aligned(offset: u64, bytes: &[u8]) -> bool {
    offset.is_multiple_of(BLOCK_BYTES as u64)
        && bytes.len().is_multiple_of(BLOCK_BYTES)
        && bytes.as_ptr().addr().is_multiple_of(BLOCK_BYTES)
}

fn read_exact(file: &File, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
    match read_until_end(file, offset, bytes)? {
        filled if filled == bytes.len() => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Reads until `bytes` is full or the file ends. Unlike `read_exact_at` it never goes on behind a read
/// that ended inside a block: there the file ends, and O_DIRECT refuses the odd offset.
fn read_until_end(file: &File, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => {
                filled += read;
                if !(offset + filled as u64).is_multiple_of(BLOCK_BYTES as u64) {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn extent_of(name: &std::ffi::OsStr) -> Option<u32> {
    let digits = name.to_str()?.strip_suffix(EXTENT_SUFFIX)?;
    let extent = digits.parse().ok()?;
    // Only the name that this module would give: no sign, no other width.
    (format!("{extent:010}") == digits).then_some(extent)
}

/// Whether files of the directory take O_DIRECT: open, write and read one block.
fn probe_direct(directory: &Path) -> Result<bool, IoError> {
    let path = directory.join(PROBE_NAME);
    let failed = |source| IoError::new("probe", path.display().to_string(), source);
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .custom_flags(libc::O_DIRECT)
        .open(&path);
    let transferred = opened.and_then(|file| {
        let mut block = MmapMut::map_anon(BLOCK_BYTES)?;
        file.write_all_at(&block, 0)?;
        read_exact(&file, 0, &mut block)
    });
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    match transferred {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EOPNOTSUPP)) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
