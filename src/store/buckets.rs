//! Buckets: their records and the transactions that change them.

use crate::commit::{Abort, Committed, Data, Transaction};
use crate::index::engine::{KeyRange, ScanLimits};
use crate::index::key_encoding::{self, BUCKET_POLICY, BUCKET_TAGS};
use crate::index::record::{BucketRecord, TagSet, Versioning};
use crate::store::Store;
use crate::store::error::{Refusal, StoreError};

/// Who will own a new bucket, and where it is said to be.
#[derive(Clone, Debug)]
pub struct NewBucket {
    pub name: String,
    pub user: String,
    pub display_name: String,
    pub org: String,
    pub region: String,
    pub tags: TagSet,
}

/// Why a bucket could not be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateBucketRefusal {
    /// The name belongs to the same organisation.
    Owned,
    /// The name belongs to somebody else.
    Taken,
}

/// The bucket was deleted meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketGone;

/// Why a bucket could not be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteBucketRefusal {
    Missing,
    NotEmpty,
}

impl Store {
    /// The record of a bucket.
    pub fn bucket(&self, name: &str) -> Result<Option<BucketRecord>, StoreError> {
        self.engine.get(&key_encoding::bucket_key(name))?.map(|entry| decode(&entry.value)).transpose()
    }

