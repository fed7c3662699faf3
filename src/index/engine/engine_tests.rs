//! Both engines against the interface, and against each other.

use std::fs;
use std::ops::Bound;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A directory on a real disk: sync means nothing on a tmpfs.
pub(in crate::index) fn scratch_directory() -> TempDir {
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tmp");
    fs::create_dir_all(target).unwrap();
    tempfile::tempdir_in(target).unwrap()
}

/// Each engine, and what must live as long as it does.
pub(in crate::index) fn both_engines() -> (TempDir, [Engine; 2]) {
    let directory = scratch_directory();
    let lmdb = Engine::open(directory.path()).unwrap();
    (directory, [lmdb, Engine::Memory(MemoryEngine::new())])
}

fn put(key: &[u8], value: &[u8]) -> Write {
    Write::Put(key.to_vec(), value.to_vec())
}

fn writes(writes: Vec<Write>) -> Batch {
    Batch { checks: Vec::new(), writes }
}

const GENEROUS: ScanLimits =
    ScanLimits { entries_max: usize::MAX, bytes_max: usize::MAX, value_bytes_max: usize::MAX };

fn everything(engine: &Engine) -> Vec<(Vec<u8>, Entry)> {
    let page = engine.scan(KeyRange { start: Bound::Unbounded, end: None }, GENEROUS).unwrap();
    assert!(!page.more);
    page.entries
}

#[test]
fn a_losing_batch_is_skipped_alone() {
    let (_directory, engines) = both_engines();
    for engine in engines {
        let revision = engine.next_revision();
        let group = [
            Batch { checks: vec![Check::Absent(b"a".into())], writes: vec![put(b"a", b"1")] },
            Batch {
                checks: vec![Check::Exists(b"a".into()), Check::Absent(b"a".into())],
                writes: vec![put(b"a", b"2"), put(b"b", b"2")],
            },
            Batch { checks: vec![Check::RevisionIs(b"a".into(), revision)], writes: vec![put(b"c", b"3")] },
        ];
        let outcomes = engine.commit(&group).unwrap();
        assert_eq!(outcomes, [Outcome::Committed, Outcome::Conflict { check: 1 }, Outcome::Committed]);
        assert_eq!(engine.get(b"a").unwrap(), Some(Entry { revision, value: b"1".into() }));
        assert_eq!(engine.get(b"b").unwrap(), None);
        assert_eq!(engine.get(b"c").unwrap(), Some(Entry { revision, value: b"3".into() }));
        assert_eq!(engine.next_revision(), revision + 1);
    }
}

#[test]
fn later_batches_see_earlier_ones_and_the_revision_of_the_group() {
    let (_directory, engines) = both_engines();
    for engine in engines {
        engine.commit(&[writes(vec![put(b"a", b"old")])]).unwrap();
        let old = engine.get(b"a").unwrap().unwrap().revision;
        let replace =
            Batch { checks: vec![Check::RevisionIs(b"a".into(), old)], writes: vec![put(b"a", b"new")] };
        let outcomes = engine.commit(&[replace.clone(), replace]).unwrap();
        assert_eq!(outcomes, [Outcome::Committed, Outcome::Conflict { check: 0 }]);
    }
}

#[test]
fn an_empty_range_is_checked_from_start_to_before_end() {
    let (_directory, engines) = both_engines();
    for engine in engines {
        engine.commit(&[writes(vec![put(b"m", b"")])]).unwrap();
        let empty = |start: &[u8], end: &[u8]| Batch {
            checks: vec![Check::RangeEmpty(start.to_vec(), end.to_vec())],
            writes: Vec::new(),
        };
        let group =
            [empty(b"a", b"m"), empty(b"m", b"n"), empty(b"n", b"z"), empty(b"z", b"a"), empty(b"", b"")];
        let lost = Outcome::Conflict { check: 0 };
        let outcomes = engine.commit(&group).unwrap();
        assert_eq!(
            outcomes,
            [Outcome::Committed, lost, Outcome::Committed, Outcome::Committed, Outcome::Committed]
        );
    }
}

#[test]
fn a_group_that_changes_nothing_takes_no_revision() {
    let (_directory, engines) = both_engines();
    for engine in engines {
        engine.commit(&[writes(vec![put(b"a", b"")])]).unwrap();
        let revision = engine.next_revision();
        let lost = Batch { checks: vec![Check::Absent(b"a".into())], writes: vec![put(b"b", b"")] };
        engine.commit(&[lost, writes(vec![Write::Delete(b"absent".into())])]).unwrap();
        engine.commit(&[]).unwrap();
        assert_eq!(engine.next_revision(), revision);
    }
}

