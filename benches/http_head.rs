//! What does it cost to learn what a request is about: parse the head, read bucket, key and query, find the
//! operation? Heads as boto3 sends them.
//!
//! `cargo bench --bench http_head`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ringstone::http::head::RequestHead;
use ringstone::s3::address::{Address, Addressing, address};
use ringstone::s3::route::{Routed, route};

#[path = "support/recorded.rs"]
mod recorded;

fn parse(text: &str) -> RequestHead {
    let (head, length) = RequestHead::parse(text.as_bytes()).expect("a good head").expect("a whole head");
    assert_eq!(length, text.len());
    head
}

fn addressed(head: &RequestHead, addressing: &Addressing) -> Address {
    address(head, addressing).expect("an address")
}

fn routed(head: &RequestHead, address: &Address) -> Routed {
    route(head, address).expect("an operation")
}

fn http_head(criterion: &mut Criterion) {
    let addressing = Addressing { domain: "s3.example.com".to_owned(), path_style: true };
    let mut group = criterion.benchmark_group("http_head");
    for (name, text) in recorded::HEADS {
        let head = parse(text);
        let address = addressed(&head, &addressing);
        assert!(matches!(routed(&head, &address), Routed::Operation(_)), "{name} is served");
        group.bench_function(format!("{name}/parse"), |bencher| bencher.iter(|| parse(black_box(text))));
        group.bench_function(format!("{name}/address"), |bencher| {
            bencher.iter(|| addressed(black_box(&head), &addressing));
        });
        group.bench_function(format!("{name}/route"), |bencher| {
            bencher.iter(|| routed(black_box(&head), black_box(&address)));
        });
        group.bench_function(format!("{name}/all"), |bencher| {
            bencher.iter(|| {
                let head = parse(black_box(text));
                let address = addressed(&head, &addressing);
                let routed = routed(&head, &address);
                (head, address, routed)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, http_head);
criterion_main!(benches);
