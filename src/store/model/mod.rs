//! Random histories of some buckets against a model that has no blocks, runs, segments or tables.
//!
//! Each deed is done to both; the model says what the store must answer, refusals and their order included. After each
//! step some of what the store tells is compared, and now and then all of it.
//!
//! - Deeds: puts, deletes and removals of versions, one at a time and many in a transaction; tags; versioning on and off;
//!   copies between keys, versions and buckets, onto themselves, of copies, of multipart objects; renames with and
//!   without tokens, again, refused, onto others; uploads with parts put, replaced, copied from ranges, completed whole
//!   and with gaps, wrongly, again; buckets deleted while empty and not; conditions on all of these; plain and under
//!   customers' keys. Some are queued together, so that they share groups of the committer.
//! - Compared: answers; what is listed of a version, its description, parts and key; bytes in random ranges and by part;
//!   listings of objects, versions, uploads and parts in pages of several sizes; how many entries each table has; the
//!   owners of each run and the space map, and the allocator with both.
//! - Large parts are ranges of one large object, so that they cost no bytes.
//!
//! Nodes restart now and then. In [`cuts`] the power goes instead, and what was under way must be done wholly or not at
//! all, as a beginning of what was queued.
//!
//! `RINGSTONE_TEST_SEED` runs one seed alone, `RINGSTONE_TEST_STEPS` sets the steps of each seed. A failure prints both
//! and the deeds that were under way. For a long run:
//! `RINGSTONE_TEST_STEPS=100000 cargo test --release --lib model -- --nocapture`, which takes ten seconds a seed once built
//! and tells how often each deed had each answer.

mod account;
mod bytes;
mod check;
mod completion;
mod cuts;
mod deed;
mod history;
mod lifecycle;
mod objects;
mod state;
mod uploads;

use std::time::Instant;

use ringstone_io::runtime::Clock;

use crate::index::engine::Engine;
use crate::store::start::Monitor;
use crate::store::test_node::{MIB, Node, seeds, setting, used_blocks};

use check::table_entries;
use history::{History, RulesCome};

const SEEDS: u64 = 3;
const STEPS_DEFAULT: u64 = 5_000;
const SEEDS_OF_RULES: u64 = 6;
const RULES_STEPS_DEFAULT: u64 = 1_500;
const LIVES: u64 = 5;
/// Steps from one look at all the space to the next.
const SPACE_STEPS: u64 = 250;
const START_MS: i64 = 1_700_000_000_000;

/// Runs a history to its end, over several lives of its node; `reopen` does what is to be done between two of them.
fn run(mut node: Node, seed: u64, steps: u64, rules: RulesCome, reopen: impl Fn(&mut Node)) {
    node.clock = Clock::manual(START_MS);
    node.calendar = lifecycle::CALENDAR;
    let clock = node.clock.clone();
    let began = Instant::now();
    let mut history = node.run(async |store, _| History::begin_with(store, seed, steps, clock).await);
    history.rules = rules;
    for life in 1..=LIVES {
        reopen(&mut node);
        node.run(async |store, monitor: &Monitor| {
            let mut space_due = history.done;
            while history.done < life * steps / LIVES {
                if let Err(difference) = history.step(store).await {
                    panic!("{difference}");
                }
                if history.done >= space_due {
                    node.check_space(monitor).await;
                    space_due = history.done + SPACE_STEPS;
                }
            }
            if let Err(difference) = history.check_all(store).await {
                panic!("{difference}");
            }
            node.check_space(monitor).await;
            history.job = None;
        });
    }
    reopen(&mut node);
    node.run(async |store, monitor| {
        if let Err(difference) = history.check_all(store).await {
            panic!("{difference}");
        }
        if let Err(difference) = history.clear(store).await {
            panic!("{difference}");
        }
        node.check_space(monitor).await;
        assert_eq!(used_blocks(monitor), 0);
        if let Err(difference) = history.end_lifecycle(store).await {
            panic!("{difference}");
        }
        for table in ["O", "V", "N", "U", "P", "H", "S", "D", "W"] {
            assert!(table_entries(&node.engine, table).is_empty(), "{table} is not empty");
        }
    });
    println!("seed {seed}: {} steps in {:.1} s", history.done, began.elapsed().as_secs_f64());
    println!("{:?}", history.tally);
}

/// In small extents large bodies are of several runs.
fn extent_bytes(seed: u64) -> u64 {
    [4, 64, 16][(seed % 3) as usize] * MIB
}

#[test]
fn the_store_is_what_the_model_says() {
    let steps = setting("RINGSTONE_TEST_STEPS").unwrap_or(STEPS_DEFAULT);
    for seed in seeds(SEEDS) {
        run(Node::new(seed, extent_bytes(seed)), seed, steps, RulesCome::Rarely, |_| {});
    }
}

#[test]
fn rules_take_what_is_due_and_nothing_else() {
    let steps = setting("RINGSTONE_TEST_STEPS").unwrap_or(RULES_STEPS_DEFAULT);
    for seed in seeds(SEEDS_OF_RULES) {
        run(Node::new(seed, extent_bytes(seed)), seed, steps, RulesCome::Often, |_| {});
    }
}

#[test]
fn the_store_over_lmdb_is_what_the_model_says() {
    for seed in seeds(2) {
        let directory = tempfile::tempdir().expect("a directory");
        let mut node = Node::new(seed, extent_bytes(seed));
        let reopen = |node: &mut Node| {
            // The old one must be closed before the new one opens.
            node.engine = Node::new(seed, 0).engine;
            node.engine = Engine::open(directory.path()).expect("an index");
        };
        reopen(&mut node);
        run(node, seed, 300, RulesCome::Rarely, reopen);
    }
}
