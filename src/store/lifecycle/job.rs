//! The lifecycle at work: looks at what is due and sweeps buckets with new rules, a small transaction at a time. Whoever
//! runs it paces it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use ringstone_io::runtime::Clock;

use super::RulesCache;
use super::counts::Counts;
use super::due::{self, DueKey, LookLimits};
use super::rules::Rules;
use super::sweep::{self, SweepStep};
use crate::commit::{Abort, Commit, CommitError, Data};
use crate::config::Calendar;
use crate::index::engine::{Engine, KeyRange, ScanLimits};
use crate::index::key_encoding::{self, BUCKET_LIFECYCLE};
use crate::index::record::{BucketRecord, LifecycleRules, LifecycleSweep};
use crate::store::error::StoreError;
use crate::store::extent::space::Space;

/// Buckets whose sweeps begin in one transaction when the days are others than before.
const BUCKETS_AT_ONCE: usize = 64;

/// What the job keeps about itself: the days of its hints.
const DAYS_NAME: &str = "lifecycle-days";

/// What the job needs; goes to its thread.
pub struct LifecycleParts {
    pub(in crate::store) engine: Engine,
    pub(in crate::store) commit: Commit,
    pub(in crate::store) space: Arc<Space>,
    pub(in crate::store) clock: Clock,
    pub(in crate::store) calendar: Calendar,
    pub(in crate::store) counts: Arc<Counts>,
}

/// The lifecycle of all buckets of a node.
pub struct LifecycleJob {
    parts: LifecycleParts,
    rules: RulesCache,
    limits: LookLimits,
    /// The days of which it has seen to it that they are kept.
    days: Option<Days>,
    /// Found and not yet looked at.
    due: VecDeque<DueKey>,
    /// So many of them one by one: one of them fails.
    singly: usize,
    /// The last entry that was found in this round, which began with the first of all.
    found: Option<Vec<u8>>,
    /// Something was looked at in this round.
    has_looked: bool,
    /// The bucket that was swept last.
    swept: Option<u64>,
}

/// The days for which hints were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Days {
    day_ms: i64,
    /// The midnight before the latest time that was seen.
    latest_ms: i64,
}

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Something was looked at; there may be more.
    Looked,
    /// Nothing is due. A bucket was swept a little further.
    Swept,
    /// Nothing is due, and nothing to be swept.
    Idle,
}

impl LifecycleParts {
    /// Makes the job; called on its thread.
    pub fn into_job(self) -> LifecycleJob {
        LifecycleJob {
            parts: self,
            rules: RulesCache::default(),
            limits: LookLimits::default(),
            days: None,
            due: VecDeque::new(),
            singly: 0,
            found: None,
            has_looked: false,
            swept: None,
        }
    }

    pub fn calendar(&self) -> Calendar {
        self.calendar
    }
}

impl LifecycleJob {
    /// Does a little: at most one transaction of looks and one of a sweep. What it could not do it will try again.
    pub async fn step(&mut self) -> Result<Progress, StoreError> {
        let has_looked = self.look().await?;
        let has_swept = self.sweep().await?;
        Ok(match (has_looked, has_swept) {
            (true, _) => Progress::Looked,
            (false, true) => Progress::Swept,
            (false, false) => Progress::Idle,
        })
    }

    // ------------------------------------------------------------------------------------------- looks

    async fn look(&mut self) -> Result<bool, StoreError> {
        if self.due.is_empty() && !self.find()? {
            return Ok(false);
        }
        let count = if self.singly > 0 { 1 } else { self.limits.keys_max.min(self.due.len()) };
        let keys: Arc<[DueKey]> = self.due.drain(..count).collect();
        let (limits, looked_at) = (self.limits, keys.clone());
        let run = self
            .parts
            .commit
            .run(Data::default(), move |transaction| due::look_at(transaction, &looked_at, limits));
        match run.await {
            Ok(committed) => {
                let looked = committed.value();
                self.parts.counts.add(looked.tally);
                self.put_back(&keys[looked.keys..]);
                self.singly = self.singly.saturating_sub(1);
                self.has_looked = true;
            }
            Err(CommitError::Index(_) | CommitError::NoSpace) if keys.len() > 1 => {
                self.singly = keys.len();
                self.put_back(&keys);
            }
            Err(CommitError::NoSpace) => {
                // It comes again in the next round; others may need less, or free some.
                self.singly = self.singly.saturating_sub(1);
                return Err(StoreError::NoSpace);
            }
            Err(CommitError::Index(error)) => {
                self.singly = self.singly.saturating_sub(1);
                self.postpone(&keys[0], &error).await?;
            }
            Err(error) => {
                self.put_back(&keys);
                return Err(failure(error));
            }
        }
        Ok(true)
    }

