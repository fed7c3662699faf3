//! What only the engine on disk has: files, revisions over restarts, a map that can be full.

use std::os::unix::fs::MetadataExt;

use heed::CompactionOption;

use super::super::tests::scratch_directory;
use super::super::{Engine, ScanLimits};
use super::*;
use crate::config::limits::INDEX_GROWTH_BYTES_MAX;

fn put(key: &str, value: &[u8]) -> Batch {
    Batch { checks: Vec::new(), writes: vec![Write::Put(key.into(), value.to_vec())] }
}

#[test]
fn entries_and_revisions_survive_a_restart() {
    let directory = scratch_directory();
    let path = directory.path().join("new").join("index");
    let mut revisions = Vec::new();
    for round in 0..5 {
        let engine = Engine::open(&path).unwrap();
        revisions.push(engine.next_revision());
        engine.commit(&[put(&format!("key {round}"), b"value")]).unwrap();
        let found = engine.get(format!("key {round}").as_bytes()).unwrap().unwrap();
        assert_eq!(found.revision, *revisions.last().unwrap());
    }
    assert!(revisions.is_sorted_by(|earlier, later| earlier < later));
    assert_eq!(Engine::open(&path).unwrap().statistics().entries, 5);
}

#[test]
fn a_second_opening_in_one_process_is_an_error() {
    let directory = scratch_directory();
    let first = LmdbEngine::open(directory.path()).unwrap();
    let clone = first.clone();
    drop(first);
    assert!(LmdbEngine::open(directory.path()).is_err());
    drop(clone);
    LmdbEngine::open(directory.path()).unwrap();
}

#[test]
fn revisions_rise_over_a_compacting_copy() {
    let (original, copy) = (scratch_directory(), scratch_directory());
    let engine = LmdbEngine::open(original.path()).unwrap();
    for round in 0..20_u8 {
        engine.commit(&[put("key", &[round])]).unwrap();
    }
    engine.environment.copy_to_path(copy.path().join("data.mdb"), CompactionOption::Enabled).unwrap();
    let revision = engine.get(b"key").unwrap().unwrap().revision;
    for _ in 0..3 {
        let copied = LmdbEngine::open(copy.path()).unwrap();
        assert_eq!(copied.get(b"key").unwrap().unwrap(), Entry { revision, value: vec![19] });
        assert!(copied.next_revision() > revision);
    }
}

#[test]
fn a_full_map_fails_the_group_and_harms_nothing() {
    let directory = scratch_directory();
    let engine = Engine::Lmdb(LmdbEngine::open_with_map(directory.path(), 2 * MAP_GRANULE_BYTES).unwrap());
    engine.commit(&[put("kept", b"value")]).unwrap();
    let revision = engine.next_revision();
    let large = vec![1; 3 * MAP_GRANULE_BYTES];
    let group = [put("beside", b"value"), put("large", &large)];
    assert!(matches!(engine.commit(&group), Err(CommitFailure::NoSpace)));
    assert_eq!(engine.get(b"beside").unwrap(), None);
    assert_eq!(engine.get(b"kept").unwrap().unwrap().value, b"value");
    assert_eq!(engine.next_revision(), revision);
    assert_eq!(engine.commit(&[put("after", b"value")]).unwrap(), [Outcome::Committed]);
}

#[test]
fn many_deletions_ask_for_no_more_space_than_the_tree_has_pages() {
    let directory = scratch_directory();
    let engine = LmdbEngine::open(directory.path()).unwrap();
    let keys = || (0..20_000_u32).map(|number| [&b"P"[..], &number.to_be_bytes()].concat());
    let puts = keys().map(|key| Write::Put(key, vec![7; 100])).collect();
    engine.commit(&[Batch { checks: Vec::new(), writes: puts }]).unwrap();
    let file_bytes = || directory.path().join("data.mdb").metadata().unwrap().len();
    let (tree_bytes, before) = (engine.statistics().bytes_used, file_bytes());
    let deletions = keys().map(Write::Delete).collect();
    engine.commit(&[Batch { checks: Vec::new(), writes: deletions }]).unwrap();
    assert!(
        file_bytes() - before <= 3 * tree_bytes + INDEX_GROWTH_BYTES_MAX,
        "{} grew to {}",
        before,
        file_bytes()
    );
    assert_eq!(engine.statistics().entries, 0);
}

