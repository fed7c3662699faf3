//! GetBucketLocation: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::xml::Writer;

pub static OPERATION: Operation = Operation {
    name: "GetBucketLocation",
    method: Method::Get,
    scope: Scope::Bucket,
    selector: Selector::Query("location"),
    permissions: &[Action::GetBucketLocation],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(get_bucket_location(call)),
};

async fn get_bucket_location(call: Call<'_, '_>) -> Result<Response, S3Error> {
    // The text stands in the root itself, without a child.
    let mut xml = Writer::with_root("LocationConstraint");
    xml.text(&call.bucket()?.region);
    Ok(xml_response(200, xml))
}
