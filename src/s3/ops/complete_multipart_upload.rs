//! CompleteMultipartUpload: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>

use crate::config::limits::{OBJECT_BYTES_MAX, PART_BYTES_MIN, PARTS_MAX, XML_BODY_BYTES_MAX};
use crate::http::head::Method;
use crate::http::response::Response;
use crate::index::record::Listed;
use crate::policy::Action;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::headers::checksum::Promise;
use crate::s3::headers::object::{checksum_text, checksum_type, quoted_etag};
use crate::s3::headers::{customer_key, upload_checksum, write_condition};
use crate::s3::lifecycle::Expiring;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::xml::{self, Element, Writer};
use crate::s3::{reading, uploads};
use crate::store::complete::{CompleteRefusal, CompleteRequest, Expected, NamedPart};
use crate::store::error::Refusal;
use crate::store::write_condition::WriteCondition;

pub static OPERATION: Operation = Operation {
    name: "CompleteMultipartUpload",
    method: Method::Post,
    scope: Scope::Object,
    selector: Selector::Query("uploadId"),
    permissions: &[Action::PutObject],
    named: &[],
    anonymous: true,
    body: BodyKind::Document,
    run: |call| Box::pin(complete_multipart_upload(call)),
};

async fn complete_multipart_upload(mut call: Call<'_, '_>) -> Result<Response, S3Error> {
    let condition = write_condition::from_head(call.head)?;
    let key = customer_key::from_head(call.head)?;
    let expected = Expected {
        checksum: upload_checksum::of_whole(call.head)?,
        full_object: upload_checksum::full_object_from_head(call.head)?,
        size: size(&call)?,
    };
    let promise = Promise::of_document(call.head)?;
    let body = call.payload.collect(XML_BODY_BYTES_MAX).await?;
    promise.verify_bytes(&body, &[])?;
    let List { parts, fault } = List::parse(&body)?;

    let id = uploads::id_of(&call)?;
    let expiring = match call.context.store.upload(call.bucket()?, call.key(), id)? {
        Some(upload) => {
            customer_key::judge_upload(upload.encryption.as_ref(), key.as_ref())?;
            fault.map_or(Ok(()), Err)?;
            Some(Expiring::new(&call, &upload.metadata.tags)?)
        }
        // What was completed before had no fault.
        None if fault.is_some() => return Err(uploads::no_such_upload(&call)),
        None => None,
    };
    let request =
        CompleteRequest { parts, expected, condition: condition.clone(), admitted_ms: call.admitted_ms };
    let completed = call.context.store.complete_upload(call.bucket()?, call.key(), id, request).await;
    let completed = completed.map_err(|refusal| refused(&call, refusal, &condition))?;

    let listed = completed.value();
    let expiring = expiring.map_or_else(|| Expiring::of_written(&call, listed), Ok)?;
    let response = reading::with_version(xml_response(200, result(&call, listed)), call.bucket()?, listed);
    let response = expiring.tell(response, &call, listed);
    Ok(match &key {
        Some(key) => customer_key::echo(response, key),
        None => response,
    })
}

fn size(call: &Call<'_, '_>) -> Result<Option<u64>, S3Error> {
    const NAME: &str = "x-amz-mp-object-size";
    let invalid = |text| S3Error::invalid_argument(NAME, text, "A size in bytes is expected.");
    call.header(NAME).map(|text| text.parse().map_err(|_no_number| invalid(text))).transpose()
}

fn result(call: &Call<'_, '_>, listed: &Listed) -> Writer {
    let host = call.header("host").unwrap_or_default();
    let mut xml = Writer::with_root("CompleteMultipartUploadResult");
    xml.element("Location", &format!("http://{host}{}", call.address.path));
    xml.element("Bucket", call.bucket_name());
    xml.element("Key", call.key());
    xml.element("ETag", &quoted_etag(listed));
    if let Some((algorithm, text)) = checksum_text(listed) {
        uploads::write_checksum(&mut xml, algorithm, &text);
    }
    xml.element_if("ChecksumType", listed.checksum.as_ref().map(checksum_type));
    xml
}

