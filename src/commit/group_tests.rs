//! Groups of random transactions against a sorted map: what each sees, what the engine makes of the group, and that
//! no batch applies whose decision rested on something else.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::overlay::Overlay;
use super::transaction::{Abort, Planned, Transaction};
use crate::config::Calendar;
use crate::index::engine::{Batch, Engine, KeyRange, MemoryEngine, Outcome, ScanLimits, Write};
use crate::index::key_encoding;
use crate::index::record::Run;

#[derive(Clone, Debug)]
enum Call {
    Put(Vec<u8>, u8),
    Delete(Vec<u8>),
    Get(Vec<u8>),
    First(Vec<u8>, Vec<u8>),
    Range(Vec<u8>, Vec<u8>, usize),
    Occupy(usize),
    Share(usize),
    Release(usize),
}

/// What a call answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Value(Option<Vec<u8>>),
    Entries(Vec<(Vec<u8>, Vec<u8>)>),
    Done(bool),
}

/// One that is refused changes nothing, whatever it wrote before.
#[derive(Clone, Debug)]
struct Member {
    calls: Vec<Call>,
    refuses: bool,
}

#[derive(Clone, Debug)]
struct Round {
    members: Vec<Member>,
    /// What another writer does between the plan and the commit.
    meanwhile: Vec<Write>,
}

/// Runs that meet chunk borders and each other's chunks, not each other.
const RUNS: [Run; 3] = [
    Run { node: 0, extent: 1, block: 1, blocks: 4 },
    Run { node: 0, extent: 1, block: 4090, blocks: 10 },
    Run { node: 0, extent: 2, block: 9, blocks: 1 },
];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Model {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    owners: [u32; RUNS.len()],
    released: Vec<Run>,
}

impl Model {
    fn range(&self, start: &[u8], end: &[u8], entries_max: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let inside = self.entries.iter().filter(|(key, _)| start <= key.as_slice() && key.as_slice() < end);
        inside.map(|(key, value)| (key.clone(), value.clone())).take(entries_max).collect()
    }

    fn answer(&mut self, call: &Call) -> Answer {
        match call {
            Call::Put(key, value) => {
                self.entries.insert(key.clone(), vec![*value]);
                Answer::Done(true)
            }
            Call::Delete(key) => {
                self.entries.remove(key);
                Answer::Done(true)
            }
            Call::Get(key) => Answer::Value(self.entries.get(key).cloned()),
            Call::First(start, end) => Answer::Entries(self.range(start, end, 1)),
            Call::Range(start, end, entries_max) => Answer::Entries(self.range(start, end, *entries_max)),
            Call::Occupy(place) => Answer::Done(self.change_owners(*place, |owners| owners == 0, 1)),
            Call::Share(place) => Answer::Done(self.change_owners(*place, |owners| owners > 0, 1)),
            Call::Release(place) => {
                let done = self.change_owners(*place, |owners| owners > 0, -1);
                if done && self.owners[*place] == 0 {
                    self.released.push(RUNS[*place]);
                }
                Answer::Done(done)
            }
        }
    }

    fn change_owners(&mut self, place: usize, may: impl Fn(u32) -> bool, change: i32) -> bool {
        let owners = &mut self.owners[place];
        let done = may(*owners);
        if done {
            *owners = owners.checked_add_signed(change).expect("an owner");
        }
        done
    }

    /// Answers in order; ends with the first that fails, as a transaction does.
    fn run(&mut self, calls: &[Call]) -> Vec<Answer> {
        let mut answers = Vec::new();
        for call in calls {
            answers.push(self.answer(call));
            if answers.last() == Some(&Answer::Done(false)) {
                break;
            }
        }
        answers
    }

