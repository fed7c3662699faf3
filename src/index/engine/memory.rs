//! The engine as a sorted map: the model that the others are compared with, and a fast index for tests. It keeps
//! nothing over a restart.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{
    Batch, Bounds, Check, CommitFailure, Entry, KeyRange, Outcome, PlacedVisitor, Statistics, Step, Visitor,
    Write,
};
use crate::index::error::IndexError;

/// A sorted map behind a lock. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryEngine {
    records: Arc<RwLock<Records>>,
}

#[derive(Debug, Default)]
struct Records {
    entries: BTreeMap<Vec<u8>, Entry>,
    /// Commits that changed something.
    commits: u64,
    power: Power,
}

#[derive(Clone, Copy, Debug, Default)]
enum Power {
    #[default]
    On,
    /// Goes at this commit, which is then whole or not there.
    GoesAt {
        commit: u64,
        is_kept: bool,
    },
    Off,
}

impl MemoryEngine {
    pub fn new() -> Self {
        Self::default()
    }

    // A panic in a visitor leaves the map whole: nothing is ever half-written under the lock.
    fn read(&self) -> RwLockReadGuard<'_, Records> {
        self.records.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Records> {
        self.records.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Entry> {
        self.read().entries.get(key).cloned()
    }

    pub(super) fn get_many(&self, keys: &[&[u8]]) -> Vec<Option<Entry>> {
        let records = self.read();
        keys.iter().map(|key| records.entries.get(*key).cloned()).collect()
    }

    pub(super) fn walk(&self, bounds: Bounds<'_>, visit: &mut Visitor<'_>) -> Result<(), IndexError> {
        self.read().walk(bounds, visit)
    }

    /// Several walks of one state; `None` for a range that can hold nothing.
    pub(super) fn walk_many(
        &self,
        ranges: &[Option<Bounds<'_>>],
        visit: &mut PlacedVisitor<'_>,
    ) -> Result<(), IndexError> {
        let records = self.read();
        for (place, bounds) in ranges.iter().enumerate() {
            let Some(bounds) = bounds else { continue };
            records.walk(*bounds, &mut |key, revision, value| visit(place, key, revision, value))?;
        }
        Ok(())
    }

    pub(super) fn last(&self, bounds: Bounds<'_>) -> Option<(Vec<u8>, Entry)> {
        let records = self.read();
        let (key, entry) = records.entries.range::<[u8], _>((bounds.start, bounds.end)).next_back()?;
        Some((key.clone(), entry.clone()))
    }

    pub(super) fn next_revision(&self) -> u64 {
        self.read().commits + 1
    }

    /// Lets the power go at the `n`-th next commit, 1 being the next: nobody learns whether that one is kept, and no
    /// later one is.
    pub fn power_off_at(&self, n: u64, is_kept: bool) {
        let mut records = self.write();
        records.power = Power::GoesAt { commit: records.commits + n, is_kept };
    }

    pub fn power_on(&self) {
        self.write().power = Power::On;
    }

    pub(super) fn commit(&self, group: &[Batch]) -> Result<Vec<Outcome>, CommitFailure> {
        let mut records = self.write();
        match records.power {
            Power::GoesAt { commit, is_kept } if records.commits + 1 >= commit => {
                records.power = Power::Off;
                if is_kept {
                    records.commit(group);
                }
                Err(no_power())
            }
            Power::Off => Err(no_power()),
            Power::On | Power::GoesAt { .. } => Ok(records.commit(group)),
        }
    }

    pub(super) fn statistics(&self) -> Statistics {
        let records = self.read();
        let bytes: usize = records.entries.iter().map(|(key, entry)| key.len() + entry.value.len()).sum();
        Statistics {
            entries: records.entries.len() as u64,
            bytes_used: bytes as u64,
            file_bytes: 0,
            depth: 1,
        }
    }
}

fn no_power() -> CommitFailure {
    let source = heed::Error::Io(std::io::Error::other("the power has gone"));
    CommitFailure::Unknown(IndexError::Engine { operation: "a commit", source })
}

impl Records {
    fn commit(&mut self, group: &[Batch]) -> Vec<Outcome> {
        let revision = self.commits + 1;
        let mut changed = false;
        let outcomes = group
            .iter()
            .map(|batch| {
                if let Some(check) = batch.checks.iter().position(|check| !self.holds(check)) {
                    return Outcome::Conflict { check };
                }
                changed |= self.apply(&batch.writes, revision);
                Outcome::Committed
            })
            .collect();
        if changed {
            self.commits = revision;
        }
        outcomes
    }

    fn walk(&self, bounds: Bounds<'_>, visit: &mut Visitor<'_>) -> Result<(), IndexError> {
        let mut entries = self.entries.range::<[u8], _>((bounds.start, bounds.end));
        while let Some((key, entry)) = entries.next() {
            match visit(key, entry.revision, &entry.value)? {
                Step::Next => {}
                Step::Stop => break,
                Step::Seek(target) if target <= *key => {}
                Step::Seek(target) => {
                    if matches!(bounds.end, Bound::Excluded(end) if target.as_slice() >= end) {
                        break;
                    }
                    entries = self.entries.range::<[u8], _>((Bound::Included(target.as_slice()), bounds.end));
                }
            }
        }
        Ok(())
    }

    fn holds(&self, check: &Check) -> bool {
        match check {
            Check::Absent(key) => !self.entries.contains_key(key),
            Check::Exists(key) => self.entries.contains_key(key),
            Check::RevisionIs(key, revision) => {
                self.entries.get(key).is_some_and(|entry| entry.revision == *revision)
            }
            Check::RangeEmpty(start, end) => KeyRange::between(start, end).bounds().is_none_or(|bounds| {
                self.entries.range::<[u8], _>((bounds.start, bounds.end)).next().is_none()
            }),
        }
    }

    /// Whether anything changed.
    fn apply(&mut self, writes: &[Write], revision: u64) -> bool {
        let mut changed = false;
        for write in writes {
            match write {
                Write::Put(key, value) => {
                    self.entries.insert(key.clone(), Entry { revision, value: value.clone() });
                    changed = true;
                }
                Write::Delete(key) => changed |= self.entries.remove(key).is_some(),
            }
        }
        changed
    }
}
