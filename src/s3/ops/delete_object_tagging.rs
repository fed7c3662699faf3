//! DeleteObjectTagging: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::stored_tags;
use crate::s3::tagging::Tags;

pub static OPERATION: Operation = Operation {
    name: "DeleteObjectTagging",
    method: Method::Delete,
    scope: Scope::Object,
    selector: Selector::Query("tagging"),
    permissions: &[Action::DeleteObjectTagging],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(delete_object_tagging(call)),
};

async fn delete_object_tagging(call: Call<'_, '_>) -> Result<Response, S3Error> {
    stored_tags::replace_of_object(&call, Tags::new(), 204).await
}
