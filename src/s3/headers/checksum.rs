//! Content-MD5 and the `x-amz-checksum-*` family: what a client says of its body, and whether it is true.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::checksum::{Algorithm, Digest, Hasher, Md5};
use crate::http::head::RequestHead;
use crate::s3::error::{ErrorCode, S3Error};

const PREFIX: &[u8] = b"x-amz-checksum-";

/// Members of the family that are no checksums.
const NO_CHECKSUMS: &[&[u8]] = &[b"x-amz-checksum-algorithm", b"x-amz-checksum-mode", b"x-amz-checksum-type"];

/// What a request promises about its body.
#[derive(Clone, Debug, Default)]
pub struct Promise {
    md5: Option<[u8; 16]>,
    value: Option<Digest>,
    /// The value follows the body under this algorithm's header name.
    trailer: Option<Algorithm>,
}

impl Promise {
    /// Reads the promise of a request and checks that it is well-formed.
    pub fn from_head(head: &RequestHead) -> Result<Self, S3Error> {
        let promise = Self { md5: content_md5(head)?, value: header_value(head)?, trailer: trailer(head)? };
        if promise.value.is_some() && promise.trailer.is_some() {
            return Err(several());
        }
        if let Some(named) = head.header("x-amz-sdk-checksum-algorithm") {
            match (Algorithm::from_name(named), promise.algorithm()) {
                (Some(named), Some(sent)) if named == sent => {}
                (Some(_), None) => {
                    let message = "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or \
                                   x-amz-trailer headers were found.";
                    return Err(S3Error::invalid_request(message));
                }
                _ => return Err(invalid_header("x-amz-sdk-checksum-algorithm")),
            }
        }
        Ok(promise)
    }

    /// Reads the promise of a request whose checksum headers speak of something else than its body: Content-MD5 alone.
    pub fn of_document(head: &RequestHead) -> Result<Self, S3Error> {
        Ok(Self { md5: content_md5(head)?, ..Self::default() })
    }

    /// Whether anything is promised at all.
    pub fn is_empty(&self) -> bool {
        self.md5.is_none() && self.algorithm().is_none()
    }

    /// The algorithm of the additional checksum, if the client chose one.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.value.as_ref().map(Digest::algorithm).or(self.trailer)
    }

    /// Whether the body's MD5 is promised.
    pub fn has_md5(&self) -> bool {
        self.md5.is_some()
    }

    /// Compares the promise with what arrived. `computed` must be of the promised algorithm, and `md5` there if one
    /// was promised.
    pub fn verify(
        &self,
        md5: Option<[u8; 16]>,
        computed: Option<&Digest>,
        trailers: &[(String, String)],
    ) -> Result<(), S3Error> {
        if let Some(promised) = self.md5
            && Some(promised) != md5
        {
            let calculated = md5.map(|md5| BASE64.encode(md5)).unwrap_or_default();
            return Err(S3Error::bad_md5(&BASE64.encode(promised), &calculated));
        }
        let in_trailer = self.trailer.map(|algorithm| trailer_value(algorithm, trailers)).transpose()?;
        match (self.value.as_ref().or(in_trailer.as_ref()), computed) {
            (None, _) => Ok(()),
            (Some(promised), Some(computed)) if promised == computed => Ok(()),
            (Some(promised), _) => Err(S3Error::bad_checksum(promised.algorithm().name())),
        }
    }

    /// Compares the promise with a body that is in memory.
    pub fn verify_bytes(&self, body: &[u8], trailers: &[(String, String)]) -> Result<(), S3Error> {
        let mut md5 = Md5::new();
        md5.update(body);
        let computed = self.algorithm().map(|algorithm| {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(body);
            hasher.finish()
        });
        self.verify(Some(md5.finish()), computed.as_ref(), trailers)
    }
}

fn content_md5(head: &RequestHead) -> Result<Option<[u8; 16]>, S3Error> {
    let Some(value) = head.header("content-md5") else { return Ok(None) };
    let decoded = BASE64.decode(value).ok().and_then(|bytes| bytes.try_into().ok());
    decoded.map(Some).ok_or_else(|| S3Error::invalid_digest(&String::from_utf8_lossy(value)))
}

/// The digest in the one `x-amz-checksum-<algorithm>` header.
fn header_value(head: &RequestHead) -> Result<Option<Digest>, S3Error> {
    let Some((algorithm, value)) = sole_header(head)? else { return Ok(None) };
    let digest = Digest::from_base64(algorithm, value);
    digest.map(Some).ok_or_else(|| invalid_header(algorithm.header()))
}

/// The one `x-amz-checksum-<algorithm>` header and its value as sent.
pub(super) fn sole_header(head: &RequestHead) -> Result<Option<(Algorithm, &[u8])>, S3Error> {
    let mut found = None;
    for (name, value) in head.headers() {
        if !name.starts_with(PREFIX) || NO_CHECKSUMS.contains(&name) {
            continue;
        }
        let algorithm =
            Algorithm::from_header(name).ok_or_else(|| invalid_header(&String::from_utf8_lossy(name)))?;
        if found.is_some() {
            return Err(several());
        }
        found = Some((algorithm, value));
    }
    Ok(found)
}

pub(super) fn invalid_header(name: &str) -> S3Error {
    S3Error::invalid_request(format!("Value for {name} header is invalid."))
}

/// As in `x-amz-checksum-type` and in XML.
pub fn type_name(full_object: bool) -> &'static str {
    if full_object { "FULL_OBJECT" } else { "COMPOSITE" }
}

fn trailer(head: &RequestHead) -> Result<Option<Algorithm>, S3Error> {
    let Some(value) = head.header("x-amz-trailer") else { return Ok(None) };
    let algorithm = Algorithm::from_header(value.trim_ascii().to_ascii_lowercase());
    algorithm.map(Some).ok_or_else(|| {
        let message = "The value specified in the x-amz-trailer header is not supported";
        S3Error::invalid_request(message)
    })
}

fn trailer_value(algorithm: Algorithm, trailers: &[(String, String)]) -> Result<Digest, S3Error> {
    let (_, value) = trailers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(algorithm.header()))
        .ok_or_else(|| S3Error::new(ErrorCode::MalformedTrailerError))?;
    Digest::from_base64(algorithm, value).ok_or_else(|| {
        let message = format!("Value for {} trailing header is invalid.", algorithm.header());
        S3Error::invalid_request(message)
    })
}

fn several() -> S3Error {
    let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
    S3Error::invalid_request(message)
}

#[cfg(test)]
#[path = "checksum_tests.rs"]
mod tests;
