use super::*;
use crate::scratch_directory::scratch_directory;

#[test]
fn a_directory_has_one_holder() {
    let scratch = scratch_directory();
    let directory = scratch.path().join("data");
    let lock = DirectoryLock::acquire(&directory).unwrap();
    let error = DirectoryLock::acquire(&directory).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    let holder = format!("another process ({}) holds the lock", std::process::id());
    assert!(error.to_string().contains(&holder), "{error}");
    drop(lock);
    DirectoryLock::acquire(&directory).unwrap();
}

#[test]
fn a_directory_that_is_a_file_is_an_error() {
    let scratch = scratch_directory();
    let path = scratch.path().join("file");
    fs::write(&path, "").unwrap();
    assert!(DirectoryLock::acquire(&path).is_err());
    assert!(fsync_directory(&path.join("missing")).is_err());
}
