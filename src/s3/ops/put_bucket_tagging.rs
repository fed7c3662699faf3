//! PutBucketTagging: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::body::document::document;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::stored_tags;
use crate::s3::tagging::{self, Tagged};

pub static OPERATION: Operation = Operation {
    name: "PutBucketTagging",
    method: Method::Put,
    scope: Scope::Bucket,
    selector: Selector::Query("tagging"),
    permissions: &[Action::PutBucketTagging],
    named: &[],
    anonymous: true,
    body: BodyKind::Document,
    run: |call| Box::pin(put_bucket_tagging(call)),
};

async fn put_bucket_tagging(mut call: Call<'_, '_>) -> Result<Response, S3Error> {
    let tags = tagging::from_xml(&document(&mut call.payload, call.head).await?, Tagged::Bucket)?;
    stored_tags::replace_of_bucket(&call, tags).await
}
