//! How many bytes a second does each checksum of the API take, and MD5, which every plain PUT needs for its ETag?
//!
//! `cargo bench --bench checksum`

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringstone::checksum::{Algorithm, Hasher, Md5};

const KIB: usize = 1024;

fn checksum(criterion: &mut Criterion) {
    for kib in [64, 1024] {
        let body: Vec<u8> = (0..kib * KIB).map(|at| (at * 31 % 251) as u8).collect();
        let mut group = criterion.benchmark_group(format!("checksum/{kib}KiB"));
        group.throughput(Throughput::Bytes(body.len() as u64));
        for algorithm in Algorithm::ALL {
            group.bench_function(algorithm.name(), |bencher| {
                bencher.iter(|| {
                    let mut hasher = Hasher::new(algorithm);
                    hasher.update(black_box(&body));
                    hasher.finish()
                });
            });
        }
        group.bench_function("MD5", |bencher| {
            bencher.iter(|| {
                let mut md5 = Md5::new();
                md5.update(black_box(&body));
                md5.finish()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, checksum);
criterion_main!(benches);
