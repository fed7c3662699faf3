//! PutObjectTagging: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::authorise::Content;
use crate::s3::body::document::document;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::stored_tags;
use crate::s3::tagging::{self, Tagged};

pub static OPERATION: Operation = Operation {
    name: "PutObjectTagging",
    method: Method::Put,
    scope: Scope::Object,
    selector: Selector::Query("tagging"),
    permissions: &[Action::PutObjectTagging],
    named: &[],
    anonymous: true,
    body: BodyKind::Judged,
    run: |call| Box::pin(put_object_tagging(call)),
};

async fn put_object_tagging(mut call: Call<'_, '_>) -> Result<Response, S3Error> {
    let tags = tagging::from_xml(&document(&mut call.payload, call.head).await?, Tagged::Object)?;
    call.require_with(OPERATION.permissions, Content::Tags(&tags))?;
    stored_tags::replace_of_object(&call, tags, 200).await
}
