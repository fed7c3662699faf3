//! What does durability cost a PUT, and how far does it sink when many share one commit? Groups of puts of new
//! objects into an index of 100,000, each group one synced LMDB transaction.
//!
//! `cargo bench --bench commit_batch`. The time is of a group; elements a second are puts. The disk under `target/`
//! is the one that is measured.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ringstone::index::{Batch, Outcome};

#[path = "support/objects.rs"]
mod objects;
#[path = "support/scratch.rs"]
mod scratch;

fn commit_batch(criterion: &mut Criterion) {
    let directory = scratch::scratch_directory();
    let engine = objects::filled_index(directory.path());
    let mut next_object = objects::OBJECTS;
    let mut group = criterion.benchmark_group("commit_batch");
    group.sample_size(20);
    for puts in [1, 16, 64, 256] {
        group.throughput(Throughput::Elements(u64::from(puts)));
        group.bench_function(puts.to_string(), |bencher| {
            let new_objects = || -> Vec<Batch> {
                let first = next_object;
                next_object += puts;
                (first..next_object).map(objects::put).collect()
            };
            bencher.iter_batched_ref(
                new_objects,
                |batches| {
                    let outcomes = engine.commit(batches).expect("a commit");
                    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Committed));
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, commit_batch);
criterion_main!(benches);
