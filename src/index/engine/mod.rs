//! The engine interface: one-shot reads of owned pages and one-shot commits of batches, so that an engine on
//! another machine could stand behind the same calls.
//!
//! There are no interactive transactions: what a write depends on travels with it as [`Check`]s and is judged
//! inside the commit. One thread commits (the committer); any thread reads.
//!
//! Keys whose first byte is zero belong to the engine itself and are invisible above it.

mod file_growth;
pub mod lmdb;
pub mod memory;

use std::ops::Bound;
use std::path::Path;

use thiserror::Error;

use super::error::IndexError;
use crate::config::limits::{INDEX_KEY_BYTES_MAX, INDEX_VALUE_BYTES_MAX};

pub use lmdb::LmdbEngine;
pub use memory::MemoryEngine;

/// The smallest key that may stand above the engine: everything below is the engine's own.
const FIRST_KEY: &[u8] = &[1];

/// Where the records are kept. A clone is another handle on the same records.
#[derive(Clone, Debug)]
pub enum Engine {
    Lmdb(LmdbEngine),
    Memory(MemoryEngine),
}

/// One stored value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Number of the commit that wrote it.
    pub revision: u64,
    pub value: Vec<u8>,
}

/// Keys from `start` up to, not including, `end`; without an end, to the last key.
#[derive(Clone, Copy, Debug)]
pub struct KeyRange<'a> {
    pub start: Bound<&'a [u8]>,
    pub end: Option<&'a [u8]>,
}

/// Bounds of one page, so that a scan's cost is known before it starts.
#[derive(Clone, Copy, Debug)]
pub struct ScanLimits {
    pub entries_max: usize,
    /// Keys and copied values together. The first entry is returned even if it is larger.
    pub bytes_max: usize,
    /// What is copied of each value: a reader of summaries needs only the first section of a record.
    pub value_bytes_max: usize,
}

/// One page of a scan, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub entries: Vec<(Vec<u8>, Entry)>,
    /// The range holds more entries after the last one of this page.
    pub more: bool,
}

/// How a walk goes on after an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Next,
    /// To the first key that is not less than this one. Never backwards.
    Seek(Vec<u8>),
    Stop,
}

/// What must hold for a batch to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    Absent(Vec<u8>),
    RevisionIs(Vec<u8>, u64),
    /// Present, whatever its revision: many batches may rely on one entry that none of them changes.
    Exists(Vec<u8>),
    /// No key from the first up to, not including, the second.
    RangeEmpty(Vec<u8>, Vec<u8>),
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    Put(Vec<u8>, Vec<u8>),
    /// Deleting what is absent changes nothing and is no fault.
    Delete(Vec<u8>),
}

/// Changes that apply together, or not at all if a check fails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub checks: Vec<Check>,
    pub writes: Vec<Write>,
}

/// What became of one batch of a group whose commit succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Committed,
    /// Nothing of the batch applied; `check` is the place of the first check that did not hold.
    Conflict {
        check: usize,
    },
}

/// Why a whole group did not commit.
#[derive(Debug, Error)]
pub enum CommitFailure {
    /// Nothing of the group was applied.
    #[error("the index has no space left")]
    NoSpace,
    /// Nothing of the group was applied; the failure came before anything was written.
    #[error(transparent)]
    Refused(IndexError),
    /// The group may or may not be durable. Only a restart tells: the caller must stop acknowledging and exit.
    #[error("the outcome of a commit is unknown: {0}")]
    Unknown(IndexError),
}

/// What an engine can store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineLimits {
    pub key_bytes_max: usize,
    pub value_bytes_max: usize,
}

/// Size of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    pub entries: u64,
    /// Bytes that hold entries, without free pages.
    pub bytes_used: u64,
    /// Bytes taken from the filesystem.
    pub file_bytes: u64,
    /// Levels of the tree.
    pub depth: u32,
}

type Visitor<'v> = dyn FnMut(&[u8], u64, &[u8]) -> Result<Step, IndexError> + 'v;

