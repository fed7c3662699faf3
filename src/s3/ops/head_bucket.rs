//! HeadBucket: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};

pub static OPERATION: Operation = Operation {
    name: "HeadBucket",
    method: Method::Head,
    scope: Scope::Bucket,
    selector: Selector::Plain,
    permissions: &[Action::ListBucket],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(head_bucket(call)),
};

async fn head_bucket(call: Call<'_, '_>) -> Result<Response, S3Error> {
    Ok(Response::new(200)
        .header("x-amz-bucket-region", call.bucket()?.region.as_str())
        .header("Content-Type", "application/xml"))
}
