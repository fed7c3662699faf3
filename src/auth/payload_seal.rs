//! What `x-amz-content-sha256` promises about the body.

use super::ChunkSigner;
use super::error::AuthError;
use crate::http::head::RequestHead;

pub(super) const CONTENT_SHA256: &str = "x-amz-content-sha256";
pub(super) const UNSIGNED_PAYLOAD: &[u8] = b"UNSIGNED-PAYLOAD";

/// How a body has to be decoded and what it must match.
#[derive(Debug)]
pub enum PayloadSeal {
    /// Plain bytes, anything goes.
    Unsigned,
    /// Plain bytes with this SHA-256, else 400 XAmzContentSHA256Mismatch.
    Sha256([u8; 32]),
    /// aws-chunked with a trailer, no signatures.
    UnsignedTrailer,
    /// aws-chunked, each chunk signed.
    Signed(ChunkSigner),
    /// aws-chunked, each chunk and the trailer signed.
    SignedTrailer(ChunkSigner),
}

impl PayloadSeal {
    /// The body is aws-chunked. Only PutObject and UploadPart take such bodies.
    pub fn is_streaming(&self) -> bool {
        match self {
            Self::Unsigned | Self::Sha256(_) => false,
            Self::UnsignedTrailer | Self::Signed(_) | Self::SignedTrailer(_) => true,
        }
    }

    /// Seal of an anonymous request, which has no signature to chain chunks to.
    pub fn anonymous(head: &RequestHead) -> Result<Self, AuthError> {
        let Some(value) = content_sha256_header(head)? else { return Ok(Self::Unsigned) };
        match PayloadHash::parse(value)? {
            PayloadHash::Unsigned => Ok(Self::Unsigned),
            PayloadHash::Sha256(sha256) => Ok(Self::Sha256(sha256)),
            PayloadHash::UnsignedTrailer => Ok(Self::UnsignedTrailer),
            PayloadHash::Signed | PayloadHash::SignedTrailer => Err(invalid(value)),
        }
    }
}

/// The forms of `x-amz-content-sha256` that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PayloadHash {
    Unsigned,
    Sha256([u8; 32]),
    UnsignedTrailer,
    Signed,
    SignedTrailer,
}

impl PayloadHash {
    pub(super) fn parse(value: &[u8]) -> Result<Self, AuthError> {
        Ok(match value {
            UNSIGNED_PAYLOAD => Self::Unsigned,
            b"STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Self::UnsignedTrailer,
            b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Self::Signed,
            b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Self::SignedTrailer,
            b"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
            | b"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER" => {
                return Err(AuthError::SignatureVersion4a);
            }
            _ => {
                let mut sha256 = [0; 32];
                hex::decode_to_slice(value, &mut sha256).map_err(|_| invalid(value))?;
                Self::Sha256(sha256)
            }
        })
    }
}

/// The one value of the header; two would let each reader of the head pick its own.
pub(super) fn content_sha256_header(head: &RequestHead) -> Result<Option<&[u8]>, AuthError> {
    let mut values = head.headers_named(CONTENT_SHA256);
    let first = values.next();
    match values.next() {
        Some(second) => Err(invalid(second)),
        None => Ok(first),
    }
}

fn invalid(value: &[u8]) -> AuthError {
    AuthError::ContentSha256Invalid { value: String::from_utf8_lossy(value).into_owned() }
}