    /// All buckets of an organisation whose names begin with `prefix` and sort after `after`, by name; at most
    /// `buckets_max`, and whether there are more.
    pub fn buckets(
        &self,
        org: &str,
        prefix: &str,
        after: &str,
        buckets_max: usize,
    ) -> Result<(Vec<BucketRecord>, bool), StoreError> {
        let (start, end) = key_encoding::bucket_range(prefix);
        let limits = ScanLimits { entries_max: 1000, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
        let mut after = (!after.is_empty()).then(|| key_encoding::bucket_key(after));
        let mut buckets = Vec::new();
        loop {
            let page = self.engine.scan(KeyRange::after(&start, &end, after.as_deref()), limits)?;
            for (_, entry) in &page.entries {
                let bucket = decode(&entry.value)?;
                if bucket.org != org {
                    continue;
                }
                if buckets.len() == buckets_max {
                    return Ok((buckets, true));
                }
                buckets.push(bucket);
            }
            match page.entries.into_iter().next_back() {
                Some((key, _)) if page.more => after = Some(key),
                _ => return Ok((buckets, false)),
            }
        }
    }

    /// Creates a bucket.
    pub async fn create_bucket(
        &self,
        new: NewBucket,
    ) -> Result<Committed<BucketRecord>, Refusal<CreateBucketRefusal>> {
        if !self.space.is_accepting() {
            return Err(Refusal::Failed(StoreError::NoSpace));
        }
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                let key = key_encoding::bucket_key(&new.name);
                if let Some(value) = transaction.get(&key)? {
                    let existing = decode(&value).map_err(|error| Abort::Index(error.to_string()))?;
                    let is_owned = existing.org == new.org;
                    let refusal =
                        if is_owned { CreateBucketRefusal::Owned } else { CreateBucketRefusal::Taken };
                    return Err(Abort::Refused(refusal));
                }
                let bucket = BucketRecord {
                    id: transaction.stamp(),
                    name: new.name.clone(),
                    user: new.user.clone(),
                    display_name: new.display_name.clone(),
                    org: new.org.clone(),
                    region: new.region.clone(),
                    created_ms: transaction.now_ms(),
                    versioning: Versioning::Unset,
                    policy: None,
                    lifecycle: None,
                };
                transaction.put(key, bucket.encode());
                if !new.tags.0.is_empty() {
                    let key = key_encoding::subresource_key(bucket.id, BUCKET_TAGS);
                    transaction.put(key, new.tags.encode());
                }
                Ok(bucket)
            })
            .await?;
        Ok(committed)
    }

    /// Changes whether the bucket keeps versions. What it kept stays.
    pub async fn set_versioning(
        &self,
        bucket: &BucketRecord,
        versioning: Versioning,
    ) -> Result<Committed<()>, Refusal<BucketGone>> {
        let bucket = bucket.clone();
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                let record = still_there(transaction, &bucket, BucketGone)?;
                let record = BucketRecord { versioning, ..record };
                transaction.put(key_encoding::bucket_key(&record.name), record.encode());
                Ok(())
            })
            .await?;
        Ok(committed)
    }

    /// A subresource of a bucket as it was stored.
    pub fn subresource(&self, bucket: &BucketRecord, kind: u8) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.engine.get(&key_encoding::subresource_key(bucket.id, kind))?.map(|entry| entry.value))
    }

    /// Stores a subresource, or removes it.
    pub async fn set_subresource(
        &self,
        bucket: &BucketRecord,
        kind: u8,
        value: Option<Vec<u8>>,
    ) -> Result<Committed<()>, Refusal<BucketGone>> {
        let bucket = bucket.clone();
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                let key =
                    key_encoding::subresource_key(still_there(transaction, &bucket, BucketGone)?.id, kind);
                match &value {
                    Some(value) => transaction.put(key, value.clone()),
                    None => transaction.delete(key),
                }
                Ok(())
            })
            .await?;
        Ok(committed)
    }

    /// The policy of a bucket, as it was sent.
    pub fn policy(&self, bucket: &BucketRecord) -> Result<Option<Vec<u8>>, StoreError> {
        if bucket.policy.is_none() {
            return Ok(None);
        }
        self.subresource(bucket, BUCKET_POLICY)
    }

    /// Stores the policy of a bucket, or removes it.
    pub async fn set_policy(
        &self,
        bucket: &BucketRecord,
        policy: Option<Vec<u8>>,
    ) -> Result<Committed<()>, Refusal<BucketGone>> {
        let bucket = bucket.clone();
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                let record = still_there(transaction, &bucket, BucketGone)?;
                let key = key_encoding::subresource_key(record.id, BUCKET_POLICY);
                match &policy {
                    Some(policy) => transaction.put(key, policy.clone()),
                    None => transaction.delete(key),
                }
                let record = BucketRecord { policy: policy.as_ref().map(|_| transaction.stamp()), ..record };
                transaction.put(key_encoding::bucket_key(&record.name), record.encode());
                Ok(())
            })
            .await?;
        Ok(committed)
    }

    /// Deletes an empty bucket: no object, version, marker or upload in it.
    pub async fn delete_bucket(
        &self,
        bucket: &BucketRecord,
    ) -> Result<Committed<()>, Refusal<DeleteBucketRefusal>> {
        let bucket = bucket.clone();
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                let id = still_there(transaction, &bucket, DeleteBucketRefusal::Missing)?.id;
                let contents = [
                    key_encoding::object_range(id, ""),
                    key_encoding::versions_range(id, ""),
                    key_encoding::uploads_range(id, ""),
                ];
                for (start, end) in contents {
                    if !transaction.is_range_empty(&start, &end)? {
                        return Err(Abort::Refused(DeleteBucketRefusal::NotEmpty));
                    }
                }
                for kind in key_encoding::SUBRESOURCES {
                    transaction.delete(key_encoding::subresource_key(id, *kind));
                }
                transaction.delete(key_encoding::sweep_key(id));
                transaction.delete(key_encoding::bucket_key(&bucket.name));
                Ok(())
            })
            .await?;
        Ok(committed)
    }
}

/// The bucket as it is now, or `gone` where it was deleted, and perhaps made anew, since the request found it.
pub(super) fn still_there<E>(
    transaction: &mut Transaction<'_>,
    bucket: &BucketRecord,
    gone: E,
) -> Result<BucketRecord, Abort<E>> {
    find(transaction, &bucket.name, bucket.id)?.ok_or(Abort::Refused(gone))
}

/// The bucket of this name, unless it is another one by now.
pub(super) fn find<E>(
    transaction: &mut Transaction<'_>,
    name: &str,
    id: u64,
) -> Result<Option<BucketRecord>, Abort<E>> {
    let Some(value) = transaction.get(&key_encoding::bucket_key(name))? else { return Ok(None) };
    let found = decode(&value).map_err(|error| Abort::Index(error.to_string()))?;
    Ok(Some(found).filter(|found| found.id == id))
}

fn decode(value: &[u8]) -> Result<BucketRecord, StoreError> {
    BucketRecord::decode(value).map_err(|error| StoreError::Corrupt(format!("bucket record: {error}")))
}
