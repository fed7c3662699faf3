//! The allocator's live picture of one extent: one bit a block, set while the block is in use.

use std::ops::Range;

use crate::index::record::space_map::{CHUNK_BLOCKS, Chunk};

/// The blocks of one extent in memory.
#[derive(Clone, Debug)]
pub struct BlockBitmap {
    words: Vec<u64>,
    blocks: u32,
    free: u32,
}

impl BlockBitmap {
    /// All blocks used: space becomes free only by being told so.
    pub fn all_used(blocks: u32) -> Self {
        Self { words: vec![u64::MAX; (blocks as usize).div_ceil(64)], blocks, free: 0 }
    }

    /// Sets the blocks of one chunk below `end` as the space map has them.
    pub fn load_chunk(&mut self, chunk: u16, map: &Chunk, end: u32) {
        let first = u32::from(chunk) * CHUNK_BLOCKS;
        for (index, bytes) in map.chunks_exact(8).enumerate() {
            let start = first + index as u32 * 64;
            if start >= end.min(self.blocks) {
                return;
            }
            let mut used = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
            if end - start < 64 {
                used |= u64::MAX << (end - start);
            }
            let word = &mut self.words[(start / 64) as usize];
            self.free = self.free + word.count_ones() - used.count_ones();
            *word = used;
        }
    }

    pub fn free_blocks(&self) -> u32 {
        self.free
    }

    pub fn blocks(&self) -> u32 {
        self.blocks
    }

    pub fn is_used(&self, block: u32) -> bool {
        self.words[(block / 64) as usize] & (1 << (block % 64)) != 0
    }

    /// Marks blocks used. They must be free.
    pub fn take(&mut self, blocks: Range<u32>) {
        self.free -= blocks.end - blocks.start;
        for (word, mask) in masks(blocks) {
            assert_eq!(self.words[word] & mask, 0, "a block is handed out once");
            self.words[word] |= mask;
        }
    }

    /// Marks blocks free. They must be used.
    pub fn give_back(&mut self, blocks: Range<u32>) {
        assert!(blocks.end <= self.blocks);
        self.free += blocks.end - blocks.start;
        for (word, mask) in masks(blocks) {
            assert_eq!(self.words[word] & mask, mask, "a block is freed once");
            self.words[word] &= !mask;
        }
    }

    /// The first free run at or after `from` with at least `wanted` blocks, or else the longest one met.
    /// The answer is never longer than `wanted`.
    pub fn find(&self, from: u32, wanted: u32) -> Option<Range<u32>> {
        let mut best: Option<Range<u32>> = None;
        let mut at = from;
        while let Some(start) = self.next_with(at, false) {
            let end = self.next_with(start, true).unwrap_or(self.blocks).min(start + wanted);
            if end - start == wanted {
                return Some(start..end);
            }
            if best.as_ref().is_none_or(|best| end - start > best.end - best.start) {
                best = Some(start..end);
            }
            at = end;
        }
        best
    }

    /// First block at or after `from` that is used (or free).
    fn next_with(&self, from: u32, used: bool) -> Option<u32> {
        let mut word = (from / 64) as usize;
        let mut mask = u64::MAX << (from % 64);
        while word < self.words.len() {
            let candidates = if used { self.words[word] } else { !self.words[word] } & mask;
            if candidates != 0 {
                let block = word as u32 * 64 + candidates.trailing_zeros();
                return (block < self.blocks).then_some(block);
            }
            word += 1;
            mask = u64::MAX;
        }
        None
    }
}

/// Words and masks that cover `blocks`.
fn masks(blocks: Range<u32>) -> impl Iterator<Item = (usize, u64)> {
    (blocks.start / 64..blocks.end.div_ceil(64)).map(move |word| {
        let low = blocks.start.saturating_sub(word * 64);
        let high = (blocks.end - word * 64).min(64);
        let below_high = if high == 64 { u64::MAX } else { (1 << high) - 1 };
        (word as usize, below_high & (u64::MAX << low))
    })
}

#[cfg(test)]
#[path = "bitmap_tests.rs"]
mod tests;
