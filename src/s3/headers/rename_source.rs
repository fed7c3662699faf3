//! The object that a rename moves.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html>

use crate::http::head::RequestHead;
use crate::http::target;
use crate::s3::error::S3Error;
use crate::s3::object_key;

const SOURCE: &str = "x-amz-rename-source";

/// Reads the key, in the bucket of the request. One slash before it is no part of it.
///
/// The header is documented as percent-encoded, but clients send keys as they are too. So what cannot be decoded is
/// taken literally; what can be is not.
pub fn from_head(head: &RequestHead) -> Result<String, S3Error> {
    let sent = head.header(SOURCE).unwrap_or_default();
    let path = sent.strip_prefix(b"/").unwrap_or(sent);
    let decoded = target::percent_decode(path).ok().filter(|bytes| std::str::from_utf8(bytes).is_ok());
    let key = decoded.as_deref().unwrap_or(path);
    if key.is_empty() || std::str::from_utf8(key).is_err() {
        let message = "Invalid rename source object key";
        return Err(S3Error::invalid_argument(SOURCE, &String::from_utf8_lossy(sent), message));
    }
    object_key::validate(key).map(str::to_owned)
}

#[cfg(test)]
#[path = "rename_source_tests.rs"]
mod tests;
