//! Objects: opening them for reading, and the transactions that put and delete them.

use std::ops::RangeInclusive;

use crate::commit::{Abort, Committed, Data, Transaction};
use crate::index::key_encoding;
use crate::index::listing::{self, ListPage, ListQuery};
use crate::index::record::bucket::BucketRecord;
use crate::index::record::object::{
    ETag, Layout, Listed, Metadata, ObjectRecord, Owner, Run, StoredChecksum,
};
use crate::store::Store;
use crate::store::body_reader::BodyReader;
use crate::store::body_writer::BodyWritten;
use crate::store::error::{Refusal, StoreError};
use crate::store::pins::PinnedRuns;

/// An object found, its runs pinned.
pub struct OpenObject {
    pub record: ObjectRecord,
    pins: PinnedRuns,
}

/// The bytes of a range.
pub enum Body {
    Inline(Vec<u8>),
    Extents(Box<BodyReader>),
}

/// What a new object is, beside its body.
#[derive(Clone, Debug)]
pub struct NewObject {
    pub key: String,
    pub metadata: Metadata,
    pub owner: Owner,
}

/// What must hold of the current object for a write to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteCondition {
    /// Anything.
    None,
    /// No object (`If-None-Match: *`).
    Absent,
    /// Any object (`If-Match: *`).
    Exists,
    /// An object with this ETag, without quotes.
    ETagIs(String),
}

/// One deletion of several.
#[derive(Clone, Debug)]
pub struct DeleteRequest {
    pub key: String,
    pub condition: WriteCondition,
}

/// Why a write was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteRefusal {
    NoSuchBucket,
    /// The condition needs an object and there is none.
    NoSuchKey,
    /// The condition did not hold when the request came in.
    ConditionFailed,
    /// Another write that came in meanwhile broke the condition.
    Conflict,
}

impl Store {
    /// Finds an object and pins its bytes.
    pub fn open_object(&self, bucket: &BucketRecord, key: &str) -> Result<Option<OpenObject>, StoreError> {
        let index_key = key_encoding::object_key(bucket.id, key);
        let lookup = || match self.engine.get(&index_key)? {
            Some(entry) => decode(&entry.value).map(Some),
            None => Ok(None),
        };
        let found = self.pins.pin(lookup, |record| runs_of(&record.layout))?;
        Ok(found.map(|(record, pins)| OpenObject { record, pins }))
    }

    /// The bytes of an open object in `wanted`, which must lie within it.
    pub fn read(&self, object: OpenObject, wanted: RangeInclusive<u64>) -> Body {
        match object.record.layout {
            Layout::Inline(mut bytes) => {
                bytes.truncate(*wanted.end() as usize + 1);
                bytes.drain(..*wanted.start() as usize);
                Body::Inline(bytes)
            }
            Layout::Extents { body_id, ref runs } => {
                let size_bytes = object.record.listed.size;
                Body::Extents(Box::new(BodyReader::new(
                    self,
                    (body_id, runs),
                    size_bytes,
                    wanted,
                    object.pins,
                )))
            }
        }
    }

    /// One page of a listing.
    pub fn list(&self, bucket: &BucketRecord, query: &ListQuery<'_>) -> Result<ListPage, StoreError> {
        Ok(listing::list(&self.engine, bucket.id, query)?)
    }

    /// Makes a written body the current object of its key. Returns the record as committed.
    pub async fn put_object(
        &self,
        bucket: &BucketRecord,
        new: NewObject,
        body: BodyWritten,
        condition: WriteCondition,
        admitted_ms: i64,
    ) -> Result<Committed<Listed>, Refusal<WriteRefusal>> {
        let (bucket_key, bucket_id) = (key_encoding::bucket_key(&bucket.name), bucket.id);
        let key = key_encoding::object_key(bucket.id, &new.key);
        let mut record = ObjectRecord {
            listed: Listed {
                size: body.size_bytes,
                last_modified_ms: 0,
                stamp: 0,
                etag: ETag { md5: body.md5, parts: None },
                checksum: body.checksum.map(|digest| StoredChecksum {
                    algorithm: digest.algorithm().id(),
                    full_object: true,
                    bytes: digest.bytes().to_vec(),
                }),
                owner: new.owner,
                delete_marker: false,
            },
            metadata: new.metadata,
            layout: body.layout,
        };
        let committed = self
            .commit
            .run(body.data, move |transaction| {
                bucket_is(transaction, &bucket_key, bucket_id)?;
                let existing = current(transaction, &key)?;
                judge(&condition, existing.as_ref(), admitted_ms).map_err(Abort::Refused)?;
                if let Some(existing) = existing {
                    transaction.release(runs_of(&existing.layout))?;
                }
                transaction.occupy(runs_of(&record.layout))?;
                record.listed.last_modified_ms = transaction.now_ms();
                record.listed.stamp = transaction.stamp();
                transaction.put(key.clone(), record.encode());
                Ok(record.listed.clone())
            })
            .await?;
        Ok(committed)
    }

