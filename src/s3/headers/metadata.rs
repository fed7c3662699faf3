//! Headers that are stored with an object and come back with it.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>

use crate::config::limits::METADATA_BYTES_MAX;
use crate::http::head::RequestHead;
use crate::index::record::object::{Metadata, SystemHeader};
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::tagging;

/// Prefix of user metadata.
pub const USER_PREFIX: &str = "x-amz-meta-";

/// Content type of an object that was given none.
const CONTENT_TYPE_DEFAULT: &str = "binary/octet-stream";

/// Stored headers by name, lower case on the way in, as returned on the way out.
pub const SYSTEM_HEADERS: &[(SystemHeader, &str, &str)] = &[
    (SystemHeader::CacheControl, "cache-control", "Cache-Control"),
    (SystemHeader::ContentDisposition, "content-disposition", "Content-Disposition"),
    (SystemHeader::ContentEncoding, "content-encoding", "Content-Encoding"),
    (SystemHeader::ContentLanguage, "content-language", "Content-Language"),
    (SystemHeader::ContentType, "content-type", "Content-Type"),
    (SystemHeader::Expires, "expires", "Expires"),
];

/// Reads what is to be stored of a request's headers, tags included.
pub fn from_head(head: &RequestHead) -> Result<Metadata, S3Error> {
    Ok(Metadata { tags: tagging::from_head(head)?, ..without_tags(head)? })
}

/// The same but for the tags, which a copy takes from elsewhere.
pub fn without_tags(head: &RequestHead) -> Result<Metadata, S3Error> {
    check(head)?;
    Ok(Metadata { system: system(head), user: user(head)?, tags: Vec::new() })
}

/// Refuses what no object here can have.
pub fn check(head: &RequestHead) -> Result<(), S3Error> {
    check_storage_class(head)?;
    check_acl(head)
}

fn system(head: &RequestHead) -> Vec<(SystemHeader, String)> {
    let mut system = Vec::new();
    for (header, name, _) in SYSTEM_HEADERS {
        let value = head.header(name).map(text);
        let value = match header {
            SystemHeader::ContentEncoding => value.and_then(|value| without_aws_chunked(&value)),
            SystemHeader::ContentType => Some(
                value.filter(|value| !value.is_empty()).unwrap_or_else(|| CONTENT_TYPE_DEFAULT.to_owned()),
            ),
            _ => value,
        };
        system.extend(value.map(|value| (*header, value)));
    }
    system
}

/// `aws-chunked` describes the transfer, not the object. What is left stays as it was written.
fn without_aws_chunked(value: &str) -> Option<String> {
    let is_kept = |coding: &&str| !coding.trim().eq_ignore_ascii_case("aws-chunked");
    let rest = value.split(',').filter(is_kept).collect::<Vec<_>>().join(",");
    let rest = rest.trim();
    (!rest.is_empty()).then(|| rest.to_owned())
}

/// Names without the prefix, in order of first appearance; repeated ones joined by a comma.
fn user(head: &RequestHead) -> Result<Vec<(String, String)>, S3Error> {
    let mut user: Vec<(String, String)> = Vec::new();
    for (name, value) in head.headers() {
        let Some(name) = name.strip_prefix(USER_PREFIX.as_bytes()) else { continue };
        let (name, value) = (text(name), text(value));
        match user.iter_mut().find(|(have, _)| *have == name) {
            Some((_, have)) => {
                have.push(',');
                have.push_str(&value);
            }
            None => user.push((name, value)),
        }
    }
    let size = user.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    if size > METADATA_BYTES_MAX {
        return Err(S3Error::metadata_too_large(size, METADATA_BYTES_MAX));
    }
    Ok(user)
}

/// Header values are bytes. UTF-8 comes back byte for byte; what is none was Latin-1 by the older rule.
fn text(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_not_utf8) => value.iter().map(|&byte| char::from(byte)).collect(),
    }
}

fn check_storage_class(head: &RequestHead) -> Result<(), S3Error> {
    match head.header("x-amz-storage-class") {
        None | Some(b"STANDARD") => Ok(()),
        Some(_) => Err(S3Error::new(ErrorCode::InvalidStorageClass)),
    }
}

/// ACLs are not a thing here; the two canned ones that change nothing are accepted.
fn check_acl(head: &RequestHead) -> Result<(), S3Error> {
    match head.header("x-amz-acl") {
        None | Some(b"private" | b"bucket-owner-full-control") => Ok(()),
        Some(_) => Err(S3Error::new(ErrorCode::AccessControlListNotSupported)),
    }
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