    /// Finds what is due next. A round ends where nothing is; then, if anything was looked at in it, the next begins.
    fn find(&mut self) -> Result<bool, StoreError> {
        loop {
            let now_ms = self.parts.clock.unix_ms();
            let page = due::page(&self.parts.engine, now_ms, self.found.as_deref())?;
            self.found = page.last;
            self.due.extend(page.keys);
            if !self.due.is_empty() {
                return Ok(true);
            }
            if self.found.is_none() && !std::mem::take(&mut self.has_looked) {
                return Ok(false);
            }
        }
    }

    fn put_back(&mut self, keys: &[DueKey]) {
        for key in keys.iter().rev() {
            self.due.push_front(key.clone());
        }
    }

    /// Leaves a key that cannot be looked at for another day, so that it does not hold up the others.
    async fn postpone(&mut self, due: &DueKey, error: &str) -> Result<(), StoreError> {
        let DueKey { bucket_id, key, .. } = due;
        tracing::error!(bucket_id, key, error, "the lifecycle cannot look at a key; it tries again in a day");
        let due = due.clone();
        let run = self.parts.commit.run(Data::default(), move |transaction| due::postpone(transaction, &due));
        match run.await {
            Ok(_committed) => Ok(()),
            Err(CommitError::Index(error)) => {
                // It comes again in the next round.
                tracing::error!(error, "nor can it be postponed");
                Ok(())
            }
            Err(error) => Err(failure(error)),
        }
    }

    // ------------------------------------------------------------------------------------------ sweeps

    async fn sweep(&mut self) -> Result<bool, StoreError> {
        // Hints take room; what frees some goes on.
        if !self.parts.space.is_accepting() {
            return Ok(false);
        }
        self.see_to_days().await?;
        let Some((bucket_id, value)) = self.next_sweep()? else { return Ok(false) };
        self.swept = Some(bucket_id);
        let sweep = LifecycleSweep::decode(&value)
            .map_err(|error| StoreError::Corrupt(format!("lifecycle sweep: {error}")))?;
        let Some((bucket, rules)) = self.swept_bucket(&sweep, bucket_id)? else {
            return self.end_sweep(bucket_id, value).await;
        };
        let LifecycleParts { engine, clock, calendar, .. } = &self.parts;
        let step = sweep::step(engine, &bucket, &rules, *calendar, clock.unix_ms(), value, sweep)?;
        self.write_step(bucket, step).await?;
        Ok(true)
    }

    /// Of the buckets in turn.
    fn next_sweep(&self) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let (start, end) = key_encoding::sweep_range();
        let limits = ScanLimits { entries_max: 1, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
        let after = self.swept.map(key_encoding::sweep_key);
        for after in [after.as_deref(), None] {
            let page = self.parts.engine.scan(KeyRange::after(&start, &end, after), limits)?;
            if let Some((key, entry)) = page.entries.into_iter().next() {
                return Ok(key_encoding::decode_sweep_key(&key).map(|id| (id, entry.value)));
            }
        }
        Ok(None)
    }

    /// The bucket of a sweep and the rules that it is for, unless they have been replaced.
    fn swept_bucket(
        &mut self,
        sweep: &LifecycleSweep,
        bucket_id: u64,
    ) -> Result<Option<(BucketRecord, Rc<Rules>)>, StoreError> {
        let bucket_key = key_encoding::bucket_key(&sweep.bucket);
        let rules_key = key_encoding::subresource_key(bucket_id, BUCKET_LIFECYCLE);
        let mut entries = self.parts.engine.get_many(&[&bucket_key, &rules_key])?.into_iter();
        let (Some(Some(bucket)), Some(Some(rules))) = (entries.next(), entries.next()) else {
            return Ok(None);
        };
        let corrupt = |error| StoreError::Corrupt(format!("bucket {}: {error}", sweep.bucket));
        let bucket = BucketRecord::decode(&bucket.value).map_err(corrupt)?;
        if bucket.id != bucket_id || bucket.lifecycle != Some(sweep.rules) {
            return Ok(None);
        }
        let rules = match self.rules.get(bucket_id, sweep.rules) {
            Some(rules) => rules,
            None => Rc::new(Rules::new(
                LifecycleRules::decode(&rules.value).map_err(corrupt)?,
                self.parts.calendar,
            )),
        };
        self.rules.insert(bucket_id, sweep.rules, rules.clone());
        Ok(Some((bucket, rules)))
    }

