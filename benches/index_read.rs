//! What does it cost a request to read the record of its object, present or absent, from an index of 100,000
//! objects that lies in memory?
//!
//! `cargo bench --bench index_read`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ringstone::index::record::ObjectRecord;

#[path = "support/objects.rs"]
mod objects;
#[path = "support/scratch.rs"]
mod scratch;

/// Coprime to the number of objects: steps of this size visit all of them, in no order of the tree.
const STRIDE: u32 = 61_803;

fn index_read(criterion: &mut Criterion) {
    let directory = scratch::scratch_directory();
    let engine = objects::filled_index(directory.path());
    let keys = |first: u32| -> Vec<Vec<u8>> {
        let number = |step| (u64::from(STRIDE) * step % u64::from(objects::OBJECTS)) as u32;
        (0..4096).map(|step| objects::index_key(first + number(step))).collect()
    };
    let mut group = criterion.benchmark_group("index_read");

    let present = keys(0);
    let mut next = present.iter().cycle();
    group.bench_function("get", |bencher| {
        bencher.iter(|| {
            let key = next.next().expect("a cycle does not end");
            engine.get(black_box(key)).expect("a read").expect("a record")
        });
    });
    group.bench_function("get_and_decode", |bencher| {
        bencher.iter(|| {
            let key = next.next().expect("a cycle does not end");
            let entry = engine.get(black_box(key)).expect("a read").expect("a record");
            ObjectRecord::decode(&entry.value).expect("a good record")
        });
    });

    let absent = keys(objects::OBJECTS);
    let mut next = absent.iter().cycle();
    group.bench_function("get_absent", |bencher| {
        bencher.iter(|| {
            let key = next.next().expect("a cycle does not end");
            assert!(engine.get(black_box(key)).expect("a read").is_none());
        });
    });
    group.finish();
}

criterion_group!(benches, index_read);
criterion_main!(benches);
