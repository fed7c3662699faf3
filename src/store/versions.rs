//! The versions of one key, inside a transaction: which is the newest, what becomes of it, where each stands.
//!
//! Invariants, after every transaction:
//! - a key whose newest version is an object has it in `O`, all others in `V`; a key whose newest version is a delete
//!   marker, or that has none, has nothing in `O`;
//! - at most one version of a key is the `null` version; where it is in `V`, `N` says at which stamp;
//! - a bucket that never kept versions has nothing in `V` and `N`.
//!
//! In a bucket with lifecycle rules each change also leaves [hints](crate::store::lifecycle::hints) of what it makes due.

use crate::commit::{Abort, Transaction};
use crate::index::key_encoding;
use crate::index::record::body::runs_of;
use crate::index::record::{
    BucketRecord, Content, ETag, Listed, Metadata, ObjectRecord, Owner, Run, Versioning,
};
use crate::store::lifecycle::hints::Hints;
use crate::store::version_id::VersionId;
use crate::store::write_condition::{WriteCondition, WriteRefusal};

/// The history of one key.
pub(super) struct History<'t, 'e> {
    transaction: &'t mut Transaction<'e>,
    bucket: &'t BucketRecord,
    key: &'t str,
    hints_left: bool,
}

/// What a deletion did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The marker that was made, or the version that was removed; `None` where the bucket keeps no versions.
    pub version: Option<VersionId>,
    /// The version above is a delete marker.
    pub delete_marker: bool,
}