    /// What the engine must hold.
    fn stored(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut stored = self.entries.clone();
        for (run, owners) in RUNS.iter().zip(self.owners) {
            if owners >= 2 {
                let key = key_encoding::shared_run_key(run.extent, run.block);
                stored.insert(key, owners.to_be_bytes().to_vec());
            }
            for block in (run.block..run.block + run.blocks).filter(|_| owners > 0) {
                let key = key_encoding::space_key(run.extent, (block / 4096) as u16);
                let map = stored.entry(key).or_insert_with(|| vec![0; 512]);
                map[block as usize % 4096 / 8] |= 1 << (block % 8);
            }
        }
        stored
    }
}

fn call(transaction: &mut Transaction<'_>, call: &Call) -> Answer {
    let done = |result: Result<(), Abort<()>>| Answer::Done(result.is_ok());
    match call {
        Call::Put(key, value) => {
            transaction.put(key.clone(), vec![*value]);
            Answer::Done(true)
        }
        Call::Delete(key) => {
            transaction.delete(key.clone());
            Answer::Done(true)
        }
        Call::Get(key) => Answer::Value(transaction.get::<()>(key).expect("readable")),
        Call::First(start, end) => {
            let first = transaction.first_in_range::<()>(start, end).expect("readable");
            let is_empty = transaction.is_range_empty::<()>(start, end).expect("readable");
            assert_eq!(is_empty, first.is_none());
            Answer::Entries(first.into_iter().collect())
        }
        Call::Range(start, end, entries_max) => {
            Answer::Entries(transaction.range::<()>(start, end, *entries_max).expect("readable"))
        }
        Call::Occupy(place) => done(transaction.occupy(&[RUNS[*place]])),
        Call::Share(place) => done(transaction.share(&[RUNS[*place]])),
        Call::Release(place) => done(transaction.release(&[RUNS[*place]])),
    }
}

/// What a member saw, and what it asks for if it completed.
fn plan(engine: &Engine, overlay: &Overlay, member: &Member) -> (Vec<Answer>, Option<Planned>) {
    let mut transaction = Transaction::new(engine, overlay, 1, 1, Calendar::default());
    let mut answers = Vec::new();
    for wanted in &member.calls {
        answers.push(call(&mut transaction, wanted));
        if answers.last() == Some(&Answer::Done(false)) {
            return (answers, None);
        }
    }
    (answers, (!member.refuses).then(|| transaction.finish()))
}

/// Plans and commits a round, and holds every batch that applied against the model in the state it applied to.
fn play(engine: &Engine, model: &mut Model, round: &Round) {
    let mut overlay = Overlay::new(engine.next_revision());
    let mut completed = Vec::new();
    let mut foreseen = model.clone();
    for member in &round.members {
        let mut after = foreseen.clone();
        let expected = after.run(&member.calls);
        let (answers, planned) = plan(engine, &overlay, member);
        assert_eq!(answers, expected, "planned {member:?}");
        if let Some(planned) = planned {
            foreseen = after;
            overlay.absorb(planned.batch);
            completed.push((member, answers, planned.released));
        }
    }
    if !round.meanwhile.is_empty() {
        // The first takes the revision that the group was planned with, so that no other entry has it.
        let number = Write::Put(b"z".to_vec(), vec![0]);
        for writes in [vec![number], round.meanwhile.clone()] {
            engine.commit(&[Batch { checks: Vec::new(), writes }]).expect("committed");
        }
        model.entries.insert(b"z".to_vec(), vec![0]);
        for write in &round.meanwhile {
            match write {
                Write::Put(key, value) => model.entries.insert(key.clone(), value.clone()),
                Write::Delete(key) => model.entries.remove(key),
            };
        }
    }
    let outcomes = engine.commit(&overlay.into_batches()).expect("committed");
    for ((member, seen, released), outcome) in completed.into_iter().zip(outcomes) {
        match outcome {
            Outcome::Committed => {
                model.released.clear();
                assert_eq!(model.run(&member.calls), seen, "applied {member:?}");
                assert_eq!(model.released, released);
            }
            Outcome::Conflict { .. } => {
                assert!(!round.meanwhile.is_empty(), "nobody was in the way of {member:?}");
            }
        }
    }
    let everything = KeyRange { start: std::ops::Bound::Unbounded, end: None };
    let limits = ScanLimits { entries_max: usize::MAX, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
    let page = engine.scan(everything, limits).expect("readable");
    let stored: BTreeMap<_, _> = page.entries.into_iter().map(|(key, entry)| (key, entry.value)).collect();
    assert_eq!(stored, model.stored());
}

/// Few, so that they meet. Above the tables of the runs.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => "[x-y][a-c]{0,2}".prop_map(String::into_bytes), 1 => Just(b"xa\0".to_vec())]
}

