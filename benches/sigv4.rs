//! What does it cost to verify a signature, in a header and in a presigned URL, and how much of it does the kept
//! signing key save? The yardstick is AWS's own signer, which does the same work on the other side.
//!
//! `cargo bench --bench sigv4`

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ringstone::auth::{Authentication, Authenticator};
use ringstone::http::head::RequestHead;

#[path = "support/recorded.rs"]
mod recorded;
#[path = "support/signer.rs"]
mod signer;

const PATH: &str = "/holiday-pictures/photos/2026/07/IMG_4711%20%28edited%29.jpg";
const SHA256_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn authenticate(authenticator: &Authenticator, head: &RequestHead) -> Authentication {
    let authentication = authenticator.authenticate(head, signer::SIGNED_AT_UNIX_S.cast_signed());
    authentication.expect("a good signature")
}

fn sigv4(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sigv4");
    for (name, text) in recorded::HEADS {
        let (head, _length) =
            RequestHead::parse(text.as_bytes()).expect("a good head").expect("a whole head");
        let authenticator = signer::authenticator();
        let first = authenticate(&authenticator, &head);
        assert!(matches!(first, Authentication::Signed { .. }), "{name} is signed");
        group.bench_function(format!("{name}/key_kept"), |bencher| {
            bencher.iter(|| authenticate(&authenticator, black_box(&head)));
        });
        group.bench_function(format!("{name}/key_derived"), |bencher| {
            bencher.iter_batched_ref(
                signer::authenticator,
                |authenticator| authenticate(authenticator, black_box(&head)),
                BatchSize::SmallInput,
            );
        });
    }
    signer::with_head_params(|params| {
        group.bench_function("get/aws_sigv4_sign", |bencher| {
            bencher.iter(|| signer::sign_head(params, "GET", black_box(PATH), SHA256_OF_NOTHING));
        });
    });
    group.finish();
}

criterion_group!(benches, sigv4);
criterion_main!(benches);
