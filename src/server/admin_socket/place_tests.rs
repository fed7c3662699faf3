use std::io::{Read, Write};
use std::os::unix::fs::FileTypeExt;

use super::*;

fn talk(listener: &UnixListener, data_dir: &Path) {
    let mut client = connect(data_dir).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    client.write_all(b"hello").unwrap();
    drop(client);
    let mut heard = String::new();
    server.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "hello");
}

fn names(directory: &Path) -> Vec<std::ffi::OsString> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

#[test]
fn is_for_its_owner_alone_and_leaves_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let listener = bind(directory.path()).unwrap();
    let metadata = fs::metadata(directory.path().join(SOCKET_NAME)).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(names(directory.path()), [SOCKET_NAME]);
    talk(&listener, directory.path());
    remove(directory.path()).unwrap();
    remove(directory.path()).unwrap();
    assert_eq!(connect(directory.path()).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn directories_deeper_than_an_address_are_reached() {
    let parent = tempfile::tempdir().unwrap();
    for length in [1, 60, 90, 100, 107, 108, 120, 200, 250] {
        let short = parent.path().as_os_str().len() + 1;
        let name = "d".repeat(length.max(short + 1) - short);
        let directory = parent.path().join(name);
        fs::create_dir_all(&directory).unwrap();
        talk(&bind(&directory).unwrap(), &directory);
        assert_eq!(names(&directory), [SOCKET_NAME]);
    }
}

#[test]
fn what_an_earlier_process_left_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let dead = bind(directory.path()).unwrap();
    drop(dead);
    assert_eq!(connect(directory.path()).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    // Killed between making the socket and moving it to its place.
    let making = directory.path().join(MAKING_NAME);
    fs::create_dir(&making).unwrap();
    drop(UnixListener::bind(making.join(SOCKET_NAME)).unwrap());
    talk(&bind(directory.path()).unwrap(), directory.path());
    assert_eq!(names(directory.path()), [SOCKET_NAME]);
}
