//! UploadPartCopy: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>
//!
//! A copied part refers to the bytes of its source. They are read where nobody knows the MD5 of just these, which is the
//! part's ETag, and written anew where a customer's key comes in or a few of them stand in the source's record.

use std::ops::RangeInclusive;

use crate::checksum::Algorithm;
use crate::commit::Committed;
use crate::config::limits::SINGLE_PUT_BYTES_MAX;
use crate::http::head::Method;
use crate::http::response::Response;
use crate::index::record::{ETag, PartRecord, StoredChecksum};
use crate::policy::Action;
use crate::s3::copying::{self, Attempt, CopyFrom};
use crate::s3::error::S3Error;
use crate::s3::headers::copy_source::{self, CopySource};
use crate::s3::headers::customer_key::{self, SentKey};
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::uploads;
use crate::store::body_writer::NewBody;
use crate::store::copy::{NewPartCopy, PartCopyRefusal};
use crate::store::error::Refusal;
use crate::store::multipart::{NewPart, UploadGone};
use crate::store::upload_id::UploadId;

pub static OPERATION: Operation = Operation {
    name: "UploadPartCopy",
    method: Method::Put,
    scope: Scope::Object,
    selector: Selector::All(&[Selector::Query("partNumber"), Selector::Header("x-amz-copy-source")]),
    permissions: &[Action::PutObject],
    named: &[Action::GetObject],
    anonymous: false,
    body: BodyKind::None,
    run: |call| Box::pin(upload_part_copy(call)),
};

/// The part that the request makes.
struct Wanted {
    id: UploadId,
    number: u16,
    /// `None`: all of the source.
    range: Option<RangeInclusive<u64>>,
    algorithm: Algorithm,
    /// The client chose the algorithm.
    is_declared: bool,
    key: Option<SentKey>,
}

async fn upload_part_copy(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let number = uploads::part_number(&call)?;
    let named = CopySource::from_head(call.head)?;
    let range = copy_source::range_from_head(call.head)?;
    let key = customer_key::from_head(call.head)?;
    let (id, upload) = uploads::open(&call)?;
    customer_key::judge_part(upload.encryption.as_ref(), key.as_ref())?;
    let algorithm = uploads::algorithm(upload.checksum)?;
    let wanted = Wanted { id, number, range, algorithm, is_declared: upload.checksum.declared, key };
    copying::with_source(&call, &named, async |from| attempt(&call, &wanted, from).await).await
}

async fn attempt(call: &Call<'_, '_>, wanted: &Wanted, from: CopyFrom) -> Result<Attempt, S3Error> {
    let range = if let Some(range) = &wanted.range {
        copy_source::check_range(range, from.listed().size)?;
        Some(range.clone())
    } else {
        from.check_size()?;
        from.whole()
    };
    let bytes = range.as_ref().map_or(0, |range| range.end() - range.start() + 1);
    if bytes > SINGLE_PUT_BYTES_MAX {
        return Err(S3Error::entity_too_large(bytes, SINGLE_PUT_BYTES_MAX));
    }
    let (source_bucket, source) = (from.bucket.clone(), from.listed().clone());
    let committed = if wanted.key.is_some() || !from.object.can_be_part(range.as_ref()) {
        write_anew(call, wanted, from, range, bytes).await?
    } else {
        match share(call, wanted, from, range).await? {
            Some(committed) => committed,
            None => return Ok(Attempt::SourceGone),
        }
    };
    let part = committed.value();
    let etag = ETag { md5: part.md5, parts: None };
    let mut xml = copying::result("CopyPartResult", &format!("\"{etag}\""), part.last_modified_ms);
    if wanted.is_declared {
        uploads::write_part_checksum(&mut xml, part.checksum.as_ref());
    }
    let response = copying::with_source_version(xml_response(200, xml), &source_bucket, &source);
    Ok(Attempt::Done(match &wanted.key {
        Some(key) => customer_key::echo(response, key),
        None => response,
    }))
}

/// Copies without writing a byte; `None` where the source went away.
async fn share(
    call: &Call<'_, '_>,
    wanted: &Wanted,
    from: CopyFrom,
    range: Option<RangeInclusive<u64>>,
) -> Result<Option<Committed<PartRecord>>, S3Error> {
    let store = &call.context.store;
    let source = from.source();
    let new = if let Some(known) = known_sums(&from, range.as_ref(), wanted.algorithm) {
        known
    } else {
        let sums = store.sums(from.object, range.clone(), Some(wanted.algorithm)).await?;
        let checksum = sums.checksum.map(|digest| StoredChecksum::of(&digest, true));
        NewPartCopy { md5: sums.md5, checksum }
    };
    let place = (call.bucket()?, call.key(), wanted.id, wanted.number);
    match store.copy_part(source, range, place, new).await {
        Ok(committed) => Ok(Some(committed)),
        Err(Refusal::Refused(PartCopyRefusal::SourceGone)) => Ok(None),
        Err(Refusal::Refused(PartCopyRefusal::UploadGone)) => Err(uploads::no_such_upload(call)),
        Err(Refusal::Failed(error)) => Err(error.into()),
    }
}

/// What the source's record says of the bytes: all of them, received as one.
fn known_sums(
    from: &CopyFrom,
    range: Option<&RangeInclusive<u64>>,
    algorithm: Algorithm,
) -> Option<NewPartCopy> {
    let listed = from.listed();
    let checksum = listed.checksum.clone()?;
    let is_fit = checksum.full_object && checksum.algorithm == algorithm.id();
    let is_known = listed.etag.parts.is_none() && is_fit && range == from.whole().as_ref();
    is_known.then_some(NewPartCopy { md5: listed.etag.md5, checksum: Some(checksum) })
}

/// Reads the source, which stays readable whatever becomes of it, and writes the part.
async fn write_anew(
    call: &Call<'_, '_>,
    wanted: &Wanted,
    from: CopyFrom,
    range: Option<RangeInclusive<u64>>,
    size_bytes: u64,
) -> Result<Committed<PartRecord>, S3Error> {
    let store = &call.context.store;
    let key = wanted.key.as_ref().map(|sent| &sent.key);
    let body = NewBody { size_bytes, checksums: &[wanted.algorithm], key, needs_md5: false };
    let body = store.rewrite(from.object, range, from.customer_key, &body).await?;
    let new = NewPart {
        bytes: body.size_bytes,
        md5: body.etag_md5,
        checksum: body.checksums.first().map(|digest| StoredChecksum::of(digest, true)),
        segments: body.segment.into_iter().collect(),
        data: body.data,
    };
    let committed = store.put_part(call.bucket()?, call.key(), wanted.id, wanted.number, new).await;
    committed.map_err(|refusal: Refusal<UploadGone>| uploads::ended(call, refusal))
}
