use super::*;
use crate::index::engine::{CommitFailure, Entry, MemoryEngine, Outcome};

fn engine_with(entries: &[(&[u8], &[u8])]) -> Engine {
    let engine = Engine::Memory(MemoryEngine::new());
    let writes = entries.iter().map(|(key, value)| Write::Put(key.to_vec(), value.to_vec())).collect();
    engine.commit(&[Batch { checks: Vec::new(), writes }]).expect("committed");
    engine
}

fn run(extent: u32, block: u32, blocks: u32) -> Run {
    Run { node: 0, extent, block, blocks }
}

/// Plans one transaction over an overlay.
fn plan<T>(
    engine: &Engine,
    overlay: &Overlay,
    body: impl FnOnce(&mut Transaction<'_>) -> Result<T, Abort<()>>,
) -> (Result<T, Abort<()>>, Planned) {
    let mut transaction = Transaction::new(engine, overlay, 7, 1_000, Calendar::default());
    let result = body(&mut transaction);
    (result, transaction.finish())
}

fn outcome(engine: &Engine, planned: Planned) -> Outcome {
    let outcomes: Result<Vec<Outcome>, CommitFailure> = engine.commit(&[planned.batch]);
    outcomes.expect("committed")[0]
}

#[test]
fn every_key_read_becomes_one_check_of_the_revision_seen() {
    let engine = engine_with(&[(b"here", b"1")]);
    let (result, planned) = plan(&engine, &Overlay::new(engine.next_revision()), |transaction| {
        assert_eq!(transaction.get::<()>(b"here")?, Some(b"1".to_vec()));
        assert_eq!(transaction.get::<()>(b"here")?, Some(b"1".to_vec()));
        assert_eq!(transaction.get::<()>(b"gone")?, None);
        transaction.put(b"new".to_vec(), b"2".to_vec());
        Ok(())
    });
    result.expect("complete");
    let expected = vec![Check::RevisionIs(b"here".to_vec(), 1), Check::Absent(b"gone".to_vec())];
    assert_eq!(planned.batch.checks, expected);

    // Somebody else writes what the decision rested on: the batch must lose.
    engine
        .commit(&[Batch { checks: Vec::new(), writes: vec![Write::Put(b"gone".to_vec(), vec![9])] }])
        .expect("committed");
    assert_eq!(outcome(&engine, planned), Outcome::Conflict { check: 1 });
    assert_eq!(engine.get(b"new").expect("readable"), None);
}

#[test]
fn a_transaction_sees_what_it_wrote_itself_without_a_check() {
    let engine = engine_with(&[(b"a", b"1")]);
    let (result, planned) = plan(&engine, &Overlay::new(engine.next_revision()), |transaction| {
        transaction.put(b"a".to_vec(), b"2".to_vec());
        transaction.delete(b"b".to_vec());
        assert_eq!(transaction.get::<()>(b"a")?, Some(b"2".to_vec()));
        assert_eq!(transaction.get::<()>(b"b")?, None);
        Ok(())
    });
    result.expect("complete");
    assert!(planned.batch.checks.is_empty());
}

#[test]
fn later_members_of_a_group_see_earlier_ones_and_commit_with_them() {
    let engine = engine_with(&[(b"kept", b"1"), (b"deleted", b"1")]);
    let mut overlay = Overlay::new(engine.next_revision());
    let (_, first) = plan(&engine, &overlay, |transaction| {
        transaction.put(b"put".to_vec(), b"first".to_vec());
        transaction.delete(b"deleted".to_vec());
        Ok(())
    });
    overlay.absorb(first.batch.clone());
    let (result, second) = plan(&engine, &overlay, |transaction| {
        assert_eq!(transaction.get::<()>(b"put")?, Some(b"first".to_vec()));
        assert_eq!(transaction.get::<()>(b"deleted")?, None);
        assert_eq!(transaction.get::<()>(b"kept")?, Some(b"1".to_vec()));
        transaction.put(b"put".to_vec(), b"second".to_vec());
        Ok(())
    });
    result.expect("complete");
    let outcomes = engine.commit(&[first.batch, second.batch]).expect("committed");
    assert_eq!(
        outcomes,
        vec![Outcome::Committed, Outcome::Committed],
        "the overlay's revisions are the real ones"
    );
    assert_eq!(engine.get(b"put").expect("readable").expect("present").value, b"second");
}

fn pair(key: &[u8], value: &[u8]) -> (Vec<u8>, Vec<u8>) {
    (key.to_vec(), value.to_vec())
}

fn empty(start: &[u8], end: &[u8]) -> Check {
    Check::RangeEmpty(start.to_vec(), end.to_vec())
}

#[test]
fn a_range_is_proven_up_to_the_last_key_returned_and_no_further() {
    let engine = engine_with(&[(b"x2", b"2"), (b"x4", b"4"), (b"x6", b"6")]);
    let revision = |key: &[u8]| Check::RevisionIs(key.to_vec(), 1);
    let overlay = Overlay::new(engine.next_revision());
    let (found, planned) = plan(&engine, &overlay, |transaction| transaction.range(b"x", b"y", 2));
    assert_eq!(found.expect("complete"), [pair(b"x2", b"2"), pair(b"x4", b"4")]);
    let proof = [empty(b"x", b"x2"), revision(b"x2"), empty(b"x2\0", b"x4"), revision(b"x4")];
    assert_eq!(planned.batch.checks, proof);

    let (found, planned) = plan(&engine, &overlay, |transaction| transaction.is_range_empty(b"y", b"z"));
    assert!(found.expect("complete"));
    assert_eq!(planned.batch.checks, [empty(b"y", b"z")]);
    for (start, end, entries_max) in [(b"y", b"x", 9), (b"x", b"x", 9), (b"x", b"y", 0)] {
        let (found, planned) =
            plan(&engine, &overlay, |transaction| transaction.range(start, end, entries_max));
        assert!(found.expect("complete").is_empty());
        assert!(planned.batch.checks.is_empty(), "nothing was asked");
    }
}

#[test]
fn a_range_shows_own_writes_over_the_groups_over_the_index() {
    let engine = engine_with(&[(b"x1", b"-"), (b"x2", b"-"), (b"x4", b"4"), (b"x6", b"6")]);
    let mut overlay = Overlay::new(engine.next_revision());
    overlay.absorb(Batch {
        checks: Vec::new(),
        writes: vec![Write::Delete(b"x1".to_vec()), Write::Put(b"x3".to_vec(), b"3".to_vec())],
    });
    let (found, planned) = plan(&engine, &overlay, |transaction| {
        transaction.delete(b"x2".to_vec());
        transaction.put(b"x4".to_vec(), b"own".to_vec());
        transaction.put(b"x5".to_vec(), b"5".to_vec());
        assert_eq!(transaction.first_in_range(b"x1", b"x3\0")?, Some(pair(b"x3", b"3")));
        assert!(transaction.is_range_empty(b"x1", b"x3")?);
        transaction.checks.clear();
        transaction.checked.clear();
        transaction.range(b"x", b"y", 3)
    });
    assert_eq!(found.expect("complete"), [pair(b"x3", b"3"), pair(b"x4", b"own"), pair(b"x5", b"5")]);
    let proof = [
        // x1 is gone by now; x2 and x4 are overwritten, whatever they are.
        empty(b"x", b"x2"),
        empty(b"x2\0", b"x3"),
        Check::RevisionIs(b"x3".to_vec(), engine.next_revision()),
        empty(b"x3\0", b"x4"),
        empty(b"x4\0", b"x5"),
    ];
    assert_eq!(planned.batch.checks, proof);
}

#[test]
fn occupied_and_released_blocks_change_the_space_map_and_nothing_else() {
    let engine = engine_with(&[]);
    let body = [run(3, 4090, 12), run(4, 1, 16)];
    let (result, planned) =
        plan(&engine, &Overlay::new(engine.next_revision()), |transaction| transaction.occupy(&body));
    result.expect("free");
    assert!(planned.released.is_empty());
    assert_eq!(outcome(&engine, planned), Outcome::Committed);
    let map = |extent, chunk| engine.get(&key_encoding::space_key(extent, chunk)).expect("readable");
    let used = |entry: Option<Entry>| {
        entry.map_or(0, |entry| entry.value.iter().map(|byte| byte.count_ones()).sum())
    };
    assert_eq!((used(map(3, 0)), used(map(3, 1)), used(map(4, 0))), (6, 6, 16), "a run may cross chunks");

    // An overwrite frees one body and takes another in the same chunks.
    let other = [run(3, 4080, 10)];
    let (result, planned) = plan(&engine, &Overlay::new(engine.next_revision()), |transaction| {
        transaction.release::<()>(&body)?;
        transaction.occupy(&other)
    });
    result.expect("possible");
    assert_eq!(planned.released, body);
    assert_eq!(outcome(&engine, planned), Outcome::Committed);
    assert_eq!((used(map(3, 0)), map(3, 1), map(4, 0)), (10, None, None), "a map without blocks is not kept");
}

#[test]
fn a_block_is_never_used_twice_nor_freed_twice() {
    let engine = engine_with(&[]);
    let (_, planned) = plan(&engine, &Overlay::new(engine.next_revision()), |transaction| {
        transaction.occupy(&[run(1, 10, 10)])
    });
    assert_eq!(outcome(&engine, planned), Outcome::Committed);
    for (wrong, used) in
        [(run(1, 19, 1), true), (run(1, 5, 6), true), (run(1, 20, 1), false), (run(1, 9, 5), false)]
    {
        let (result, _) = plan(&engine, &Overlay::new(engine.next_revision()), |transaction| {
            if used { transaction.occupy(&[wrong]) } else { transaction.release(&[wrong]) }
        });
        assert!(matches!(result, Err(Abort::Index(_))), "{wrong:?} used: {used}");
    }
    // Also where the first use is a member of the same group, or of the same transaction.
    let (result, _) = plan(&engine, &Overlay::new(engine.next_revision()), |transaction| {
        transaction.occupy(&[run(2, 1, 4), run(2, 4, 4)])
    });
    assert!(matches!(result, Err(Abort::Index(_))));
    let mut overlay = Overlay::new(engine.next_revision());
    let (_, first) = plan(&engine, &overlay, |transaction| transaction.occupy(&[run(2, 1, 4)]));
    overlay.absorb(first.batch.clone());
    let (result, _) = plan(&engine, &overlay, |transaction| transaction.occupy(&[run(2, 4, 1)]));
    assert!(matches!(result, Err(Abort::Index(_))));
}

#[test]
fn a_shared_run_is_free_when_its_last_owner_goes() {
    let engine = engine_with(&[]);
    let (shared, own) = (run(1, 4090, 12), run(1, 7, 1));
    let owners = || engine.get(&key_encoding::shared_run_key(1, 4090)).expect("readable");
    let step = |body: &mut dyn FnMut(&mut Transaction<'_>) -> Result<(), Abort<()>>| {
        let overlay = Overlay::new(engine.next_revision());
        let (result, planned) = plan(&engine, &overlay, body);
        result.expect("possible");
        let released = planned.released.clone();
        assert_eq!(outcome(&engine, planned), Outcome::Committed);
        released
    };
    step(&mut |transaction| transaction.occupy(&[shared, own]));
    step(&mut |transaction| transaction.share(&[shared, shared]));
    assert_eq!(owners().expect("shared").value, 3_u32.to_be_bytes());
    assert_eq!(step(&mut |transaction| transaction.release(&[shared, own])), [own]);
    assert_eq!(owners().expect("shared").value, 2_u32.to_be_bytes());
    assert!(step(&mut |transaction| transaction.release(&[shared])).is_empty());
    assert_eq!(owners(), None, "one owner needs no entry");
    assert!(engine.get(&key_encoding::space_key(1, 1)).expect("readable").is_some());
    assert_eq!(step(&mut |transaction| transaction.release(&[shared])), [shared]);
    assert_eq!(engine.get(&key_encoding::space_key(1, 1)).expect("readable"), None);
}

#[test]
fn only_what_is_in_use_can_be_shared() {
    let nonsense = key_encoding::shared_run_key(1, 20);
    for owners in [&1_u32.to_be_bytes()[..], &u32::MAX.to_be_bytes(), b"short"] {
        let engine = engine_with(&[(&nonsense, owners)]);
        let overlay = Overlay::new(engine.next_revision());
        let (result, _) = plan(&engine, &overlay, |transaction| {
            transaction.occupy::<()>(&[run(1, 10, 12)])?;
            for free in [run(1, 9, 2), run(1, 21, 2), run(1, 30, 1), run(2, 10, 1)] {
                assert!(matches!(transaction.share::<()>(&[free]), Err(Abort::Index(_))), "{free:?}");
            }
            transaction.share(&[run(1, 20, 2)])
        });
        assert!(matches!(result, Err(Abort::Index(_))), "{owners:?} owners");
    }
}

#[test]
fn a_damaged_space_map_is_a_failure_and_no_panic() {
    let engine = engine_with(&[(&key_encoding::space_key(1, 0), b"short")]);
    let (result, _) = plan(&engine, &Overlay::new(engine.next_revision()), |transaction| {
        transaction.occupy(&[run(1, 1, 1)])
    });
    assert!(matches!(result, Err(Abort::Index(_))));
}

#[test]
fn a_key_is_written_once_with_its_last_value() {
    let engine = engine_with(&[]);
    let (_, planned) = plan(&engine, &Overlay::new(engine.next_revision()), |transaction| {
        for block in 1..100 {
            transaction.occupy::<()>(&[run(1, block, 1)])?;
        }
        transaction.put(b"a".to_vec(), b"1".to_vec());
        transaction.delete(b"a".to_vec());
        transaction.delete(b"b".to_vec());
        transaction.put(b"b".to_vec(), b"2".to_vec());
        Ok(())
    });
    let rest = [Write::Delete(b"a".to_vec()), Write::Put(b"b".to_vec(), b"2".to_vec())];
    assert_eq!(planned.batch.writes.len(), 3);
    assert_eq!(planned.batch.writes[1..], rest);
}