#[test]
fn keys_and_values_outside_the_limits_refuse_the_group() {
    let (_directory, engines) = both_engines();
    for engine in engines {
        let limits = engine.limits();
        let longest = vec![b'k'; limits.key_bytes_max];
        engine.commit(&[writes(vec![put(&longest, b"v")])]).unwrap();
        assert_eq!(engine.get(&longest).unwrap().unwrap().value, b"v");
        let too_long = vec![b'k'; limits.key_bytes_max + 1];
        for key in [&too_long[..], b"", b"\0engine"] {
            let group = [writes(vec![put(b"beside", b"")]), writes(vec![put(key, b"")])];
            assert!(matches!(engine.commit(&group), Err(CommitFailure::Refused(IndexError::KeySize { .. }))));
            assert_eq!(engine.get(key).unwrap(), None);
        }
        let group = [writes(vec![put(b"large", &vec![0; limits.value_bytes_max + 1])])];
        assert!(matches!(engine.commit(&group), Err(CommitFailure::Refused(IndexError::ValueSize { .. }))));
        assert_eq!(engine.get(b"beside").unwrap(), None);
    }
}

#[test]
fn a_page_keeps_its_limits_and_says_whether_there_is_more() {
    let (_directory, engines) = both_engines();
    for engine in engines {
        engine
            .commit(&[writes(vec![put(b"a", b"12345"), put(b"b", b"12345"), put(b"c", b"12345")])])
            .unwrap();
        let range = KeyRange { start: Bound::Excluded(b"a"), end: Some(b"z") };
        let page = engine.scan(range, GENEROUS).unwrap();
        assert_eq!((page.entries.len(), page.more), (2, false));
        let page = engine.scan(range, ScanLimits { entries_max: 1, ..GENEROUS }).unwrap();
        assert_eq!((page.entries.len(), page.more), (1, true));
        let page = engine.scan(range, ScanLimits { entries_max: 0, ..GENEROUS }).unwrap();
        assert_eq!((page.entries.len(), page.more), (0, true));
        let page = engine.scan(range, ScanLimits { bytes_max: 1, ..GENEROUS }).unwrap();
        assert_eq!((page.entries.len(), page.more), (1, true));
        let page = engine.scan(range, ScanLimits { bytes_max: 12, ..GENEROUS }).unwrap();
        assert_eq!((page.entries.len(), page.more), (2, false));
        let page = engine.scan(range, ScanLimits { value_bytes_max: 3, bytes_max: 8, ..GENEROUS }).unwrap();
        assert_eq!((page.entries.len(), page.more), (2, false));
        assert_eq!(page.entries[0].1.value, b"123");
    }
}

#[test]
fn pages_of_several_ranges_are_of_one_state() {
    let (_directory, engines) = both_engines();
    for engine in engines {
        let both = |value: u32| {
            let value = value.to_be_bytes();
            engine.commit(&[writes(vec![put(b"a1", &value), put(b"v1", &value)])]).unwrap();
        };
        both(0);
        let ranges = [(KeyRange::between(b"a", b"b"), GENEROUS), (KeyRange::between(b"v", b"w"), GENEROUS)];
        let written = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (1..50).for_each(both);
                written.store(true, std::sync::atomic::Ordering::Release);
            });
            while !written.load(std::sync::atomic::Ordering::Acquire) {
                let pages = engine.scan_many(&ranges).unwrap();
                let [first, second] = &pages[..] else { panic!("{pages:?}") };
                assert_eq!(first.entries[0].1, second.entries[0].1);
            }
        });
    }
}

#[derive(Clone, Debug)]
enum Action {
    Commit(Vec<Batch>),
    Get(Vec<u8>),
    Scan(Bound<Vec<u8>>, Option<Vec<u8>>, ScanLimits),
    Walk(Vec<u8>, Vec<(usize, Vec<u8>)>),
    Reopen,
}

/// Few keys, so that actions meet; some empty, some long, some with the greatest byte.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => "[a-c]{1,3}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(prop_oneof![Just(1_u8), Just(255_u8), Just(97_u8)], 1..4),
        1 => Just(vec![b'k'; INDEX_KEY_BYTES_MAX]),
    ]
}

fn bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
    prop_oneof![
        key().prop_map(Bound::Included),
        key().prop_map(Bound::Excluded),
        Just(Bound::Unbounded),
        Just(Bound::Included(Vec::new())),
        Just(Bound::Excluded(Vec::new())),
    ]
}

fn batch() -> impl Strategy<Value = Batch> {
    let check = prop_oneof![
        3 => key().prop_map(Check::Absent),
        3 => key().prop_map(Check::Exists),
        // Relative to the next revision: both engines must be asked about the same commit.
        3 => (key(), 1_u64..8).prop_map(|(key, back)| Check::RevisionIs(key, back)),
        1 => (key(), key()).prop_map(|(start, end)| Check::RangeEmpty(start, end)),
    ];
    let value = prop_oneof![
        4 => proptest::collection::vec(any::<u8>(), 0..20),
        1 => (0_usize..9000).prop_map(|bytes| vec![7; bytes]),
    ];
    let write = prop_oneof![
        3 => (key(), value).prop_map(|(key, value)| Write::Put(key, value)),
        1 => key().prop_map(Write::Delete),
    ];
    (proptest::collection::vec(check, 0..3), proptest::collection::vec(write, 0..5))
        .prop_map(|(checks, writes)| Batch { checks, writes })
}

