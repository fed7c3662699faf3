//! What copies of objects and of parts share: the object that the bytes come from, found, authorised and judged.

use std::ops::RangeInclusive;
use std::rc::Rc;

use crate::config::limits::SINGLE_PUT_BYTES_MAX;
use crate::http::response::Response;
use crate::index::record::{BucketRecord, Listed, Versioning};
use crate::policy::Action;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::headers::copy_source::CopySource;
use crate::s3::headers::customer_key;
use crate::s3::headers::object::{checksum_text, checksum_type, last_modified_s, quoted_etag};
use crate::s3::headers::source_condition::Subject;
use crate::s3::operation::Call;
use crate::s3::timestamp;
use crate::s3::xml::Writer;
use crate::s3::{reading, uploads};
use crate::seal::CustomerKey;
use crate::store::copy::Source;
use crate::store::objects::{Lookup, OpenObject};
use crate::store::version_id::VersionId;

/// How often a source that went away between lookup and commit is looked up again.
const TRIES_MAX: u32 = 8;

/// The source of a copy, open and judged.
pub struct CopyFrom {
    pub bucket: BucketRecord,
    pub key: String,
    pub object: OpenObject,
    /// Of a sealed one.
    pub customer_key: Option<Rc<CustomerKey>>,
}

/// What became of one attempt.
pub enum Attempt {
    Done(Response),
    /// The source was overwritten or deleted meanwhile.
    SourceGone,
}

/// Copies until the source has stayed for as long as it took.
pub async fn with_source(
    call: &Call<'_, '_>,
    named: &CopySource,
    mut attempt: impl AsyncFnMut(CopyFrom) -> Result<Attempt, S3Error>,
) -> Result<Response, S3Error> {
    for _ in 0..TRIES_MAX {
        if let Attempt::Done(response) = attempt(CopyFrom::open(call, named)?).await? {
            return Ok(response);
        }
    }
    Err(S3Error::new(ErrorCode::SlowDown))
}

impl CopyFrom {
    /// Finds the source and judges whether the sender may read it, with the key that was sent and under the conditions.
    fn open(call: &Call<'_, '_>, named: &CopySource) -> Result<Self, S3Error> {
        let (asking, version_id) = (call.asking, named.version_id.as_deref());
        let authorised = asking.authorise_named(Action::GetObject, &named.bucket, &named.key, version_id)?;
        let bucket = authorised.bucket().ok_or_else(S3Error::internal)?.clone();
        let version = version_id.map(|id| reading::parse_version("x-amz-copy-source", id)).transpose()?;
        let object = match (call.context.store.open_object(&bucket, &named.key, version)?, version) {
            (Lookup::Object(object), _) => object,
            (Lookup::DeleteMarker(_), Some(_)) => {
                let message = "The source of a copy request may not specifically refer to a delete marker by version id.";
                return Err(S3Error::invalid_request(message));
            }
            (Lookup::DeleteMarker(_) | Lookup::Nothing, None) => {
                return Err(asking.hide_absence(S3Error::no_such_key(&named.key), &bucket, &named.key));
            }
            (Lookup::Nothing, Some(id)) => {
                let error = S3Error::no_such_version(&named.key, &id.to_string());
                return Err(asking.hide_absence(error, &bucket, &named.key));
            }
        };
        let sent = customer_key::from_copy_source(call.head)?;
        customer_key::judge_read(object.record.content.encryption.as_ref(), sent.as_ref())?;
        let conditions = Subject::CopySource.conditions(call.head)?;
        let listed = &object.record.listed;
        let now_s = call.context.clock.unix_ms().div_euclid(1000);
        conditions
            .judge(Some((&listed.etag.to_string(), last_modified_s(listed))), now_s)
            .map_err(|unmet| Subject::CopySource.failed(unmet))?;
        let customer_key = sent.map(|sent| Rc::new(sent.key));
        Ok(Self { bucket, key: named.key.clone(), object, customer_key })
    }

    pub fn listed(&self) -> &Listed {
        &self.object.record.listed
    }

    pub fn is_sealed(&self) -> bool {
        self.object.record.content.encryption.is_some()
    }

    /// All of its bytes; `None` if it has none.
    pub fn whole(&self) -> Option<RangeInclusive<u64>> {
        self.listed().size.checked_sub(1).map(|last| 0..=last)
    }

    /// The version as the store names it.
    pub fn source(&self) -> Source {
        Source::new(&self.bucket, &self.key, self.listed())
    }

    /// Refuses what is too large to be copied at once.
    pub fn check_size(&self) -> Result<(), S3Error> {
        if self.listed().size <= SINGLE_PUT_BYTES_MAX {
            return Ok(());
        }
        Err(S3Error::invalid_request(format!(
            "The specified copy source is larger than the maximum allowable size for a copy source: {SINGLE_PUT_BYTES_MAX}"
        )))
    }
}

/// Says in a response which version was copied, where the source's bucket keeps versions or did.
pub fn with_source_version(response: Response, bucket: &BucketRecord, listed: &Listed) -> Response {
    match bucket.versioning {
        Versioning::Unset => response,
        _ => response.header("x-amz-copy-source-version-id", VersionId::of(listed).to_string()),
    }
}

/// The result of a copied object.
pub fn object_result(listed: &Listed) -> Writer {
    let mut xml = result("CopyObjectResult", &quoted_etag(listed), listed.last_modified_ms);
    if let (Some(checksum), Some((algorithm, text))) = (&listed.checksum, checksum_text(listed)) {
        xml.element("ChecksumType", checksum_type(checksum));
        uploads::write_checksum(&mut xml, algorithm, &text);
    }
    xml
}

/// Begins the result of a copy.
pub fn result(name: &'static str, etag: &str, last_modified_ms: i64) -> Writer {
    let mut xml = Writer::with_root(name);
    xml.element("ETag", etag);
    xml.element("LastModified", &timestamp::iso8601(last_modified_ms));
    xml
}
