//! Multipart uploads up to their end: begun, filled part by part, looked at, aborted. Completion is
//! [`complete`](super::complete).
//!
//! An upload is its record; its parts stand under its stamp alone. So a part is written only in a transaction that
//! finds the upload, and whatever ends an upload takes all of its parts along.

use crate::commit::{Abort, Committed, Data, Transaction};
use crate::config::limits::PARTS_MAX;
use crate::index::engine::{KeyRange, ScanLimits};
use crate::index::key_encoding;
use crate::index::record::body::runs_of;
use crate::index::record::{
    BucketRecord, Metadata, Owner, PART_LISTED_BYTES_MAX, PartListed, PartRecord, Run, Segment,
    StoredChecksum, UploadChecksum, UploadRecord,
};
use crate::index::upload_listing::{self, UploadPage, UploadQuery};
use crate::seal::KeyCheck;
use crate::store::Store;
use crate::store::buckets::{self, BucketGone};
use crate::store::error::{Refusal, StoreError};
use crate::store::lifecycle::hints::Hints;
use crate::store::upload_id::UploadId;

/// Everything that an object in the making will be, beside its bytes.
#[derive(Clone, Debug)]
pub struct NewUpload {
    pub key: String,
    pub metadata: Metadata,
    pub owner: Owner,
    pub checksum: UploadChecksum,
    /// Set where the parts will be sealed.
    pub encryption: Option<KeyCheck>,
}

/// A part whose bytes are there.
pub struct NewPart {
    pub bytes: u64,
    /// The part's ETag.
    pub md5: [u8; 16],
    /// By the upload's algorithm.
    pub checksum: Option<StoredChecksum>,
    pub segments: Vec<Segment>,
    /// What the committer syncs and keeps of bytes that were written.
    pub data: Data,
}

/// The upload was completed or aborted meanwhile, or never was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadGone;

/// Some of an upload's parts, by number.
#[derive(Clone, Debug)]
pub struct PartPage {
    pub upload: UploadRecord,
    pub parts: Vec<(u16, PartListed)>,
    /// There are parts behind the last one.
    pub more: bool,
}

impl Store {
    /// Begins an upload.
    pub async fn create_upload(
        &self,
        bucket: &BucketRecord,
        new: NewUpload,
    ) -> Result<Committed<UploadId>, Refusal<BucketGone>> {
        if !self.space.is_accepting() {
            return Err(Refusal::Failed(StoreError::NoSpace));
        }
        let tag = getrandom::u64()
            .map_err(|error| Refusal::Failed(StoreError::Corrupt(format!("no randomness: {error}"))))?;
        let bucket = bucket.clone();
        let NewUpload { key, metadata, owner, checksum, encryption } = new;
        let mut upload = UploadRecord { tag, initiated_ms: 0, owner, metadata, checksum, encryption };
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                let bucket = buckets::still_there(transaction, &bucket, BucketGone)?;
                let stamp = transaction.stamp();
                upload.initiated_ms = transaction.now_ms();
                transaction.put(key_encoding::upload_key(bucket.id, &key, stamp), upload.encode());
                if let Some(hints) = Hints::of(transaction, &bucket, &key)? {
                    hints.upload(transaction, upload.initiated_ms);
                }
                Ok(UploadId { stamp, tag })
            })
            .await?;
        Ok(committed)
    }

    /// The record of an upload to this key, unless it has ended.
    pub fn upload(
        &self,
        bucket: &BucketRecord,
        key: &str,
        id: UploadId,
    ) -> Result<Option<UploadRecord>, StoreError> {
        let entry = self.engine.get(&key_encoding::upload_key(bucket.id, key, id.stamp))?;
        Ok(entry.map(|entry| decode_upload(&entry.value)).transpose()?.filter(|upload| upload.tag == id.tag))
    }

    /// Adds a part, or puts it in the place of the one that had its number.
    pub async fn put_part(
        &self,
        bucket: &BucketRecord,
        key: &str,
        id: UploadId,
        number: u16,
        new: NewPart,
    ) -> Result<Committed<PartRecord>, Refusal<UploadGone>> {
        let NewPart { bytes, md5, checksum, segments, data } = new;
        let part = PartRecord { bytes, md5, checksum, last_modified_ms: 0, segments };
        let (bucket_id, key) = (bucket.id, key.to_owned());
        let committed = self
            .commit
            .run(data, move |transaction| {
                find(transaction, bucket_id, &key, id)?.ok_or(Abort::Refused(UploadGone))?;
                set_part(transaction, id, number, part.clone(), Bytes::Own)
            })
            .await?;
        Ok(committed)
    }

    /// Ends an upload and frees its parts.
    pub async fn abort_upload(
        &self,
        bucket: &BucketRecord,
        key: &str,
        id: UploadId,
    ) -> Result<Committed<()>, Refusal<UploadGone>> {
        let (bucket_id, key) = (bucket.id, key.to_owned());
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                find(transaction, bucket_id, &key, id)?.ok_or(Abort::Refused(UploadGone))?;
                end(transaction, bucket_id, &key, id)?;
                Ok(())
            })
            .await?;
        Ok(committed)
    }

    /// The parts of an upload whose numbers are greater than `after`, at most `parts_max`; `None` if there is no such
    /// upload.
    pub fn list_parts(
        &self,
        bucket: &BucketRecord,
        key: &str,
        id: UploadId,
        after: u16,
        parts_max: usize,
    ) -> Result<Option<PartPage>, StoreError> {
        let upload_key = key_encoding::upload_key(bucket.id, key, id.stamp);
        let upload_end = [upload_key.as_slice(), &[0]].concat();
        let (start, end) = key_encoding::parts_range(id.stamp);
        let seen = key_encoding::part_key(id.stamp, after);
        let whole = ScanLimits { entries_max: 1, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
        let fronts = ScanLimits {
            entries_max: parts_max,
            bytes_max: usize::MAX,
            value_bytes_max: PART_LISTED_BYTES_MAX,
        };
        // As of one state: no upload is listed with parts that its end has taken away.
        let pages = self.engine.scan_many(&[
            (KeyRange::between(&upload_key, &upload_end), whole),
            (KeyRange::after(&start, &end, Some(&seen)), fronts),
        ])?;
        let [uploads, parts] = pages.as_slice() else { return Ok(None) };
        let Some((_, entry)) = uploads.entries.first() else { return Ok(None) };
        let upload = decode_upload(&entry.value)?;
        if upload.tag != id.tag {
            return Ok(None);
        }
        let listed = parts.entries.iter().map(|(key, entry)| listed_part(key, &entry.value));
        Ok(Some(PartPage {
            upload,
            parts: listed.collect::<Result<_, _>>()?,
            more: parts.more && parts_max > 0,
        }))
    }

    /// One page of a bucket's open uploads.
    pub fn list_uploads(
        &self,
        bucket: &BucketRecord,
        query: &UploadQuery<'_>,
    ) -> Result<UploadPage, StoreError> {
        Ok(upload_listing::list(&self.engine, bucket.id, query)?)
    }
}

