//! What does a full page of a listing cost: 1,000 keys in a row, and 1,000 common prefixes with 50 keys behind each,
//! which the walk has to leap over?
//!
//! `cargo bench --bench index_listing`

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringstone::index::{Item, ListPage, ListQuery, Marker, list};

#[path = "support/objects.rs"]
mod objects;
#[path = "support/scratch.rs"]
mod scratch;

const KEYS_MAX: usize = 1_000;

fn index_listing(criterion: &mut Criterion) {
    let directory = scratch::scratch_directory();
    let engine = objects::filled_index(directory.path());
    let page = |delimiter: Option<&str>| -> ListPage {
        let query = ListQuery { prefix: "", delimiter, after: Marker::Start, keys_max: KEYS_MAX };
        list(&engine, objects::BUCKET_ID, black_box(&query)).expect("a page")
    };
    let groups =
        |page: &ListPage| page.items.iter().filter(|item| matches!(item, Item::CommonPrefix(_))).count();
    for (delimiter, groups_expected) in [(None, 0), (Some("/"), KEYS_MAX)] {
        let page = page(delimiter);
        assert_eq!((page.items.len(), groups(&page)), (KEYS_MAX, groups_expected));
    }

    let mut group = criterion.benchmark_group("index_listing");
    group.throughput(Throughput::Elements(KEYS_MAX as u64));
    group.bench_function("keys", |bencher| bencher.iter(|| page(None)));
    group.bench_function("common_prefixes", |bencher| bencher.iter(|| page(Some("/"))));
    group.finish();
}

criterion_group!(benches, index_listing);
criterion_main!(benches);
