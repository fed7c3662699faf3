use super::*;
use crate::index::engine::{CommitFailure, MemoryEngine, Outcome};

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
    let mut transaction = Transaction::new(engine, overlay, 7, 1_000);
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
    let (result, planned) = plan(&engine, &Overlay::default(), |transaction| {
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
    let (result, planned) = plan(&engine, &Overlay::default(), |transaction| {
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
    let mut overlay = Overlay::default();
    assert!(overlay.is_empty());
    let (_, first) = plan(&engine, &overlay, |transaction| {
        transaction.put(b"put".to_vec(), b"first".to_vec());
        transaction.delete(b"deleted".to_vec());
        Ok(())
    });
    overlay.absorb(&first.batch.writes, engine.next_revision());
    assert!(!overlay.is_empty());
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

#[test]
fn a_range_is_judged_only_by_the_first_of_a_group() {
    let engine = engine_with(&[(b"x/1", b"1")]);
    let mut overlay = Overlay::default();
    let (found, planned) = plan(&engine, &overlay, |transaction| transaction.is_range_empty(b"x/", b"x0"));
    assert!(!found.expect("complete"));
    assert!(planned.batch.checks.is_empty(), "what is not empty needs no proof");
    let (found, planned) = plan(&engine, &overlay, |transaction| transaction.is_range_empty(b"y/", b"y0"));
    assert!(found.expect("complete"));
    assert_eq!(planned.batch.checks, vec![Check::RangeEmpty(b"y/".to_vec(), b"y0".to_vec())]);

    overlay.absorb(&[Write::Delete(b"z".to_vec())], 2);
    let (found, _) = plan(&engine, &overlay, |transaction| transaction.is_range_empty(b"y/", b"y0"));
    assert!(matches!(found, Err(Abort::Deferred)), "the overlay cannot be scanned");
}

#[test]
fn occupied_and_released_blocks_change_the_space_map_and_nothing_else() {
    let engine = engine_with(&[]);
    let body = [run(3, 4090, 12), run(4, 1, 16)];
    let (result, planned) = plan(&engine, &Overlay::default(), |transaction| transaction.occupy(&body));
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
    let (result, planned) = plan(&engine, &Overlay::default(), |transaction| {
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
    let (_, planned) =
        plan(&engine, &Overlay::default(), |transaction| transaction.occupy(&[run(1, 10, 10)]));
    assert_eq!(outcome(&engine, planned), Outcome::Committed);
    for (wrong, used) in
        [(run(1, 19, 1), true), (run(1, 5, 6), true), (run(1, 20, 1), false), (run(1, 9, 5), false)]
    {
        let (result, _) = plan(&engine, &Overlay::default(), |transaction| {
            if used { transaction.occupy(&[wrong]) } else { transaction.release(&[wrong]) }
        });
        assert!(matches!(result, Err(Abort::Index(_))), "{wrong:?} used: {used}");
    }
    // Also where the first use is a member of the same group, or of the same transaction.
    let (result, _) =
        plan(&engine, &Overlay::default(), |transaction| transaction.occupy(&[run(2, 1, 4), run(2, 4, 4)]));
    assert!(matches!(result, Err(Abort::Index(_))));
    let mut overlay = Overlay::default();
    let (_, first) = plan(&engine, &overlay, |transaction| transaction.occupy(&[run(2, 1, 4)]));
    overlay.absorb(&first.batch.writes, engine.next_revision());
    let (result, _) = plan(&engine, &overlay, |transaction| transaction.occupy(&[run(2, 4, 1)]));
    assert!(matches!(result, Err(Abort::Index(_))));
}

#[test]
fn a_damaged_space_map_is_a_failure_and_no_panic() {
    let engine = engine_with(&[(&key_encoding::space_key(1, 0), b"short")]);
    let (result, _) = plan(&engine, &Overlay::default(), |transaction| transaction.occupy(&[run(1, 1, 1)]));
    assert!(matches!(result, Err(Abort::Index(_))));
}

#[test]
fn a_key_is_written_once_with_its_last_value() {
    let engine = engine_with(&[]);
    let (_, planned) = plan(&engine, &Overlay::default(), |transaction| {
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
