//! CopyObject: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
//!
//! A copy refers to the bytes of its source: nothing is read or written, whatever the size, and parts, ETag and checksum
//! stay what they are. Only where a customer's key or another checksum comes in the bytes are written anew.

use crate::checksum::Algorithm;
use crate::commit::Committed;
use crate::http::head::Method;
use crate::http::response::Response;
use crate::index::record::{Listed, StoredChecksum};
use crate::policy::Action;
use crate::s3::authorise::Content;
use crate::s3::copying::{self, Attempt, CopyFrom};
use crate::s3::error::S3Error;
use crate::s3::headers::copy_source::{CopySource, Directive};
use crate::s3::headers::customer_key::{self, SentKey};
use crate::s3::headers::{metadata, upload_checksum, write_condition};
use crate::s3::lifecycle::Expiring;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::{reading, tagging};
use crate::seal::CustomerKey;
use crate::store::body_writer::NewBody;
use crate::store::copy::{CopyRefusal, Description, NewCopy};
use crate::store::error::Refusal;
use crate::store::put::NewObject;
use crate::store::write_condition::{WriteCondition, WriteRefusal};

pub static OPERATION: Operation = Operation {
    name: "CopyObject",
    method: Method::Put,
    scope: Scope::Object,
    selector: Selector::Header("x-amz-copy-source"),
    permissions: &[Action::PutObject],
    named: &[Action::GetObject],
    anonymous: false,
    body: BodyKind::None,
    run: |call| Box::pin(copy_object(call)),
};

/// What the request asks of the copy.
struct Wanted {
    source: CopySource,
    description: Description,
    condition: WriteCondition,
    checksum: Option<Algorithm>,
    key: Option<SentKey>,
}

async fn copy_object(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let wanted = Wanted {
        source: CopySource::from_head(call.head)?,
        description: description(&call)?,
        condition: write_condition::from_head(call.head)?,
        checksum: upload_checksum::algorithm_from_head(call.head)?,
        key: customer_key::from_head(call.head)?,
    };
    copying::with_source(&call, &wanted.source, async |from| attempt(&call, &wanted, from).await).await
}

fn description(call: &Call<'_, '_>) -> Result<Description, S3Error> {
    metadata::check(call.head)?;
    let headers = match Directive::of_metadata(call.head)? {
        Directive::Copy => None,
        Directive::Replace => Some(metadata::without_tags(call.head)?),
    };
    let tags = match Directive::of_tagging(call.head)? {
        Directive::Copy => None,
        Directive::Replace => Some(tagging::from_head(call.head)?),
    };
    Ok(Description { headers, tags })
}

