//! DeleteObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>

use crate::http::date;
use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::headers::write_condition;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::reading;
use crate::store::delete::{DeleteCondition, DeleteRequest};
use crate::store::versions::Deleted;

pub static OPERATION: Operation = Operation {
    name: "DeleteObject",
    method: Method::Delete,
    scope: Scope::Object,
    selector: Selector::Plain,
    permissions: &[Action::DeleteObject],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(delete_object(call)),
};

async fn delete_object(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let etag = write_condition::from_head(call.head)?;
    let version = reading::version_of(&call)?;
    let condition = DeleteCondition {
        etag: etag.clone(),
        size: number(&call, "x-amz-if-match-size")?,
        last_modified_s: time(&call, "x-amz-if-match-last-modified-time")?,
    };
    let request = DeleteRequest { key: call.key().to_owned(), version, condition, owner: call.owner() };
    let deleted = call.context.store.delete_object(call.bucket()?, request).await;
    let deleted =
        deleted.map_err(|refusal| S3Error::from_write(refusal, call.bucket_name(), call.key(), &etag))?;

    let mut response = Response::new(204);
    let Deleted { version, delete_marker } = *deleted.value();
    if delete_marker {
        response.push_header("x-amz-delete-marker", "true");
    }
    if let Some(version) = version {
        response.push_header("x-amz-version-id", version.to_string());
    }
    Ok(response)
}

fn number(call: &Call<'_, '_>, name: &str) -> Result<Option<u64>, S3Error> {
    let invalid = |text| S3Error::invalid_argument(name, text, "A size in bytes is expected.");
    call.header(name).map(|text| text.parse().map_err(|_no_number| invalid(text))).transpose()
}

fn time(call: &Call<'_, '_>, name: &str) -> Result<Option<i64>, S3Error> {
    let invalid = |text| S3Error::invalid_argument(name, text, "An HTTP date is expected.");
    call.header(name).map(|text| date::parse_http(text.as_bytes()).ok_or_else(|| invalid(text))).transpose()
}
