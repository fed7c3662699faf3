//! Memories over a clock that is moved by hand.

use std::time::Duration;

use ringstone_io::disk::Disk;
use ringstone_io::runtime::{Clock, run_on_core};

use super::*;
use crate::commit::poison::Poison;
use crate::commit::{Commit, CommitError, CommitOptions, Committer, Data, SpaceRelease};
use crate::config::Calendar;
use crate::index::engine::{Engine, KeyRange, MemoryEngine, ScanLimits};
use crate::index::record::Run;

const DAY: Duration = Duration::from_millis(REMEMBERED_MS as u64);
const STEP: Duration = Duration::from_millis(1);

struct NoRelease;

impl SpaceRelease for NoRelease {
    fn release(&self, _runs: Vec<Run>) {}
}

struct Memories {
    engine: Engine,
    clock: Clock,
    commit: Commit,
}

impl Memories {
    /// Lives with memories that are none yet.
    fn live(life: impl AsyncFnOnce(&Self)) {
        let (engine, clock) = (Engine::Memory(MemoryEngine::new()), Clock::manual(1_000_000));
        let options = CommitOptions {
            engine: engine.clone(),
            disk: Disk::simulated(1),
            clock: clock.clone(),
            calendar: Calendar::default(),
            release: Box::new(NoRelease),
            poison: Poison::default(),
        };
        let (committer, commit) = Committer::start(options).expect("a thread");
        run_on_core(None, async { life(&Self { engine, clock, commit }).await }).expect("a ring");
        committer.join();
    }

    async fn run<T: Clone + Send + 'static>(
        &self,
        run: impl FnMut(&mut Transaction<'_>) -> Result<T, Abort<()>> + Send + 'static,
    ) -> Result<T, CommitError<()>> {
        Ok(self.commit.run(Data::default(), run).await?.value().clone())
    }

    async fn remember(&self, kind: Kind, id: &'static str, fingerprint: u8) {
        let remembered =
            self.run(move |transaction| remember(transaction, kind, id.as_bytes(), [fingerprint; 32], None));
        remembered.await.expect("committed");
    }

    /// The first byte of the fingerprint.
    async fn recall(&self, kind: Kind, id: &'static str) -> Option<u8> {
        let recalled = self.run(move |transaction| recall(transaction, kind, id.as_bytes()));
        recalled.await.expect("committed").map(|remembered| remembered.fingerprint[0])
    }

    /// Memories, and times at which one is due.
    fn kept(&self) -> (usize, usize) {
        let limits = ScanLimits { entries_max: 1000, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
        let count = |start: &[u8], end: &[u8]| {
            self.engine.scan(KeyRange::between(start, end), limits).expect("readable").entries.len()
        };
        (count(b"R", b"S"), count(b"E", b"F"))
    }
}

#[test]
fn an_answer_is_known_by_kind_and_id_for_a_day() {
    Memories::live(async |memories| {
        memories.remember(Kind::Rename, "a", 1).await;
        memories.clock.advance(DAY.saturating_sub(STEP));
        assert_eq!(memories.recall(Kind::Rename, "a").await, Some(1));
        assert_eq!(memories.recall(Kind::Completion, "a").await, None);
        assert_eq!(memories.recall(Kind::Rename, "aa").await, None);
        assert_eq!(memories.recall(Kind::Rename, "").await, None);
        memories.clock.advance(STEP);
        assert_eq!(memories.recall(Kind::Rename, "a").await, None);
    });
}

#[test]
fn what_is_refused_is_not_remembered() {
    Memories::live(async |memories| {
        let refused = memories.run(|transaction| {
            remember(transaction, Kind::Rename, b"a", [1; 32], None)?;
            Err::<(), _>(Abort::Refused(()))
        });
        assert!(matches!(refused.await, Err(CommitError::Refused(()))));
        assert_eq!(memories.recall(Kind::Rename, "a").await, None);
        assert_eq!(memories.kept(), (0, 0));
    });
}

#[test]
fn each_new_memory_forgets_a_few_that_are_due() {
    const IDS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    Memories::live(async |memories| {
        for id in IDS {
            memories.remember(Kind::Completion, id, 1).await;
        }
        assert_eq!(memories.kept(), (10, 10));
        memories.clock.advance(DAY + STEP);
        let mut left = IDS.len();
        for (new, id) in ["a", "b", "c"].into_iter().enumerate() {
            memories.remember(Kind::Completion, id, 2).await;
            left = left.saturating_sub(FORGOTTEN_AT_ONCE);
            assert_eq!(memories.kept(), (left + new + 1, left + new + 1));
        }
        assert_eq!(left, 0);
        for id in ["a", "b", "c"] {
            assert_eq!(memories.recall(Kind::Completion, id).await, Some(2), "not due");
        }
    });
}

/// Of an id that is used again after its day, the first expiry says nothing any more.
#[test]
fn an_id_that_is_used_again_has_its_day_from_then() {
    Memories::live(async |memories| {
        memories.remember(Kind::Rename, "a", 1).await;
        memories.clock.advance(DAY);
        memories.remember(Kind::Rename, "a", 2).await;
        assert_eq!(memories.kept(), (1, 2));
        memories.clock.advance(STEP);
        memories.remember(Kind::Rename, "b", 3).await;
        assert_eq!(memories.recall(Kind::Rename, "a").await, Some(2));
        assert_eq!(memories.kept(), (2, 2), "the first expiry has gone alone");
        memories.clock.advance(DAY);
        memories.remember(Kind::Rename, "c", 4).await;
        assert_eq!(memories.recall(Kind::Rename, "a").await, None);
        assert_eq!(memories.kept(), (2, 2));
    });
}
