//! Where a copy takes its bytes from, and what it takes beside them.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>

use std::ops::RangeInclusive;

use crate::http::head::RequestHead;
use crate::http::target;
use crate::s3::error::S3Error;
use crate::s3::{bucket_name, object_key};

pub const SOURCE: &str = "x-amz-copy-source";
const RANGE: &str = "x-amz-copy-source-range";

/// Ends the path of a source. A key that holds these characters has its `?` encoded.
const VERSION_MARK: &[u8] = b"?versionId=";

/// The object that a copy names, none of it looked up yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopySource {
    pub bucket: String,
    pub key: String,
    /// As sent; may be no version id at all.
    pub version_id: Option<String>,
}

impl CopySource {
    /// Reads `[/]bucket/key[?versionId=id]`, percent-encoded.
    pub fn from_head(head: &RequestHead) -> Result<Self, S3Error> {
        let sent = head.header(SOURCE).unwrap_or_default();
        let refused = |message: &str| invalid(SOURCE, sent, message);
        let decoded = |part: &[u8]| {
            let text = target::percent_decode(part).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            text.ok_or_else(|| refused("Invalid copy source encoding"))
        };
        // Before decoding, or an encoded mark inside a key would count.
        let (path, version_id) = match memchr::memmem::find(sent, VERSION_MARK) {
            Some(at) => (&sent[..at], Some(decoded(&sent[at + VERSION_MARK.len()..])?)),
            None => (sent, None),
        };
        // After decoding, for some clients encode the slashes too. No bucket name has one.
        let path = decoded(path)?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        bucket_name::validate(bucket).map_err(|_invalid| refused("Invalid copy source bucket name"))?;
        if key.is_empty() {
            return Err(refused("Invalid copy source object key"));
        }
        object_key::validate(key.as_bytes())?;
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned(), version_id })
    }
}

/// Reads `x-amz-copy-source-range`: `bytes=first-last` and no other form.
pub fn range_from_head(head: &RequestHead) -> Result<Option<RangeInclusive<u64>>, S3Error> {
    let Some(sent) = head.header(RANGE) else { return Ok(None) };
    let range = parse_range(sent).ok_or_else(|| {
        let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last \
                       are the zero-based offsets of the first and last bytes to copy";
        invalid(RANGE, sent, message)
    })?;
    Ok(Some(range))
}

/// Refuses a range that does not lie within a source of so many bytes: unlike a read, a copy is never cut short.
pub fn check_range(range: &RangeInclusive<u64>, source_bytes: u64) -> Result<(), S3Error> {
    if *range.end() < source_bytes {
        return Ok(());
    }
    let message = format!("Range specified is not valid for source object of size: {source_bytes}");
    let requested = format!("bytes={}-{}", range.start(), range.end());
    Err(S3Error::invalid_argument(RANGE, &requested, message))
}

fn parse_range(sent: &[u8]) -> Option<RangeInclusive<u64>> {
    let (first, last) = std::str::from_utf8(sent).ok()?.strip_prefix("bytes=")?.split_once('-')?;
    let offset = |text: &str| {
        // The standard parser alone would take a plus sign.
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| is_number)
    };
    let (first, last) = (offset(first)?, offset(last)?);
    (first <= last).then_some(first..=last)
}

/// Whether something comes with the copy or from the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Directive {
    #[default]
    Copy,
    Replace,
}

impl Directive {
    /// Reads `x-amz-metadata-directive`.
    pub fn of_metadata(head: &RequestHead) -> Result<Self, S3Error> {
        Self::read(head, "x-amz-metadata-directive", "Unknown metadata directive.")
    }

    /// Reads `x-amz-tagging-directive`.
    pub fn of_tagging(head: &RequestHead) -> Result<Self, S3Error> {
        Self::read(head, "x-amz-tagging-directive", "Unknown tagging directive.")
    }

    fn read(head: &RequestHead, name: &str, unknown: &str) -> Result<Self, S3Error> {
        match head.header(name) {
            None | Some(b"COPY") => Ok(Self::Copy),
            Some(b"REPLACE") => Ok(Self::Replace),
            Some(sent) => Err(invalid(name, sent, unknown)),
        }
    }
}

fn invalid(name: &str, sent: &[u8], message: &str) -> S3Error {
    S3Error::invalid_argument(name, &String::from_utf8_lossy(sent), message)
}

#[cfg(test)]
#[path = "copy_source_tests.rs"]
mod tests;
