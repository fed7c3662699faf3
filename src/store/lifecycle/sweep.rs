//! The sweep: after a bucket got rules it is walked once, and what it has already is hinted.
//!
//! What changes meanwhile hints for itself, so nothing is checked but that the rules are still the same. How far a sweep
//! has come stands in table `W`, in the transaction that writes the hints: it goes on after a restart.

use std::convert::Infallible;

use super::hints;
use super::rules::Rules;
use crate::commit::{Abort, Transaction};
use crate::config::Calendar;
use crate::config::limits::{LIFECYCLE_HINTS_AT_ONCE, LIST_WALK_ENTRIES_MAX};
use crate::index::IndexError;
use crate::index::engine::{Engine, KeyRange, Step};
use crate::index::key_encoding;
use crate::index::record::{BucketRecord, LifecycleSweep, ObjectRecord, SweptTable, UploadRecord};
use crate::store::buckets;

/// A step of a sweep, to be written.
pub(super) struct SweepStep {
    /// What stood in `W`.
    from: Vec<u8>,
    /// What will; `None` where the sweep has ended.
    to: Option<LifecycleSweep>,
    /// Keys and times.
    hints: Vec<(i64, String)>,
}

/// How far ahead the next key is that could matter.
enum Ahead {
    Here,
    /// Not before keys with this prefix.
    At(String),
    Nowhere,
}

/// Walks on from where a sweep stands.
pub(super) fn step(
    engine: &Engine,
    bucket: &BucketRecord,
    rules: &Rules,
    calendar: Calendar,
    now_ms: i64,
    from: Vec<u8>,
    sweep: LifecycleSweep,
) -> Result<SweepStep, IndexError> {
    let mut walk =
        Walk { bucket_id: bucket.id, rules, today_ms: calendar.due_ms(now_ms, 0), hints: Vec::new() };
    let seen = walk.table(engine, sweep.table, sweep.after.as_deref())?;
    let to = match (seen, sweep.table) {
        (Some(last), _) => Some(LifecycleSweep { after: Some(last), ..sweep }),
        (None, SweptTable::Objects) => {
            Some(LifecycleSweep { table: SweptTable::Versions, after: None, ..sweep })
        }
        (None, SweptTable::Versions) => {
            Some(LifecycleSweep { table: SweptTable::Uploads, after: None, ..sweep })
        }
        (None, SweptTable::Uploads) => None,
    };
    Ok(SweepStep { from, to, hints: walk.hints })
}

/// Writes a step, unless the bucket has other rules by now. Returns whether it did.
pub(super) fn write(
    transaction: &mut Transaction<'_>,
    bucket: &BucketRecord,
    step: &SweepStep,
) -> Result<bool, Abort<Infallible>> {
    let sweep_key = key_encoding::sweep_key(bucket.id);
    if transaction.get(&sweep_key)?.as_ref() != Some(&step.from) {
        return Ok(false);
    }
    for (due_ms, key) in &step.hints {
        hints::put(transaction, bucket, key, *due_ms);
    }
    match &step.to {
        Some(to) => transaction.put(sweep_key, to.encode()),
        None => transaction.delete(sweep_key),
    }
    Ok(true)
}

/// Begins the sweep of a bucket anew, if it has rules.
pub(super) fn begin<E>(transaction: &mut Transaction<'_>, name: &str, id: u64) -> Result<(), Abort<E>> {
    if let Some(bucket) = buckets::find(transaction, name, id)?
        && let Some(stamp) = bucket.lifecycle
    {
        transaction.put(key_encoding::sweep_key(id), LifecycleSweep::begin(name, stamp).encode());
    }
    Ok(())
}

/// A walk over one table of a bucket.
struct Walk<'w> {
    bucket_id: u64,
    rules: &'w Rules,
    today_ms: i64,
    hints: Vec<(i64, String)>,
}

