//! Tags of versions and of buckets. A set of tags is replaced as a whole.

use crate::commit::{Abort, Committed, Data};
use crate::index::key_encoding::BUCKET_TAGS;
use crate::index::record::{BucketRecord, Listed, TagSet};
use crate::store::Store;
use crate::store::buckets::{self, BucketGone};
use crate::store::error::{Refusal, StoreError};
use crate::store::version_id::VersionId;
use crate::store::versions::History;

/// Why a version could not be tagged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagRefusal {
    NoSuchBucket,
    NoSuchVersion,
    DeleteMarker(Box<Listed>),
}

impl Store {
    /// Replaces the tags of one version, or of the newest. Nothing else of it changes. Returns what is listed of it.
    pub async fn set_object_tags(
        &self,
        bucket: &BucketRecord,
        key: &str,
        version: Option<VersionId>,
        tags: TagSet,
    ) -> Result<Committed<Listed>, Refusal<TagRefusal>> {
        let (bucket, key) = (bucket.clone(), key.to_owned());
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                let bucket = buckets::still_there(transaction, &bucket, TagRefusal::NoSuchBucket)?;
                let mut history = History::new(transaction, &bucket, &key);
                let found = match version {
                    None => history.newest()?,
                    id => history.find(id)?,
                };
                let Some(mut record) = found else { return Err(Abort::Refused(TagRefusal::NoSuchVersion)) };
                if record.listed.delete_marker {
                    return Err(Abort::Refused(TagRefusal::DeleteMarker(record.listed.into())));
                }
                record.metadata.tags.clone_from(&tags.0);
                history.rewrite(&record)?;
                Ok(record.listed)
            })
            .await?;
        Ok(committed)
    }

    /// The tags of a bucket, if it has any.
    pub fn bucket_tags(&self, bucket: &BucketRecord) -> Result<Option<TagSet>, StoreError> {
        let Some(value) = self.subresource(bucket, BUCKET_TAGS)? else { return Ok(None) };
        let tags =
            TagSet::decode(&value).map_err(|error| StoreError::Corrupt(format!("bucket tags: {error}")))?;
        Ok(Some(tags))
    }

    /// Replaces the tags of a bucket.
    pub async fn set_bucket_tags(
        &self,
        bucket: &BucketRecord,
        tags: &TagSet,
    ) -> Result<Committed<()>, Refusal<BucketGone>> {
        let value = (!tags.0.is_empty()).then(|| tags.encode());
        self.set_subresource(bucket, BUCKET_TAGS, value).await
    }
}
