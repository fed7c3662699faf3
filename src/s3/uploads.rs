//! What the operations on multipart uploads share: which upload is meant, its checksum, how it is described.

use crate::checksum::{Algorithm, Digest};
use crate::index::record::{StoredChecksum, UploadChecksum, UploadRecord};
use crate::s3::error::S3Error;
use crate::s3::headers::checksum::type_name;
use crate::s3::headers::object::base64;
use crate::s3::headers::upload_checksum;
use crate::s3::listing;
use crate::s3::operation::Call;
use crate::s3::reading;
use crate::s3::xml::Writer;
use crate::store::error::Refusal;
use crate::store::multipart::UploadGone;
use crate::store::upload_id::UploadId;

/// The number of the part that the request writes.
pub fn part_number(call: &Call<'_, '_>) -> Result<u16, S3Error> {
    let number = reading::part_number(call.query("partNumber").unwrap_or_default())?;
    if call.query("uploadId").is_none() {
        let message = "This operation does not accept a part without an upload.";
        return Err(S3Error::invalid_argument("uploadId", "", message));
    }
    Ok(number)
}

/// The upload's id as sent.
pub fn id_text<'a>(call: &'a Call<'_, '_>) -> &'a str {
    call.query("uploadId").unwrap_or_default()
}

/// The upload that the request names.
pub fn id_of(call: &Call<'_, '_>) -> Result<UploadId, S3Error> {
    UploadId::parse(id_text(call)).ok_or_else(|| no_such_upload(call))
}

/// The upload that the request names, which must be open and to the request's key.
pub fn open(call: &Call<'_, '_>) -> Result<(UploadId, UploadRecord), S3Error> {
    let id = id_of(call)?;
    let upload = call.context.store.upload(call.bucket()?, call.key(), id)?;
    Ok((id, upload.ok_or_else(|| no_such_upload(call))?))
}

pub fn no_such_upload(call: &Call<'_, '_>) -> S3Error {
    S3Error::no_such_upload(id_text(call))
}

/// The answer where an upload ended while the request ran.
pub fn ended(call: &Call<'_, '_>, refusal: Refusal<UploadGone>) -> S3Error {
    match refusal {
        Refusal::Refused(UploadGone) => no_such_upload(call),
        Refusal::Failed(error) => error.into(),
    }
}

/// What each part must be summed with.
pub fn algorithm(checksum: UploadChecksum) -> Result<Algorithm, S3Error> {
    Algorithm::from_id(checksum.algorithm).ok_or_else(S3Error::internal)
}

/// Judges the algorithm of a part's checksum. An upload that declared none takes any.
pub fn judge_part(checksum: UploadChecksum, sent: Option<Algorithm>) -> Result<(), S3Error> {
    if !checksum.declared {
        return Ok(());
    }
    let algorithm = algorithm(checksum)?;
    upload_checksum::UploadChecksum { algorithm, full_object: checksum.full_object }.check_part(sent)
}

/// Describes an upload inside its element.
pub fn describe(xml: &mut Writer, upload: &UploadRecord) {
    listing::person(xml, "Initiator", &upload.owner);
    listing::owner(xml, &upload.owner);
    xml.element("StorageClass", "STANDARD");
    if let (true, Some(algorithm)) = (upload.checksum.declared, Algorithm::from_id(upload.checksum.algorithm))
    {
        xml.element("ChecksumAlgorithm", algorithm.name());
        xml.element("ChecksumType", type_name(upload.checksum.full_object));
    }
}

/// A checksum as an element of its algorithm's name.
pub fn write_checksum(xml: &mut Writer, algorithm: Algorithm, text: &str) {
    xml.element(&format!("Checksum{}", algorithm.name()), text);
}

/// The same of a part.
pub fn write_part_checksum(xml: &mut Writer, checksum: Option<&StoredChecksum>) {
    if let Some(checksum) = checksum
        && let Some(algorithm) = Algorithm::from_id(checksum.algorithm)
    {
        write_checksum(xml, algorithm, &base64(&checksum.bytes));
    }
}

/// The digest of an algorithm among several.
pub fn digest_of(digests: &[Digest], algorithm: Algorithm) -> Option<&Digest> {
    digests.iter().find(|digest| digest.algorithm() == algorithm)
}
