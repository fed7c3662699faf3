//! GetObjectAcl: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::acl;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::reading;

pub static OPERATION: Operation = Operation {
    name: "GetObjectAcl",
    method: Method::Get,
    scope: Scope::Object,
    selector: Selector::Query("acl"),
    permissions: &[Action::GetObjectAcl],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(get_object_acl(call)),
};

async fn get_object_acl(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let object = reading::find(&call, call.bucket()?, call.key(), reading::version_of(&call)?)?;
    Ok(xml_response(200, acl::document(&object.record.listed.owner)))
}
