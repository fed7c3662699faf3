//! Small files of the node alone: mode 0600, whole or not there, and there to stay.
//!
//! A file is written under another name, made durable, and only then linked to its own name. The link fails where the
//! name exists, so of two processes that make one at once both end with the same file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o750;

/// What could not be done to which file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {}", path.display())]
pub struct FileError {
    operation: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl FileError {
    pub(crate) fn new(operation: &'static str, path: &Path, source: io::Error) -> Self {
        Self { operation, path: path.to_owned(), source }
    }
}

/// Makes the directory and those above it that are missing, each durable in its parent: what goes in there will be
/// relied on.
pub(crate) fn create_directory(directory: &Path) -> Result<(), FileError> {
    if directory.is_dir() {
        return Ok(());
    }
    let parent = parent(directory);
    create_directory(parent)?;
    match DirBuilder::new().mode(DIRECTORY_MODE).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(FileError::new("create", directory, error));
        }
        _ => {}
    }
    sync_directory(parent)
}

/// Writes the file durably. False where there is one already, which then stays.
pub(crate) fn create(path: &Path, content: &[u8]) -> Result<bool, FileError> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let temporary = PathBuf::from(name);
    // Left behind by a process of the same number that was killed here.
    remove_if_present(&temporary)?;
    let linked = write_durably(&temporary, content)
        .map_err(|error| FileError::new("write", &temporary, error))
        .and_then(|()| link(&temporary, path));
    remove_if_present(&temporary)?;
    let linked = linked?;
    sync_directory(parent(path))?;
    Ok(linked)
}

fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn link(temporary: &Path, path: &Path) -> Result<bool, FileError> {
    match fs::hard_link(temporary, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(FileError::new("create", path, error)),
    }
}

fn remove_if_present(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::new("remove", path, error)),
        _ => Ok(()),
    }
}

fn sync_directory(directory: &Path) -> Result<(), FileError> {
    File::open(directory)
        .and_then(|file| file.sync_all())
        .map_err(|error| FileError::new("sync", directory, error))
}

/// The parent of a relative name of one component is the empty path: the current directory.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