fn calls() -> impl Strategy<Value = Call> {
    let place = || 0..RUNS.len();
    prop_oneof![
        4 => (key(), any::<u8>()).prop_map(|(key, value)| Call::Put(key, value)),
        3 => key().prop_map(Call::Delete),
        2 => key().prop_map(Call::Get),
        3 => (key(), key()).prop_map(|(start, end)| Call::First(start, end)),
        4 => (key(), key(), 0_usize..6).prop_map(|(start, end, entries_max)| Call::Range(start, end, entries_max)),
        1 => place().prop_map(Call::Occupy),
        1 => place().prop_map(Call::Share),
        1 => place().prop_map(Call::Release),
    ]
}

fn round() -> impl Strategy<Value = Round> {
    let member = (proptest::collection::vec(calls(), 0..8), prop::bool::weighted(0.1))
        .prop_map(|(calls, refuses)| Member { calls, refuses });
    let write = prop_oneof![
        (key(), any::<u8>()).prop_map(|(key, value)| Write::Put(key, vec![value])),
        key().prop_map(Write::Delete),
    ];
    let meanwhile = prop_oneof![2 => Just(Vec::new()), 1 => proptest::collection::vec(write, 1..4)];
    (proptest::collection::vec(member, 1..5), meanwhile)
        .prop_map(|(members, meanwhile)| Round { members, meanwhile })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn groups_behave_as_their_members_one_after_the_other(rounds in proptest::collection::vec(round(), 1..6)) {
        let engine = Engine::Memory(MemoryEngine::new());
        let mut model = Model::default();
        for round in &rounds {
            play(&engine, &mut model, round);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn groups_behave_so_on_disk_too(rounds in proptest::collection::vec(round(), 1..6)) {
        let target = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        let directory = tempfile::tempdir_in(target).expect("a directory");
        let engine = Engine::open(directory.path()).expect("an index");
        let mut model = Model::default();
        for round in &rounds {
            play(&engine, &mut model, round);
        }
    }
}

/// The completion of the largest upload: its parts are read and deleted, its record holds all their runs.
#[test]
fn ten_thousand_keys_in_one_transaction() {
    let target = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let directory = tempfile::tempdir_in(target).expect("a directory");
    let engine = Engine::open(directory.path()).expect("an index");
    let keys = (0..25_000_u32).map(|part| [&b"x"[..], &part.to_be_bytes()].concat());
    let writes = keys.map(|key| Write::Put(key, vec![7; 200])).collect();
    engine.commit(&[Batch { checks: Vec::new(), writes }]).expect("committed");
    let mut overlay = Overlay::new(engine.next_revision());
    for _member in 0..2 {
        let mut transaction = Transaction::new(&engine, &overlay, 1, 1, Calendar::default());
        let parts = transaction.range::<()>(b"x", b"y", 10_000).expect("readable");
        assert_eq!(parts.len(), 10_000);
        for (key, _) in parts {
            transaction.delete(key);
        }
        transaction.put(b"w".to_vec(), vec![0; 2 << 20]);
        // The rest lies behind more deleted keys than one walk visits.
        let (first, _) = transaction.first_in_range::<()>(b"x", b"y").expect("readable").expect("more");
        assert!(first > [&b"x"[..], &9_999_u32.to_be_bytes()].concat());
        overlay.absorb(transaction.finish().batch);
    }
    let outcomes = engine.commit(&overlay.into_batches()).expect("committed");
    assert_eq!(outcomes, [Outcome::Committed; 2]);
    assert_eq!(engine.statistics().entries, 5_001);
}
