//! Stamps: numbers that order all transactions of a node, whatever its clock does.
//!
//! A stamp is Unix milliseconds with room below for the transactions of one millisecond, but never less than the last
//! one plus one. To hold across restarts too, a ceiling ahead of the stamps is kept in the index; a start continues
//! from the ceiling. It is rewritten once in ten seconds of stamps, not for every commit.

use crate::index::IndexError;
use crate::index::engine::{Batch, Engine, Write};
use crate::index::key_encoding;

/// Bits of a stamp below the milliseconds.
const SHIFT: u32 = 16;

/// How far the ceiling is set ahead.
const AHEAD: u64 = 10_000 << SHIFT;

const NAME: &str = "stamp-ceiling";

pub(super) struct Stamps {
    last: u64,
    ceiling: u64,
}

impl Stamps {
    pub(super) fn load(engine: &Engine) -> Result<Self, IndexError> {
        let entry = engine.get(&key_encoding::meta_key(NAME))?;
        let ceiling = entry
            .and_then(|entry| <[u8; 8]>::try_from(entry.value.as_slice()).ok())
            .map_or(0, u64::from_be_bytes);
        Ok(Self { last: ceiling, ceiling })
    }

    pub(super) fn next(&mut self, now_ms: i64) -> u64 {
        self.last = (self.last + 1).max(now_ms.unsigned_abs() << SHIFT);
        self.last
    }

    /// The new ceiling that must join the group whose stamps passed the old one.
    pub(super) fn ceiling_due(&self) -> Option<u64> {
        (self.last >= self.ceiling).then_some(self.last + AHEAD)
    }

    /// The write of a ceiling.
    pub(super) fn batch(ceiling: u64) -> Batch {
        let write = Write::Put(key_encoding::meta_key(NAME), ceiling.to_be_bytes().to_vec());
        Batch { checks: Vec::new(), writes: vec![write] }
    }

    /// The ceiling is durable. One that was only asked for does not count: its group may have failed.
    pub(super) fn raised(&mut self, ceiling: u64) {
        self.ceiling = ceiling;
    }
}

#[cfg(test)]
#[path = "stamps_tests.rs"]
mod tests;
