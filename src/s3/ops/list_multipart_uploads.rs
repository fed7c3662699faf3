//! ListMultipartUploads: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::index::record::UploadRecord;
use crate::index::upload_listing::{UploadItem, UploadMarker, UploadQuery};
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::listing::Parameters;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::xml::Writer;
use crate::s3::{timestamp, uploads};
use crate::store::upload_id::UploadId;

pub static OPERATION: Operation = Operation {
    name: "ListMultipartUploads",
    method: Method::Get,
    scope: Scope::Bucket,
    selector: Selector::Query("uploads"),
    permissions: &[Action::ListBucketMultipartUploads],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(list_multipart_uploads(call)),
};

async fn list_multipart_uploads(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let parameters = Parameters::of(&call, "max-uploads")?;
    let Parameters { prefix, delimiter, keys_max: uploads_max, .. } = parameters;
    let key_marker = call.query("key-marker").unwrap_or_default();
    // Without a key it says nothing.
    let id_marker = call.query("upload-id-marker").filter(|id| !key_marker.is_empty() && !id.is_empty());
    let after = after(&parameters, key_marker, id_marker)?;
    let query = UploadQuery { prefix, delimiter, after, uploads_max };
    let page = call.context.store.list_uploads(call.bucket()?, &query)?;

    let mut xml = Writer::with_root("ListMultipartUploadsResult");
    xml.element("Bucket", call.bucket_name());
    xml.element("KeyMarker", &parameters.text(key_marker));
    xml.element("UploadIdMarker", id_marker.unwrap_or_default());
    match page.items.last().filter(|_| page.more) {
        None => {}
        Some(UploadItem::Upload { key, stamp, record }) => {
            xml.element("NextKeyMarker", &parameters.text(key));
            xml.element("NextUploadIdMarker", &id(*stamp, record));
        }
        Some(UploadItem::CommonPrefix(group)) => xml.element("NextKeyMarker", &parameters.text(group)),
    }
    xml.element("Prefix", &parameters.text(prefix));
    parameters.echo(&mut xml);
    xml.number("MaxUploads", uploads_max as u64);
    xml.boolean("IsTruncated", page.more);
    for item in &page.items {
        if let UploadItem::Upload { key, stamp, record } = item {
            xml.open("Upload");
            xml.element("Key", &parameters.text(key));
            xml.element("UploadId", &id(*stamp, record));
            uploads::describe(&mut xml, record);
            xml.element("Initiated", &timestamp::iso8601(record.initiated_ms));
            xml.close();
        }
    }
    for item in &page.items {
        if let UploadItem::CommonPrefix(group) = item {
            parameters.common_prefix(&mut xml, group);
        }
    }
    Ok(xml_response(200, xml))
}

fn id(stamp: u64, upload: &UploadRecord) -> String {
    UploadId { stamp, tag: upload.tag }.to_string()
}

/// Where a page begins.
fn after(parameters: &Parameters<'_>, key: &str, id: Option<&str>) -> Result<UploadMarker, S3Error> {
    let key_owned = key.to_owned();
    Ok(match id {
        _ if key.is_empty() => UploadMarker::Start,
        Some(id) => {
            let invalid = || S3Error::invalid_argument("upload-id-marker", id, "Invalid uploadId marker");
            UploadMarker::AfterUpload {
                key: key_owned,
                stamp: UploadId::parse(id).ok_or_else(invalid)?.stamp,
            }
        }
        None if parameters.is_group(key) => UploadMarker::AfterPrefix(key_owned),
        None => UploadMarker::AfterKey(key_owned),
    })
}
