//! What is due, by keys, and the transaction that looks at them.

use std::convert::Infallible;

use super::hints;
use super::look::{self, Budget, Look, Tally};
use crate::commit::{Abort, Transaction};
use crate::config::limits::{LIFECYCLE_BYTES_AT_ONCE, LIFECYCLE_KEYS_AT_ONCE, LIFECYCLE_RECORDS_AT_ONCE};
use crate::index::engine::{Engine, KeyRange, ScanLimits};
use crate::index::key_encoding;
use crate::index::record::{BucketRecord, LifecycleHint};
use crate::store::buckets;
use crate::store::error::StoreError;

/// Entries that are read at once.
const PAGE: usize = 256;

/// A key of which something may be due, and the entries that say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DueKey {
    pub(super) bucket_id: u64,
    pub(super) key: String,
    pub(super) entries: Vec<Vec<u8>>,
}

/// Some of what is due.
pub(super) struct DuePage {
    pub(super) keys: Vec<DueKey>,
    /// The last entry, if there is any.
    pub(super) last: Option<Vec<u8>>,
}

/// What one transaction takes upon itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct LookLimits {
    pub(super) keys_max: usize,
    pub(super) budget: Budget,
}

/// What one transaction has looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looked {
    /// So many of the keys; not all where they were more than the budget allows.
    pub(super) keys: usize,
    pub(super) tally: Tally,
}

impl Default for LookLimits {
    fn default() -> Self {
        let budget = Budget { records: LIFECYCLE_RECORDS_AT_ONCE, bytes: LIFECYCLE_BYTES_AT_ONCE };
        Self { keys_max: LIFECYCLE_KEYS_AT_ONCE, budget }
    }
}

/// The entries that are due at a time, from the one after `after` on, by keys.
pub(super) fn page(engine: &Engine, now_ms: i64, after: Option<&[u8]>) -> Result<DuePage, StoreError> {
    let (start, end) = key_encoding::due_range(now_ms);
    let limits = ScanLimits { entries_max: PAGE, bytes_max: usize::MAX, value_bytes_max: 0 };
    let page = engine.scan(KeyRange::after(&start, &end, after), limits)?;
    let last = page.entries.last().map(|(entry, _)| entry.clone());
    let mut keys: Vec<DueKey> = Vec::with_capacity(page.entries.len());
    for (entry, _) in page.entries {
        let Some((_, bucket_id, key)) = key_encoding::decode_due_key(&entry) else {
            tracing::error!(?entry, "a hint of the lifecycle that names no key");
            continue;
        };
        // Mostly of one time, and so in the order of their keys.
        match keys.iter_mut().find(|known| known.bucket_id == bucket_id && known.key == key) {
            Some(known) => known.entries.push(entry),
            None => keys.push(DueKey { bucket_id, key, entries: vec![entry] }),
        }
    }
    Ok(DuePage { keys, last })
}

/// Looks at keys, in their order, as far as the limits allow: at the first whatever it costs.
pub(super) fn look_at(
    transaction: &mut Transaction<'_>,
    keys: &[DueKey],
    limits: LookLimits,
) -> Result<Looked, Abort<Infallible>> {
    let mut looked = Looked { keys: 0, tally: Tally::default() };
    let mut budget = limits.budget;
    for due in keys.iter().take(limits.keys_max) {
        if budget.is_spent() {
            break;
        }
        look_at_key(transaction, due, &mut budget, &mut looked.tally)?;
        budget.spend(1, 0);
        looked.keys += 1;
    }
    Ok(looked)
}

fn look_at_key(
    transaction: &mut Transaction<'_>,
    due: &DueKey,
    budget: &mut Budget,
    tally: &mut Tally,
) -> Result<(), Abort<Infallible>> {
    let mut bucket: Option<BucketRecord> = None;
    let (mut is_new, mut cursor) = (false, None);
    for entry in &due.entries {
        let Some(value) = transaction.get(entry)? else { continue };
        let hint = look::decode(&value)?;
        if bucket.is_none() {
            bucket = buckets::find(transaction, &hint.bucket, due.bucket_id)?;
        }
        transaction.delete(entry.clone());
        match hint.history {
            None => is_new = true,
            // There is one at most.
            walk => cursor = walk,
        }
    }
    let Some(bucket) = bucket else { return Ok(()) };
    let Some(rules) = hints::rules_of(transaction, &bucket)? else { return Ok(()) };
    Look::new(transaction, (&bucket, &due.key), &rules, budget, tally).at_key(is_new, cursor)
}

/// Moves the entries of a key to another day: it cannot be looked at now. Then all of it is: the entry may come to stand
/// in the place of another, so it holds no walk.
pub(super) fn postpone(transaction: &mut Transaction<'_>, due: &DueKey) -> Result<(), Abort<Infallible>> {
    let due_ms = transaction.calendar().due_ms(transaction.now_ms(), 1);
    let later = key_encoding::due_key(due_ms, due.bucket_id, &due.key);
    for entry in &due.entries {
        let Some(value) = transaction.get(entry)? else { continue };
        transaction.delete(entry.clone());
        match LifecycleHint::decode(&value) {
            Ok(hint) => transaction.put(later.clone(), LifecycleHint { history: None, ..hint }.encode()),
            // Nobody can say what it is; one that can be read is worth more.
            Err(_) if transaction.get::<Infallible>(&later)?.is_some() => {}
            Err(_) => transaction.put(later.clone(), value),
        }
    }
    Ok(())
}
