//! A file of lines that is put aside when it is full: `audit.log` becomes `audit.log.1`, what was `.1` becomes `.2`, and so
//! on up to the number of files that are kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Only the node's own user may read who did what.
const MODE: u32 = 0o600;

#[derive(Debug)]
pub(super) struct RotatedFile<F = File> {
    path: PathBuf,
    bytes_max: u64,
    /// Full files that are kept.
    kept: u64,
    file: F,
    /// Bytes of the file, all of them whole lines.
    bytes: u64,
    /// What a failed write left behind could not be cut off: the next one starts a line of its own.
    is_torn: bool,
}

/// What a write that failed achieved all the same.
#[derive(Debug)]
pub(super) struct WriteFailed {
    /// Bytes of whole lines at the start of the batch that are in the file.
    pub(super) kept_bytes: usize,
    pub(super) error: io::Error,
}

/// A file that lines are appended to; another kind stands in for it in tests.
pub(super) trait Appended: Sized {
    fn open(path: &Path) -> io::Result<(Self, u64)>;
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;
    fn cut(&mut self, bytes: u64) -> io::Result<()>;
    fn sync(&mut self) -> io::Result<()>;
}

impl Appended for File {
    /// Opens or creates the file; gives its length too.
    fn open(path: &Path) -> io::Result<(Self, u64)> {
        // A pipe would block the start, and nothing but a file can be rotated.
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(io::Error::other("it is not a regular file"));
        }
        let file = OpenOptions::new().read(true).append(true).create(true).mode(MODE).open(path)?;
        let mut bytes = file.metadata()?.len();
        let mut last = [0];
        // A process that was killed may have left half a line.
        if bytes > 0 && file.read_at(&mut last, bytes - 1)? == 1 && last != *b"\n" {
            (&file).write_all(b"\n")?;
            bytes += 1;
        }
        Ok((file, bytes))
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes)
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

impl<F: Appended> RotatedFile<F> {
    pub(super) fn open(path: &Path, bytes_max: u64, kept: u64) -> io::Result<Self> {
        let (file, bytes) = F::open(path)?;
        Ok(Self { path: path.to_owned(), bytes_max, kept, file, bytes, is_torn: false })
    }

    pub(super) fn is_full(&self, batch_bytes: usize) -> bool {
        self.bytes > 0 && self.bytes + batch_bytes as u64 > self.bytes_max
    }

    /// Appends whole lines. Where not all of them can be written, those that could stay and the rest is cut off.
    pub(super) fn append(&mut self, batch: &[u8]) -> Result<(), WriteFailed> {
        if self.is_torn {
            self.write(b"\n").map_err(|(_, error)| WriteFailed { kept_bytes: 0, error })?;
            self.bytes += 1;
            self.is_torn = false;
        }
        match self.write(batch) {
            Ok(()) => {
                self.bytes += batch.len() as u64;
                Ok(())
            }
            Err((written, error)) => {
                let kept_bytes = memchr::memrchr(b'\n', &batch[..written]).map_or(0, |at| at + 1);
                self.bytes += kept_bytes as u64;
                self.is_torn = written > kept_bytes && self.file.cut(self.bytes).is_err();
                if self.is_torn {
                    self.bytes += (written - kept_bytes) as u64;
                }
                Err(WriteFailed { kept_bytes, error })
            }
        }
    }

    /// Writes all of it, or says how far it came.
    fn write(&mut self, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        let mut written = 0;
        while written < bytes.len() {
            match self.file.append(&bytes[written..]) {
                Ok(0) => return Err((written, ErrorKind::WriteZero.into())),
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err((written, error)),
            }
        }
        Ok(())
    }

    /// Puts the file aside and begins another. After a failure the old one goes on to be written.
    pub(super) fn rotate(&mut self) -> io::Result<()> {
        // Repeated after a failure, this moves nothing a second time: where the file itself has been moved there is
        // nothing to make room for, and room that was made is found again.
        if self.path.exists() {
            let free = (1..=self.kept).find(|number| !self.numbered(*number).exists()).unwrap_or(self.kept);
            for number in (1..free).rev() {
                fs::rename(self.numbered(number), self.numbered(number + 1))?;
            }
            fs::rename(&self.path, self.numbered(1))?;
        }
        (self.file, self.bytes) = F::open(&self.path)?;
        self.is_torn = false;
        Ok(())
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    fn numbered(&self, number: u64) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(format!(".{number}"));
        path.into()
    }
}

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod tests;
