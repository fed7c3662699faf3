//! UploadPart: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>

use crate::config::limits::SINGLE_PUT_BYTES_MAX;
use crate::http::head::Method;
use crate::http::response::Response;
use crate::index::record::{ETag, StoredChecksum};
use crate::policy::Action;
use crate::s3::body::receive::receive;
use crate::s3::error::S3Error;
use crate::s3::headers::checksum::Promise;
use crate::s3::headers::customer_key;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::uploads;
use crate::store::body_writer::NewBody;
use crate::store::multipart::NewPart;

pub static OPERATION: Operation = Operation {
    name: "UploadPart",
    method: Method::Put,
    scope: Scope::Object,
    selector: Selector::Query("partNumber"),
    permissions: &[Action::PutObject],
    named: &[],
    anonymous: true,
    body: BodyKind::Object,
    run: |call| Box::pin(upload_part(call)),
};

async fn upload_part(mut call: Call<'_, '_>) -> Result<Response, S3Error> {
    let number = uploads::part_number(&call)?;
    let promise = Promise::from_head(call.head)?;
    let key = customer_key::from_head(call.head)?;
    let size_bytes = call.payload_length()?;
    if size_bytes > SINGLE_PUT_BYTES_MAX {
        return Err(S3Error::entity_too_large(size_bytes, SINGLE_PUT_BYTES_MAX));
    }
    // Before the first read of the body: nobody sends a part that nothing can come of.
    let (id, upload) = uploads::open(&call)?;
    customer_key::judge_part(upload.encryption.as_ref(), key.as_ref())?;
    uploads::judge_part(upload.checksum, promise.algorithm())?;

    let algorithm = uploads::algorithm(upload.checksum)?;
    let mut checksums = vec![algorithm];
    checksums.extend(promise.algorithm().filter(|promised| *promised != algorithm));
    let body = NewBody {
        size_bytes,
        checksums: &checksums,
        key: key.as_ref().map(|sent| &sent.key),
        needs_md5: promise.has_md5(),
    };
    let (body, trailers) = receive(&mut call.payload, &call.context.store, &body).await?;
    // The client's algorithm, where there is one, is the last.
    let told = body.checksums.last().copied();
    promise.verify(body.md5, told.as_ref(), &trailers)?;

    let checksum = uploads::digest_of(&body.checksums, algorithm);
    let new = NewPart {
        bytes: body.size_bytes,
        md5: body.etag_md5,
        checksum: checksum.map(|digest| StoredChecksum::of(digest, true)),
        segments: body.segment.into_iter().collect(),
        data: body.data,
    };
    let committed = call.context.store.put_part(call.bucket()?, call.key(), id, number, new).await;
    let committed = committed.map_err(|refusal| uploads::ended(&call, refusal))?;

    let etag = ETag { md5: committed.value().md5, parts: None };
    let mut response = Response::new(200).header("ETag", format!("\"{etag}\""));
    // What the client will name the part by when it completes the upload.
    if let Some(told) = told.filter(|_| upload.checksum.declared || promise.algorithm().is_some()) {
        response.push_header(told.algorithm().header(), told.base64());
    }
    Ok(match &key {
        Some(key) => customer_key::echo(response, key),
        None => response,
    })
}
