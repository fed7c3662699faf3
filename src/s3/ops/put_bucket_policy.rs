//! PutBucketPolicy: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>
//!
//! The bucket's present policy is not asked, so that nobody locks themselves out; the owning organisation alone may.

use crate::config::limits::POLICY_BYTES_MAX;
use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::{Action, Document, Layer};
use crate::s3::body::document::document;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};

pub static OPERATION: Operation = Operation {
    name: "PutBucketPolicy",
    method: Method::Put,
    scope: Scope::Bucket,
    selector: Selector::Query("policy"),
    permissions: &[Action::PutBucketPolicy],
    named: &[],
    anonymous: false,
    body: BodyKind::Document,
    run: |call| Box::pin(put_bucket_policy(call)),
};

async fn put_bucket_policy(mut call: Call<'_, '_>) -> Result<Response, S3Error> {
    if call.payload.length().is_some_and(|bytes| bytes > POLICY_BYTES_MAX as u64) {
        return Err(S3Error::new(ErrorCode::PolicyTooLarge));
    }
    let policy = document(&mut call.payload, call.head).await?;
    if policy.len() > POLICY_BYTES_MAX {
        return Err(S3Error::new(ErrorCode::PolicyTooLarge));
    }
    Document::parse(&policy, Layer::Bucket(call.bucket_name()))
        .map_err(|error| S3Error::with_message(ErrorCode::MalformedPolicy, error.to_string()))?;
    // Stored as it came: a reader gets it back byte for byte.
    let changed = call.context.store.set_policy(call.bucket()?, Some(policy)).await;
    changed.map_err(|refusal| S3Error::from_bucket_change(refusal, call.bucket_name()))?;
    Ok(Response::new(204))
}
