//! DeleteObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::s3::error::S3Error;
use crate::s3::headers::write_condition;
use crate::s3::operation::{BodyKind, Call, Operation, Permission, Scope, Selector};
use crate::s3::ops::get_object::check_version_id;

pub static OPERATION: Operation = Operation {
    name: "DeleteObject",
    method: Method::Delete,
    scope: Scope::Object,
    selector: Selector::Plain,
    permissions: &[Permission::DeleteObject],
    body: BodyKind::None,
    run: |call| Box::pin(delete_object(call)),
};

async fn delete_object(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let condition = write_condition::from_head(call.head)?;
    check_version_id(&call)?;
    let deleted = call.context.store.delete_object(call.bucket()?, call.key(), condition.clone()).await;
    deleted.map_err(|refusal| S3Error::from_write(refusal, call.bucket_name(), call.key(), &condition))?;
    Ok(Response::new(204))
}
