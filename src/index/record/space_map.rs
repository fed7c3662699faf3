//! The space map: one bit a block, set while a committed record refers to the block. One value covers 16 MiB of an
//! extent. It changes in the same transaction as the records, so it is what the records say, always.

use std::ops::Range;

/// Blocks that one bitmap of the space map covers: 16 MiB.
pub const CHUNK_BLOCKS: u32 = 4096;

/// Bytes of one bitmap of the space map.
pub const CHUNK_BYTES: usize = CHUNK_BLOCKS as usize / 8;

/// One value of the space map.
pub type Chunk = [u8; CHUNK_BYTES];

/// The pieces of `blocks` by chunk: chunk number and range within it.
pub fn by_chunk(blocks: Range<u32>) -> impl Iterator<Item = (u16, Range<u32>)> {
    let mut next = blocks.start;
    std::iter::from_fn(move || {
        if next >= blocks.end {
            return None;
        }
        let chunk = next / CHUNK_BLOCKS;
        let start = next - chunk * CHUNK_BLOCKS;
        let end = (blocks.end - chunk * CHUNK_BLOCKS).min(CHUNK_BLOCKS);
        next = chunk * CHUNK_BLOCKS + end;
        Some((chunk as u16, start..end))
    })
}

/// Flips `blocks` of a chunk to `used`. False, and nothing changed, where one of them already was: two records
/// would share a block, or one block would be freed twice.
pub fn flip(chunk: &mut Chunk, blocks: Range<u32>, used: bool) -> bool {
    if !are(chunk, blocks.clone(), !used) {
        return false;
    }
    for (byte, mask) in masks(blocks) {
        chunk[byte] ^= mask;
    }
    true
}

/// Whether all of `blocks` of a chunk are in use, or none of them.
pub fn are(chunk: &Chunk, blocks: Range<u32>, used: bool) -> bool {
    masks(blocks).all(|(byte, mask)| chunk[byte] & mask == if used { mask } else { 0 })
}

/// The bytes that hold the bits of `blocks`, and which bits these are.
fn masks(blocks: Range<u32>) -> impl Iterator<Item = (usize, u8)> {
    let bytes = blocks.start / 8..blocks.end.div_ceil(8);
    bytes.map(move |byte| {
        let first = blocks.start.saturating_sub(byte * 8);
        let unwanted = (byte * 8 + 8).saturating_sub(blocks.end);
        (byte as usize, u8::MAX << first & u8::MAX >> unwanted)
    })
}

#[cfg(test)]
#[path = "space_map_tests.rs"]
mod tests;
