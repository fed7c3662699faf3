//! What a request is about: bucket and key, from the host name or the path.

use crate::http::head::RequestHead;
use crate::http::target::{self, Query};
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::object_key;

/// Bucket, key and query of a request, decoded.
#[derive(Debug)]
pub struct Address {
    pub bucket: Option<String>,
    pub key: Option<String>,
    pub query: Query,
    /// The path as sent, for the `Resource` of errors.
    pub path: String,
}

/// How hosts and paths name buckets here.
#[derive(Clone, Debug)]
pub struct Addressing {
    /// `bucket.domain` is virtual-hosted style.
    pub domain: String,
    /// Whether `/bucket/key` is served; the service's root always is.
    pub path_style: bool,
}

/// Reads the address of a request.
pub fn address(head: &RequestHead, addressing: &Addressing) -> Result<Address, S3Error> {
    let (path, query, authority) =
        target::split(head.target()).map_err(|_bad| S3Error::new(ErrorCode::InvalidURI))?;
    let query =
        Query::parse(query.unwrap_or_default()).map_err(|_bad| S3Error::new(ErrorCode::InvalidURI))?;
    let host = match (authority, head.header("host")) {
        // RFC 9112 §3.2.2 has the authority count, but the signature covers the header: each for a bucket of its own
        // would be a signature for a bucket that the signer did not mean.
        (Some(authority), Some(host)) if !authority.eq_ignore_ascii_case(host) => {
            return Err(S3Error::new(ErrorCode::InvalidURI));
        }
        (authority, host) => authority.or(host).unwrap_or_default(),
    };
    let mut rest = path.strip_prefix(b"/").unwrap_or(path);
    let bucket = match virtual_bucket(host, &addressing.domain) {
        Some(bucket) => Some(bucket),
        None if rest.is_empty() => None,
        None if !addressing.path_style => {
            let message = "Path-style requests are not served here. Use the bucket's own host name.";
            return Err(S3Error::with_message(ErrorCode::InvalidRequest, message));
        }
        None => {
            let end = memchr::memchr(b'/', rest).unwrap_or(rest.len());
            let bucket = decode(&rest[..end])?;
            rest = rest.get(end + 1..).unwrap_or_default();
            Some(bucket)
        }
    };
    let key = if rest.is_empty() { None } else { Some(decode_key(rest)?) };
    Ok(Address { bucket, key, query, path: String::from_utf8_lossy(path).into_owned() })
}

/// The bucket in a host name under our domain.
fn virtual_bucket(host: &[u8], domain: &str) -> Option<String> {
    let host = std::str::from_utf8(host).ok()?;
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let split = name.len().checked_sub(domain.len())?;
    if domain.is_empty() || !name.get(split..)?.eq_ignore_ascii_case(domain) {
        return None;
    }
    let bucket = name.get(..split)?.strip_suffix('.')?;
    (!bucket.is_empty()).then(|| bucket.to_ascii_lowercase())
}

fn decode(encoded: &[u8]) -> Result<String, S3Error> {
    let bytes = target::percent_decode(encoded).map_err(|_bad| S3Error::new(ErrorCode::InvalidURI))?;
    String::from_utf8(bytes).map_err(|_not_text| S3Error::new(ErrorCode::InvalidURI))
}

fn decode_key(encoded: &[u8]) -> Result<String, S3Error> {
    let bytes = target::percent_decode(encoded).map_err(|_bad| S3Error::new(ErrorCode::InvalidURI))?;
    object_key::validate(&bytes).map(str::to_owned)
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