impl VersionId {
    /// What the version of a record is called.
    pub fn of(listed: &Listed) -> Self {
        if listed.null_version { Self::Null } else { Self::Stamp(listed.stamp) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Current,
    Earlier,
}

impl<'t, 'e> History<'t, 'e> {
    pub(super) fn new(transaction: &'t mut Transaction<'e>, bucket: &'t BucketRecord, key: &'t str) -> Self {
        Self { transaction, bucket, key, hints_left: true }
    }

    /// Leaves no hints: the caller looks at the whole history and writes what comes of it.
    pub(super) fn without_hints(
        transaction: &'t mut Transaction<'e>,
        bucket: &'t BucketRecord,
        key: &'t str,
    ) -> Self {
        Self { transaction, bucket, key, hints_left: false }
    }

    /// The current object, if the newest version is one.
    pub(super) fn current<E>(&mut self) -> Result<Option<ObjectRecord>, Abort<E>> {
        let key = self.object_key();
        self.record(&key)
    }

    /// One version, object or marker; without an id the current object.
    pub(super) fn find<E>(&mut self, id: Option<VersionId>) -> Result<Option<ObjectRecord>, Abort<E>> {
        match id {
            None => self.current(),
            Some(id) => Ok(self.locate(id)?.map(|(_, record)| record)),
        }
    }

    /// The newest version, object or marker.
    pub(super) fn newest<E>(&mut self) -> Result<Option<ObjectRecord>, Abort<E>> {
        match self.current()? {
            None => self.newest_earlier(),
            current => Ok(current),
        }
    }

    /// Judges a write's condition against the current object, which is not even read where anything will do.
    pub(super) fn judge<E>(
        &mut self,
        condition: &WriteCondition,
    ) -> Result<Result<(), WriteRefusal>, Abort<E>> {
        if *condition == WriteCondition::None {
            return Ok(Ok(()));
        }
        Ok(condition.judge_at_commit(self.current()?.as_ref()))
    }

    /// The versions in `V` after the one of a stamp, or from the newest, with their bytes in the index.
    pub(super) fn earlier<E>(
        &mut self,
        after: Option<u64>,
        versions_max: usize,
    ) -> Result<Vec<(usize, ObjectRecord)>, Abort<E>> {
        let (mut start, end) = key_encoding::versions_of_key_range(self.bucket.id, self.key);
        if let Some(stamp) = after {
            start = self.version_key(stamp);
            start.push(0);
        }
        let found = self.transaction.range(&start, &end, versions_max)?;
        found.iter().map(|(_, value)| Ok((value.len(), decode(value)?))).collect()
    }

    /// The version of a stamp, if it is in `V`.
    pub(super) fn earlier_at<E>(&mut self, stamp: u64) -> Result<Option<ObjectRecord>, Abort<E>> {
        let key = self.version_key(stamp);
        self.record(&key)
    }

    /// Removes a version in `V` that is not the newest of its key, or is the only one.
    pub(super) fn remove_earlier<E>(&mut self, record: &ObjectRecord) -> Result<(), Abort<E>> {
        self.release(&record.content)?;
        self.forget_earlier(&record.listed);
        Ok(())
    }

    /// Makes a record the newest version of its key. What it refers to must have been occupied or shared already.
    pub(super) fn install<E>(&mut self, record: &mut ObjectRecord) -> Result<Listed, Abort<E>> {
        self.make_way(record.listed.last_modified_ms)?;
        record.listed.stamp = self.transaction.stamp();
        record.listed.null_version = self.bucket.versioning != Versioning::Enabled;
        self.transaction.put(self.object_key(), record.encode());
        self.hint_current(record)?;
        Ok(record.listed.clone())
    }

    /// Takes the current object away and leaves what it refers to to whoever installs its record under another key. For
    /// buckets without versions.
    pub(super) fn give_away<E>(&mut self, current: &ObjectRecord) -> Result<(), Abort<E>> {
        debug_assert!(
            self.bucket.versioning == Versioning::Unset,
            "the next newest version would have to take its place"
        );
        self.unhint_current(current)?;
        self.transaction.delete(self.object_key());
        Ok(())
    }

    /// Writes a changed record of a version back to where it stands.
    pub(super) fn rewrite<E>(&mut self, record: &ObjectRecord) -> Result<(), Abort<E>> {
        let id = VersionId::of(&record.listed);
        match self.locate(id)? {
            Some((Place::Earlier, _)) => {
                self.transaction.put(self.version_key(record.listed.stamp), record.encode());
                if let Some(hints) = self.hints()? {
                    hints.noncurrent(self.transaction);
                }
                return Ok(());
            }
            Some((Place::Current, old)) => self.unhint_current(&old)?,
            None => {}
        }
        self.transaction.put(self.object_key(), record.encode());
        self.hint_current(record)
    }

    /// Deletes without naming a version: in a bucket with versions a marker becomes the newest.
    pub(super) fn delete<E>(&mut self, owner: Owner) -> Result<Deleted, Abort<E>> {
        let now_ms = self.transaction.now_ms();
        self.make_way(now_ms)?;
        self.transaction.delete(self.object_key());
        if self.bucket.versioning == Versioning::Unset {
            return Ok(Deleted::default());
        }
        let marker = marker(self.transaction.stamp(), now_ms, self.bucket.versioning, owner);
        let version = VersionId::of(&marker.listed);
        self.put_earlier(&marker);
        if let Some(hints) = self.hints()? {
            hints.marker(self.transaction);
        }
        Ok(Deleted { version: Some(version), delete_marker: true })
    }

    /// Removes one version for good; the next newest takes its place. `None` if there is no such version.
    pub(super) fn delete_version<E>(&mut self, id: VersionId) -> Result<Option<Deleted>, Abort<E>> {
        let Some((place, record)) = self.locate(id)? else { return Ok(None) };
        self.release(&record.content)?;
        match place {
            Place::Current => {
                self.unhint_current(&record)?;
                self.transaction.delete(self.object_key());
            }
            Place::Earlier => self.forget_earlier(&record.listed),
        }
        self.promote()?;
        if self.bucket.versioning != Versioning::Unset
            && let Some(hints) = self.hints()?
        {
            hints.noncurrent(self.transaction);
            hints.marker(self.transaction);
        }
        Ok(Some(Deleted { version: Some(id), delete_marker: record.listed.delete_marker }))
    }

    /// Takes the current object away from `O`, and the `null` version away altogether where a new one comes. That was
    /// made at this time and supersedes whatever is the newest without it.
    fn make_way<E>(&mut self, made_ms: i64) -> Result<(), Abort<E>> {
        let brings_null = self.bucket.versioning != Versioning::Enabled;
        let mut retired = None;
        let mut has_null = self.bucket.versioning == Versioning::Suspended;
        if let Some(current) = self.current()? {
            self.unhint_current(&current)?;
            if brings_null && current.listed.null_version {
                self.release(&current.content)?;
                // Only one of these can be: the null version was the current one, or stands in `V`.
                has_null = false;
            } else {
                self.transaction.delete(self.object_key());
                self.put_earlier(&current);
                retired = Some(current);
            }
        }
        let null = if has_null { self.locate(VersionId::Null)? } else { None };
        if let Some((_, null)) = &null {
            self.release(&null.content)?;
            self.forget_earlier(&null.listed);
        }
        self.hint_superseded(retired, null.is_some(), made_ms)
    }

    /// For the newest of the earlier versions, which is superseded now: `retired` if it was the current one.
    fn hint_superseded<E>(
        &mut self,
        retired: Option<ObjectRecord>,
        one_is_gone: bool,
        made_ms: i64,
    ) -> Result<(), Abort<E>> {
        let Some(hints) = self.hints()?.filter(Hints::are_of_noncurrent) else { return Ok(()) };
        let superseded = match retired {
            None => self.newest_earlier()?,
            retired => retired,
        };
        if let Some(superseded) = superseded {
            hints.superseded(self.transaction, &superseded, made_ms);
        }
        if one_is_gone {
            hints.noncurrent(self.transaction);
        }
        Ok(())
    }

    fn hint_current<E>(&mut self, record: &ObjectRecord) -> Result<(), Abort<E>> {
        if let Some(hints) = self.hints()? {
            hints.current(self.transaction, record);
        }
        Ok(())
    }

    fn unhint_current<E>(&mut self, record: &ObjectRecord) -> Result<(), Abort<E>> {
        match self.hints()? {
            Some(hints) => hints.no_longer_current(self.transaction, record),
            None => Ok(()),
        }
    }

    fn hints<E>(&mut self) -> Result<Option<Hints<'t>>, Abort<E>> {
        if !self.hints_left {
            return Ok(None);
        }
        Hints::of(self.transaction, self.bucket, self.key)
    }

    /// After a removal: the newest version that is left goes to `O` if it is an object.
    fn promote<E>(&mut self) -> Result<(), Abort<E>> {
        if self.current()?.is_some() {
            return Ok(());
        }
        if let Some(newest) = self.newest_earlier()?.filter(|newest| !newest.listed.delete_marker) {
            self.forget_earlier(&newest.listed);
            self.transaction.put(self.object_key(), newest.encode());
            self.hint_current(&newest)?;
        }
        Ok(())
    }

    /// The newest version in `V`.
    fn newest_earlier<E>(&mut self) -> Result<Option<ObjectRecord>, Abort<E>> {
        if self.bucket.versioning == Versioning::Unset {
            return Ok(None);
        }
        let (start, end) = key_encoding::versions_of_key_range(self.bucket.id, self.key);
        self.transaction.first_in_range(&start, &end)?.map(|(_, value)| decode(&value)).transpose()
    }

    fn locate<E>(&mut self, id: VersionId) -> Result<Option<(Place, ObjectRecord)>, Abort<E>> {
        let is_it = |record: &ObjectRecord| VersionId::of(&record.listed) == id;
        if let Some(current) = self.current()?.filter(is_it) {
            return Ok(Some((Place::Current, current)));
        }
        let stamp = match id {
            _ if self.bucket.versioning == Versioning::Unset => return Ok(None),
            VersionId::Stamp(stamp) => stamp,
            VersionId::Null => {
                let pointer = key_encoding::null_version_key(self.bucket.id, self.key);
                let Some(stamp) = self.transaction.get(&pointer)? else { return Ok(None) };
                decode_null_pointer(&stamp)
                    .ok_or_else(|| Abort::Index("a pointer to a null version".into()))?
            }
        };
        let key = self.version_key(stamp);
        let found = self.record(&key)?.filter(is_it);
        Ok(found.map(|record| (Place::Earlier, record)))
    }

    fn put_earlier(&mut self, record: &ObjectRecord) {
        let stamp = record.listed.stamp;
        self.transaction.put(self.version_key(stamp), record.encode());
        if record.listed.null_version {
            let pointer = key_encoding::null_version_key(self.bucket.id, self.key);
            self.transaction.put(pointer, encode_null_pointer(stamp));
        }
    }

    fn forget_earlier(&mut self, listed: &Listed) {
        self.transaction.delete(self.version_key(listed.stamp));
        if listed.null_version {
            self.transaction.delete(key_encoding::null_version_key(self.bucket.id, self.key));
        }
    }

    fn release<E>(&mut self, content: &Content) -> Result<(), Abort<E>> {
        let runs: Vec<Run> = runs_of(&content.segments).copied().collect();
        self.transaction.release(&runs)
    }

    fn record<E>(&mut self, key: &[u8]) -> Result<Option<ObjectRecord>, Abort<E>> {
        self.transaction.get(key)?.map(|value| decode(&value)).transpose()
    }

    fn object_key(&self) -> Vec<u8> {
        key_encoding::object_key(self.bucket.id, self.key)
    }

    fn version_key(&self, stamp: u64) -> Vec<u8> {
        key_encoding::version_key(self.bucket.id, self.key, stamp)
    }
}

fn marker(stamp: u64, now_ms: i64, versioning: Versioning, owner: Owner) -> ObjectRecord {
    ObjectRecord {
        listed: Listed {
            delete_marker: true,
            null_version: versioning != Versioning::Enabled,
            size: 0,
            last_modified_ms: now_ms,
            stamp,
            etag: ETag { md5: [0; 16], parts: None },
            checksum: None,
            owner,
        },
        metadata: Metadata::default(),
        content: Content::default(),
    }
}

fn encode_null_pointer(stamp: u64) -> Vec<u8> {
    stamp.to_be_bytes().to_vec()
}

/// The stamp at which a key's `null` version stands in `V`.
pub(super) fn decode_null_pointer(value: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(value.try_into().ok()?))
}

fn decode<E>(value: &[u8]) -> Result<ObjectRecord, Abort<E>> {
    ObjectRecord::decode(value).map_err(|error| Abort::Index(format!("object record: {error}")))
}
