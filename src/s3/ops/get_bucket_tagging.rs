//! GetBucketTagging: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::tagging;

pub static OPERATION: Operation = Operation {
    name: "GetBucketTagging",
    method: Method::Get,
    scope: Scope::Bucket,
    selector: Selector::Query("tagging"),
    permissions: &[Action::GetBucketTagging],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(get_bucket_tagging(call)),
};

async fn get_bucket_tagging(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let tags = call.context.store.bucket_tags(call.bucket()?)?;
    let tags =
        tags.ok_or_else(|| S3Error::new(ErrorCode::NoSuchTagSet).field("BucketName", call.bucket_name()))?;
    Ok(xml_response(200, tagging::write(&tags.0)))
}
