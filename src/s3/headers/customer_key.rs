//! Server-side encryption with a customer's key (SSE-C): the key that a request brings, and whether it is the right one.
//!
//! The key comes from the head and goes into a [`CustomerKey`], nowhere else: no error repeats the value of any of these
//! headers, since a client that mixes them up would find its key in the answer.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use crate::checksum::Md5;
use crate::http::head::RequestHead;
use crate::http::response::Response;
use crate::s3::error::{ErrorCode, S3Error};
use crate::seal::{CustomerKey, KEY_BYTES, KeyCheck};

const ALGORITHM: &str = "AES256";

/// Bytes of a key in base64.
const KEY_TEXT_BYTES: usize = KEY_BYTES.div_ceil(3) * 4;

/// Encryption under keys of the node, which cannot be had together with a customer's.
const OTHER_ENCRYPTION: &[&str] =
    &["x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"];

struct Names {
    algorithm: &'static str,
    key: &'static str,
    key_md5: &'static str,
}

/// Of what the request writes or reads.
const OWN: Names = Names {
    algorithm: "x-amz-server-side-encryption-customer-algorithm",
    key: "x-amz-server-side-encryption-customer-key",
    key_md5: "x-amz-server-side-encryption-customer-key-md5",
};

/// Of the source of a copy.
const COPY_SOURCE: Names = Names {
    algorithm: "x-amz-copy-source-server-side-encryption-customer-algorithm",
    key: "x-amz-copy-source-server-side-encryption-customer-key",
    key_md5: "x-amz-copy-source-server-side-encryption-customer-key-md5",
};

/// A key as a request sent it, whole and undamaged.
#[derive(Debug)]
pub struct SentKey {
    pub key: CustomerKey,
    md5: [u8; 16],
}

/// Whether the head holds a customer's key, of the one kind or the other, well-formed or not.
pub fn is_in(head: &RequestHead) -> bool {
    head.headers().any(|(name, _)| name == OWN.key.as_bytes() || name == COPY_SOURCE.key.as_bytes())
}

/// The key under which a request writes or reads; `None` where none of its headers was sent.
pub fn from_head(head: &RequestHead) -> Result<Option<SentKey>, S3Error> {
    let sent = parse(head, &OWN)?;
    if sent.is_some()
        && let Some(other) = OTHER_ENCRYPTION.iter().find(|other| head.header(other).is_some())
    {
        let message = "Server side encryption specified with both customer-provided and other keys.";
        return Err(invalid(other, message));
    }
    Ok(sent)
}

/// The key under which the source of a copy is encrypted.
pub fn from_copy_source(head: &RequestHead) -> Result<Option<SentKey>, S3Error> {
    parse(head, &COPY_SOURCE)
}

/// The first fault in this order is the one reported.
fn parse(head: &RequestHead, names: &Names) -> Result<Option<SentKey>, S3Error> {
    if [names.algorithm, names.key, names.key_md5].iter().all(|name| head.header(name).is_none()) {
        return Ok(None);
    }
    if single(head, names.algorithm) != Some(ALGORITHM.as_bytes()) {
        let message = "Requests specifying Server Side Encryption with Customer provided keys must provide a valid \
                       encryption algorithm.";
        return Err(invalid(names.algorithm, message));
    }
    let Some(key_text) = single(head, names.key) else {
        let message = "Requests specifying Server Side Encryption with Customer provided keys must provide an \
                       appropriate secret key.";
        return Err(invalid(names.key, message));
    };
    let Some(md5_text) = single(head, names.key_md5) else {
        let message = "Requests specifying Server Side Encryption with Customer provided keys must provide the client \
                       calculated MD5 of the secret key.";
        return Err(invalid(names.key_md5, message));
    };
    let Some(bytes) = decode(key_text) else {
        return Err(invalid(names.key, "The secret key was invalid for the specified algorithm."));
    };
    let mut md5 = Md5::new();
    md5.update(bytes.as_slice());
    let md5 = md5.finish();
    if BASE64.decode(md5_text).ok().as_deref() != Some(&md5) {
        let message = "The calculated MD5 hash of the key did not match the hash that was provided.";
        return Err(S3Error::invalid_request(message));
    }
    Ok(Some(SentKey { key: CustomerKey::new(&bytes), md5 }))
}

/// The value of a header; an empty one, or two of them, are as bad as none.
fn single<'a>(head: &'a RequestHead, name: &'a str) -> Option<&'a [u8]> {
    let mut values = head.headers_named(name);
    values.next().filter(|value| !value.is_empty() && values.next().is_none())
}

fn decode(text: &[u8]) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    // Room for what the text's length alone promises: one byte more, which the padding takes back.
    let mut room = Zeroizing::new([0; KEY_TEXT_BYTES / 4 * 3]);
    let length = BASE64.decode_slice(text, room.as_mut_slice()).ok()?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    key.copy_from_slice(room.get(..length).filter(|bytes| bytes.len() == KEY_BYTES)?);
    Some(key)
}

fn invalid(header: &str, message: &str) -> S3Error {
    S3Error::with_message(ErrorCode::InvalidArgument, message).field("ArgumentName", header)
}

/// Says in a response which key was used.
pub fn echo(response: Response, sent: &SentKey) -> Response {
    response
        .header("x-amz-server-side-encryption-customer-algorithm", ALGORITHM)
        .header("x-amz-server-side-encryption-customer-key-MD5", BASE64.encode(sent.md5))
}

/// Whether what is stored may be read with what was sent. `stored` is `None` for an object that is not encrypted.
pub fn judge_read(stored: Option<&KeyCheck>, sent: Option<&SentKey>) -> Result<(), S3Error> {
    match (stored, sent) {
        (None, None) => Ok(()),
        (None, Some(_)) => {
            Err(S3Error::invalid_request("The encryption parameters are not applicable to this object."))
        }
        (Some(_), None) => Err(S3Error::invalid_request(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to \
             retrieve the object.",
        )),
        (Some(check), Some(sent)) if sent.key.matches(check) => Ok(()),
        (Some(_), Some(_)) => Err(S3Error::new(ErrorCode::AccessDenied)),
    }
}

/// Whether a part may be added with what was sent: each part of an upload is under the key of the upload.
pub fn judge_part(upload: Option<&KeyCheck>, sent: Option<&SentKey>) -> Result<(), S3Error> {
    match (upload, sent) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(S3Error::invalid_request(
            "The multipart upload initiate did not request encryption. Subsequent part requests must not include \
             encryption parameters.",
        )),
        (Some(_), None) => Err(S3Error::invalid_request(
            "The multipart upload initiate requested encryption. Subsequent part requests must include the \
             appropriate encryption parameters.",
        )),
        (Some(check), Some(sent)) if sent.key.matches(check) => Ok(()),
        (Some(_), Some(_)) => Err(S3Error::invalid_request(
            "The provided encryption parameters did not match the ones used originally.",
        )),
    }
}

/// Whether an upload may be listed or completed with what was sent: nothing, or the key of the upload.
pub fn judge_upload(upload: Option<&KeyCheck>, sent: Option<&SentKey>) -> Result<(), S3Error> {
    if sent.is_none() { Ok(()) } else { judge_part(upload, sent) }
}

#[cfg(test)]
#[path = "customer_key_tests.rs"]
mod tests;
