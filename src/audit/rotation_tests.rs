use std::cell::RefCell;
use std::fmt::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::rc::Rc;

use super::*;

/// Names and contents of a directory, in order.
fn listing(directory: &Path) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn names_and_contents(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned())).collect()
}

#[test]
fn full_files_are_put_aside_and_the_oldest_goes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let mut log: RotatedFile = RotatedFile::open(&path, 8, 2).unwrap();
    for line in ["1\n", "2\n", "3\n", "4\n"] {
        assert!(!log.is_full(6));
        log.append(line.repeat(3).as_bytes()).unwrap();
        assert!(log.is_full(6) && !log.is_full(2));
        log.rotate().unwrap();
    }
    log.append(b"5\n").unwrap();
    let expected = [("audit.log", "5\n"), ("audit.log.1", "4\n4\n4\n"), ("audit.log.2", "3\n3\n3\n")];
    assert_eq!(listing(directory.path()), names_and_contents(&expected));
    for (name, _) in listing(directory.path()) {
        let mode = fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_batch_larger_than_the_limit_gets_a_file_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let log: RotatedFile = RotatedFile::open(&directory.path().join("log"), 8, 1).unwrap();
    assert!(!log.is_full(100), "an empty file is never put aside");
}

#[test]
fn a_log_goes_on_where_it_ended() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    for (before, after) in [("", "new\n"), ("old\n", "old\nnew\n"), ("half a l", "half a l\nnew\n")] {
        fs::write(&path, before).unwrap();
        let mut log: RotatedFile = RotatedFile::open(&path, 1000, 1).unwrap();
        log.append(b"new\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), after);
        assert_eq!(log.bytes, after.len() as u64);
    }
}

#[test]
fn only_gaps_are_filled() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    for (name, content) in [("log.1", "one"), ("log.3", "three"), ("log.4", "beyond"), ("log.1x", "other")] {
        fs::write(directory.path().join(name), content).unwrap();
    }
    let mut log: RotatedFile = RotatedFile::open(&path, 1, 3).unwrap();
    log.append(b"new\n").unwrap();
    log.rotate().unwrap();
    let expected = [
        ("log", ""),
        ("log.1", "new\n"),
        ("log.1x", "other"),
        ("log.2", "one"),
        ("log.3", "three"),
        ("log.4", "beyond"),
    ];
    assert_eq!(listing(directory.path()), names_and_contents(&expected));
}

#[test]
fn a_log_that_somebody_moved_is_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log: RotatedFile = RotatedFile::open(&path, 1, 2).unwrap();
    fs::write(directory.path().join("log.1"), "one").unwrap();
    fs::rename(&path, directory.path().join("taken")).unwrap();
    log.rotate().unwrap();
    log.append(b"new\n").unwrap();
    let expected = [("log", "new\n"), ("log.1", "one"), ("taken", "")];
    assert_eq!(listing(directory.path()), names_and_contents(&expected));
}

#[test]
fn a_rotation_that_fails_loses_nothing_however_often_it_is_tried() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log: RotatedFile = RotatedFile::open(&path, 1, 3).unwrap();
    log.append(b"new\n").unwrap();
    fs::write(directory.path().join("log.1"), "one").unwrap();
    // No file can be renamed over a directory.
    fs::create_dir(directory.path().join("log.3")).unwrap();
    fs::write(directory.path().join("log.2"), "two").unwrap();
    for _ in 0..3 {
        log.rotate().unwrap_err();
        log.append(b"more\n").unwrap();
    }
    fs::remove_dir(directory.path().join("log.3")).unwrap();
    log.rotate().unwrap();
    let expected = [("log", ""), ("log.1", "new\nmore\nmore\nmore\n"), ("log.2", "one"), ("log.3", "two")];
    assert_eq!(listing(directory.path()), names_and_contents(&expected));
}

#[test]
fn only_files_are_logs() {
    let directory = tempfile::tempdir().unwrap();
    let open =
        |path: &Path| RotatedFile::<File>::open(path, 1, 1).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(open(directory.path()), Err("it is not a regular file".to_owned()));
    assert_eq!(open(Path::new("/dev/null")), Err("it is not a regular file".to_owned()));
    assert!(open(&directory.path().join("absent/log")).unwrap_err().contains("No such file"));
    let target = directory.path().join("target");
    symlink(&target, directory.path().join("link")).unwrap();
    assert_eq!(open(&directory.path().join("link")), Ok(()));
    assert!(target.exists());
}

/// A file on a disk that fills up.
#[derive(Clone, Default)]
struct Scarce {
    disk: Rc<RefCell<Disk>>,
}

#[derive(Default)]
struct Disk {
    content: Vec<u8>,
    room: usize,
    cannot_cut: bool,
}

thread_local! {
    static DISK: RefCell<Option<Scarce>> = const { RefCell::new(None) };
}

impl Appended for Scarce {
    fn open(_: &Path) -> io::Result<(Self, u64)> {
        Ok((DISK.with_borrow(|disk| disk.clone().unwrap()), 0))
    }

    /// At most three bytes at a time.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.disk.borrow_mut();
        let count = bytes.len().min(3).min(disk.room);
        if count == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        disk.room -= count;
        disk.content.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        let mut disk = self.disk.borrow_mut();
        if disk.cannot_cut {
            return Err(ErrorKind::Other.into());
        }
        disk.content.truncate(bytes as usize);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a log holds after a batch for which there was that much room, and another one with all the room.
fn after_a_full_disk(room: usize, cannot_cut: bool) -> (usize, String) {
    let file = Scarce::default();
    (file.disk.borrow_mut().room, file.disk.borrow_mut().cannot_cut) = (room, cannot_cut);
    DISK.set(Some(file.clone()));
    let mut log: RotatedFile<Scarce> = RotatedFile::open(Path::new("log"), 1000, 1).unwrap();
    let failed = log.append(b"one\ntwo\nthree\n").unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::StorageFull);
    file.disk.borrow_mut().room = 1000;
    log.append(b"four\n").unwrap();
    let mut content = String::new();
    write!(content, "{}", String::from_utf8_lossy(&file.disk.borrow().content)).unwrap();
    assert_eq!(log.bytes, content.len() as u64, "{content}");
    (failed.kept_bytes, content)
}

#[test]
fn whole_lines_stay_when_the_disk_is_full() {
    for (room, kept, content) in [
        (0, 0, "four\n"),
        (3, 0, "four\n"),
        (4, 4, "one\nfour\n"),
        (7, 4, "one\nfour\n"),
        (8, 8, "one\ntwo\nfour\n"),
        (13, 8, "one\ntwo\nfour\n"),
    ] {
        assert_eq!(after_a_full_disk(room, false), (kept, content.to_owned()), "{room}");
    }
}

#[test]
fn half_a_line_that_cannot_be_cut_off_is_ended() {
    assert_eq!(after_a_full_disk(7, true), (4, "one\ntwo\nfour\n".to_owned()));
    assert_eq!(after_a_full_disk(6, true), (4, "one\ntw\nfour\n".to_owned()));
    assert_eq!(after_a_full_disk(4, true), (4, "one\nfour\n".to_owned()));
}
