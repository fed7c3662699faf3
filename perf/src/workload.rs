//! What one connection sends: its keys, their presigned requests, their bytes.

use crate::cli::{Operation, RunOptions};
use crate::sign::Signer;

/// A presigned request is good for this long; no run comes near it.
const EXPIRES_S: u32 = 6 * 3600;

/// The requests of one connection, ready to send.
pub(crate) struct Workload {
    pub(crate) gets: Vec<Vec<u8>>,
    pub(crate) puts: Vec<Vec<u8>>,
    /// The same bytes for every key of the connection, random to any compressor.
    pub(crate) content: Vec<u8>,
}

impl Workload {
    pub(crate) fn new(options: &RunOptions, date: &str, connection: usize) -> Self {
        let content = noise(options.size, connection as u64 + 1);
        let of = |operation| {
            (0..options.keys)
                .map(|number| {
                    head(options, date, operation, &format!("perf/{}/{connection}-{number}", options.size))
                })
                .collect()
        };
        Self { gets: of(Operation::Get), puts: of(Operation::Put), content }
    }
}

/// The head of a presigned request.
fn head(options: &RunOptions, date: &str, operation: Operation, key: &str) -> Vec<u8> {
    let path = format!("/{}/{key}", options.bucket);
    match operation {
        Operation::Get => presigned_head(options, date, "GET", &path, None),
        Operation::Put => presigned_head(options, date, "PUT", &path, Some(options.size)),
    }
}

pub(crate) fn presigned_head(
    options: &RunOptions,
    date: &str,
    method: &str,
    path: &str,
    body_bytes: Option<usize>,
) -> Vec<u8> {
    let signer =
        Signer { access_key: &options.access_key, secret_key: &options.secret_key, region: &options.region };
    let target = signer.presign(method, &options.endpoint, path, date, EXPIRES_S);
    let length = body_bytes.map(|bytes| format!("Content-Length: {bytes}\r\n")).unwrap_or_default();
    format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n{length}\r\n", options.endpoint).into_bytes()
}

/// `size` bytes of xorshift noise.
fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}