    /// Judges a condition before the upload. Never the last word: `put_object` judges again in its transaction.
    pub fn check_condition(
        &self,
        bucket: &BucketRecord,
        key: &str,
        condition: &WriteCondition,
        admitted_ms: i64,
    ) -> Result<(), Refusal<WriteRefusal>> {
        if *condition == WriteCondition::None {
            return Ok(());
        }
        let entry = self.engine.get(&key_encoding::object_key(bucket.id, key));
        let existing =
            entry.map_err(|error| Refusal::Failed(error.into()))?.map(|entry| decode(&entry.value));
        let existing = existing.transpose().map_err(Refusal::Failed)?;
        judge(condition, existing.as_ref(), admitted_ms).map_err(Refusal::Refused)
    }

    /// Deletes the object of a key; a missing one is no fault.
    pub async fn delete_object(
        &self,
        bucket: &BucketRecord,
        key: &str,
        condition: WriteCondition,
    ) -> Result<Committed<()>, Refusal<WriteRefusal>> {
        let key = key_encoding::object_key(bucket.id, key);
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                delete(transaction, &key, &condition)?.map_or(Ok(()), |refusal| Err(Abort::Refused(refusal)))
            })
            .await?;
        Ok(committed)
    }

    /// Deletes several objects in one transaction; each answer is the refusal of that key, if there was one.
    pub async fn delete_objects(
        &self,
        bucket: &BucketRecord,
        requests: Vec<DeleteRequest>,
    ) -> Result<Committed<Vec<Option<WriteRefusal>>>, StoreError> {
        let id = bucket.id;
        let committed = self.commit.run(Data::default(), move |transaction| {
            let delete_one = |request: &DeleteRequest| {
                delete(transaction, &key_encoding::object_key(id, &request.key), &request.condition)
            };
            requests.iter().map(delete_one).collect::<Result<Vec<_>, Abort<WriteRefusal>>>()
        });
        committed.await.map_err(|error| match Refusal::from(error) {
            Refusal::Failed(error) => error,
            Refusal::Refused(refusal) => {
                StoreError::Corrupt(format!("a batch of deletions was refused: {refusal:?}"))
            }
        })
    }
}

/// Deletes the object of a key unless its condition fails.
fn delete(
    transaction: &mut Transaction<'_>,
    key: &[u8],
    condition: &WriteCondition,
) -> Result<Option<WriteRefusal>, Abort<WriteRefusal>> {
    let existing = current(transaction, key)?;
    if let Err(refusal) = judge(condition, existing.as_ref(), i64::MAX) {
        return Ok(Some(refusal));
    }
    if let Some(existing) = existing {
        transaction.release(runs_of(&existing.layout))?;
        transaction.delete(key.to_vec());
    }
    Ok(None)
}

/// The runs of a body in extents; none of an inline one.
fn runs_of(layout: &Layout) -> &[Run] {
    match layout {
        Layout::Inline(_) => &[],
        Layout::Extents { runs, .. } => runs,
    }
}

fn decode(value: &[u8]) -> Result<ObjectRecord, StoreError> {
    ObjectRecord::decode(value).map_err(|error| StoreError::Corrupt(format!("object record: {error}")))
}

fn bucket_is(
    transaction: &mut Transaction<'_>,
    bucket_key: &[u8],
    id: u64,
) -> Result<(), Abort<WriteRefusal>> {
    let bucket = transaction.get(bucket_key)?.map(|value| BucketRecord::decode(&value)).transpose();
    match bucket.map_err(|error| Abort::Index(error.to_string()))? {
        Some(bucket) if bucket.id == id => Ok(()),
        _ => Err(Abort::Refused(WriteRefusal::NoSuchBucket)),
    }
}

fn current(
    transaction: &mut Transaction<'_>,
    key: &[u8],
) -> Result<Option<ObjectRecord>, Abort<WriteRefusal>> {
    let record = transaction.get(key)?.map(|value| decode(&value)).transpose();
    record.map_err(|error| Abort::Index(error.to_string()))
}

/// Judges a condition against the current object. An object newer than the request's admission is the work of a
/// request that ran beside it: the client is told to try again rather than that it was wrong.
fn judge(
    condition: &WriteCondition,
    existing: Option<&ObjectRecord>,
    admitted_ms: i64,
) -> Result<(), WriteRefusal> {
    let failed = |existing: &ObjectRecord| {
        let overlapped = existing.listed.last_modified_ms > admitted_ms;
        Err(if overlapped { WriteRefusal::Conflict } else { WriteRefusal::ConditionFailed })
    };
    match (condition, existing) {
        (WriteCondition::None, _) | (WriteCondition::Absent, None) | (WriteCondition::Exists, Some(_)) => {
            Ok(())
        }
        (WriteCondition::ETagIs(_) | WriteCondition::Exists, None) => Err(WriteRefusal::NoSuchKey),
        (WriteCondition::ETagIs(etag), Some(existing)) if *etag == existing.listed.etag.to_string() => Ok(()),
        (WriteCondition::Absent | WriteCondition::ETagIs(_), Some(existing)) => failed(existing),
    }
}
