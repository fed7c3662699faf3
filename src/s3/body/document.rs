//! A body that is a document: read whole, checked against what the client promised of it.

use crate::config::limits::XML_BODY_BYTES_MAX;
use crate::http::head::RequestHead;
use crate::s3::body::Payload;
use crate::s3::error::S3Error;
use crate::s3::headers::checksum::Promise;

/// Reads the document of a request.
pub async fn document(payload: &mut Payload<'_, '_>, head: &RequestHead) -> Result<Vec<u8>, S3Error> {
    let promise = Promise::from_head(head)?;
    let body = payload.collect(XML_BODY_BYTES_MAX).await?;
    promise.verify_bytes(&body, &[])?;
    Ok(body)
}