impl Walk<'_> {
    /// Walks from behind an entry until there are hints enough, or entries. Returns the last one seen, `None` where the
    /// table has no more.
    fn table(
        &mut self,
        engine: &Engine,
        table: SweptTable,
        after: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, IndexError> {
        let (start, end) = match table {
            SweptTable::Objects => key_encoding::object_range(self.bucket_id, ""),
            SweptTable::Versions => key_encoding::versions_range(self.bucket_id, ""),
            SweptTable::Uploads => key_encoding::uploads_range(self.bucket_id, ""),
        };
        let (mut last, mut visited) = (None, 0);
        engine.walk(KeyRange::after(&start, &end, after), &mut |entry, _, value| {
            visited += 1;
            let is_enough = visited == LIST_WALK_ENTRIES_MAX || self.hints.len() >= LIFECYCLE_HINTS_AT_ONCE;
            let step = self.entry(table, entry, value);
            last = (is_enough && step != Step::Stop).then(|| entry.to_vec());
            Ok(if is_enough { Step::Stop } else { step })
        })?;
        Ok(last)
    }

    /// Hints what an entry makes due. What cannot be read is passed over: nobody can judge it.
    fn entry(&mut self, table: SweptTable, entry: &[u8], value: &[u8]) -> Step {
        let decoded = match table {
            SweptTable::Objects => key_encoding::decode_object_key(entry).map(|(_, key)| key),
            SweptTable::Versions => key_encoding::decode_version_key(entry).map(|(key, _)| key),
            SweptTable::Uploads => key_encoding::decode_upload_key(entry).map(|(key, _)| key),
        };
        let Some(key) = decoded else { return Step::Next };
        match self.ahead(table, &key) {
            Ahead::Nowhere => return Step::Stop,
            Ahead::At(prefix) => return Step::Seek(self.start_of(table, &prefix)),
            Ahead::Here => {}
        }
        let due_ms = match table {
            SweptTable::Objects => self.due_of_object(&key, value),
            SweptTable::Versions => Some(self.today_ms),
            SweptTable::Uploads => self.due_of_upload(&key, value),
        };
        let step = match table {
            // One look is at all versions.
            SweptTable::Versions => Step::Seek(key_encoding::versions_of_key_range(self.bucket_id, &key).1),
            SweptTable::Objects | SweptTable::Uploads => Step::Next,
        };
        self.hints.extend(due_ms.map(|due_ms| (due_ms, key)));
        step
    }

    fn ahead(&self, table: SweptTable, key: &str) -> Ahead {
        let concern = self.rules.concern(key);
        let is_here = match table {
            SweptTable::Objects => concern.current,
            SweptTable::Versions => concern.noncurrent.is_some() || concern.markers,
            SweptTable::Uploads => concern.uploads,
        };
        match self.rules.next_prefix(key) {
            _ if is_here => Ahead::Here,
            Some(prefix) => Ahead::At(prefix.to_owned()),
            None => Ahead::Nowhere,
        }
    }

    fn start_of(&self, table: SweptTable, prefix: &str) -> Vec<u8> {
        match table {
            SweptTable::Objects => key_encoding::object_range(self.bucket_id, prefix).0,
            SweptTable::Versions => key_encoding::versions_range(self.bucket_id, prefix).0,
            SweptTable::Uploads => key_encoding::uploads_range(self.bucket_id, prefix).0,
        }
    }

    fn due_of_object(&self, key: &str, value: &[u8]) -> Option<i64> {
        match ObjectRecord::decode_described(value) {
            Ok((listed, metadata)) => {
                self.rules.expiry_of_current(key, &listed, &metadata.tags).map(|due| due.at_ms)
            }
            Err(error) => {
                tracing::error!(key, %error, "an object that the lifecycle cannot read");
                None
            }
        }
    }

    fn due_of_upload(&self, key: &str, value: &[u8]) -> Option<i64> {
        match UploadRecord::decode(value) {
            Ok(upload) => self.rules.abort_of_upload(key, upload.initiated_ms).map(|due| due.at_ms),
            Err(error) => {
                tracing::error!(key, %error, "an upload that the lifecycle cannot read");
                None
            }
        }
    }
}
