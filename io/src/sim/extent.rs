//! One simulated extent: what a reader sees now, what the medium holds, and which blocks differ.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use super::seed::Dice;
use crate::disk::BLOCK_BYTES;

/// What the device writes whole, whatever happens.
const SECTOR_BYTES: usize = 512;

type Block = Arc<[u8; BLOCK_BYTES]>;

/// Bytes of an extent. Blocks that were never written are absent and read as zeros.
#[derive(Clone, Default)]
pub(super) struct Image {
    length: u64,
    blocks: BTreeMap<u64, Block>,
}

impl Image {
    fn block(&self, number: u64) -> Block {
        self.blocks.get(&number).cloned().unwrap_or_else(|| Arc::new([0; BLOCK_BYTES]))
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(bytes.len() as u64).is_none_or(|end| end > self.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for piece in pieces(offset, bytes.len()) {
            let target = &mut bytes[piece.start..piece.start + piece.length];
            match self.blocks.get(&piece.block) {
                Some(block) => target.copy_from_slice(&block[piece.skip..piece.skip + piece.length]),
                None => target.fill(0),
            }
        }
        Ok(())
    }

    /// Bytes behind the end belong to nobody: a file that grows again reads zeros there.
    fn forget_behind_end(&mut self) {
        self.blocks.split_off(&self.length.div_ceil(BLOCK_BYTES as u64));
        let kept = (self.length % BLOCK_BYTES as u64) as usize;
        if let Some(last) = self.blocks.get_mut(&(self.length / BLOCK_BYTES as u64)) {
            Arc::make_mut(last)[kept..].fill(0);
        }
    }

    fn flip_bit(&mut self, offset: u64) {
        let mut block = self.block(offset / BLOCK_BYTES as u64);
        Arc::make_mut(&mut block)[(offset % BLOCK_BYTES as u64) as usize] ^= 1;
        self.blocks.insert(offset / BLOCK_BYTES as u64, block);
    }
}

/// The part of a byte range that lies in one block.
struct Piece {
    block: u64,
    /// Bytes of the block before the piece.
    skip: usize,
    /// Where the piece starts in the range.
    start: usize,
    length: usize,
}

fn pieces(offset: u64, length: usize) -> impl Iterator<Item = Piece> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let at = offset + start as u64;
        let skip = (at % BLOCK_BYTES as u64) as usize;
        let piece_length = (BLOCK_BYTES - skip).min(length - start);
        let piece = Piece { block: at / BLOCK_BYTES as u64, skip, start, length: piece_length };
        start += piece_length;
        (piece_length > 0).then_some(piece)
    })
}

pub(super) struct Extent {
    /// Whether the directory shows it now.
    pub(super) present: bool,
    /// Whether the directory on the medium shows it.
    pub(super) linked: bool,
    live: Image,
    durable: Image,
    /// Blocks written since the last sync.
    dirty: BTreeSet<u64>,
    /// Whether the extent grew since the last sync.
    length_dirty: bool,
}

impl Extent {
    /// A new empty extent; `linked` if its entry reached the medium.
    pub(super) fn new(linked: bool) -> Self {
        Self::surviving(Image::default(), linked)
    }

    /// An extent found on the medium after a power cut.
    pub(super) fn surviving(image: Image, linked: bool) -> Self {
        Self {
            present: true,
            linked,
            live: image.clone(),
            durable: image,
            dirty: BTreeSet::new(),
            length_dirty: false,
        }
    }

    pub(super) fn length(&self) -> u64 {
        self.live.length
    }

    pub(super) fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.live.read(offset, bytes)
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        self.write_pieces(offset, bytes, |_| true);
    }

    /// A write that failed: any of its blocks may have arrived.
    pub(super) fn write_partly(&mut self, offset: u64, bytes: &[u8], dice: &mut Dice) {
        self.write_pieces(offset, bytes, |_| dice.flip());
    }

    fn write_pieces(&mut self, offset: u64, bytes: &[u8], mut arrives: impl FnMut(&Piece) -> bool) {
        for piece in pieces(offset, bytes.len()).filter(|piece| arrives(piece)) {
            let mut block = self.live.block(piece.block);
            let source = &bytes[piece.start..piece.start + piece.length];
            Arc::make_mut(&mut block)[piece.skip..piece.skip + piece.length].copy_from_slice(source);
            self.live.blocks.insert(piece.block, block);
            self.dirty.insert(piece.block);
            self.grow(offset + (piece.start + piece.length) as u64);
        }
    }

    /// Extends the extent to at least `length` bytes.
    pub(super) fn grow(&mut self, length: u64) {
        if length > self.live.length {
            self.live.length = length;
            self.length_dirty = true;
        }
    }

    pub(super) fn sync(&mut self) {
        for number in std::mem::take(&mut self.dirty) {
            self.durable.blocks.insert(number, self.live.block(number));
            let end = (number + 1) * BLOCK_BYTES as u64;
            self.durable.length = self.durable.length.max(end.min(self.live.length));
        }
        if std::mem::take(&mut self.length_dirty) {
            self.durable.length = self.live.length;
        }
    }

    /// A sync that failed, as kernels do it: some blocks reached the medium, and all of them count as
    /// clean from now on. Readers still see what was lost, and the next sync succeeds without it.
    pub(super) fn sync_partly(&mut self, dice: &mut Dice) {
        self.durable = self.after_cut(dice);
        self.dirty.clear();
        self.length_dirty = false;
    }

    /// What the medium holds if the power goes now.
    pub(super) fn after_cut(&self, dice: &mut Dice) -> Image {
        let mut image = self.durable.clone();
        if self.length_dirty && dice.flip() {
            image.length = self.live.length;
        }
        for &number in &self.dirty {
            let new = self.live.block(number);
            match dice.roll(3) {
                0 => {}
                1 => {
                    image.blocks.insert(number, new);
                }
                _ => {
                    let mut torn = image.block(number);
                    let sectors = Arc::make_mut(&mut torn).chunks_exact_mut(SECTOR_BYTES);
                    for (old, new) in sectors.zip(new.chunks_exact(SECTOR_BYTES)) {
                        if dice.flip() {
                            old.copy_from_slice(new);
                        }
                    }
                    image.blocks.insert(number, torn);
                }
            }
        }
        image.forget_behind_end();
        image
    }

    pub(super) fn flip_bit(&mut self, offset: u64) {
        self.live.flip_bit(offset);
        self.durable.flip_bit(offset);
    }
}
