//! DeleteBucketPolicy: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};

pub static OPERATION: Operation = Operation {
    name: "DeleteBucketPolicy",
    method: Method::Delete,
    scope: Scope::Bucket,
    selector: Selector::Query("policy"),
    permissions: &[Action::DeleteBucketPolicy],
    named: &[],
    anonymous: false,
    body: BodyKind::None,
    run: |call| Box::pin(delete_bucket_policy(call)),
};

async fn delete_bucket_policy(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let bucket = call.bucket()?;
    if bucket.policy.is_some() {
        let changed = call.context.store.set_policy(bucket, None).await;
        changed.map_err(|refusal| S3Error::from_bucket_change(refusal, call.bucket_name()))?;
    }
    Ok(Response::new(204))
}
