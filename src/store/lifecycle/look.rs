//! A look at one key, in a transaction: what its bucket's rules want of it now is done, and the next hint is written.
//!
//! Everything is judged here and nowhere else, against the rules and the versions as they are in the transaction. The
//! current object comes first, then uploads, then the noncurrent versions from the newest down, each as if those that go
//! were gone already: by them neither a version's age is counted nor how many newer ones stay. So a second look finds
//! nothing to do. The marker that is left alone comes last.

use std::ops::ControlFlow;

use super::hints;
use super::rules::{Concern, Due, Rules};
use crate::commit::{Abort, Transaction};
use crate::index::key_encoding;
use crate::index::record::{
    BucketRecord, HistoryCursor, LifecycleHint, ObjectRecord, Owner, UploadRecord, Versioning,
};
use crate::store::multipart;
use crate::store::upload_id::UploadId;
use crate::store::versions::History;

/// Records that are read at once.
const PAGE: usize = 16;

/// Uploads of one key that are found too young before those behind them are left to hints of their own: they were begun
/// later, unless the clock went back.
const YOUNG_UPLOADS_MAX: usize = 256;

/// What a transaction may look at, or what is left of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Versions and parts.
    pub(super) records: usize,
    pub(super) bytes: usize,
}

/// What the lifecycle has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Current objects, deleted or covered by a delete marker.
    pub expired_objects: u64,
    /// Noncurrent versions.
    pub deleted_versions: u64,
    /// Delete markers that were all that was left of their keys.
    pub removed_markers: u64,
    pub aborted_uploads: u64,
}

/// A look under way.
pub(super) struct Look<'t, 'e> {
    transaction: &'t mut Transaction<'e>,
    bucket: &'t BucketRecord,
    key: &'t str,
    rules: &'t Rules,
    concern: Concern,
    budget: &'t mut Budget,
    tally: &'t mut Tally,
    /// The soonest time at which something that stays will be due.
    next_ms: Option<i64>,
}

/// Where a walk down a history stands.
struct Position {
    /// The last version that was passed and stays.
    last: Option<u64>,
    /// The last that was passed at all, if that stands in `V`.
    after: Option<u64>,
    /// When the next version was superseded.
    superseded_ms: i64,
    /// Noncurrent versions that were passed and stay.
    newer: usize,
}

impl Budget {
    pub(super) fn is_spent(&self) -> bool {
        self.records == 0 || self.bytes == 0
    }

