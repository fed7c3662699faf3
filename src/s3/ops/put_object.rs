//! PutObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>

use crate::checksum::Algorithm;
use crate::config::limits::SINGLE_PUT_BYTES_MAX;
use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::body::receive::receive;
use crate::s3::error::S3Error;
use crate::s3::headers::checksum::Promise;
use crate::s3::headers::object::{quoted_etag, with_checksum};
use crate::s3::headers::{customer_key, metadata, write_condition};
use crate::s3::lifecycle::Expiring;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::reading;
use crate::store::body_writer::NewBody;
use crate::store::put::NewObject;

pub static OPERATION: Operation = Operation {
    name: "PutObject",
    method: Method::Put,
    scope: Scope::Object,
    selector: Selector::Plain,
    permissions: &[Action::PutObject],
    named: &[],
    anonymous: true,
    body: BodyKind::Object,
    run: |call| Box::pin(put_object(call)),
};

async fn put_object(mut call: Call<'_, '_>) -> Result<Response, S3Error> {
    let metadata = metadata::from_head(call.head)?;
    let condition = write_condition::from_head(call.head)?;
    let promise = Promise::from_head(call.head)?;
    let key = customer_key::from_head(call.head)?;
    let size_bytes = call.payload_length()?;
    if size_bytes > SINGLE_PUT_BYTES_MAX {
        return Err(S3Error::entity_too_large(size_bytes, SINGLE_PUT_BYTES_MAX));
    }
    let store = &call.context.store;
    // Spares an upload that cannot succeed. The decision itself is made again, in the transaction.
    store
        .admit(call.bucket()?, call.key(), &condition, call.admitted_ms)
        .map_err(|refusal| S3Error::from_write(refusal, call.bucket_name(), call.key(), &condition))?;

    let checksums = [promise.algorithm().unwrap_or(Algorithm::Crc64Nvme)];
    let encryption =
        key.as_ref().map(|sent| sent.key.new_check()).transpose().map_err(S3Error::no_randomness)?;
    let expiring = Expiring::new(&call, &metadata.tags)?;
    let body = NewBody {
        size_bytes,
        checksums: &checksums,
        key: key.as_ref().map(|sent| &sent.key),
        needs_md5: promise.has_md5(),
    };
    let (body, trailers) = receive(&mut call.payload, store, &body).await?;
    promise.verify(body.md5, body.checksums.first(), &trailers)?;

    let new = NewObject { key: call.key().to_owned(), metadata, owner: call.owner(), encryption };
    let committed = store
        .put_object(call.bucket()?, new, body, condition.clone())
        .await
        .map_err(|refusal| S3Error::from_write(refusal, call.bucket_name(), call.key(), &condition))?;
    let listed = committed.value();
    let response = with_checksum(Response::new(200).header("ETag", quoted_etag(listed)), listed);
    let response = reading::with_version(response, call.bucket()?, listed);
    let response = expiring.tell(response, &call, listed);
    Ok(match &key {
        Some(key) => customer_key::echo(response, key),
        None => response,
    })
}
