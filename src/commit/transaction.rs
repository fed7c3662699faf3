//! A transaction: reads that become checks, writes that become a batch.
//!
//! Runs on the committer's thread only. Every key it reads is recorded with the revision seen, so that the engine can
//! prove at commit that the decision still holds.

use std::collections::{HashMap, hash_map};

use crate::index::IndexError;
use crate::index::engine::{Batch, Check, Engine, Entry, KeyRange, ScanLimits, Write};
use crate::index::key_encoding;
use crate::index::record::Run;
use crate::index::record::space_map::{self, CHUNK_BYTES, Chunk};

/// Why a transaction did not complete.
#[derive(Debug)]
pub enum Abort<E> {
    /// The transaction's own decision; the caller gets it back.
    Refused(E),
    /// The index could not be read, or holds what cannot be.
    Index(String),
    /// It asked for a range that this group has changed: it runs again as the first of the next group.
    Deferred,
}

impl<E> From<IndexError> for Abort<E> {
    fn from(error: IndexError) -> Self {
        Self::Index(error.to_string())
    }
}

/// What earlier transactions of the group wrote; `None` for a deletion.
#[derive(Default)]
pub(super) struct Overlay {
    entries: HashMap<Vec<u8>, Option<Entry>>,
}

impl Overlay {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds the writes of a transaction that completed.
    pub(super) fn absorb(&mut self, writes: &[Write], revision: u64) {
        for write in writes {
            match write {
                Write::Put(key, value) => {
                    self.entries.insert(key.clone(), Some(Entry { revision, value: value.clone() }));
                }
                Write::Delete(key) => {
                    self.entries.insert(key.clone(), None);
                }
            }
        }
    }
}

/// The view and the pen of one transaction.
pub struct Transaction<'a> {
    engine: &'a Engine,
    overlay: &'a Overlay,
    /// Values as this transaction found them.
    found: HashMap<Vec<u8>, Option<Vec<u8>>>,
    checks: Vec<Check>,
    writes: Vec<Write>,
    /// Where the write of a key stands: a key is written once, with its last value. A body's runs, or the keys of a
    /// batch of deletions, mostly lie in the same few bitmaps.
    written: HashMap<Vec<u8>, usize>,
    released: Vec<Run>,
    stamp: u64,
    now_ms: i64,
}

/// What a completed transaction asks for.
pub(super) struct Planned {
    pub(super) batch: Batch,
    pub(super) released: Vec<Run>,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(engine: &'a Engine, overlay: &'a Overlay, stamp: u64, now_ms: i64) -> Self {
        Self {
            engine,
            overlay,
            found: HashMap::new(),
            checks: Vec::new(),
            writes: Vec::new(),
            written: HashMap::new(),
            released: Vec::new(),
            stamp,
            now_ms,
        }
    }

    pub(super) fn finish(self) -> Planned {
        Planned { batch: Batch { checks: self.checks, writes: self.writes }, released: self.released }
    }

    /// Wall clock at the commit, Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// A number greater than that of every earlier transaction, whatever the clock did.
    pub fn stamp(&self) -> u64 {
        self.stamp
    }

    /// The value of a key.
    pub fn get<E>(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Abort<E>> {
        if let Some(&place) = self.written.get(key) {
            return Ok(match &self.writes[place] {
                Write::Put(_, value) => Some(value.clone()),
                Write::Delete(_) => None,
            });
        }
        if let Some(value) = self.found.get(key) {
            return Ok(value.clone());
        }
        let entry = match self.overlay.entries.get(key) {
            Some(entry) => entry.clone(),
            None => self.engine.get(key)?,
        };
        self.checks.push(match &entry {
            Some(entry) => Check::RevisionIs(key.to_vec(), entry.revision),
            None => Check::Absent(key.to_vec()),
        });
        let value = entry.map(|entry| entry.value);
        self.found.insert(key.to_vec(), value.clone());
        Ok(value)
    }

    /// Whether no key lies in the range. Must come before any write of this transaction to the range.
    pub fn is_range_empty<E>(&mut self, start: &[u8], end: &[u8]) -> Result<bool, Abort<E>> {
        if !self.overlay.is_empty() {
            return Err(Abort::Deferred);
        }
        let limits = ScanLimits { entries_max: 1, bytes_max: usize::MAX, value_bytes_max: 0 };
        let page = self.engine.scan(KeyRange::after(start, end, None), limits)?;
        if page.entries.is_empty() {
            self.checks.push(Check::RangeEmpty(start.to_vec(), end.to_vec()));
        }
        Ok(page.entries.is_empty())
    }

    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.write(key.clone(), Write::Put(key, value));
    }

    pub fn delete(&mut self, key: Vec<u8>) {
        self.write(key.clone(), Write::Delete(key));
    }

    fn write(&mut self, key: Vec<u8>, write: Write) {
        match self.written.entry(key) {
            hash_map::Entry::Occupied(place) => self.writes[*place.get()] = write,
            hash_map::Entry::Vacant(place) => {
                place.insert(self.writes.len());
                self.writes.push(write);
            }
        }
    }

    /// Marks the blocks of a new body as used.
    pub fn occupy<E>(&mut self, runs: &[Run]) -> Result<(), Abort<E>> {
        runs.iter().try_for_each(|run| self.flip(run, true))
    }

    /// Marks the blocks of a body that no record refers to any more as free. They are reused once the commit is
    /// durable and the last reader has gone.
    pub fn release<E>(&mut self, runs: &[Run]) -> Result<(), Abort<E>> {
        for run in runs {
            self.flip(run, false)?;
            self.released.push(*run);
        }
        Ok(())
    }

    fn flip<E>(&mut self, run: &Run, used: bool) -> Result<(), Abort<E>> {
        let disagreement = || Abort::Index(format!("the space map and the records disagree about {run:?}"));
        for (chunk, blocks) in space_map::by_chunk(run.block..run.block + run.blocks) {
            let key = key_encoding::space_key(run.extent, chunk);
            let mut map = match self.get(&key)? {
                Some(value) => Chunk::try_from(value.as_slice()).map_err(|_length| disagreement())?,
                None => [0; CHUNK_BYTES],
            };
            if !space_map::flip(&mut map, blocks, used) {
                return Err(disagreement());
            }
            if map == [0; CHUNK_BYTES] {
                self.delete(key);
            } else {
                self.put(key, map.to_vec());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "transaction_tests.rs"]
mod tests;