    async fn write_step(&self, bucket: BucketRecord, step: SweepStep) -> Result<(), StoreError> {
        let run = self
            .parts
            .commit
            .run(Data::default(), move |transaction| sweep::write(transaction, &bucket, &step));
        run.await.map(|_committed| ()).map_err(failure)
    }

    /// Ends a sweep that is for nothing any more.
    async fn end_sweep(&self, bucket_id: u64, value: Vec<u8>) -> Result<bool, StoreError> {
        let run = self.parts.commit.run(Data::default(), move |transaction| {
            let key = key_encoding::sweep_key(bucket_id);
            if transaction.get::<Infallible>(&key)?.as_ref() == Some(&value) {
                transaction.delete(key);
            }
            Ok(())
        });
        run.await.map(|_committed| true).map_err(failure)
    }

    /// Begins all sweeps anew where the hints were written for other days: of another length, or of a time from which the
    /// clock has gone back. What was hinted for today then waits until that day comes again. Less than two days of it
    /// do not matter.
    async fn see_to_days(&mut self) -> Result<(), StoreError> {
        let LifecycleParts { engine, clock, calendar, .. } = &self.parts;
        let (day_ms, today_ms) = (calendar.day_ms(), calendar.due_ms(clock.unix_ms(), 0));
        let days_key = key_encoding::meta_key(DAYS_NAME);
        let kept = match self.days {
            None => engine.get(&days_key)?.and_then(|entry| Days::decode(&entry.value)),
            kept => kept,
        };
        let still = kept.filter(|kept| kept.are_still(day_ms, today_ms));
        if still.is_none() {
            self.begin_sweeps().await?;
        }
        let latest_ms = still.map_or(today_ms, |still| still.latest_ms.max(today_ms));
        let days = Days { day_ms, latest_ms };
        if kept != Some(days) {
            let run = self.parts.commit.run(Data::default(), move |transaction| {
                transaction.put(days_key.clone(), days.encode());
                Ok::<(), Abort<Infallible>>(())
            });
            run.await.map_err(failure)?;
        }
        self.days = Some(days);
        Ok(())
    }

    async fn begin_sweeps(&self) -> Result<(), StoreError> {
        let (start, end) = key_encoding::bucket_range("");
        let limits =
            ScanLimits { entries_max: BUCKETS_AT_ONCE, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.parts.engine.scan(KeyRange::after(&start, &end, after.as_deref()), limits)?;
            let mut names: Vec<(String, u64)> = Vec::new();
            for (_, entry) in &page.entries {
                match BucketRecord::decode(&entry.value) {
                    Ok(bucket) => names.extend(bucket.lifecycle.map(|_| (bucket.name, bucket.id))),
                    Err(error) => tracing::error!(%error, "a bucket that the lifecycle cannot read"),
                }
            }
            if !names.is_empty() {
                let run = self.parts.commit.run(Data::default(), move |transaction| {
                    names.iter().try_for_each(|(name, id)| sweep::begin::<Infallible>(transaction, name, *id))
                });
                run.await.map_err(failure)?;
            }
            match page.entries.into_iter().next_back() {
                Some((key, _)) if page.more => after = Some(key),
                _ => return Ok(()),
            }
        }
    }
}

impl Days {
    /// Whether hints that were written in these days stand right in days of this length, on the one that begins then.
    fn are_still(self, day_ms: i64, today_ms: i64) -> bool {
        self.day_ms == day_ms && today_ms >= self.latest_ms.saturating_sub(day_ms)
    }

    fn encode(self) -> Vec<u8> {
        [self.day_ms.to_be_bytes(), self.latest_ms.to_be_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (day_ms, latest_ms) = bytes.split_first_chunk::<8>()?;
        let latest_ms = latest_ms.try_into().ok()?;
        Some(Self { day_ms: i64::from_be_bytes(*day_ms), latest_ms: i64::from_be_bytes(latest_ms) })
    }
}

fn failure(error: CommitError<Infallible>) -> StoreError {
    match error {
        CommitError::Refused(never) => match never {},
        CommitError::Overloaded => StoreError::Overloaded,
        CommitError::NoSpace => StoreError::NoSpace,
        CommitError::Index(error) => StoreError::Index(error),
        CommitError::Poisoned(reason) => StoreError::Poisoned(reason),
    }
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