/// A visitor of several ranges, which also hears the place of the range.
type PlacedVisitor<'v> = dyn FnMut(usize, &[u8], u64, &[u8]) -> Result<Step, IndexError> + 'v;

/// A page while it fills.
struct PageFill {
    limits: ScanLimits,
    bytes: usize,
    page: Page,
}

impl PageFill {
    fn new(limits: ScanLimits) -> Self {
        Self { limits, bytes: 0, page: Page { entries: Vec::new(), more: false } }
    }

    fn take(&mut self, key: &[u8], revision: u64, value: &[u8]) -> Step {
        let Page { entries, more } = &mut self.page;
        let value = value.get(..self.limits.value_bytes_max).unwrap_or(value);
        self.bytes += key.len() + value.len();
        let is_over = self.bytes > self.limits.bytes_max && !entries.is_empty();
        if is_over || entries.len() >= self.limits.entries_max {
            *more = true;
            return Step::Stop;
        }
        entries.push((key.to_vec(), Entry { revision, value: value.to_vec() }));
        Step::Next
    }
}

impl Engine {
    /// The engine of a node: LMDB in `directory`, which is created if need be.
    pub fn open(directory: &Path) -> Result<Self, IndexError> {
        LmdbEngine::open(directory).map(Self::Lmdb)
    }

    pub fn get(&self, key: &[u8]) -> Result<Option<Entry>, IndexError> {
        match self {
            Self::Lmdb(engine) => engine.get(key),
            Self::Memory(engine) => Ok(engine.get(key)),
        }
    }

    /// The entries of several keys as of one committed state, in the order of the keys.
    pub fn get_many(&self, keys: &[&[u8]]) -> Result<Vec<Option<Entry>>, IndexError> {
        match self {
            Self::Lmdb(engine) => engine.get_many(keys),
            Self::Memory(engine) => Ok(engine.get_many(keys)),
        }
    }

    /// One page of entries, ascending.
    pub fn scan(&self, range: KeyRange<'_>, limits: ScanLimits) -> Result<Page, IndexError> {
        let mut page = PageFill::new(limits);
        self.walk(range, &mut |key, revision, value| Ok(page.take(key, revision, value)))?;
        Ok(page.page)
    }

