//! A body on its way out: frames from extents, verified, as pieces of payload. Reads one buffer ahead.

use std::collections::VecDeque;
use std::ops::{Range, RangeInclusive};

use ringstone_io::buffer::Buffer;
use ringstone_io::runtime::{self, Task};

use crate::config::limits::{BLOCK_BYTES, BUFFER_BYTES, FRAME_BYTES, FRAME_PAYLOAD_BYTES};
use crate::index::record::object::Run;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::extent::frame::{self, FRAME_BLOCKS, FrameIdentity};
use crate::store::pins::PinnedRuns;

/// Verified payload: a buffer and the ranges of it that are body bytes, in order.
pub type Piece = (Buffer, Vec<Range<usize>>);

/// Reads a range of one body.
pub struct BodyReader {
    store: Store,
    body_id: u64,
    size_bytes: u64,
    /// Bytes of the body that are wanted.
    wanted: RangeInclusive<u64>,
    /// Reads not yet started.
    plan: VecDeque<Read>,
    ahead: Option<Task<Result<Piece, StoreError>>>,
    pins: PinnedRuns,
}

/// One disk read: frames that lie together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Read {
    extent: u32,
    block: u32,
    first_frame: u64,
    frames: u64,
}

impl BodyReader {
    /// `wanted` must lie within the body.
    pub(super) fn new(
        store: &Store,
        (body_id, runs): (u64, &[Run]),
        size_bytes: u64,
        wanted: RangeInclusive<u64>,
        pins: PinnedRuns,
    ) -> Self {
        let plan = plan(runs, &wanted);
        Self { store: store.clone(), body_id, size_bytes, wanted, plan, ahead: None, pins }
    }

    /// The next piece, or `None` at the end of the range. An error means that the rest cannot be had.
    pub async fn next(&mut self) -> Result<Option<Piece>, StoreError> {
        let current = match self.ahead.take() {
            Some(ahead) => ahead,
            None => match self.plan.pop_front() {
                Some(read) => {
                    let buffer = self.store.buffer().await?;
                    self.start(read, buffer)
                }
                None => return Ok(None),
            },
        };
        let piece = current.await?;
        // Reading ahead is worth a buffer only where one is free.
        if !self.plan.is_empty()
            && let Some(buffer) = self.store.buffers.try_acquire()
            && let Some(read) = self.plan.pop_front()
        {
            self.ahead = Some(self.start(read, buffer));
        }
        Ok(Some(piece))
    }

    fn start(&self, read: Read, buffer: Buffer) -> Task<Result<Piece, StoreError>> {
        let disk = self.store.disk.clone();
        let (body_id, size_bytes, wanted) = (self.body_id, self.size_bytes, self.wanted.clone());
        let pins = self.pins.clone();
        runtime::spawn(async move {
            let _held_while_reading = pins;
            let length = blocks_of(&read, size_bytes) as usize * BLOCK_BYTES;
            let offset = u64::from(read.block) * BLOCK_BYTES as u64;
            let (result, window) = disk.read_at(read.extent, offset, buffer.window(0..length)).await;
            result?;
            let buffer = window.into_buffer();
            let ranges = verify(&buffer, &read, body_id, size_bytes, &wanted)?;
            Ok((buffer, ranges))
        })
    }
}

/// Blocks of all frames of a read.
fn blocks_of(read: &Read, size_bytes: u64) -> u32 {
    let last = frame::payload_bytes_of(size_bytes, read.first_frame + read.frames - 1);
    (read.frames as u32 - 1) * FRAME_BLOCKS + frame::blocks_of_frame(last)
}

/// The reads that cover the wanted bytes: each within one run and one buffer.
fn plan(runs: &[Run], wanted: &RangeInclusive<u64>) -> VecDeque<Read> {
    let payload = FRAME_PAYLOAD_BYTES as u64;
    let (first, last) = (wanted.start() / payload, wanted.end() / payload);
    let frames_max = (BUFFER_BYTES / FRAME_BYTES) as u64;
    let mut plan = VecDeque::new();
    let mut run_first = 0;
    for run in runs {
        let run_frames = u64::from(run.blocks.div_ceil(FRAME_BLOCKS));
        let mut at = first.max(run_first);
        let end = (last + 1).min(run_first + run_frames);
        while at < end {
            let frames = (end - at).min(frames_max);
            let block = run.block + (at - run_first) as u32 * FRAME_BLOCKS;
            plan.push_back(Read { extent: run.extent, block, first_frame: at, frames });
            at += frames;
        }
        run_first += run_frames;
    }
    plan
}

/// Checks every frame of a read; returns where the wanted payload lies in the buffer.
fn verify(
    buffer: &[u8],
    read: &Read,
    body_id: u64,
    size_bytes: u64,
    wanted: &RangeInclusive<u64>,
) -> Result<Vec<Range<usize>>, StoreError> {
    let mut ranges = Vec::with_capacity(read.frames as usize);
    for index in 0..read.frames {
        let sequence = read.first_frame + index;
        let payload_bytes = frame::payload_bytes_of(size_bytes, sequence);
        let start = index as usize * FRAME_BYTES;
        let end = start + frame::blocks_of_frame(payload_bytes) as usize * BLOCK_BYTES;
        frame::verify(&buffer[start..end], FrameIdentity { body_id, sequence, payload_bytes }).map_err(
            |fault| {
                let block = read.block + index as u32 * FRAME_BLOCKS;
                StoreError::Frame { extent: read.extent, block, fault }
            },
        )?;
        let frame_first = sequence * FRAME_PAYLOAD_BYTES as u64;
        let from = wanted.start().saturating_sub(frame_first).min(payload_bytes as u64) as usize;
        let to = (wanted.end() + 1).saturating_sub(frame_first).min(payload_bytes as u64) as usize;
        ranges.push(start + from..start + to);
    }
    Ok(ranges)
}

#[cfg(test)]
#[path = "body_reader_tests.rs"]
mod tests;
