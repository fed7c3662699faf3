//! CreateMultipartUpload: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>

use crate::checksum::Algorithm;
use crate::http::head::Method;
use crate::http::response::Response;
use crate::index::record::UploadChecksum;
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::headers::checksum::type_name;
use crate::s3::headers::{customer_key, metadata, upload_checksum};
use crate::s3::lifecycle;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::xml::Writer;
use crate::store::error::Refusal;
use crate::store::multipart::NewUpload;
use crate::store::upload_id::UploadId;

pub static OPERATION: Operation = Operation {
    name: "CreateMultipartUpload",
    method: Method::Post,
    scope: Scope::Object,
    selector: Selector::Query("uploads"),
    permissions: &[Action::PutObject],
    named: &[],
    anonymous: false,
    body: BodyKind::None,
    run: |call| Box::pin(create_multipart_upload(call)),
};

async fn create_multipart_upload(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let metadata = metadata::from_head(call.head)?;
    let declared = upload_checksum::UploadChecksum::from_head(call.head)?;
    let key = customer_key::from_head(call.head)?;
    let encryption =
        key.as_ref().map(|sent| sent.key.new_check()).transpose().map_err(S3Error::no_randomness)?;
    let new = NewUpload {
        key: call.key().to_owned(),
        metadata,
        owner: call.owner(),
        checksum: stored(declared),
        encryption,
    };
    let created = call.context.store.create_upload(call.bucket()?, new).await;
    let created = created.map_err(|refusal| match refusal {
        Refusal::Refused(_gone) => S3Error::no_such_bucket(call.bucket_name()),
        Refusal::Failed(error) => error.into(),
    })?;

    let mut xml = Writer::with_root("InitiateMultipartUploadResult");
    xml.element("Bucket", call.bucket_name());
    xml.element("Key", call.key());
    xml.element("UploadId", &created.value().to_string());
    let mut response = xml_response(200, xml);
    if let Some(upload_checksum::UploadChecksum { algorithm, full_object }) = declared {
        response.push_header("x-amz-checksum-algorithm", algorithm.name());
        response.push_header("x-amz-checksum-type", type_name(full_object));
    }
    let response = with_abort(response, &call, *created.value())?;
    Ok(match &key {
        Some(key) => customer_key::echo(response, key),
        None => response,
    })
}

/// Says when the upload is aborted. A bucket without rules is not asked for the upload that was just begun.
fn with_abort(response: Response, call: &Call<'_, '_>, id: UploadId) -> Result<Response, S3Error> {
    if call.bucket()?.lifecycle.is_none() {
        return Ok(response);
    }
    match call.context.store.upload(call.bucket()?, call.key(), id)? {
        Some(upload) => lifecycle::tell_of_upload(response, call, upload.initiated_ms),
        None => Ok(response),
    }
}

/// Where the client leaves it to the server, the server sums the bytes of the whole.
fn stored(declared: Option<upload_checksum::UploadChecksum>) -> UploadChecksum {
    match declared {
        Some(upload_checksum::UploadChecksum { algorithm, full_object }) => {
            UploadChecksum { algorithm: algorithm.id(), full_object, declared: true }
        }
        None => UploadChecksum { algorithm: Algorithm::Crc64Nvme.id(), full_object: true, declared: false },
    }
}
