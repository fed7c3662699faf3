//! GetObjectTagging: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::reading;
use crate::s3::stored_tags;
use crate::s3::tagging;

pub static OPERATION: Operation = Operation {
    name: "GetObjectTagging",
    method: Method::Get,
    scope: Scope::Object,
    selector: Selector::Query("tagging"),
    permissions: &[Action::GetObjectTagging],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(get_object_tagging(call)),
};

async fn get_object_tagging(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let (tags, listed) = stored_tags::of_object(&call)?;
    Ok(reading::with_version(xml_response(200, tagging::write(&tags)), call.bucket()?, &listed))
}
