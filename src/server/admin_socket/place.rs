//! Where the socket is: `admin.sock` in the data directory, for the node's own user alone from its first moment.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

pub(crate) const SOCKET_NAME: &str = "admin.sock";

/// Where the socket is made: nobody else can reach into it.
const MAKING_NAME: &str = "admin.sock.new";
const MAKING_MODE: u32 = 0o700;
const SOCKET_MODE: u32 = 0o600;

/// Longest path in the address of a socket: 108 bytes with the zero behind it.
const ADDRESS_BYTES_MAX: usize = 107;

/// A path that fits into an address. A long one leads through the directory, which must stay open meanwhile.
struct Reach {
    path: PathBuf,
    _directory: Option<File>,
}

/// Listens in a data directory whose lock is held. What an earlier process left there is replaced.
pub(super) fn bind(data_dir: &Path) -> io::Result<UnixListener> {
    let making = data_dir.join(MAKING_NAME);
    if_present(fs::remove_file(making.join(SOCKET_NAME)))?;
    if_present(fs::remove_dir(&making))?;
    DirBuilder::new().mode(MAKING_MODE).create(&making)?;
    let reached = reach(&making)?;
    let listener = UnixListener::bind(&reached.path)?;
    let made = making.join(SOCKET_NAME);
    fs::set_permissions(&made, fs::Permissions::from_mode(SOCKET_MODE))?;
    fs::rename(&made, data_dir.join(SOCKET_NAME))?;
    fs::remove_dir(&making)?;
    Ok(listener)
}

/// Connects to the node that has a data directory.
pub(super) fn connect(data_dir: &Path) -> io::Result<UnixStream> {
    let reached = reach(data_dir)?;
    UnixStream::connect(&reached.path)
}

/// Takes the socket away: whoever comes now is told at once that nobody is there.
pub(super) fn remove(data_dir: &Path) -> io::Result<()> {
    if_present(fs::remove_file(data_dir.join(SOCKET_NAME)))
}

fn reach(directory: &Path) -> io::Result<Reach> {
    let path = directory.join(SOCKET_NAME);
    if path.as_os_str().as_bytes().len() <= ADDRESS_BYTES_MAX {
        return Ok(Reach { path, _directory: None });
    }
    let directory = File::open(directory)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET_NAME}", directory.as_raw_fd()));
    Ok(Reach { path, _directory: Some(directory) })
}

fn if_present(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
