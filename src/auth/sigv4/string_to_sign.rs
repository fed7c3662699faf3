//! The three texts that get signed: of a request, of a chunk, of a trailer.

use super::credential_scope::CredentialScope;
use crate::auth::clock_skew::RequestTime;

/// SHA-256 of nothing: the place of headers in a chunk's string to sign.
const EMPTY_SHA256_HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(super) fn of_request(
    time: &RequestTime,
    scope: &CredentialScope<'_>,
    canonical_sha256: &[u8; 32],
) -> String {
    let hash = hex::encode(canonical_sha256);
    lines(["AWS4-HMAC-SHA256", time.basic(), scope.scope(), &hash])
}

/// `previous`: signature of the chunk before, or of the request.
pub(super) fn of_chunk(time: &str, scope: &str, previous: &str, data_sha256: &[u8; 32]) -> String {
    let hash = hex::encode(data_sha256);
    lines(["AWS4-HMAC-SHA256-PAYLOAD", time, scope, previous, EMPTY_SHA256_HEX, &hash])
}

/// `previous`: signature of the final chunk.
pub(super) fn of_trailer(time: &str, scope: &str, previous: &str, trailer_sha256: &[u8; 32]) -> String {
    let hash = hex::encode(trailer_sha256);
    lines(["AWS4-HMAC-SHA256-TRAILER", time, scope, previous, &hash])
}

fn lines<const N: usize>(lines: [&str; N]) -> String {
    lines.join("\n")
}
