//! A transaction: reads that become checks, writes that become a batch.
//!
//! Runs on the committer's thread only. Every key and range it reads is recorded with what was seen, so that the
//! engine can prove at commit that the decision still holds.

use std::collections::{BTreeMap, HashSet};

use super::overlay::Overlay;
use super::range_read::{KeyValue, OwnWrites, RangeFound, range_read};
use crate::config::Calendar;
use crate::config::limits::LIST_WALK_ENTRIES_MAX;
use crate::index::IndexError;
use crate::index::engine::{Batch, Check, Engine, KeyRange, Step, Write};
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
}

impl<E> From<IndexError> for Abort<E> {
    fn from(error: IndexError) -> Self {
        Self::Index(error.to_string())
    }
}

/// The view and the pen of one transaction.
pub struct Transaction<'a> {
    engine: &'a Engine,
    overlay: &'a Overlay,
    checks: Vec<Check>,
    /// Keys whose revision or absence is among the checks.
    checked: HashSet<Vec<u8>>,
    /// A key is written once, with its last value: a body's runs, or the keys of a batch of deletions, mostly lie in
    /// the same few bitmaps. The engine gets the keys in their order, which spares it jumps in its tree.
    writes: OwnWrites,
    released: Vec<Run>,
    stamp: u64,
    now_ms: i64,
    calendar: Calendar,
}

