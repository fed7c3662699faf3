//! ListParts: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>

use crate::config::limits::PARTS_MAX;
use crate::http::head::Method;
use crate::http::response::Response;
use crate::index::record::ETag;
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::headers::customer_key;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::xml::Writer;
use crate::s3::{lifecycle, listing, timestamp, uploads};

pub static OPERATION: Operation = Operation {
    name: "ListParts",
    method: Method::Get,
    scope: Scope::Object,
    selector: Selector::Query("uploadId"),
    permissions: &[Action::ListMultipartUploadParts],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(list_parts(call)),
};

async fn list_parts(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let parts_max = listing::page_max("max-parts", call.query("max-parts"))?;
    let marker = call.query("part-number-marker").filter(|marker| !marker.is_empty());
    let marker = marker.map_or(Ok(0), |marker| listing::number("part-number-marker", marker))?;
    let after = u16::try_from(marker).unwrap_or(PARTS_MAX);
    let id = uploads::id_of(&call)?;
    let page = call.context.store.list_parts(call.bucket()?, call.key(), id, after, parts_max)?;
    let page = page.ok_or_else(|| uploads::no_such_upload(&call))?;
    let key = customer_key::from_head(call.head)?;
    customer_key::judge_upload(page.upload.encryption.as_ref(), key.as_ref())?;
    // The checksum of a plaintext is for those who could read it.
    let shows_checksums = page.upload.checksum.declared && page.upload.encryption.is_some() == key.is_some();

    let mut xml = Writer::with_root("ListPartsResult");
    xml.element("Bucket", call.bucket_name());
    xml.element("Key", call.key());
    xml.element("UploadId", &id.to_string());
    uploads::describe(&mut xml, &page.upload);
    xml.number("PartNumberMarker", marker as u64);
    let last = page.parts.last().map_or(marker as u64, |(number, _)| u64::from(*number));
    xml.number("NextPartNumberMarker", last);
    xml.number("MaxParts", parts_max as u64);
    xml.boolean("IsTruncated", page.more);
    for (number, part) in &page.parts {
        xml.open("Part");
        xml.number("PartNumber", u64::from(*number));
        xml.element("LastModified", &timestamp::iso8601(part.last_modified_ms));
        xml.element("ETag", &format!("\"{}\"", ETag { md5: part.md5, parts: None }));
        xml.number("Size", part.bytes);
        if shows_checksums {
            uploads::write_part_checksum(&mut xml, part.checksum.as_ref());
        }
        xml.close();
    }
    lifecycle::tell_of_upload(xml_response(200, xml), &call, page.upload.initiated_ms)
}
