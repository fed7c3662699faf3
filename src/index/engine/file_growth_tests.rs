use super::super::tests::scratch_directory;
use super::*;

#[test]
fn what_stands_behind_the_known_end_is_never_overwritten() {
    let directory = scratch_directory();
    let path = directory.path().join("file");
    let file = File::options().read(true).write(true).create_new(true).open(path).unwrap();
    let growth = FileGrowth::new(file.try_clone().unwrap(), 1 << 30).unwrap();
    growth.cover(10_000).unwrap();
    let end = file.metadata().unwrap().len();
    assert!(end >= 10_000);
    file.write_all_at(b"pages", end).unwrap();
    growth.cover(end + 100_000).unwrap();
    let mut found = [0; 5];
    file.read_exact_at(&mut found, end).unwrap();
    assert_eq!(&found, b"pages");
    assert!(file.metadata().unwrap().len() >= end + 100_000);
}
