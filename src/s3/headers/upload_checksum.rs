//! The additional checksum of a multipart upload: chosen at its start, stated of each part, stated of the whole at its
//! end. And the one that a copy asks for.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>

use crate::checksum::{Algorithm, Digest};
use crate::http::head::RequestHead;
use crate::s3::error::S3Error;
use crate::s3::headers::checksum::{invalid_header, sole_header, type_name};
use crate::s3::xml::Element;
use crate::store::complete::StatedChecksum;

const ALGORITHM: &str = "x-amz-checksum-algorithm";
const TYPE: &str = "x-amz-checksum-type";

/// What the elements of a completed part that carry a checksum begin with.
const ELEMENT_PREFIX: &str = "Checksum";

/// What the parts of an upload and the whole of it are summed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadChecksum {
    pub algorithm: Algorithm,
    /// Of the bytes of the whole, not of the parts' digests.
    pub full_object: bool,
}

impl UploadChecksum {
    /// Reads the choice of a CreateMultipartUpload. `None`: the client leaves it to the server.
    pub fn from_head(head: &RequestHead) -> Result<Option<Self>, S3Error> {
        let algorithm = algorithm_from_head(head)?;
        let full_object = full_object_from_head(head)?;
        let Some(algorithm) = algorithm else {
            if full_object.is_some() {
                let message = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.";
                return Err(S3Error::invalid_request(message));
            }
            return Ok(None);
        };
        // Without a type the digests of the parts are summed, wherever that is possible.
        let full_object = full_object.unwrap_or(!may_be(algorithm, false));
        if !may_be(algorithm, full_object) {
            let message = format!(
                "The {} checksum type cannot be used with the {} checksum algorithm.",
                type_name(full_object),
                algorithm.name().to_ascii_lowercase()
            );
            return Err(S3Error::invalid_request(message));
        }
        Ok(Some(Self { algorithm, full_object }))
    }

    /// Judges the algorithm that a part comes with. Where the whole is summed from the bytes, the server can sum a part
    /// itself.
    pub fn check_part(&self, sent: Option<Algorithm>) -> Result<(), S3Error> {
        let actual = match sent {
            Some(sent) if sent == self.algorithm => return Ok(()),
            None if self.full_object => return Ok(()),
            Some(sent) => sent.name().to_ascii_lowercase(),
            None => "null".to_owned(),
        };
        let expected = self.algorithm.name().to_ascii_lowercase();
        Err(S3Error::invalid_request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {actual}"
        )))
    }
}

/// The answer to a CompleteMultipartUpload whose `x-amz-checksum-type` is not that of the upload.
pub fn wrong_type(full_object: bool) -> S3Error {
    S3Error::invalid_request(format!(
        "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
        type_name(full_object)
    ))
}

/// Reads `x-amz-checksum-algorithm`: what a CopyObject is to sum its result with.
pub fn algorithm_from_head(head: &RequestHead) -> Result<Option<Algorithm>, S3Error> {
    let Some(sent) = head.header(ALGORITHM) else { return Ok(None) };
    Algorithm::from_name(sent).map(Some).ok_or_else(unsupported)
}

/// Reads `x-amz-checksum-type`: whether the whole is summed from its bytes.
pub fn full_object_from_head(head: &RequestHead) -> Result<Option<bool>, S3Error> {
    let Some(sent) = head.header(TYPE) else { return Ok(None) };
    let named = [true, false].into_iter().find(|full| type_name(*full).as_bytes().eq_ignore_ascii_case(sent));
    named.map(Some).ok_or_else(|| invalid_header(TYPE))
}

/// Whether an algorithm can sum a whole in this way: CRC-64 is only ever of the bytes, and a SHA of the bytes cannot be
/// had from those of the parts.
fn may_be(algorithm: Algorithm, full_object: bool) -> bool {
    match algorithm {
        Algorithm::Crc32 | Algorithm::Crc32c => true,
        Algorithm::Crc64Nvme => full_object,
        Algorithm::Sha1 | Algorithm::Sha256 => !full_object,
    }
}

fn unsupported() -> S3Error {
    let names = Algorithm::ALL.map(Algorithm::name).join(", ");
    S3Error::invalid_request(format!(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [{names}]"
    ))
}

/// Reads what a CompleteMultipartUpload states of the whole object: the one `x-amz-checksum-<algorithm>` header. The
/// `-N` behind the digest of N parts' digests may be left out.
pub fn of_whole(head: &RequestHead) -> Result<Option<StatedChecksum>, S3Error> {
    let Some((algorithm, value)) = sole_header(head)? else { return Ok(None) };
    stated(algorithm, value).map(Some).ok_or_else(|| invalid_header(algorithm.header()))
}

fn stated(algorithm: Algorithm, value: &[u8]) -> Option<StatedChecksum> {
    // No minus occurs in padded base64.
    let (digest, parts) = match memchr::memchr(b'-', value) {
        Some(at) if may_be(algorithm, false) => (&value[..at], Some(count(&value[at + 1..])?)),
        _ => (value, None),
    };
    Some(StatedChecksum { digest: Digest::from_base64(algorithm, digest)?, parts })
}

/// A decimal number without a sign.
fn count(text: &[u8]) -> Option<u32> {
    let is_number = text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok()?.parse().ok().filter(|_| is_number)
}

/// The digest in a `Part` of a CompleteMultipartUpload: at most one element such as `ChecksumCRC32`.
pub fn of_completed_part(part: &Element) -> Result<Option<Digest>, S3Error> {
    let mut found = None;
    for element in &part.children {
        let Some(name) = element.name.strip_prefix(ELEMENT_PREFIX) else { continue };
        let algorithm = Algorithm::from_name(name).ok_or_else(unsupported)?;
        let digest = Digest::from_base64(algorithm, &element.text).filter(|_| found.is_none());
        found = Some(digest.ok_or_else(|| {
            let message = "Invalid Base64 or multiple checksums present in request";
            S3Error::invalid_argument("Checksum", &element.text, message)
        })?);
    }
    Ok(found)
}

#[cfg(test)]
#[path = "upload_checksum_tests.rs"]
mod tests;