/// The parts that the document names.
struct List {
    parts: Vec<NamedPart>,
    /// What is wrong with a checksum: judged later than the rest of the document.
    fault: Option<S3Error>,
}

impl List {
    fn parse(body: &[u8]) -> Result<Self, S3Error> {
        let root = xml::parse(body)?;
        let mut list = Self { parts: Vec::with_capacity(root.children.len()), fault: None };
        for part in root.children_named("Part") {
            let named = list.part(part)?;
            list.parts.push(named);
        }
        let count = list.parts.len();
        if root.name != "CompleteMultipartUpload" || count == 0 || count > usize::from(PARTS_MAX) {
            return Err(S3Error::malformed_xml());
        }
        Ok(list)
    }

    fn part(&mut self, part: &Element) -> Result<NamedPart, S3Error> {
        let text = |name| part.child_text(name).map(str::trim).ok_or_else(S3Error::malformed_xml);
        let number: i64 = text("PartNumber")?.parse().map_err(|_no_number| S3Error::malformed_xml())?;
        let checksum = upload_checksum::of_completed_part(part).unwrap_or_else(|fault| {
            self.fault.get_or_insert(fault);
            None
        });
        Ok(NamedPart {
            number: u32::try_from(number).unwrap_or(0),
            etag: text("ETag")?.trim_matches('"').to_owned(),
            checksum,
        })
    }
}

fn refused(call: &Call<'_, '_>, refusal: Refusal<CompleteRefusal>, condition: &WriteCondition) -> S3Error {
    let refusal = match refusal {
        Refusal::Refused(refusal) => refusal,
        Refusal::Failed(error) => return error.into(),
    };
    let id = uploads::id_text(call);
    match refusal {
        CompleteRefusal::NoSuchUpload => uploads::no_such_upload(call),
        CompleteRefusal::PartNumber(number) => match reading::part_number(&number.to_string()) {
            Ok(_) => S3Error::internal(),
            Err(error) => error,
        },
        CompleteRefusal::PartOrder => S3Error::new(ErrorCode::InvalidPartOrder).field("UploadId", id),
        CompleteRefusal::Part { number, etag } => S3Error::new(ErrorCode::InvalidPart)
            .field("UploadId", id)
            .field("PartNumber", number.to_string())
            .field("ETag", etag),
        CompleteRefusal::PartTooSmall { number, etag, bytes } => S3Error::new(ErrorCode::EntityTooSmall)
            .field("ProposedSize", bytes.to_string())
            .field("MinSizeAllowed", PART_BYTES_MIN.to_string())
            .field("PartNumber", number.to_string())
            .field("ETag", etag),
        CompleteRefusal::TooLarge { bytes } => S3Error::entity_too_large(bytes, OBJECT_BYTES_MAX),
        CompleteRefusal::PartChecksumMissing { number, algorithm } => S3Error::invalid_request(format!(
            "The upload was created using a {} checksum. The complete request must include the checksum for each \
             part. It was missing for part {number} in the request.",
            algorithm.name().to_ascii_lowercase()
        )),
        CompleteRefusal::PartChecksumAlgorithm { number, sent } => {
            let sent = sent.name().to_ascii_lowercase();
            let message =
                format!("The {sent} you specified for part {number} did not match what we received.");
            S3Error::with_message(ErrorCode::BadDigest, message)
        }
        CompleteRefusal::ChecksumType { full_object } => upload_checksum::wrong_type(full_object),
        CompleteRefusal::Checksum { sent } => S3Error::bad_checksum(sent.name()),
        CompleteRefusal::Size { bytes } => S3Error::invalid_request(format!(
            "The provided 'x-amz-mp-object-size' header does not match what was computed: the parts have {bytes} bytes."
        )),
        CompleteRefusal::Write(refusal) => {
            S3Error::from_write(Refusal::Refused(refusal), call.bucket_name(), call.key(), condition)
        }
    }
}
