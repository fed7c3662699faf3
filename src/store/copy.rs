//! Copies that move no byte: a new record over the runs of another.
//!
//! A copy is a record of its own that refers to the same runs; table `H` counts how many records a run has. So it costs
//! the same whatever the size, and either object may go first.

use std::ops::RangeInclusive;

use crate::commit::{Abort, Committed, Data, Transaction};
use crate::index::record::body::runs_of;
use crate::index::record::{
    BucketRecord, Content, Listed, Metadata, ObjectRecord, Owner, PartRecord, Run, StoredChecksum,
};
use crate::store::Store;
use crate::store::buckets;
use crate::store::error::{Refusal, StoreError};
use crate::store::multipart::{self, Bytes};
use crate::store::objects::OpenObject;
use crate::store::slicing;
use crate::store::upload_id::UploadId;
use crate::store::version_id::VersionId;
use crate::store::versions::History;
use crate::store::write_condition::{WriteCondition, WriteRefusal};

/// One version of an object, as a reader found it.
#[derive(Clone, Debug)]
pub struct Source {
    bucket: BucketRecord,
    key: String,
    version: VersionId,
    stamp: u64,
}

/// What a copy is, beside its bytes.
#[derive(Clone, Debug, Default)]
pub struct NewCopy {
    pub key: String,
    pub owner: Owner,
    pub description: Description,
}

/// What of a copy's description does not come from its source.
#[derive(Clone, Debug, Default)]
pub struct Description {
    /// Headers; the tags among them do not count.
    pub headers: Option<Metadata>,
    pub tags: Option<Vec<(String, String)>>,
}

/// Why a copy was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyRefusal {
    /// The version is not there any more: the lookup must be made again.
    SourceGone,
    Write(WriteRefusal),
}

/// What is known of a copied part, beside its bytes.
#[derive(Clone, Debug)]
pub struct NewPartCopy {
    /// The part's ETag.
    pub md5: [u8; 16],
    /// By the upload's algorithm.
    pub checksum: Option<StoredChecksum>,
}

/// Why a part was not copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartCopyRefusal {
    /// The version is not there any more: the lookup must be made again.
    SourceGone,
    UploadGone,
}

impl Source {
    pub fn new(bucket: &BucketRecord, key: &str, found: &Listed) -> Self {
        Self {
            bucket: bucket.clone(),
            key: key.to_owned(),
            version: VersionId::of(found),
            stamp: found.stamp,
        }
    }

    /// The record, if the version still is what it was: one stamp stands for the same bytes for ever.
    pub(super) fn find<E>(
        &self,
        transaction: &mut Transaction<'_>,
        gone: impl Fn() -> E,
    ) -> Result<ObjectRecord, Abort<E>> {
        let bucket = buckets::still_there(transaction, &self.bucket, gone())?;
        let found = History::new(transaction, &bucket, &self.key).find(Some(self.version))?;
        found.filter(|record| record.listed.stamp == self.stamp).ok_or_else(|| Abort::Refused(gone()))
    }
}

impl Description {
    /// The description of a copy of something that was described so.
    pub fn over(self, source: Metadata) -> Metadata {
        let tags = self.tags.unwrap_or(source.tags);
        let Metadata { system, user, tags: _ } =
            self.headers.unwrap_or(Metadata { tags: Vec::new(), ..source });
        Metadata { system, user, tags }
    }
}

impl Store {
    /// Makes a copy that shares the source's bytes, none of which may be sealed: it keeps its size, its parts, its ETag
    /// and its checksum. The condition must have been admitted before ([`Store::admit`]).
    pub async fn copy_object(
        &self,
        source: Source,
        bucket: &BucketRecord,
        new: NewCopy,
        condition: WriteCondition,
    ) -> Result<Committed<Listed>, Refusal<CopyRefusal>> {
        if !self.space.is_accepting() {
            return Err(Refusal::Failed(StoreError::NoSpace));
        }
        let bucket = bucket.clone();
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                let gone = CopyRefusal::Write(WriteRefusal::NoSuchBucket);
                let bucket = buckets::still_there(transaction, &bucket, gone)?;
                let source = source.find(transaction, || CopyRefusal::SourceGone)?;
                // Before the destination gives up what it had, which may be these very runs.
                let runs: Vec<Run> = runs_of(&source.content.segments).copied().collect();
                transaction.share(&runs)?;
                let mut record = copy_of(source, &new, transaction.now_ms());
                let mut history = History::new(transaction, &bucket, &new.key);
                let judged = history.judge(&condition)?;
                judged.map_err(|refusal| Abort::Refused(CopyRefusal::Write(refusal)))?;
                history.install(&mut record)
            })
            .await?;
        Ok(committed)
    }
}

impl OpenObject {
    /// Whether a part may share these bytes: none of them is sealed, and what a record would have to keep of them itself
    /// does not add up over all parts of an object.
    pub fn can_be_part(&self, range: Option<&RangeInclusive<u64>>) -> bool {
        let Content { segments, encryption, .. } = &self.record.content;
        encryption.is_none() && range.is_none_or(|range| slicing::can_be_part(segments, range))
    }
}

impl Store {
    /// Makes bytes of an open object a part of an upload, if they [can be](OpenObject::can_be_part). `new` has what is
    /// known of them; they are where the object has them.
    pub async fn copy_part(
        &self,
        source: Source,
        range: Option<RangeInclusive<u64>>,
        (bucket, key, id, number): (&BucketRecord, &str, UploadId, u16),
        new: NewPartCopy,
    ) -> Result<Committed<PartRecord>, Refusal<PartCopyRefusal>> {
        if !self.space.is_accepting() {
            return Err(Refusal::Failed(StoreError::NoSpace));
        }
        let NewPartCopy { md5, checksum } = new;
        let (bucket_id, key) = (bucket.id, key.to_owned());
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                let upload = multipart::find(transaction, bucket_id, &key, id)?;
                upload.ok_or(Abort::Refused(PartCopyRefusal::UploadGone))?;
                let source = source.find(transaction, || PartCopyRefusal::SourceGone)?;
                let segments = match &range {
                    Some(range) => slicing::slice(&source.content.segments, range),
                    None => Vec::new(),
                };
                let bytes = range.as_ref().map_or(0, |range| range.end() - range.start() + 1);
                let part =
                    PartRecord { bytes, md5, checksum: checksum.clone(), last_modified_ms: 0, segments };
                multipart::set_part(transaction, id, number, part, Bytes::Shared)
            })
            .await?;
        Ok(committed)
    }
}

fn copy_of(source: ObjectRecord, new: &NewCopy, now_ms: i64) -> ObjectRecord {
    let ObjectRecord { listed, metadata, content } = source;
    ObjectRecord {
        listed: Listed { last_modified_ms: now_ms, owner: new.owner.clone(), ..listed },
        metadata: new.description.clone().over(metadata),
        content: Content { encryption: None, ..content },
    }
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;
