//! One process per data directory, and directory entries that survive a power cut.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::error::IoError;

const LOCK_NAME: &str = "LOCK";

/// Exclusive use of a data directory, until dropped. The kernel lets go of it when the process dies,
/// however it dies; the file itself stays.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock of `directory`, or says which process holds it. Never waits.
    pub fn acquire(directory: &Path) -> Result<Self, IoError> {
        create_directory(directory)?;
        let path = directory.join(LOCK_NAME);
        let failed = |source| IoError::new("lock", path.display().to_string(), source);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(failed(held_by_another(&mut file))),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Only a hint for the operator who meets the lock; the lock is the kernel's.
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

fn held_by_another(file: &mut File) -> io::Error {
    let mut holder = String::new();
    let named = file.take(32).read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
    let message = if named {
        format!("another process ({}) holds the lock", holder.trim())
    } else {
        "another process holds the lock".to_owned()
    };
    io::Error::new(io::ErrorKind::WouldBlock, message)
}

/// Makes the entries of a directory durable: names created, renamed or removed in it.
pub fn fsync_directory(directory: &Path) -> Result<(), IoError> {
    File::open(directory)
        .and_then(|handle| handle.sync_all())
        .map_err(|source| IoError::new("sync directory", directory.display().to_string(), source))
}

/// Creates a directory and what is missing above it, each entry durable.
pub(super) fn create_directory(directory: &Path) -> Result<(), IoError> {
    if directory.is_dir() {
        return Ok(());
    }
    // The parent of a relative name of one component is the empty path: the current directory.
    let parent = match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    create_directory(parent)?;
    match fs::create_dir(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(IoError::new("create directory", directory.display().to_string(), error))
        }
        _ => fsync_directory(parent),
    }
}

#[cfg(test)]
#[path = "lock_tests.rs"]
mod tests;
