//! `If-Match` and `If-None-Match` on writes.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>

use crate::http::head::RequestHead;
use crate::s3::error::{ErrorCode, S3Error};
use crate::store::write_condition::WriteCondition;

/// Reads the condition of a write. `If-None-Match` takes `*` alone.
pub fn from_head(head: &RequestHead) -> Result<WriteCondition, S3Error> {
    match (head.header("if-match"), head.header("if-none-match")) {
        (None, None) => Ok(WriteCondition::None),
        (Some(_), Some(_)) => {
            let message = "If-Match and If-None-Match cannot be used together.";
            Err(S3Error::with_message(ErrorCode::NotImplemented, message).field("Header", "If-None-Match"))
        }
        (None, Some(b"*")) => Ok(WriteCondition::Absent),
        (None, Some(_)) => Err(S3Error::invalid_request("If-None-Match accepts only the value * on writes.")),
        (Some(b"*"), None) => Ok(WriteCondition::Exists),
        (Some(etag), None) => Ok(WriteCondition::ETagIs(unquoted(etag))),
    }
}

/// The opaque part of a strong ETag. A weak one stays as it is, and so equals none.
fn unquoted(etag: &[u8]) -> String {
    let text = String::from_utf8_lossy(etag);
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&text).to_owned()
}
