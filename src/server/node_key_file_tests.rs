use std::fs::{self, Permissions};

use super::*;

fn place(content: Option<&[u8]>, mode: u32) -> (tempfile::TempDir, NodeKeyFile) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("node.key");
    if let Some(content) = content {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }
    (directory, NodeKeyFile { path })
}

fn opens(key: &NodeKey, other: &NodeKey) -> bool {
    let sealed = key.seal(&["n"], "secret").unwrap();
    other.open(&["n"], &sealed).is_ok()
}

#[test]
fn is_made_once_and_for_its_owner_alone() {
    let (directory, file) = place(None, 0);
    assert!(file.load().unwrap().is_none());
    let made = file.load_or_create().unwrap();
    assert!(opens(&made, &file.load_or_create().unwrap()));
    assert!(opens(&made, &file.load().unwrap().unwrap()));
    let names: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["node.key"]);
    let metadata = fs::metadata(file.path()).unwrap();
    assert_eq!((metadata.permissions().mode() & 0o777, metadata.len()), (0o600, 65));
    let (_other, elsewhere) = place(None, 0);
    assert!(!opens(&made, &elsewhere.load_or_create().unwrap()), "each node has its own");
}

#[test]
fn is_read_as_bytes_and_in_hexadecimal() {
    let key: [u8; 32] = core::array::from_fn(|index| 200 + index as u8);
    let hexed = hex::encode(key);
    for content in
        [&key[..], hexed.as_bytes(), format!("{hexed}\n").as_bytes(), hexed.to_uppercase().as_bytes()]
    {
        for mode in [0o600, 0o400] {
            let (_directory, file) = place(Some(content), mode);
            assert!(opens(&NodeKey::new(&key), &file.load().unwrap().unwrap()));
        }
    }
}

#[test]
fn what_is_no_key_is_refused_by_name_and_not_shown() {
    let short = "ab".repeat(31);
    for content in
        ["", "\n", "topsecrettopsecret", &short, &"zz".repeat(32), &"ab".repeat(33), &"ab".repeat(500)]
    {
        let (_directory, file) = place(Some(content.as_bytes()), 0o600);
        for result in [file.load().map(drop), file.load_or_create().map(drop)] {
            let message = result.unwrap_err().to_string();
            assert!(message.contains("node.key") && message.contains("does not hold a key"), "{message}");
            assert!(content.trim().is_empty() || !message.contains(content.trim()), "{message}");
        }
        assert_eq!(fs::read(file.path()).unwrap(), content.as_bytes(), "and stays as it is");
    }
}

#[test]
fn what_others_can_use_is_refused() {
    for mode in [0o640, 0o604, 0o620, 0o601, 0o777] {
        let (_directory, file) = place(Some(&[1; 32]), mode);
        let message = file.load().unwrap_err().to_string();
        assert!(message.contains("node.key") && message.contains(&format!("{mode:o}")), "{message}");
    }
}

#[test]
fn a_file_that_cannot_be_made_is_named() {
    let (directory, _) = place(None, 0);
    let file = NodeKeyFile { path: directory.path().join("absent/node.key") };
    let error = NodeKeyError::from(match file.load_or_create() {
        Err(NodeKeyError::File(error)) => error,
        other => panic!("{other:?}"),
    });
    assert!(error.to_string().contains("absent/node.key"), "{error}");
}
