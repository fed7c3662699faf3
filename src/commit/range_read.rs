//! A range of keys as one transaction sees it: its own writes over those of its group over the index, with the
//! checks that prove it.
//!
//! The engine judges the checks against what the group's earlier batches left, before this transaction's own writes
//! apply. So they speak of that state, the *base*, alone:
//! - each key of the base that is returned has the revision seen;
//! - between two keys of the base that were passed there is none: neither one that is now deleted, nor a new one;
//! - a key of the base that the transaction itself has overwritten or deleted may have any revision, or be gone.
//!
//! Nothing is claimed about what lies behind the last key returned.

use std::collections::{BTreeMap, btree_map};
use std::iter::Peekable;

use super::overlay::{Overlay, key_bounds};
use crate::index::engine::{Check, Write};

/// What a transaction writes itself, `None` for a deletion.
pub(super) type OwnWrites = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A key and its value.
pub type KeyValue = (Vec<u8>, Vec<u8>);

/// Is shown the entries of the engine one after the other and merges the rest in.
pub(super) struct RangeRead<'t, O: Iterator<Item = (&'t [u8], &'t Write)>> {
    overlay: Peekable<O>,
    overlay_revision: u64,
    own: Peekable<btree_map::Range<'t, Vec<u8>, Option<Vec<u8>>>>,
    entries_max: usize,
    entries: Vec<KeyValue>,
    checks: Vec<Check>,
    /// The checks speak of every key of the base below this one.
    proven_end: Vec<u8>,
}

/// The entries of a range, and what proves them.
pub(super) struct RangeFound {
    pub(super) entries: Vec<KeyValue>,
    pub(super) checks: Vec<Check>,
}

/// Reads up to `entries_max` keys from `start`, which must be less than `end`.
pub(super) fn range_read<'t>(
    overlay: &'t Overlay,
    own: &'t OwnWrites,
    (start, end): (&[u8], &[u8]),
    entries_max: usize,
) -> RangeRead<'t, impl Iterator<Item = (&'t [u8], &'t Write)> + use<'t>> {
    RangeRead {
        overlay: overlay.range(start, end).peekable(),
        overlay_revision: overlay.revision(),
        own: own.range::<[u8], _>(key_bounds(start, end)).peekable(),
        entries_max,
        entries: Vec::new(),
        checks: Vec::new(),
        proven_end: start.to_vec(),
    }
}

impl<'t, O: Iterator<Item = (&'t [u8], &'t Write)>> RangeRead<'t, O> {
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= self.entries_max
    }

    /// Takes the next entry of the engine.
    pub(super) fn pass(&mut self, key: &[u8], revision: u64, value: &[u8]) {
        self.pass_overlay(Some(key));
        match self.overlay.next_if(|(written, _)| *written == key) {
            Some((_, Write::Put(_, value))) => self.pass_base(key, self.overlay_revision, value),
            Some((_, Write::Delete(_))) => {}
            None => self.pass_base(key, revision, value),
        }
    }

    /// The engine has shown its last entry of the range, or this is full.
    pub(super) fn finish(mut self, end: &[u8]) -> RangeFound {
        self.pass_overlay(None);
        self.pass_own(None);
        let seen_end = match self.entries.last() {
            Some((last, _)) if self.is_full() => last.clone(),
            _ => end.to_vec(),
        };
        self.prove_up_to(&seen_end);
        RangeFound { entries: self.entries, checks: self.checks }
    }

    /// What the group wrote before `key`, or all that is left of it.
    fn pass_overlay(&mut self, key: Option<&[u8]>) {
        while !self.is_full()
            && let Some((written, write)) = self.overlay.next_if(|(written, _)| is_before(written, key))
        {
            if let Write::Put(_, value) = write {
                self.pass_base(written, self.overlay_revision, value);
            }
        }
    }

    /// What the transaction wrote before `key`, or all that is left of it.
    fn pass_own(&mut self, key: Option<&[u8]>) {
        while !self.is_full()
            && let Some((written, value)) = self.own.next_if(|(written, _)| is_before(written, key))
        {
            self.entries.extend(value.as_ref().map(|value| (written.clone(), value.clone())));
        }
    }

    fn pass_base(&mut self, key: &[u8], revision: u64, value: &[u8]) {
        self.pass_own(Some(key));
        if self.is_full() {
            return;
        }
        self.prove_up_to(key);
        self.proven_end = [key, &[0]].concat();
        if let Some((_, own)) = self.own.next_if(|(written, _)| written.as_slice() == key) {
            self.entries.extend(own.as_ref().map(|own| (key.to_vec(), own.clone())));
        } else {
            self.checks.push(Check::RevisionIs(key.to_vec(), revision));
            self.entries.push((key.to_vec(), value.to_vec()));
        }
    }

    fn prove_up_to(&mut self, key: &[u8]) {
        if self.proven_end.as_slice() < key {
            self.checks.push(Check::RangeEmpty(std::mem::take(&mut self.proven_end), key.to_vec()));
        }
    }
}

fn is_before(written: &[u8], key: Option<&[u8]>) -> bool {
    key.is_none_or(|key| written < key)
}
