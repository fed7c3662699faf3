//! A body on its way out: frames from extents, verified and unsealed, as pieces of payload. Reads one buffer ahead.

use std::iter::Peekable;
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;
use std::vec;

use ringstone_io::buffer::Buffer;
use ringstone_io::runtime::{self, Task};

use crate::config::limits::{BLOCK_BYTES, BUFFER_BYTES, FRAME_BYTES, TAG_BYTES};
use crate::index::record::{Inline, Segment, Slice};
use crate::seal::{BodySeal, CustomerKey, FrameAad};
use crate::store::Store;
use crate::store::body_shape::BodyShape;
use crate::store::error::StoreError;
use crate::store::extent::frame::{self, FRAME_BLOCKS, FrameIdentity};
use crate::store::pins::PinnedRuns;

/// Verified payload: a buffer and the ranges of it that are body bytes, in order.
pub type Piece = (Buffer, Vec<Range<usize>>);

/// Reads a range of the bytes of one object.
pub struct BodyReader {
    store: Store,
    /// Reads not yet started.
    plan: Peekable<Plan>,
    ahead: Option<Task<Result<Piece, StoreError>>>,
    pins: PinnedRuns,
}

/// One step of a plan.
#[derive(Debug)]
enum Step {
    /// Bytes that came with the record.
    Bytes(Vec<u8>),
    Frames(Read),
}

/// One disk read: frames that lie together.
#[derive(Debug)]
struct Read {
    body: Rc<BodyView>,
    extent: u32,
    block: u32,
    first_frame: u64,
    frames: u64,
    /// Bytes of the body that are wanted, of these frames and of others.
    wanted: RangeInclusive<u64>,
}

/// What a reader must know of a body.
#[derive(Debug)]
struct BodyView {
    body_id: u64,
    shape: BodyShape,
    seal: Option<BodySeal>,
}

impl BodyReader {
    /// `wanted` must lie within the segments; `key` must be the right one where they are sealed.
    pub(super) fn new(
        store: &Store,
        segments: Vec<Segment>,
        wanted: RangeInclusive<u64>,
        key: Option<Rc<CustomerKey>>,
        pins: PinnedRuns,
    ) -> Self {
        Self { store: store.clone(), plan: Plan::new(segments, wanted, key).peekable(), ahead: None, pins }
    }

    /// The next piece, or `None` at the end of the range. An error means that the rest cannot be had.
    pub async fn next(&mut self) -> Result<Option<Piece>, StoreError> {
        let current = match self.ahead.take() {
            Some(ahead) => ahead,
            None => match self.plan.next() {
                Some(step) => {
                    let buffer = self.store.buffer().await?;
                    self.start(step?, buffer)
                }
                None => return Ok(None),
            },
        };
        let piece = current.await?;
        // Reading ahead is worth a buffer only where one is free.
        if self.plan.peek().is_some()
            && let Some(buffer) = self.store.buffers.try_acquire()
            && let Some(step) = self.plan.next()
        {
            self.ahead = Some(self.start(step?, buffer));
        }
        Ok(Some(piece))
    }

    fn start(&self, step: Step, mut buffer: Buffer) -> Task<Result<Piece, StoreError>> {
        let disk = self.store.disk.clone();
        let pins = self.pins.clone();
        runtime::spawn(async move {
            let _held_while_reading = pins;
            let read = match step {
                Step::Frames(read) => read,
                Step::Bytes(bytes) => {
                    let all = 0..bytes.len();
                    buffer[all.clone()].copy_from_slice(&bytes);
                    return Ok((buffer, vec![all]));
                }
            };
            let offset = u64::from(read.block) * BLOCK_BYTES as u64;
            let (result, window) = disk.read_at(read.extent, offset, buffer.window(0..read.length())).await;
            result?;
            let mut buffer = window.into_buffer();
            let ranges = read.verify(&mut buffer)?;
            Ok((buffer, ranges))
        })
    }
}

impl Read {
    /// Bytes of all its frames on disk.
    fn length(&self) -> usize {
        let last = self.body.shape.payload_in(self.first_frame + self.frames - 1);
        let blocks = (self.frames as u32 - 1) * FRAME_BLOCKS + frame::blocks_of_frame(last);
        blocks as usize * BLOCK_BYTES
    }

    /// Checks every frame and unseals it; returns where the wanted bytes lie in the buffer.
    fn verify(&self, buffer: &mut [u8]) -> Result<Vec<Range<usize>>, StoreError> {
        let BodyView { body_id, shape, ref seal } = *self.body;
        let mut ranges = Vec::with_capacity(self.frames as usize);
        for index in 0..self.frames {
            let sequence = self.first_frame + index;
            let payload_bytes = shape.payload_in(sequence);
            let start = index as usize * FRAME_BYTES;
            let end = start + frame::blocks_of_frame(payload_bytes) as usize * BLOCK_BYTES;
            frame::verify(&buffer[start..end], FrameIdentity { body_id, sequence, payload_bytes }).map_err(
                |fault| {
                    let block = self.block + index as u32 * FRAME_BLOCKS;
                    StoreError::Frame { extent: self.extent, block, fault }
                },
            )?;
            if let Some(seal) = seal {
                open(seal, shape, sequence, &mut buffer[start..start + payload_bytes])?;
            }
            let frame_first = shape.start_of(sequence);
            let within =
                |at: u64| at.saturating_sub(frame_first).min(shape.bytes_in(sequence) as u64) as usize;
            ranges.push(start + within(*self.wanted.start())..start + within(self.wanted.end() + 1));
        }
        Ok(ranges)
    }
}

