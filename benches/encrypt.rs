//! Is the pure-Rust AES-256-GCM fast enough for encryption at rest, frame by frame, or does that need another
//! implementation? One frame of an extent is sealed and opened in place, its number as the nonce.
//!
//! `cargo bench --bench encrypt`

use aes_gcm::aead::{AeadInOut, KeyInit, Nonce, Tag};
use aes_gcm::{Aes256Gcm, Key};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const FRAME_BYTES: usize = 64 * 1024;

fn nonce(frame: u64) -> Nonce<Aes256Gcm> {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&frame.to_be_bytes());
    bytes.into()
}

fn seal(cipher: &Aes256Gcm, frame: u64, bytes: &mut [u8]) -> Tag<Aes256Gcm> {
    cipher.encrypt_inout_detached(&nonce(frame), b"", bytes.into()).expect("a frame is short enough")
}

fn open(cipher: &Aes256Gcm, frame: u64, bytes: &mut [u8], tag: &Tag<Aes256Gcm>) {
    cipher.decrypt_inout_detached(&nonce(frame), b"", bytes.into(), tag).expect("an authentic frame");
}

fn encrypt(criterion: &mut Criterion) {
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from([7; 32]));
    let mut group = criterion.benchmark_group("encrypt/64KiB");
    group.throughput(Throughput::Bytes(FRAME_BYTES as u64));
    group.bench_function("aes_gcm/seal", |bencher| {
        let mut frame = 0;
        let mut bytes = vec![1; FRAME_BYTES];
        bencher.iter(|| {
            frame += 1;
            seal(&cipher, frame, &mut bytes)
        });
    });
    group.bench_function("aes_gcm/open", |bencher| {
        let mut sealed = vec![1; FRAME_BYTES];
        let tag = seal(&cipher, 1, &mut sealed);
        bencher.iter_batched_ref(
            || sealed.clone(),
            |bytes| open(&cipher, 1, bytes, &tag),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, encrypt);
criterion_main!(benches);
