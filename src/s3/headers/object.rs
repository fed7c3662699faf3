//! What GET and HEAD say of an object.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::checksum::Algorithm;
use crate::http::date;
use crate::http::response::Response;
use crate::index::record::object::{Listed, ObjectRecord, StoredChecksum, SystemHeader};
use crate::s3::address::Address;
use crate::s3::headers::checksum::type_name;
use crate::s3::headers::metadata::{SYSTEM_HEADERS, USER_PREFIX};

/// Query parameters that replace a stored header in one response.
const OVERRIDES: &[(SystemHeader, &str)] = &[
    (SystemHeader::CacheControl, "response-cache-control"),
    (SystemHeader::ContentDisposition, "response-content-disposition"),
    (SystemHeader::ContentEncoding, "response-content-encoding"),
    (SystemHeader::ContentLanguage, "response-content-language"),
    (SystemHeader::ContentType, "response-content-type"),
    (SystemHeader::Expires, "response-expires"),
];

/// The ETag with its quotes.
pub fn quoted_etag(listed: &Listed) -> String {
    format!("\"{}\"", listed.etag)
}

/// Seconds since 1970 of the last change.
pub fn last_modified_s(listed: &Listed) -> i64 {
    listed.last_modified_ms.div_euclid(1000)
}

/// What a 304 carries as well (RFC 9110 §15.4.5).
pub fn validators(response: Response, record: &ObjectRecord) -> Response {
    let mut response = response
        .header("ETag", quoted_etag(&record.listed))
        .header("Last-Modified", date::format_http(last_modified_s(&record.listed)));
    for (header, name) in [(SystemHeader::CacheControl, "Cache-Control"), (SystemHeader::Expires, "Expires")]
    {
        if let Some(value) = system(record, header) {
            response.push_header(name, value);
        }
    }
    response
}

/// Everything that a 200 or 206 says of the object.
pub fn describe(response: Response, record: &ObjectRecord, address: &Address) -> Response {
    let mut response = response
        .header("ETag", quoted_etag(&record.listed))
        .header("Last-Modified", date::format_http(last_modified_s(&record.listed)))
        .header("Accept-Ranges", "bytes");
    for (header, _, name) in SYSTEM_HEADERS {
        let replaced =
            OVERRIDES.iter().find(|(of, _)| of == header).and_then(|(_, query)| address.query.get(query));
        if let Some(value) = replaced.or_else(|| system(record, *header)) {
            response.push_header(*name, value);
        }
    }
    for (name, value) in &record.metadata.user {
        response.push_header(format!("{USER_PREFIX}{name}"), value.as_str());
    }
    response
}

/// The additional checksum and its type.
pub fn with_checksum(response: Response, listed: &Listed) -> Response {
    let Some((algorithm, text)) = checksum_text(listed) else { return response };
    let kind = listed.checksum.as_ref().map_or("", checksum_type);
    response.header(algorithm.header(), text).header("x-amz-checksum-type", kind)
}

/// The additional checksum as clients know it; one of parts' checksums says of how many.
pub fn checksum_text(listed: &Listed) -> Option<(Algorithm, String)> {
    let checksum = listed.checksum.as_ref()?;
    let mut text = base64(&checksum.bytes);
    if let (false, Some(parts)) = (checksum.full_object, listed.etag.parts) {
        text = format!("{text}-{parts}");
    }
    Some((Algorithm::from_id(checksum.algorithm)?, text))
}

pub fn checksum_type(checksum: &StoredChecksum) -> &'static str {
    type_name(checksum.full_object)
}

pub fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

fn system(record: &ObjectRecord, header: SystemHeader) -> Option<&str> {
    record.metadata.system.iter().find(|(have, _)| *have == header).map(|(_, value)| value.as_str())
}
