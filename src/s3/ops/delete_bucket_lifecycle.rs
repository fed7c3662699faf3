//! DeleteBucketLifecycle: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketLifecycle.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};

pub static OPERATION: Operation = Operation {
    name: "DeleteBucketLifecycle",
    method: Method::Delete,
    scope: Scope::Bucket,
    selector: Selector::Query("lifecycle"),
    permissions: &[Action::DeleteLifecycleConfiguration],
    named: &[],
    anonymous: false,
    body: BodyKind::None,
    run: |call| Box::pin(delete_bucket_lifecycle(call)),
};

/// The answer is the same whether there were rules.
async fn delete_bucket_lifecycle(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let changed = call.context.store.set_lifecycle(call.bucket()?, None).await;
    changed.map_err(|refusal| S3Error::from_bucket_change(refusal, call.bucket_name()))?;
    Ok(Response::new(204))
}
