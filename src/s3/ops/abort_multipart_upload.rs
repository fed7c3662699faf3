//! AbortMultipartUpload: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::uploads;

pub static OPERATION: Operation = Operation {
    name: "AbortMultipartUpload",
    method: Method::Delete,
    scope: Scope::Object,
    selector: Selector::Query("uploadId"),
    permissions: &[Action::AbortMultipartUpload],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(abort_multipart_upload(call)),
};

async fn abort_multipart_upload(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let id = uploads::id_of(&call)?;
    let aborted = call.context.store.abort_upload(call.bucket()?, call.key(), id).await;
    aborted.map_err(|refusal| uploads::ended(&call, refusal))?;
    Ok(Response::new(204))
}