/// The record of an upload, inside a transaction.
pub(super) fn find<E>(
    transaction: &mut Transaction<'_>,
    bucket_id: u64,
    key: &str,
    id: UploadId,
) -> Result<Option<UploadRecord>, Abort<E>> {
    let Some(value) = transaction.get(&key_encoding::upload_key(bucket_id, key, id.stamp))? else {
        return Ok(None);
    };
    let upload = decode_upload(&value).map_err(|error| Abort::Index(error.to_string()))?;
    Ok(Some(upload).filter(|upload| upload.tag == id.tag))
}

/// Whose the bytes of a new part are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bytes {
    /// They were written for it.
    Own,
    /// Another record has them too; the transaction has found it.
    Shared,
}

/// Writes a part of an upload that the transaction has found.
pub(super) fn set_part<E>(
    transaction: &mut Transaction<'_>,
    id: UploadId,
    number: u16,
    mut part: PartRecord,
    whose: Bytes,
) -> Result<PartRecord, Abort<E>> {
    part.last_modified_ms = transaction.now_ms();
    let runs: Vec<Run> = runs_of(&part.segments).copied().collect();
    // Before the release: the part that is replaced may be what still keeps these runs.
    match whose {
        Bytes::Own => transaction.occupy(&runs)?,
        Bytes::Shared => transaction.share(&runs)?,
    }
    let part_key = key_encoding::part_key(id.stamp, number);
    if let Some(value) = transaction.get(&part_key)? {
        release(transaction, &decode_part(&value)?)?;
    }
    transaction.put(part_key, part.encode());
    Ok(part)
}

/// Removes all parts of an upload, which the transaction has found and ends. Their bytes are then the caller's, to be
/// released or referred to by another record.
pub(super) fn take_parts<E>(
    transaction: &mut Transaction<'_>,
    id: UploadId,
) -> Result<Vec<(u16, PartRecord)>, Abort<E>> {
    let (start, end) = key_encoding::parts_range(id.stamp);
    let mut parts = Vec::new();
    for (key, value) in transaction.range(&start, &end, usize::from(PARTS_MAX))? {
        let number = key_encoding::decode_part_number(&key)
            .ok_or_else(|| Abort::Index("a key that is not the key of a part".into()))?;
        parts.push((number, decode_part(&value)?));
        transaction.delete(key);
    }
    Ok(parts)
}

/// Ends an upload that the transaction has found, and frees its parts. Returns how many there were.
pub(super) fn end<E>(
    transaction: &mut Transaction<'_>,
    bucket_id: u64,
    key: &str,
    id: UploadId,
) -> Result<usize, Abort<E>> {
    let parts = take_parts(transaction, id)?;
    for (_, part) in &parts {
        release(transaction, part)?;
    }
    transaction.delete(key_encoding::upload_key(bucket_id, key, id.stamp));
    Ok(parts.len())
}

/// Gives up the bytes of a part.
pub(super) fn release<E>(transaction: &mut Transaction<'_>, part: &PartRecord) -> Result<(), Abort<E>> {
    let runs: Vec<Run> = runs_of(&part.segments).copied().collect();
    transaction.release(&runs)
}

fn decode_part<E>(value: &[u8]) -> Result<PartRecord, Abort<E>> {
    PartRecord::decode(value).map_err(|error| Abort::Index(format!("part record: {error}")))
}

fn decode_upload(value: &[u8]) -> Result<UploadRecord, StoreError> {
    UploadRecord::decode(value).map_err(|error| StoreError::Corrupt(format!("upload record: {error}")))
}

fn listed_part(key: &[u8], value: &[u8]) -> Result<(u16, PartListed), StoreError> {
    let corrupt = |error: String| StoreError::Corrupt(format!("part record: {error}"));
    let number = key_encoding::decode_part_number(key).ok_or_else(|| corrupt("its key is none".into()))?;
    let listed = PartRecord::decode_listed(value).map_err(|error| corrupt(error.to_string()))?;
    Ok((number, listed))
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
