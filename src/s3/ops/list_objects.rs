//! ListObjects, version 1: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::index::listing::{ListQuery, Marker};
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::listing::Parameters;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::xml::Writer;

pub static OPERATION: Operation = Operation {
    name: "ListObjects",
    method: Method::Get,
    scope: Scope::Bucket,
    selector: Selector::Plain,
    permissions: &[Action::ListBucket],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(list_objects(call)),
};

async fn list_objects(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let bucket = call.bucket()?;
    let parameters = Parameters::of(&call, "max-keys")?;
    let Parameters { prefix, delimiter, keys_max, .. } = parameters;
    let marker = call.query("marker").unwrap_or_default();
    let after = match marker {
        "" => Marker::Start,
        group if parameters.is_group(group) => Marker::AfterPrefix(group.to_owned()),
        key => Marker::AfterKey(key.to_owned()),
    };
    let page = call.context.store.list(bucket, &ListQuery { prefix, delimiter, after, keys_max })?;

    let mut xml = Writer::with_root("ListBucketResult");
    xml.element("Name", &bucket.name);
    // Never encoded in this version: boto3 decodes every other field of it, but not this one.
    xml.element("Prefix", prefix);
    xml.element("Marker", &parameters.text(marker));
    // Without a delimiter the last key serves as the next marker.
    if delimiter.is_some()
        && let Some(Marker::AfterKey(next) | Marker::AfterPrefix(next)) = &page.next
    {
        xml.element("NextMarker", &parameters.text(next));
    }
    xml.number("MaxKeys", keys_max as u64);
    parameters.echo(&mut xml);
    xml.boolean("IsTruncated", page.next.is_some());
    parameters.entries(&mut xml, &page.items, true);
    Ok(xml_response(200, xml))
}
