//! GetBucketAcl: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::index::record::Owner;
use crate::policy::Action;
use crate::s3::acl;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;

pub static OPERATION: Operation = Operation {
    name: "GetBucketAcl",
    method: Method::Get,
    scope: Scope::Bucket,
    selector: Selector::Query("acl"),
    permissions: &[Action::GetBucketAcl],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(get_bucket_acl(call)),
};

async fn get_bucket_acl(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let bucket = call.bucket()?;
    let owner = Owner { user: bucket.user.clone(), display_name: bucket.display_name.clone() };
    Ok(xml_response(200, acl::document(&owner)))
}