/// What a completed transaction asks for.
pub(super) struct Planned {
    pub(super) batch: Batch,
    pub(super) released: Vec<Run>,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        overlay: &'a Overlay,
        stamp: u64,
        now_ms: i64,
        calendar: Calendar,
    ) -> Self {
        Self {
            engine,
            overlay,
            checks: Vec::new(),
            checked: HashSet::new(),
            writes: BTreeMap::new(),
            released: Vec::new(),
            stamp,
            now_ms,
            calendar,
        }
    }

    pub(super) fn finish(self) -> Planned {
        let writes = self.writes.into_iter().map(|(key, value)| match value {
            Some(value) => Write::Put(key, value),
            None => Write::Delete(key),
        });
        let batch = Batch { checks: self.checks, writes: writes.collect() };
        Planned { batch, released: self.released }
    }

    /// Wall clock at the commit, Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// The days of the node's lifecycle rules.
    pub fn calendar(&self) -> Calendar {
        self.calendar
    }

    /// A number greater than that of every earlier transaction, whatever the clock did.
    pub fn stamp(&self) -> u64 {
        self.stamp
    }

    /// The value of a key.
    pub fn get<E>(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Abort<E>> {
        if let Some(value) = self.writes.get(key) {
            return Ok(value.clone());
        }
        let found = match self.overlay.get(key) {
            Some(Write::Put(_, value)) => Some((self.overlay.revision(), value.clone())),
            Some(Write::Delete(_)) => None,
            None => self.engine.get(key)?.map(|entry| (entry.revision, entry.value)),
        };
        if !self.checked.contains(key) {
            self.checked.insert(key.to_vec());
            self.checks.push(match &found {
                Some((revision, _)) => Check::RevisionIs(key.to_vec(), *revision),
                None => Check::Absent(key.to_vec()),
            });
        }
        Ok(found.map(|(_, value)| value))
    }

    /// The keys from `start` up to, not including, `end` and their values, ascending: the first `entries_max` of
    /// them.
    pub fn range<E>(
        &mut self,
        start: &[u8],
        end: &[u8],
        entries_max: usize,
    ) -> Result<Vec<KeyValue>, Abort<E>> {
        if start >= end || entries_max == 0 {
            return Ok(Vec::new());
        }
        let mut read = range_read(self.overlay, &self.writes, (start, end), entries_max);
        let mut seen: Option<Vec<u8>> = None;
        loop {
            let mut visited = 0;
            let mut pause = None;
            self.engine.walk(KeyRange::after(start, end, seen.as_deref()), &mut |key, revision, value| {
                read.pass(key, revision, value);
                visited += 1;
                if read.is_full() {
                    return Ok(Step::Stop);
                }
                if visited < LIST_WALK_ENTRIES_MAX {
                    return Ok(Step::Next);
                }
                pause = Some(key.to_vec());
                Ok(Step::Stop)
            })?;
            if pause.is_none() {
                break;
            }
            seen = pause;
        }
        let RangeFound { entries, checks } = read.finish(end);
        for check in checks {
            if let Check::RevisionIs(key, _) = &check
                && !self.checked.insert(key.clone())
            {
                continue;
            }
            self.checks.push(check);
        }
        Ok(entries)
    }

    /// The least key from `start` up to, not including, `end`, and its value.
    pub fn first_in_range<E>(&mut self, start: &[u8], end: &[u8]) -> Result<Option<KeyValue>, Abort<E>> {
        Ok(self.range(start, end, 1)?.pop())
    }

    /// Whether no key lies in the range.
    pub fn is_range_empty<E>(&mut self, start: &[u8], end: &[u8]) -> Result<bool, Abort<E>> {
        Ok(self.first_in_range(start, end)?.is_none())
    }

    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.insert(key, Some(value));
    }

    pub fn delete(&mut self, key: Vec<u8>) {
        self.writes.insert(key, None);
    }

    /// Marks the blocks of a new body as used.
    pub fn occupy<E>(&mut self, runs: &[Run]) -> Result<(), Abort<E>> {
        runs.iter().try_for_each(|run| self.flip(run, true))
    }

    /// Gives each of these runs of a body in use one owner more. Runs are shared whole.
    pub fn share<E>(&mut self, runs: &[Run]) -> Result<(), Abort<E>> {
        for run in runs {
            for (chunk, blocks) in space_map::by_chunk(run.block..run.block + run.blocks) {
                let map = self.space_map(run, &key_encoding::space_key(run.extent, chunk))?;
                if !space_map::are(&map, blocks, true) {
                    return Err(disagreement(run));
                }
            }
            let key = key_encoding::shared_run_key(run.extent, run.block);
            let owners = self.owners(run, &key)?;
            let more = owners.checked_add(1).ok_or_else(|| disagreement(run))?;
            self.put(key, more.to_be_bytes().to_vec());
        }
        Ok(())
    }

    /// Takes one owner from each run of a body whose record goes. The blocks of a run without any other are marked
    /// as free; they are reused once the commit is durable and the last reader has gone.
    pub fn release<E>(&mut self, runs: &[Run]) -> Result<(), Abort<E>> {
        for run in runs {
            let key = key_encoding::shared_run_key(run.extent, run.block);
            match self.owners(run, &key)? {
                1 => {
                    self.flip(run, false)?;
                    self.released.push(*run);
                }
                2 => self.delete(key),
                owners => self.put(key, (owners - 1).to_be_bytes().to_vec()),
            }
        }
        Ok(())
    }

    /// How many records own a run in use; `key` is its place among the shared ones.
    fn owners<E>(&mut self, run: &Run, key: &[u8]) -> Result<u32, Abort<E>> {
        let Some(value) = self.get(key)? else { return Ok(1) };
        match value.try_into().map(u32::from_be_bytes) {
            Ok(owners) if owners >= 2 => Ok(owners),
            _ => Err(disagreement(run)),
        }
    }

    fn flip<E>(&mut self, run: &Run, used: bool) -> Result<(), Abort<E>> {
        for (chunk, blocks) in space_map::by_chunk(run.block..run.block + run.blocks) {
            let key = key_encoding::space_key(run.extent, chunk);
            let mut map = self.space_map(run, &key)?;
            if !space_map::flip(&mut map, blocks, used) {
                return Err(disagreement(run));
            }
            if map == [0; CHUNK_BYTES] {
                self.delete(key);
            } else {
                self.put(key, map.to_vec());
            }
        }
        Ok(())
    }

    /// The bitmap of a chunk that a run lies in.
    fn space_map<E>(&mut self, run: &Run, key: &[u8]) -> Result<Chunk, Abort<E>> {
        match self.get(key)? {
            Some(value) => Chunk::try_from(value.as_slice()).map_err(|_length| disagreement(run)),
            None => Ok([0; CHUNK_BYTES]),
        }
    }
}

fn disagreement<E>(run: &Run) -> Abort<E> {
    Abort::Index(format!("the space map and the records disagree about {run:?}"))
}

#[cfg(test)]
#[path = "transaction_tests.rs"]
mod tests;
