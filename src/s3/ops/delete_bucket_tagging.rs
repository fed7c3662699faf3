//! DeleteBucketTagging: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::stored_tags;
use crate::s3::tagging::Tags;

pub static OPERATION: Operation = Operation {
    name: "DeleteBucketTagging",
    method: Method::Delete,
    scope: Scope::Bucket,
    selector: Selector::Query("tagging"),
    permissions: &[Action::DeleteBucketTagging],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(delete_bucket_tagging(call)),
};

async fn delete_bucket_tagging(call: Call<'_, '_>) -> Result<Response, S3Error> {
    stored_tags::replace_of_bucket(&call, Tags::new()).await
}
