use std::sync::mpsc;
use std::time::Duration;

use ringstone_io::runtime;

use super::*;
use crate::config::Calendar;
use crate::config::limits::INDEX_VALUE_BYTES_MAX;
use crate::index::engine::{LmdbEngine, MemoryEngine};
use crate::index::key_encoding::meta_key;

/// Takes freed space and forgets it.
struct NoRelease;

impl SpaceRelease for NoRelease {
    fn release(&self, _runs: Vec<Run>) {}
}

fn committer(engine: Engine) -> (Committer, Commit) {
    Committer::start(CommitOptions {
        engine,
        disk: Disk::simulated(1),
        clock: Clock::system(),
        calendar: Calendar::default(),
        release: Box::new(NoRelease),
        poison: Poison::default(),
    })
    .expect("a thread")
}

async fn put(commit: &Commit, name: String, value_bytes: usize) -> Result<(), CommitError<()>> {
    let put = commit.run(Data::default(), move |transaction| {
        transaction.put(meta_key(&name), vec![7; value_bytes]);
        Ok::<(), Abort<()>>(())
    });
    put.await.map(|_committed| ())
}

/// Keeps the committer from the members that queue behind this one until the sender is dropped.
async fn hold(commit: &Commit) -> (mpsc::Sender<()>, runtime::Task<Result<(), CommitError<()>>>) {
    let (release, held) = mpsc::channel::<()>();
    let (start, started) = mpsc::channel();
    let commit = commit.clone();
    let holding = runtime::spawn(async move {
        let hold = commit.run(Data::default(), move |_| {
            let _ = start.send(());
            // The sender may have gone already.
            let _ = held.recv_timeout(Duration::from_secs(10));
            Ok::<(), Abort<()>>(())
        });
        hold.await.map(|_committed| ())
    });
    while started.try_recv().is_err() {
        runtime::sleep(Duration::from_millis(1)).await;
    }
    (release, holding)
}

fn small_index() -> (tempfile::TempDir, Engine) {
    let target = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let directory = tempfile::tempdir_in(target).expect("a directory");
    let lmdb = LmdbEngine::open_with_map(directory.path(), 32 << 20).expect("an index");
    (directory, Engine::Lmdb(lmdb))
}

/// Deletions get through although the group they came in with does not fit.
#[test]
fn a_full_index_fails_only_those_members_that_do_not_fit() {
    let (_directory, engine) = small_index();
    let (thread, commit) = committer(engine.clone());
    runtime::run_on_core(None, async move {
        let mut stored = 0;
        while put(&commit, format!("filler {stored}"), 64 << 10).await.is_ok() {
            stored += 1;
        }
        let (release, holding) = hold(&commit).await;
        let puts: Vec<_> = (0..200)
            .map(|index| {
                let commit = commit.clone();
                runtime::spawn(async move { put(&commit, format!("large {index}"), 256 << 10).await })
            })
            .collect();
        let deletions: Vec<_> = (0..5)
            .map(|index| {
                let commit = commit.clone();
                runtime::spawn(async move {
                    let delete = commit.run(Data::default(), move |transaction| {
                        transaction.delete(meta_key(&format!("filler {index}")));
                        Ok::<(), Abort<()>>(())
                    });
                    delete.await.map(|_committed| ())
                })
            })
            .collect();
        runtime::sleep(Duration::from_millis(50)).await;
        drop(release);
        holding.await.expect("it changes nothing");
        let mut failed = 0;
        for put in puts {
            match put.await {
                Ok(()) => {}
                Err(CommitError::NoSpace) => failed += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert!(failed > 0, "50 MiB do not fit");
        for deletion in deletions {
            deletion.await.expect("a deletion needs next to no room");
        }
        drop(commit);
    })
    .expect("a runtime");
    thread.join();
    for index in 0..5 {
        assert!(engine.get(&meta_key(&format!("filler {index}"))).expect("readable").is_none());
    }
}

#[test]
fn what_cannot_be_stored_fails_without_its_company() {
    let (thread, commit) = committer(Engine::Memory(MemoryEngine::new()));
    runtime::run_on_core(None, async move {
        let (release, holding) = hold(&commit).await;
        let sizes = [7, INDEX_VALUE_BYTES_MAX + 1, 8];
        let puts = sizes.map(|bytes| {
            let commit = commit.clone();
            runtime::spawn(async move { put(&commit, format!("{bytes} bytes"), bytes).await })
        });
        runtime::sleep(Duration::from_millis(50)).await;
        drop(release);
        holding.await.expect("it changes nothing");
        let [before, too_large, behind] = puts;
        before.await.expect("stored");
        assert!(matches!(too_large.await, Err(CommitError::Index(_))));
        behind.await.expect("stored");
        drop(commit);
    })
    .expect("a runtime");
    thread.join();
}

/// A refusal that rests on a member of the group is not told where that member has failed.
#[test]
fn a_refusal_is_judged_again_where_its_reason_was_not_written() {
    let (_directory, engine) = small_index();
    let (thread, commit) = committer(engine);
    runtime::run_on_core(None, async move {
        put(&commit, "filler".into(), 20 << 20).await.expect("stored");
        let (release, holding) = hold(&commit).await;
        let first = runtime::spawn({
            let commit = commit.clone();
            async move { put(&commit, "taken".into(), 20 << 20).await }
        });
        let second = runtime::spawn({
            let commit = commit.clone();
            async move {
                let refuse =
                    commit.run(Data::default(), |transaction| match transaction.get(&meta_key("taken"))? {
                        Some(_) => Err(Abort::Refused(())),
                        None => Ok(()),
                    });
                refuse.await.map(|_committed| ())
            }
        });
        runtime::sleep(Duration::from_millis(50)).await;
        drop(release);
        holding.await.expect("it changes nothing");
        assert!(matches!(first.await, Err(CommitError::NoSpace)));
        second.await.expect("nothing was taken");
        drop(commit);
    })
    .expect("a runtime");
    thread.join();
}

#[test]
fn every_transaction_has_its_own_stamp_and_restarts_go_on_above() {
    let engine = Engine::Memory(MemoryEngine::new());
    let mut last = 0;
    for _start in 0..3 {
        let (thread, commit) = committer(engine.clone());
        let mut stamps = runtime::run_on_core(None, async move {
            let runs = (0..200).map(|_| {
                let commit = commit.clone();
                runtime::spawn(async move {
                    let stamp = commit.run(Data::default(), |transaction| {
                        transaction.put(meta_key("stamp"), transaction.stamp().to_be_bytes().to_vec());
                        Ok::<u64, Abort<()>>(transaction.stamp())
                    });
                    *stamp.await.expect("committed").value()
                })
            });
            let runs: Vec<_> = runs.collect();
            let mut stamps = Vec::new();
            for run in runs {
                stamps.push(run.await);
            }
            stamps
        })
        .expect("a runtime");
        thread.join();
        stamps.sort_unstable();
        stamps.dedup();
        assert_eq!(stamps.len(), 200);
        assert!(stamps[0] > last);
        last = stamps[199];
    }
}