    pub(super) fn spend(&mut self, records: usize, bytes: usize) {
        self.records = self.records.saturating_sub(records);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl<'t, 'e> Look<'t, 'e> {
    pub(super) fn new(
        transaction: &'t mut Transaction<'e>,
        (bucket, key): (&'t BucketRecord, &'t str),
        rules: &'t Rules,
        budget: &'t mut Budget,
        tally: &'t mut Tally,
    ) -> Self {
        let concern = rules.concern(key);
        Self { transaction, bucket, key, rules, concern, budget, tally, next_ms: None }
    }

    /// Looks, as far as the budget allows. `cursor` says where a walk down the history ended; `is_new` that there is more
    /// to look at than the rest of it.
    pub(super) fn at_key<E>(mut self, is_new: bool, cursor: Option<HistoryCursor>) -> Result<(), Abort<E>> {
        if is_new {
            self.at_current()?;
            self.at_uploads()?;
        }
        let mut cursor = match cursor {
            None => self.take_walk()?,
            cursor => cursor,
        };
        if let Some(cursor) = &mut cursor {
            // It has passed what may have changed since. It comes to its end before another begins, or what is written
            // again and again would never be walked through.
            cursor.again |= is_new;
            self.next_ms = self.next_ms.into_iter().chain(cursor.due_ms).min();
        }
        let again = cursor.is_some_and(|cursor| cursor.again);
        match self.at_versions(cursor)? {
            ControlFlow::Break(position) => self.hint_rest(&position, again),
            ControlFlow::Continue(()) if again => self.hint_now(),
            ControlFlow::Continue(()) => self.hint_next(),
        }
        Ok(())
    }

    /// Takes up the walk of another look, if there is one.
    fn take_walk<E>(&mut self) -> Result<Option<HistoryCursor>, Abort<E>> {
        if self.bucket.versioning == Versioning::Unset || self.concern.noncurrent.is_none() {
            return Ok(None);
        }
        let walk_key = hints::walk_key(self.bucket, self.key);
        let Some(value) = self.transaction.get(&walk_key)? else { return Ok(None) };
        self.transaction.delete(walk_key);
        Ok(decode(&value)?.history)
    }

    fn at_current<E>(&mut self) -> Result<(), Abort<E>> {
        if !self.concern.current {
            return Ok(());
        }
        let Some(current) = self.history().current()? else { return Ok(()) };
        let due = self.rules.expiry_of_current(self.key, &current.listed, &current.metadata.tags);
        if self.is_due(due) {
            let BucketRecord { user, display_name, .. } = self.bucket.clone();
            self.history().delete(Owner { user, display_name })?;
            self.tally.expired_objects += 1;
        }
        Ok(())
    }

    fn at_uploads<E>(&mut self) -> Result<(), Abort<E>> {
        if !self.concern.uploads {
            return Ok(());
        }
        let (mut start, end) = key_encoding::uploads_of_key_range(self.bucket.id, self.key);
        let mut young = 0;
        while young < YOUNG_UPLOADS_MAX {
            let page = self.transaction.range(&start, &end, PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            start = [last.as_slice(), &[0]].concat();
            for (upload_key, value) in page {
                let upload = UploadRecord::decode(&value)
                    .map_err(|error| Abort::Index(format!("upload record: {error}")))?;
                if !self.is_due(self.rules.abort_of_upload(self.key, upload.initiated_ms)) {
                    young += 1;
                    continue;
                }
                if self.budget.is_spent() {
                    self.hint_now();
                    return Ok(());
                }
                let (_, stamp) = key_encoding::decode_upload_key(&upload_key)
                    .ok_or_else(|| Abort::Index("a key that is not the key of an upload".into()))?;
                let id = UploadId { stamp, tag: upload.tag };
                let parts = multipart::end(self.transaction, self.bucket.id, self.key, id)?;
                self.budget.spend(1 + parts, 0);
                self.tally.aborted_uploads += 1;
            }
        }
        Ok(())
    }

    /// Noncurrent versions, and the marker that may be all that is left of them. Breaks where the budget is spent.
    fn at_versions<E>(&mut self, cursor: Option<HistoryCursor>) -> Result<ControlFlow<Position>, Abort<E>> {
        if self.bucket.versioning == Versioning::Unset {
            return Ok(ControlFlow::Continue(()));
        }
        if self.concern.noncurrent.is_some() {
            let resumed = match cursor {
                Some(cursor) => self.position_at(cursor)?,
                None => None,
            };
            let start = match resumed {
                None => self.position_at_newest()?,
                resumed => resumed,
            };
            if let Some(start) = start
                && let ControlFlow::Break(position) = self.walk(start)?
            {
                return Ok(ControlFlow::Break(position));
            }
        }
        if self.concern.markers {
            self.at_lone_marker()?;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Behind the newest version, object or marker; `None` if there is none.
    fn position_at_newest<E>(&mut self) -> Result<Option<Position>, Abort<E>> {
        if let Some(current) = self.history().current()? {
            let superseded_ms = current.listed.last_modified_ms;
            return Ok(Some(Position { last: None, after: None, superseded_ms, newer: 0 }));
        }
        let marker = self.history().earlier(None, 1)?.pop();
        Ok(marker.map(|(_, marker)| Position::behind(&marker, 0)))
    }

    /// Where an earlier look ended; `None` if the version it ended at has gone, or another is the newest there. What is
    /// newer is counted anew, as far as it matters to a rule.
    fn position_at<E>(&mut self, cursor: HistoryCursor) -> Result<Option<Position>, Abort<E>> {
        let has_current = self.history().current()?.is_some();
        let counted_max = self.concern.noncurrent.unwrap_or(0) as usize + 2;
        let Some(last) = self.history().earlier_at(cursor.last)? else { return Ok(None) };
        let newest = self.history().earlier(None, counted_max)?;
        let place = newest.iter().position(|(_, record)| record.listed.stamp == cursor.last);
        let passed = place.map_or(newest.len(), |place| place + 1);
        // Without a current object the newest of them is a marker, and not noncurrent.
        Ok(Some(Position::behind(&last, passed - usize::from(!has_current))))
    }

    fn walk<E>(&mut self, mut position: Position) -> Result<ControlFlow<Position>, Abort<E>> {
        loop {
            let page = self.history().earlier(position.after, PAGE)?;
            if page.is_empty() {
                return Ok(ControlFlow::Continue(()));
            }
            for (bytes, record) in page {
                if self.budget.is_spent() {
                    return Ok(ControlFlow::Break(position));
                }
                self.budget.spend(1, bytes);
                let ObjectRecord { listed, metadata, .. } = &record;
                let Position { superseded_ms, newer, .. } = position;
                let (rules, key) = (self.rules, self.key);
                let due = rules.expiry_of_noncurrent(key, listed, &metadata.tags, superseded_ms, newer);
                if self.is_due(due) {
                    self.history().remove_earlier(&record)?;
                    self.tally.deleted_versions += 1;
                    position.after = Some(listed.stamp);
                } else {
                    position = Position::behind(&record, newer + 1);
                }
            }
        }
    }

    fn at_lone_marker<E>(&mut self) -> Result<(), Abort<E>> {
        if self.history().current()?.is_some() {
            return Ok(());
        }
        let versions = self.history().earlier(None, 2)?;
        if let [(_, marker)] = versions.as_slice()
            && marker.listed.delete_marker
            && self.is_due(self.rules.expiry_of_lone_marker(self.key, &marker.listed))
        {
            self.history().remove_earlier(marker)?;
            self.tally.removed_markers += 1;
        }
        Ok(())
    }

    /// Whether it is time; if it is not yet, the next hint is for then at the latest.
    fn is_due(&mut self, due: Option<Due<'_>>) -> bool {
        let Some(Due { at_ms, .. }) = due else { return false };
        let is_due = at_ms <= self.transaction.now_ms();
        if !is_due {
            self.next_ms = Some(self.next_ms.map_or(at_ms, |next_ms| next_ms.min(at_ms)));
        }
        is_due
    }

    fn history(&mut self) -> History<'_, 'e> {
        History::without_hints(self.transaction, self.bucket, self.key)
    }

    fn hint_next(&mut self) {
        if let Some(next_ms) = self.next_ms {
            hints::put(self.transaction, self.bucket, self.key, next_ms);
        }
    }

    fn hint_now(&mut self) {
        let today_ms = hints::today_ms(self.transaction);
        hints::put(self.transaction, self.bucket, self.key, today_ms);
    }

    /// That the walk goes on behind a position.
    fn hint_rest(&mut self, position: &Position, again: bool) {
        let Some(last) = position.last else {
            // All that was seen has gone.
            return self.hint_now();
        };
        let history = Some(HistoryCursor { last, due_ms: self.next_ms, again });
        let hint = LifecycleHint { bucket: self.bucket.name.clone(), history };
        self.transaction.put(hints::walk_key(self.bucket, self.key), hint.encode());
    }
}

impl Position {
    fn behind(record: &ObjectRecord, newer: usize) -> Self {
        let stamp = Some(record.listed.stamp);
        Self { last: stamp, after: stamp, superseded_ms: record.listed.last_modified_ms, newer }
    }
}

pub(super) fn decode<E>(value: &[u8]) -> Result<LifecycleHint, Abort<E>> {
    LifecycleHint::decode(value).map_err(|error| Abort::Index(format!("lifecycle hint: {error}")))
}
