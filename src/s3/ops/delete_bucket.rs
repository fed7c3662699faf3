//! DeleteBucket: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::store::buckets::DeleteBucketRefusal;
use crate::store::error::Refusal;

pub static OPERATION: Operation = Operation {
    name: "DeleteBucket",
    method: Method::Delete,
    scope: Scope::Bucket,
    selector: Selector::Plain,
    permissions: &[Action::DeleteBucket],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(delete_bucket(call)),
};

async fn delete_bucket(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let bucket = call.bucket()?;
    match call.context.store.delete_bucket(bucket).await {
        Ok(_committed) => Ok(Response::new(204)),
        Err(Refusal::Refused(DeleteBucketRefusal::Missing)) => Err(S3Error::no_such_bucket(&bucket.name)),
        Err(Refusal::Refused(DeleteBucketRefusal::NotEmpty)) => Err(S3Error::bucket_not_empty(&bucket.name)),
        Err(Refusal::Failed(error)) => Err(error.into()),
    }
}
