//! HeadObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>

use crate::http::head::Method;
use crate::http::response::{Response, ResponseBody};
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::reading::{self, Portion, Readable};

pub static OPERATION: Operation = Operation {
    name: "HeadObject",
    method: Method::Head,
    scope: Scope::Object,
    selector: Selector::Plain,
    permissions: &[Action::GetObject],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(head_object(call)),
};

async fn head_object(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let Readable { object, key } = reading::open(&call)?;
    if let Some(response) = reading::not_modified(&call, &object.record)? {
        return Ok(response);
    }
    let portion = Portion::of(&call, &object.record)?;
    let response = portion.response(&call, &object.record, key.as_ref())?;
    Ok(response.body(ResponseBody::HeadOf { length: portion.length }))
}
