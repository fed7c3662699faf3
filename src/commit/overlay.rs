//! What the earlier transactions of a group wrote, as the later ones see it: over the index, in the order of its
//! keys.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::index::engine::{Batch, Write};

/// Keeps the batches themselves, so that no value is copied for those that come later and may never look.
pub(super) struct Overlay {
    revision: u64,
    batches: Vec<Batch>,
    /// Where the last write of a key stands: which batch, which of its writes.
    places: BTreeMap<Vec<u8>, (usize, usize)>,
}

impl Overlay {
    /// Of a group whose commit will take this revision.
    pub(super) fn new(revision: u64) -> Self {
        Self { revision, batches: Vec::new(), places: BTreeMap::new() }
    }

    /// The revision that all of its writes will have.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// Adds what a transaction that completed wrote.
    pub(super) fn absorb(&mut self, batch: Batch) {
        for (place, write) in batch.writes.iter().enumerate() {
            let (Write::Put(key, _) | Write::Delete(key)) = write;
            self.places.insert(key.clone(), (self.batches.len(), place));
        }
        self.batches.push(batch);
    }

    /// The last write of a key, if there was one.
    pub(super) fn get(&self, key: &[u8]) -> Option<&Write> {
        self.places.get(key).map(|place| self.write_at(*place))
    }

    /// The last writes of the keys from the first up to, not including, the second, ascending. The first must not
    /// be the greater.
    pub(super) fn range<'o>(
        &'o self,
        start: &[u8],
        end: &[u8],
    ) -> impl Iterator<Item = (&'o [u8], &'o Write)> + use<'o> {
        self.places
            .range::<[u8], _>(key_bounds(start, end))
            .map(|(key, place)| (&key[..], self.write_at(*place)))
    }

    fn write_at(&self, (batch, write): (usize, usize)) -> &Write {
        &self.batches[batch].writes[write]
    }

    /// What was absorbed, in its order.
    pub(super) fn into_batches(self) -> Vec<Batch> {
        self.batches
    }
}

/// The bounds of a half-open range, for an ordered map.
pub(super) fn key_bounds<'k>(start: &'k [u8], end: &'k [u8]) -> (Bound<&'k [u8]>, Bound<&'k [u8]>) {
    (Bound::Included(start), Bound::Excluded(end))
}
