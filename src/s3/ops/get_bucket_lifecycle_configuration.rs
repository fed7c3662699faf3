//! GetBucketLifecycleConfiguration: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::lifecycle;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;

pub static OPERATION: Operation = Operation {
    name: "GetBucketLifecycleConfiguration",
    method: Method::Get,
    scope: Scope::Bucket,
    selector: Selector::Query("lifecycle"),
    permissions: &[Action::GetLifecycleConfiguration],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(get_bucket_lifecycle_configuration(call)),
};

async fn get_bucket_lifecycle_configuration(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let rules = call.context.store.lifecycle_rules(call.bucket()?)?;
    let rules = rules.ok_or_else(|| {
        S3Error::new(ErrorCode::NoSuchLifecycleConfiguration).field("BucketName", call.bucket_name())
    })?;
    Ok(xml_response(200, lifecycle::write(&rules)))
}