fn action() -> impl Strategy<Value = Action> {
    let limits =
        (0_usize..6, 0_usize..40, 0_usize..10).prop_map(|(entries_max, bytes_max, value_bytes_max)| {
            ScanLimits { entries_max, bytes_max, value_bytes_max }
        });
    let seeks = proptest::collection::vec((1_usize..15, key()), 0..4);
    prop_oneof![
        4 => proptest::collection::vec(batch(), 0..5).prop_map(Action::Commit),
        2 => key().prop_map(Action::Get),
        4 => (bound(), proptest::option::of(key()), limits).prop_map(|(start, end, limits)| Action::Scan(start, end, limits)),
        2 => (key(), seeks).prop_map(|(start, seeks)| Action::Walk(start, seeks)),
        1 => Just(Action::Reopen),
    ]
}

/// The group with its revisions counted back from the engine's next one.
fn absolute(group: &[Batch], next_revision: u64) -> Vec<Batch> {
    let mut group = group.to_vec();
    for check in group.iter_mut().flat_map(|batch| &mut batch.checks) {
        if let Check::RevisionIs(_, revision) = check {
            *revision = next_revision.saturating_sub(*revision);
        }
    }
    group
}

fn since(next_revision: u64, entry: Entry) -> (u64, Vec<u8>) {
    (next_revision - entry.revision, entry.value)
}

/// Keys of a walk that seeks on its way.
fn walked(engine: &Engine, start: &[u8], seeks: &[(usize, Vec<u8>)]) -> Vec<Vec<u8>> {
    let mut seen = Vec::new();
    let mut seeks = seeks.iter().peekable();
    let range = KeyRange { start: Bound::Included(start), end: Some(b"z") };
    engine
        .walk(range, &mut |key, _, _| {
            seen.push(key.to_vec());
            Ok(match seeks.next_if(|(after, _)| seen.len() >= *after) {
                Some((_, target)) => Step::Seek(target.clone()),
                None => Step::Next,
            })
        })
        .unwrap();
    seen
}

fn compare(lmdb: &Engine, memory: &Engine, action: &Action) {
    let (next_lmdb, next_memory) = (lmdb.next_revision(), memory.next_revision());
    match action {
        Action::Commit(group) => {
            let outcomes = lmdb.commit(&absolute(group, next_lmdb)).unwrap();
            assert_eq!(outcomes, memory.commit(&absolute(group, next_memory)).unwrap());
        }
        Action::Get(key) => {
            let found = lmdb.get_many(&[key]).unwrap().remove(0).map(|entry| since(next_lmdb, entry));
            assert_eq!(found, memory.get(key).unwrap().map(|entry| since(next_memory, entry)));
        }
        Action::Scan(start, end, limits) => {
            let range = KeyRange { start: start.as_ref().map(Vec::as_slice), end: end.as_deref() };
            let plain = |next, page: Page| {
                let entries = page.entries.into_iter().map(|(key, entry)| (key, since(next, entry)));
                (entries.collect::<Vec<_>>(), page.more)
            };
            let page = plain(next_lmdb, lmdb.scan(range, *limits).unwrap());
            assert_eq!(page, plain(next_memory, memory.scan(range, *limits).unwrap()));
            let nothing = KeyRange::between(b"b", b"a");
            let ranges = [(range, *limits), (nothing, *limits), (KeyRange::between(b"b", b"c"), GENEROUS)];
            for engine in [lmdb, memory] {
                let expected = ranges.map(|(range, limits)| engine.scan(range, limits).unwrap());
                assert_eq!(engine.scan_many(&ranges).unwrap(), expected);
            }
            let last = lmdb.scan_last(range).unwrap().map(|(key, entry)| (key, since(next_lmdb, entry)));
            let expected = memory.scan_last(range).unwrap();
            assert_eq!(last, expected.map(|(key, entry)| (key, since(next_memory, entry))));
        }
        Action::Walk(start, seeks) => assert_eq!(walked(lmdb, start, seeks), walked(memory, start, seeks)),
        Action::Reopen => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn lmdb_behaves_as_a_sorted_map(actions in proptest::collection::vec(action(), 1..40)) {
        let directory = scratch_directory();
        let memory = Engine::Memory(MemoryEngine::new());
        let mut lmdb = Some(Engine::open(directory.path()).unwrap());
        for action in &actions {
            if matches!(action, Action::Reopen) {
                let next_revision = lmdb.take().unwrap().next_revision();
                let reopened = Engine::open(directory.path()).unwrap();
                prop_assert_eq!(reopened.next_revision(), next_revision);
                lmdb = Some(reopened);
            }
            compare(lmdb.as_ref().unwrap(), &memory, action);
        }
        let lmdb = lmdb.unwrap();
        prop_assert_eq!(lmdb.statistics().entries, memory.statistics().entries);
        let keys = |engine| everything(engine).into_iter().map(|(key, entry)| (key, entry.value)).collect::<Vec<_>>();
        prop_assert_eq!(keys(&lmdb), keys(&memory));
    }
}
