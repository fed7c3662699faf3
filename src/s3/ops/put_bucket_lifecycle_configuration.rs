//! PutBucketLifecycleConfiguration: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::body::document::document;
use crate::s3::error::S3Error;
use crate::s3::lifecycle;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};

pub static OPERATION: Operation = Operation {
    name: "PutBucketLifecycleConfiguration",
    method: Method::Put,
    scope: Scope::Bucket,
    selector: Selector::Query("lifecycle"),
    permissions: &[Action::PutLifecycleConfiguration],
    named: &[],
    anonymous: false,
    body: BodyKind::Document,
    run: |call| Box::pin(put_bucket_lifecycle_configuration(call)),
};

async fn put_bucket_lifecycle_configuration(mut call: Call<'_, '_>) -> Result<Response, S3Error> {
    let body = document(&mut call.payload, call.head).await?;
    let mut rules = lifecycle::parse(&body, call.context.lifecycle_rule_prefix)?;
    lifecycle::name_rules(&mut rules).map_err(S3Error::no_randomness)?;
    let changed = call.context.store.set_lifecycle(call.bucket()?, Some(rules)).await;
    changed.map_err(|refusal| S3Error::from_bucket_change(refusal, call.bucket_name()))?;
    Ok(Response::new(200))
}
