//! GetBucketPolicy: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html>

use crate::http::head::Method;
use crate::http::response::{Response, ResponseBody};
use crate::policy::Action;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};

pub static OPERATION: Operation = Operation {
    name: "GetBucketPolicy",
    method: Method::Get,
    scope: Scope::Bucket,
    selector: Selector::Query("policy"),
    permissions: &[Action::GetBucketPolicy],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(get_bucket_policy(call)),
};

async fn get_bucket_policy(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let policy = call.context.store.policy(call.bucket()?)?;
    let policy = policy
        .ok_or_else(|| S3Error::new(ErrorCode::NoSuchBucketPolicy).field("BucketName", call.bucket_name()))?;
    Ok(Response::new(200).header("Content-Type", "application/json").body(ResponseBody::Bytes(policy)))
}
