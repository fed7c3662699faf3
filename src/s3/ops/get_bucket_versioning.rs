//! GetBucketVersioning: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::index::record::Versioning;
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::xml::Writer;

pub static OPERATION: Operation = Operation {
    name: "GetBucketVersioning",
    method: Method::Get,
    scope: Scope::Bucket,
    selector: Selector::Query("versioning"),
    permissions: &[Action::GetBucketVersioning],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(get_bucket_versioning(call)),
};

async fn get_bucket_versioning(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let mut xml = Writer::with_root("VersioningConfiguration");
    match call.bucket()?.versioning {
        // A bucket that never kept versions has no status.
        Versioning::Unset => {}
        Versioning::Enabled => xml.element("Status", "Enabled"),
        Versioning::Suspended => xml.element("Status", "Suspended"),
    }
    Ok(xml_response(200, xml))
}