/// Unseals one frame in place: bytes, then the tag.
fn open(seal: &BodySeal, shape: BodyShape, sequence: u64, payload: &mut [u8]) -> Result<(), StoreError> {
    let (bytes, tag) = payload.split_at_mut(shape.bytes_in(sequence));
    let tag = <&[u8; TAG_BYTES]>::try_from(&*tag).map_err(|_length| StoreError::Unsealed)?;
    let aad = FrameAad { sequence, plaintext_bytes: bytes.len() as u32, is_last: shape.is_last(sequence) };
    seal.open_frame(aad, bytes, tag).map_err(|_unsealed| StoreError::Unsealed)
}

/// The bytes of an inline segment, unsealed.
pub(super) fn inline_bytes(inline: Inline, key: Option<&CustomerKey>) -> Result<Vec<u8>, StoreError> {
    let Inline { mut bytes, salt } = inline;
    if let Some(salt) = salt {
        let seal = key.ok_or(StoreError::Unsealed)?.body(&salt);
        let length = bytes.len().checked_sub(TAG_BYTES).ok_or(StoreError::Unsealed)?;
        open(&seal, BodyShape::new(length as u64, true), 0, &mut bytes)?;
        bytes.truncate(length);
    }
    Ok(bytes)
}

/// The reads that cover the wanted bytes, each within one run and one buffer. Made as they are needed: an object of
/// many terabytes has a hundred million of them.
struct Plan {
    segments: vec::IntoIter<Segment>,
    /// First byte of the object that the next segment holds.
    position: u64,
    wanted: RangeInclusive<u64>,
    key: Option<Rc<CustomerKey>>,
    slice: Option<SlicePlan>,
}

/// The reads of one slice.
struct SlicePlan {
    body: Rc<BodyView>,
    slice: Slice,
    /// Run that the next read is in, and its first frame.
    run: usize,
    run_first: u64,
    next_frame: u64,
    wanted: RangeInclusive<u64>,
}

impl Plan {
    fn new(segments: Vec<Segment>, wanted: RangeInclusive<u64>, key: Option<Rc<CustomerKey>>) -> Self {
        Self { segments: segments.into_iter(), position: 0, wanted, key, slice: None }
    }

    /// What is wanted of the next segment, counted from its own start.
    fn wanted_of(&mut self, bytes: u64) -> Option<RangeInclusive<u64>> {
        let first = self.position;
        self.position += bytes;
        let start = (*self.wanted.start()).max(first);
        let end = (self.wanted.end() + 1).min(self.position);
        (start < end).then(|| start - first..=end - 1 - first)
    }

    fn enter(&mut self, slice: Slice, wanted: &RangeInclusive<u64>) -> Result<(), StoreError> {
        let seal = match (&slice.salt, &self.key) {
            (None, _) => None,
            (Some(salt), Some(key)) => Some(key.body(salt)),
            (Some(_), None) => return Err(StoreError::Unsealed),
        };
        let shape = BodyShape::new(slice.body_bytes, slice.salt.is_some());
        let wanted = slice.skip + wanted.start()..=slice.skip + wanted.end();
        self.slice = Some(SlicePlan {
            body: Rc::new(BodyView { body_id: slice.body_id, shape, seal }),
            run: 0,
            run_first: slice.first_frame,
            next_frame: shape.frame_of(*wanted.start()),
            wanted,
            slice,
        });
        Ok(())
    }
}

impl Iterator for Plan {
    type Item = Result<Step, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(read) = self.slice.as_mut().and_then(SlicePlan::next) {
                return Some(Ok(Step::Frames(read)));
            }
            self.slice = None;
            let segment = self.segments.next()?;
            let Some(wanted) = self.wanted_of(segment.bytes(TAG_BYTES)) else { continue };
            match segment {
                Segment::Extents(slice) => {
                    if let Err(error) = self.enter(slice, &wanted) {
                        return Some(Err(error));
                    }
                }
                Segment::Inline(inline) => {
                    let cut = |mut bytes: Vec<u8>| {
                        bytes.truncate(*wanted.end() as usize + 1);
                        bytes.drain(..*wanted.start() as usize);
                        Step::Bytes(bytes)
                    };
                    return Some(inline_bytes(inline, self.key.as_deref()).map(cut));
                }
            }
        }
    }
}

impl SlicePlan {
    fn next(&mut self) -> Option<Read> {
        let last = self.body.shape.frame_of(*self.wanted.end());
        while self.next_frame <= last {
            let run = self.slice.runs.get(self.run)?;
            let run_end = self.run_first + u64::from(run.blocks.div_ceil(FRAME_BLOCKS));
            if self.next_frame >= run_end {
                self.run += 1;
                self.run_first = run_end;
                continue;
            }
            let frames_max = (BUFFER_BYTES / FRAME_BYTES) as u64;
            let frames = ((last + 1).min(run_end) - self.next_frame).min(frames_max);
            let read = Read {
                body: self.body.clone(),
                extent: run.extent,
                block: run.block + (self.next_frame - self.run_first) as u32 * FRAME_BLOCKS,
                first_frame: self.next_frame,
                frames,
                wanted: self.wanted.clone(),
            };
            self.next_frame += frames;
            return Some(read);
        }
        None
    }
}

#[cfg(test)]
#[path = "body_reader_tests.rs"]
mod tests;