#[test]
fn files_of_others_are_refused() {
    let directory = scratch_directory();
    let foreign = open_environment(directory.path(), MAP_GRANULE_BYTES).unwrap();
    let transaction = foreign.write_txn().unwrap();
    let created = foreign.create_databases_and_commit(transaction, |opener, transaction| {
        let records = opener.create_database::<Bytes, Bytes>(transaction, None)?;
        records.put(transaction, b"key", b"value")?;
        heed::Result::Ok(CommitOrAbort::<_, Infallible>::Commit(records))
    });
    created.unwrap();
    drop(foreign);
    assert!(matches!(LmdbEngine::open(directory.path()), Err(IndexError::Format { .. })));
}

#[test]
fn overwrites_reuse_the_space_they_free() {
    let directory = scratch_directory();
    let engine = Engine::open(directory.path()).unwrap();
    let limits = ScanLimits { entries_max: 10, bytes_max: 1 << 20, value_bytes_max: 1 << 20 };
    let everything = KeyRange { start: Bound::Unbounded, end: None };
    let mut file_bytes_settled = 0;
    for round in 0..60 {
        engine.commit(&[put("key", &vec![3; 20_000])]).unwrap();
        assert_eq!(engine.scan(everything, limits).unwrap().entries.len(), 1);
        if round == 20 {
            file_bytes_settled = engine.statistics().file_bytes;
        }
    }
    assert_eq!(engine.statistics().file_bytes, file_bytes_settled);
}

#[test]
fn the_file_is_written_ahead_of_the_tree_and_never_beyond_the_map() {
    let directory = scratch_directory();
    let map_bytes = 4 * MAP_GRANULE_BYTES as u64;
    let engine = Engine::Lmdb(LmdbEngine::open_with_map(directory.path(), map_bytes as usize).unwrap());
    let mut committed = 0;
    loop {
        match engine.commit(&[put(&format!("key {committed}"), &vec![1; 9000])]) {
            Ok(_) => committed += 1,
            Err(CommitFailure::NoSpace) => break,
            Err(other) => panic!("{other}"),
        }
        let file = fs::metadata(directory.path().join("data.mdb")).unwrap();
        assert!(engine.statistics().file_bytes <= file.len() && file.len() <= map_bytes);
        assert!(file.blocks() * 512 >= file.len(), "the file has holes");
    }
    assert_eq!(engine.statistics().entries, committed);
    assert!(engine.statistics().bytes_used > map_bytes * 3 / 4);
}

#[test]
fn a_flipped_bit_is_found_and_not_served() {
    let directory = scratch_directory();
    let value = b"a value that stands in the file once".repeat(4);
    for flipped in 0..value.len() {
        let engine = Engine::open(directory.path()).unwrap();
        engine.commit(&[put("key", &value)]).unwrap();
        drop(engine);
        let path = directory.path().join("data.mdb");
        let mut bytes = fs::read(&path).unwrap();
        let at: Vec<usize> =
            (0..bytes.len() - value.len()).filter(|&at| bytes[at..].starts_with(&value)).collect();
        for at in at {
            bytes[at + flipped] ^= 1 << (flipped % 8);
        }
        fs::write(&path, bytes).unwrap();
        let engine = Engine::open(directory.path()).unwrap();
        assert!(matches!(engine.get(b"key"), Err(IndexError::Damaged { .. })), "byte {flipped}");
        engine.commit(&[Batch { checks: Vec::new(), writes: vec![Write::Delete(b"key".to_vec())] }]).unwrap();
    }
}