async fn attempt(call: &Call<'_, '_>, wanted: &Wanted, from: CopyFrom) -> Result<Attempt, S3Error> {
    from.check_size()?;
    wanted.judge_tags(call, &from)?;
    let bucket = call.bucket()?;
    // A version by its id is not itself, whatever is current.
    let is_itself =
        from.bucket.id == bucket.id && from.key == call.key() && wanted.source.version_id.is_none();
    if is_itself && !wanted.changes(&from) {
        return Err(S3Error::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    let condition = &wanted.condition;
    call.context
        .store
        .admit(bucket, call.key(), condition, call.admitted_ms)
        .map_err(|refusal| S3Error::from_write(refusal, call.bucket_name(), call.key(), condition))?;

    let (source_bucket, source) = (from.bucket.clone(), from.listed().clone());
    let tags = wanted.description.tags.as_ref().unwrap_or(&from.object.record.metadata.tags);
    let expiring = Expiring::new(call, tags)?;
    let committed = if wanted.needs_bytes(&from) {
        write_anew(call, wanted, from).await?
    } else {
        match share(call, wanted, from).await? {
            Some(committed) => committed,
            None => return Ok(Attempt::SourceGone),
        }
    };
    let listed = committed.value();
    let response = xml_response(200, copying::object_result(listed));
    let response = copying::with_source_version(response, &source_bucket, &source);
    let response = reading::with_version(response, bucket, listed);
    let response = expiring.tell(response, call, listed);
    Ok(Attempt::Done(match &wanted.key {
        Some(key) => customer_key::echo(response, key),
        None => response,
    }))
}

impl Wanted {
    /// Tags come along for who may read them there and is not kept from writing them here.
    fn judge_tags(&self, call: &Call<'_, '_>, from: &CopyFrom) -> Result<(), S3Error> {
        let tags = &from.object.record.metadata.tags;
        if self.description.tags.is_some() || tags.is_empty() {
            return Ok(());
        }
        let CopySource { bucket, key, version_id } = &self.source;
        call.asking.authorise_named(Action::GetObjectTagging, bucket, key, version_id.as_deref())?;
        call.require_no_denial(Action::PutObjectTagging, Content::Tags(tags))
    }

    /// Whether a copy onto the source itself would make anything other than it is.
    fn changes(&self, from: &CopyFrom) -> bool {
        let another_key = match (&from.object.record.content.encryption, &self.key) {
            (None, None) => false,
            (Some(check), Some(sent)) => !sent.key.matches(check),
            (Some(_), None) | (None, Some(_)) => true,
        };
        self.description.headers.is_some() || another_key || self.wants_another_checksum(from.listed())
    }

    /// Whether the copy cannot refer to the source's bytes or cannot have its checksum.
    fn needs_bytes(&self, from: &CopyFrom) -> bool {
        from.is_sealed() || self.key.is_some() || self.wants_another_checksum(from.listed())
    }

    fn wants_another_checksum(&self, source: &Listed) -> bool {
        self.checksum.is_some_and(|wanted| algorithm_of(source.checksum.as_ref()) != Some(wanted))
    }
}

fn algorithm_of(checksum: Option<&StoredChecksum>) -> Option<Algorithm> {
    Algorithm::from_id(checksum?.algorithm)
}

/// Copies without touching a byte; `None` where the source went away.
async fn share(
    call: &Call<'_, '_>,
    wanted: &Wanted,
    from: CopyFrom,
) -> Result<Option<Committed<Listed>>, S3Error> {
    let description = wanted.description.clone();
    let new = NewCopy { key: call.key().to_owned(), owner: call.owner(), description };
    let condition = wanted.condition.clone();
    match call.context.store.copy_object(from.source(), call.bucket()?, new, condition).await {
        Ok(committed) => Ok(Some(committed)),
        Err(Refusal::Refused(CopyRefusal::SourceGone)) => Ok(None),
        Err(Refusal::Refused(CopyRefusal::Write(refusal))) => {
            Err(refused(call, wanted, Refusal::Refused(refusal)))
        }
        Err(Refusal::Failed(error)) => Err(error.into()),
    }
}

/// Reads the source, which stays readable whatever becomes of it, and writes an object of one part.
async fn write_anew(
    call: &Call<'_, '_>,
    wanted: &Wanted,
    from: CopyFrom,
) -> Result<Committed<Listed>, S3Error> {
    let store = &call.context.store;
    let checksum = wanted.checksum.or(algorithm_of(from.listed().checksum.as_ref()));
    let key = wanted.key.as_ref().map(|sent| &sent.key);
    let new = NewObject {
        key: call.key().to_owned(),
        metadata: wanted.description.clone().over(from.object.record.metadata.clone()),
        owner: call.owner(),
        encryption: key.map(CustomerKey::new_check).transpose().map_err(S3Error::no_randomness)?,
    };
    let body = NewBody {
        size_bytes: from.listed().size,
        checksums: &[checksum.unwrap_or(Algorithm::Crc64Nvme)],
        key,
        needs_md5: false,
    };
    let whole = from.whole();
    let body = store.rewrite(from.object, whole, from.customer_key, &body).await?;
    let condition = wanted.condition.clone();
    let committed = store.put_object(call.bucket()?, new, body, condition).await;
    committed.map_err(|refusal| refused(call, wanted, refusal))
}

fn refused(call: &Call<'_, '_>, wanted: &Wanted, refusal: Refusal<WriteRefusal>) -> S3Error {
    S3Error::from_write(refusal, call.bucket_name(), call.key(), &wanted.condition)
}
