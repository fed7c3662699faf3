//! The tags of buckets and of versions of objects: found, replaced. A delete marker has none, whether it is named or the
//! newest.

use crate::http::response::Response;
use crate::index::record::{Listed, TagSet};
use crate::s3::error::S3Error;
use crate::s3::operation::Call;
use crate::s3::reading;
use crate::s3::tagging::Tags;
use crate::store::error::Refusal;
use crate::store::objects::Lookup;
use crate::store::tags::TagRefusal;

/// The tags of the version that the request names, and what is listed of it.
pub fn of_object(call: &Call<'_, '_>) -> Result<(Tags, Listed), S3Error> {
    let version = reading::version_of(call)?;
    match call.context.store.open_object(call.bucket()?, call.key(), version)? {
        Lookup::Object(object) => Ok((object.record.metadata.tags, object.record.listed)),
        Lookup::DeleteMarker(marker) => Err(reading::not_of_marker(call, &marker)),
        Lookup::Nothing => Err(reading::nothing(call.key(), version)),
    }
}

/// Replaces the tags of the version that the request names.
pub async fn replace_of_object(call: &Call<'_, '_>, tags: Tags, status: u16) -> Result<Response, S3Error> {
    let (bucket, key, version) = (call.bucket()?, call.key(), reading::version_of(call)?);
    match call.context.store.set_object_tags(bucket, key, version, TagSet(tags)).await {
        Ok(committed) => Ok(reading::with_version(Response::new(status), bucket, committed.value())),
        Err(Refusal::Refused(TagRefusal::NoSuchBucket)) => Err(S3Error::no_such_bucket(call.bucket_name())),
        Err(Refusal::Refused(TagRefusal::NoSuchVersion)) => Err(reading::nothing(key, version)),
        Err(Refusal::Refused(TagRefusal::DeleteMarker(marker))) => Err(reading::not_of_marker(call, &marker)),
        Err(Refusal::Failed(error)) => Err(error.into()),
    }
}

/// Replaces the tags of the bucket. The answer is the same whether any are left.
pub async fn replace_of_bucket(call: &Call<'_, '_>, tags: Tags) -> Result<Response, S3Error> {
    let changed = call.context.store.set_bucket_tags(call.bucket()?, &TagSet(tags)).await;
    changed.map_err(|refusal| S3Error::from_bucket_change(refusal, call.bucket_name()))?;
    Ok(Response::new(204))
}
