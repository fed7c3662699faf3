//! GetObjectAttributes: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html>

use crate::checksum::Algorithm;
use crate::config::limits::LIST_PAGE_MAX;
use crate::http::date;
use crate::http::head::{Method, RequestHead};
use crate::http::response::Response;
use crate::index::record::{ObjectRecord, Part};
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::headers::object;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::reading;
use crate::s3::uploads;
use crate::s3::xml::Writer;

const ATTRIBUTES: &str = "x-amz-object-attributes";
const PARTS_MAX: &str = "x-amz-max-parts";
const PART_MARKER: &str = "x-amz-part-number-marker";

pub static OPERATION: Operation = Operation {
    name: "GetObjectAttributes",
    method: Method::Get,
    scope: Scope::Object,
    selector: Selector::Query("attributes"),
    permissions: &[Action::GetObjectAttributes],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(get_object_attributes(call)),
};

async fn get_object_attributes(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let wanted = wanted(call.head)?;
    let parts_max =
        number(call.head, PARTS_MAX)?.map_or(LIST_PAGE_MAX, |max| (max as usize).min(LIST_PAGE_MAX));
    let part_marker = number(call.head, PART_MARKER)?.unwrap_or(0);
    let record = reading::open(&call)?.object.record;

    let mut xml = Writer::with_root("GetObjectAttributesResponse");
    if wanted.contains(&Attribute::ETag) {
        // The one place where an ETag stands without its quotes.
        xml.element("ETag", &record.listed.etag.to_string());
    }
    if wanted.contains(&Attribute::Checksum) {
        checksum(&mut xml, &record);
    }
    if wanted.contains(&Attribute::ObjectParts) && !record.content.parts.is_empty() {
        parts(&mut xml, &record, parts_max, part_marker);
    }
    if wanted.contains(&Attribute::StorageClass) {
        xml.element("StorageClass", "STANDARD");
    }
    if wanted.contains(&Attribute::ObjectSize) {
        xml.number("ObjectSize", record.listed.size);
    }
    let last_modified = date::format_http(object::last_modified_s(&record.listed));
    let response = xml_response(200, xml).header("Last-Modified", last_modified);
    Ok(reading::with_version(response, call.bucket()?, &record.listed))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    ETag,
    Checksum,
    ObjectParts,
    StorageClass,
    ObjectSize,
}

impl Attribute {
    fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"ETag" => Self::ETag,
            b"Checksum" => Self::Checksum,
            b"ObjectParts" => Self::ObjectParts,
            b"StorageClass" => Self::StorageClass,
            b"ObjectSize" => Self::ObjectSize,
            _ => return None,
        })
    }
}

/// The attributes that are asked for: lists, in one header or several.
fn wanted(head: &RequestHead) -> Result<Vec<Attribute>, S3Error> {
    let mut wanted = Vec::new();
    let members = head.headers_named(ATTRIBUTES).flat_map(|list| list.split(|byte| *byte == b','));
    for name in members.map(<[u8]>::trim_ascii).filter(|name| !name.is_empty()) {
        wanted.push(Attribute::from_name(name).ok_or_else(|| {
            let message = "Invalid attribute name specified.";
            S3Error::invalid_argument(ATTRIBUTES, &String::from_utf8_lossy(name), message)
        })?);
    }
    if wanted.is_empty() {
        let message = "The x-amz-object-attributes header specifying the attributes to be retrieved is either \
                       missing or empty";
        return Err(S3Error::invalid_request(message));
    }
    Ok(wanted)
}

fn number(head: &RequestHead, name: &str) -> Result<Option<u32>, S3Error> {
    let Some(value) = head.header(name) else { return Ok(None) };
    let text = String::from_utf8_lossy(value);
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(number) if is_number && i32::try_from(number).is_ok() => Ok(Some(number)),
        _ => {
            let message = format!("{name} must be an integer between 0 and 2147483647");
            Err(S3Error::invalid_argument(name, &text, message))
        }
    }
}

fn checksum(xml: &mut Writer, record: &ObjectRecord) {
    let Some(checksum) = &record.listed.checksum else { return };
    let Some(algorithm) = Algorithm::from_id(checksum.algorithm) else { return };
    xml.open("Checksum");
    // Without the number of parts, whatever the type.
    uploads::write_checksum(xml, algorithm, &object::base64(&checksum.bytes));
    xml.element("ChecksumType", object::checksum_type(checksum));
    xml.close();
}

/// The parts behind the marker, as many as fit on the page.
fn parts(xml: &mut Writer, record: &ObjectRecord, parts_max: usize, marker: u32) {
    let parts = &record.content.parts;
    let algorithm =
        record.listed.checksum.as_ref().and_then(|checksum| Algorithm::from_id(checksum.algorithm));
    let from = parts.partition_point(|part| u32::from(part.number) <= marker);
    let behind = parts.get(from..).unwrap_or_default();
    let page = behind.get(..parts_max).unwrap_or(behind);
    let next = page.last().map_or(marker, |part| part.number.into());
    xml.open("ObjectParts");
    xml.number("PartsCount", parts.len() as u64);
    xml.number("PartNumberMarker", marker.into());
    xml.number("NextPartNumberMarker", next.into());
    xml.number("MaxParts", parts_max as u64);
    xml.boolean("IsTruncated", parts_max > 0 && page.len() < behind.len());
    for Part { number, bytes, checksum } in page {
        xml.open("Part");
        xml.number("PartNumber", (*number).into());
        xml.number("Size", *bytes);
        if let (Some(algorithm), Some(digest)) = (algorithm, checksum) {
            uploads::write_checksum(xml, algorithm, &object::base64(digest));
        }
        xml.close();
    }
    xml.close();
}

#[cfg(test)]
#[path = "get_object_attributes_tests.rs"]
mod tests;
