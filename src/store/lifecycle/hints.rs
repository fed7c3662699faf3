//! Hints: when rules may want something of a key, written in the transaction that changes the key.
//!
//! Invariant: if something of a key becomes due at a time, table `D` has an entry for the key at that time or before, or
//! the sweep of its bucket has not passed the key yet. The reverse does not hold: an entry costs one
//! [look](super::look) and goes. So whatever would have to be read to know better is hinted for today.
//!
//! Times are midnights, but for rules with a date: however often a key is written in a day, it has one entry.

use std::cell::RefCell;
use std::rc::Rc;

use super::RulesCache;
use super::rules::{Concern, Due, Rules};
use crate::commit::{Abort, Transaction};
use crate::index::key_encoding::{self, BUCKET_LIFECYCLE};
use crate::index::record::{BucketRecord, LifecycleHint, LifecycleRules, ObjectRecord};

/// The time of the walks that are under way, before that of any hint.
const WALK_MS: i64 = 0;

thread_local! {
    /// Of the committer, on whose thread all transactions run. A stamp belongs to one transaction for ever, so it stands
    /// for the same rules even if that transaction comes to nothing.
    static DECODED: RefCell<RulesCache> = RefCell::default();
}

/// The rules of a bucket that the transaction has found. What they are follows from its record, so nothing of them is
/// read again while that stays.
pub(in crate::store) fn rules_of<E>(
    transaction: &mut Transaction<'_>,
    bucket: &BucketRecord,
) -> Result<Option<Rc<Rules>>, Abort<E>> {
    let Some(stamp) = bucket.lifecycle else { return Ok(None) };
    if let Some(rules) = DECODED.with_borrow(|decoded| decoded.get(bucket.id, stamp)) {
        return Ok(Some(rules));
    }
    let value = transaction.get(&key_encoding::subresource_key(bucket.id, BUCKET_LIFECYCLE))?;
    let value = value.ok_or_else(|| Abort::Index(format!("bucket {} has lost its rules", bucket.name)))?;
    let rules = LifecycleRules::decode(&value)
        .map_err(|error| Abort::Index(format!("lifecycle rules of {}: {error}", bucket.name)))?;
    let rules = Rc::new(Rules::new(rules, transaction.calendar()));
    DECODED.with_borrow_mut(|decoded| decoded.insert(bucket.id, stamp, rules.clone()));
    Ok(Some(rules))
}

/// What becomes of one key in a bucket with rules, for the hints of it.
pub(in crate::store) struct Hints<'k> {
    rules: Rc<Rules>,
    concern: Concern,
    bucket: &'k BucketRecord,
    key: &'k str,
}

impl<'k> Hints<'k> {
    /// `None` where no rule is about the key.
    pub(in crate::store) fn of<E>(
        transaction: &mut Transaction<'_>,
        bucket: &'k BucketRecord,
        key: &'k str,
    ) -> Result<Option<Self>, Abort<E>> {
        let Some(rules) = rules_of(transaction, bucket)? else { return Ok(None) };
        let concern = rules.concern(key);
        Ok((concern != Concern::default()).then_some(Self { rules, concern, bucket, key }))
    }

    /// Whether a rule is about the noncurrent versions of the key.
    pub(in crate::store) fn are_of_noncurrent(&self) -> bool {
        self.concern.noncurrent.is_some()
    }

    /// A record is the current object now, or has other tags.
    pub(in crate::store) fn current(&self, transaction: &mut Transaction<'_>, record: &ObjectRecord) {
        let due = self.rules.expiry_of_current(self.key, &record.listed, &record.metadata.tags);
        self.at(transaction, due);
    }

    /// A record is not the current object any more, or will have other tags: its hint goes where nothing else can rely on
    /// it, lest hints outlive by years what is deleted after a moment. A marker does not: whatever leaves one alone hints
    /// for it anew.
    pub(in crate::store) fn no_longer_current<E>(
        &self,
        transaction: &mut Transaction<'_>,
        record: &ObjectRecord,
    ) -> Result<(), Abort<E>> {
        let Concern { noncurrent, uploads, .. } = self.concern;
        if noncurrent.is_some() {
            return Ok(());
        }
        let due = self.rules.expiry_of_current(self.key, &record.listed, &record.metadata.tags);
        let Some(Due { at_ms, .. }) = due else { return Ok(()) };
        if uploads {
            let (start, end) = key_encoding::uploads_of_key_range(self.bucket.id, self.key);
            if !transaction.is_range_empty(&start, &end)? {
                return Ok(());
            }
        }
        transaction.delete(hint_key(self.bucket, self.key, at_ms));
        Ok(())
    }

    /// A version is the newest of the noncurrent ones now.
    pub(in crate::store) fn superseded(
        &self,
        transaction: &mut Transaction<'_>,
        record: &ObjectRecord,
        superseded_ms: i64,
    ) {
        if self.concern.noncurrent > Some(0) {
            // One of the older ones may be one too many.
            return self.today(transaction);
        }
        let ObjectRecord { listed, metadata, .. } = record;
        let due =
            self.rules.expiry_of_noncurrent(self.key, listed, &metadata.tags, superseded_ms, usize::MAX);
        self.at(transaction, due);
    }

    /// A noncurrent version has gone or has other tags, or what was superseded by one is superseded by another.
    pub(in crate::store) fn noncurrent(&self, transaction: &mut Transaction<'_>) {
        if self.concern.noncurrent.is_some() {
            self.today(transaction);
        }
    }

    /// A delete marker may be all there is.
    pub(in crate::store) fn marker(&self, transaction: &mut Transaction<'_>) {
        if self.concern.markers {
            self.today(transaction);
        }
    }

    /// An upload was begun.
    pub(in crate::store) fn upload(&self, transaction: &mut Transaction<'_>, initiated_ms: i64) {
        self.at(transaction, self.rules.abort_of_upload(self.key, initiated_ms));
    }

    fn at(&self, transaction: &mut Transaction<'_>, due: Option<Due<'_>>) {
        if let Some(Due { at_ms, .. }) = due {
            put(transaction, self.bucket, self.key, at_ms);
        }
    }

    fn today(&self, transaction: &mut Transaction<'_>) {
        let today_ms = today_ms(transaction);
        put(transaction, self.bucket, self.key, today_ms);
    }
}

/// The midnight before the transaction.
pub(super) fn today_ms(transaction: &Transaction<'_>) -> i64 {
    transaction.calendar().due_ms(transaction.now_ms(), 0)
}

/// Writes a hint.
pub(super) fn put(transaction: &mut Transaction<'_>, bucket: &BucketRecord, key: &str, due_ms: i64) {
    let hint = LifecycleHint { bucket: bucket.name.clone(), history: None };
    transaction.put(hint_key(bucket, key, due_ms), hint.encode());
}

fn hint_key(bucket: &BucketRecord, key: &str, due_ms: i64) -> Vec<u8> {
    key_encoding::due_key(due_ms.max(WALK_MS + 1), bucket.id, key)
}

/// Where the walk down the history of a key stands that is under way.
pub(super) fn walk_key(bucket: &BucketRecord, key: &str) -> Vec<u8> {
    key_encoding::due_key(WALK_MS, bucket.id, key)
}