    /// A page of each range, all as of one committed state, in the order of the ranges.
    pub fn scan_many(&self, ranges: &[(KeyRange<'_>, ScanLimits)]) -> Result<Vec<Page>, IndexError> {
        let mut pages: Vec<PageFill> = ranges.iter().map(|(_, limits)| PageFill::new(*limits)).collect();
        let ranges: Vec<KeyRange<'_>> = ranges.iter().map(|(range, _)| *range).collect();
        self.walk_many(&ranges, &mut |place, key, revision, value| {
            Ok(pages.get_mut(place).map_or(Step::Stop, |page| page.take(key, revision, value)))
        })?;
        Ok(pages.into_iter().map(|page| page.page).collect())
    }

    /// Shows the entries of a range to `visit`, ascending and as of one committed state, without copying them.
    /// The visitor chooses the way and should stop after a bounded number of entries: while it runs, the index
    /// cannot reuse what is freed.
    pub fn walk(&self, range: KeyRange<'_>, visit: &mut Visitor<'_>) -> Result<(), IndexError> {
        let Some(bounds) = range.bounds() else { return Ok(()) };
        match self {
            Self::Lmdb(engine) => engine.walk(bounds, visit),
            Self::Memory(engine) => engine.walk(bounds, visit),
        }
    }

    /// Walks several ranges, one after the other and all as of one committed state. `visit` also hears the place of
    /// the range; a stop ends that range alone.
    pub fn walk_many(
        &self,
        ranges: &[KeyRange<'_>],
        visit: &mut PlacedVisitor<'_>,
    ) -> Result<(), IndexError> {
        let bounds: Vec<Option<Bounds<'_>>> = ranges.iter().map(KeyRange::bounds).collect();
        match self {
            Self::Lmdb(engine) => engine.walk_many(&bounds, visit),
            Self::Memory(engine) => engine.walk_many(&bounds, visit),
        }
    }

    /// The entry with the greatest key of a range.
    pub fn scan_last(&self, range: KeyRange<'_>) -> Result<Option<(Vec<u8>, Entry)>, IndexError> {
        let Some(bounds) = range.bounds() else { return Ok(None) };
        match self {
            Self::Lmdb(engine) => engine.last(bounds),
            Self::Memory(engine) => Ok(engine.last(bounds)),
        }
    }

    /// The revision that the next commit gives to what it writes. Only the committing thread may rely on it.
    pub fn next_revision(&self) -> u64 {
        match self {
            Self::Lmdb(engine) => engine.next_revision(),
            Self::Memory(engine) => engine.next_revision(),
        }
    }

    /// Applies a group of batches as one transaction and returns once it is durable.
    ///
    /// The batches are judged in order, each against the state that its predecessors left; one that loses is
    /// skipped alone. A group that changes nothing costs no sync and takes no revision.
    pub fn commit(&self, group: &[Batch]) -> Result<Vec<Outcome>, CommitFailure> {
        let limits = self.limits();
        group.iter().try_for_each(|batch| limits.admit(batch)).map_err(CommitFailure::Refused)?;
        match self {
            Self::Lmdb(engine) => engine.commit(group),
            Self::Memory(engine) => engine.commit(group),
        }
    }

    pub fn limits(&self) -> EngineLimits {
        EngineLimits { key_bytes_max: INDEX_KEY_BYTES_MAX, value_bytes_max: INDEX_VALUE_BYTES_MAX }
    }

    pub fn statistics(&self) -> Statistics {
        match self {
            Self::Lmdb(engine) => engine.statistics(),
            Self::Memory(engine) => engine.statistics(),
        }
    }
}

impl EngineLimits {
    /// Every write of the batch can be stored. A key that cannot be stored cannot be found either, so checks need
    /// no such test.
    pub fn admit(&self, batch: &Batch) -> Result<(), IndexError> {
        for write in &batch.writes {
            let (Write::Put(key, _) | Write::Delete(key)) = write;
            if key.as_slice() < FIRST_KEY || key.len() > self.key_bytes_max {
                return Err(IndexError::KeySize { bytes: key.len() });
            }
            if let Write::Put(_, value) = write
                && value.len() > self.value_bytes_max
            {
                return Err(IndexError::ValueSize { bytes: value.len() });
            }
        }
        Ok(())
    }
}

/// A range that is known to be well-formed: above the engine's own keys, the start before the end.
#[derive(Clone, Copy, Debug)]
struct Bounds<'a> {
    start: Bound<&'a [u8]>,
    end: Bound<&'a [u8]>,
}

impl<'a> KeyRange<'a> {
    /// From the first key up to, not including, the second.
    pub fn between(start: &'a [u8], end: &'a [u8]) -> Self {
        Self { start: Bound::Included(start), end: Some(end) }
    }

    /// What is left of the range between two keys after one that has been seen.
    pub fn after(start: &'a [u8], end: &'a [u8], seen: Option<&'a [u8]>) -> Self {
        Self { start: seen.map_or(Bound::Included(start), Bound::Excluded), end: Some(end) }
    }

    /// `None` for a range that can hold nothing.
    fn bounds(&self) -> Option<Bounds<'a>> {
        let start = match self.start {
            Bound::Included(key) | Bound::Excluded(key) if key >= FIRST_KEY => self.start,
            _ => Bound::Included(FIRST_KEY),
        };
        let (Bound::Included(first) | Bound::Excluded(first)) = start else { return None };
        match self.end {
            Some(end) if end <= first => None,
            Some(end) => Some(Bounds { start, end: Bound::Excluded(end) }),
            None => Some(Bounds { start, end: Bound::Unbounded }),
        }
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
pub(in crate::index) mod tests;
