//! The rules for object keys: 1 to 1,024 bytes of UTF-8, any characters. A key is never a path: `.`, `..` and
//! empty segments mean nothing here and are kept as they came.

use super::error::{ErrorCode, S3Error};
use crate::config::limits::KEY_BYTES_MAX;

/// Takes a key after percent-decoding; refuses it with `InvalidURI` or `KeyTooLongError`.
pub fn validate(key: &[u8]) -> Result<&str, S3Error> {
    if key.len() > KEY_BYTES_MAX {
        return Err(S3Error::key_too_long(key.len(), KEY_BYTES_MAX));
    }
    match std::str::from_utf8(key) {
        Ok(key) if !key.is_empty() => Ok(key),
        _ => Err(S3Error::new(ErrorCode::InvalidURI)),
    }
}

#[cfg(test)]
#[path = "object_key_tests.rs"]
mod tests;
