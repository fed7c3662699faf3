//! What does the aws-chunked framing cost an upload of 1 MiB: as one unsigned chunk with a trailer, as newer clients
//! send it, and as signed chunks of 128 KiB? The body arrives in pieces of a buffer's size, as from a socket.
//!
//! `cargo bench --bench aws_chunked`

use std::fmt::Write as _;

use aws_credential_types::Credentials;
use aws_sigv4::sign::v4;
use criterion::{BatchSize, Bencher, Criterion, Throughput, criterion_group, criterion_main};
use ringstone::auth::{Authentication, PayloadSeal};
use ringstone::checksum::{Algorithm, Hasher};
use ringstone::config::limits::BUFFER_BYTES;
use ringstone::http::head::RequestHead;
use ringstone::s3::body::aws_chunked::AwsChunkedDecoder;

#[path = "support/signer.rs"]
mod signer;

const BODY_BYTES: usize = 1024 * 1024;
const SIGNED_CHUNK_BYTES: usize = 128 * 1024;
const PATH: &str = "/holiday-pictures/film.mp4";

fn payload() -> Vec<u8> {
    (0..BODY_BYTES).map(|at| (at * 31 % 251) as u8).collect()
}

fn unsigned_body(payload: &[u8], checksum: Algorithm) -> Vec<u8> {
    let mut hasher = Hasher::new(checksum);
    hasher.update(payload);
    let trailer = format!("\r\n0\r\n{}:{}\r\n\r\n", checksum.header(), hasher.finish().base64());
    [format!("{:x}\r\n", payload.len()).as_bytes(), payload, trailer.as_bytes()].concat()
}

/// A head that announces signed chunks, and its signature, from which theirs go on.
fn signed_head() -> (RequestHead, String) {
    let fields = signer::with_head_params(|params| {
        signer::sign_head(params, "PUT", PATH, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    });
    let mut text = format!("PUT {PATH} HTTP/1.1\r\nhost: {}\r\n", signer::HOST);
    for (name, value) in &fields {
        write!(text, "{name}: {value}\r\n").expect("a string takes everything");
    }
    text += "\r\n";
    let (head, _length) = RequestHead::parse(text.as_bytes()).expect("a good head").expect("a whole head");
    let (_, signature) = text.trim_end().rsplit_once("Signature=").expect("a signature");
    let signature = signature.lines().next().unwrap_or_default().to_owned();
    (head, signature)
}

fn signed_body(payload: &[u8], mut signature: String) -> Vec<u8> {
    let identity = Credentials::new(signer::ACCESS_KEY, signer::SECRET_KEY, None, None, "bench").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(signer::REGION)
        .name("s3")
        .time(signer::signed_at())
        .settings(())
        .build()
        .expect("complete parameters");
    let mut body = Vec::new();
    for chunk in payload.chunks(SIGNED_CHUNK_BYTES).chain([&[][..]]) {
        let signed = v4::sign_chunk(&chunk.to_vec().into(), &signature, &params).expect("a signature");
        signature = signed.into_parts().1;
        body.extend_from_slice(format!("{:x};chunk-signature={signature}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body
}

fn decode_all(decoder: &mut AwsChunkedDecoder, body: &mut [u8]) {
    let pieces =
        body.chunks_mut(BUFFER_BYTES).map(|piece| decoder.decode(piece).expect("good framing").written);
    assert_eq!(pieces.sum::<usize>(), BODY_BYTES);
    decoder.finish().expect("a whole body");
}

/// Decoding is in place, so that each run needs its own copy of the body.
fn measure(bencher: &mut Bencher<'_>, body: &[u8], decoder: impl Fn() -> AwsChunkedDecoder) {
    bencher.iter_batched_ref(
        || (decoder(), body.to_vec()),
        |(decoder, body)| decode_all(decoder, body),
        BatchSize::LargeInput,
    );
}

fn aws_chunked(criterion: &mut Criterion) {
    let payload = payload();
    let mut group = criterion.benchmark_group("aws_chunked/1MiB");
    group.throughput(Throughput::Bytes(BODY_BYTES as u64));

    let checksum = Algorithm::Crc64Nvme;
    let body = unsigned_body(&payload, checksum);
    group.bench_function("unsigned", |bencher| {
        measure(bencher, &body, || {
            let trailer = Some(checksum.header().as_bytes());
            AwsChunkedDecoder::new(PayloadSeal::UnsignedTrailer, trailer, BODY_BYTES as u64).expect("a form")
        });
    });

    let (head, signature) = signed_head();
    let body = signed_body(&payload, signature);
    let authenticator = signer::authenticator();
    group.bench_function("signed", |bencher| {
        measure(bencher, &body, || {
            let authentication = authenticator.authenticate(&head, signer::SIGNED_AT_UNIX_S.cast_signed());
            let Ok(Authentication::Signed { seal, .. }) = authentication else {
                panic!("refused: {authentication:?}");
            };
            AwsChunkedDecoder::new(seal, None, BODY_BYTES as u64).expect("a form")
        });
    });
    group.finish();
}

criterion_group!(benches, aws_chunked);
criterion_main!(benches);
