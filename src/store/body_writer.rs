//! A body on its way in: received bytes into frames, sealed where a customer's key came with them, frames into
//! extents, digests along the way.
//!
//! The caller asks for [`space`](BodyWriter::space), receives straight into it and says how much arrived. At most two
//! buffers belong to one writer: one being filled, one being written. Nothing refers to the bytes until a transaction
//! takes the finished [`BodyWritten`]; dropping the writer at any point gives the space back.

use std::rc::Rc;
use std::sync::Arc;

use ringstone_io::IoError;
use ringstone_io::buffer::{Buffer, Window};
use ringstone_io::disk::CoreDisk;
use ringstone_io::runtime::{self, Task};

use crate::checksum::{Algorithm, Digest, Hasher, Md5};
use crate::commit::Data;
use crate::config::limits::{BLOCK_BYTES, BUFFER_BYTES, FRAME_BYTES, INLINE_BODY_BYTES_MAX};
use crate::index::record::{Inline, Run, Salt, Segment, Slice};
use crate::seal::{BodySeal, CustomerKey, FrameAad};
use crate::store::Store;
use crate::store::body_shape::BodyShape;
use crate::store::error::StoreError;
use crate::store::extent::frame::{self, FRAME_BLOCKS, FrameIdentity};
use crate::store::extent::reservation::{BodyHold, InFlight, Reservation};

/// A body that is wholly on its way to the disk: written, not yet synced, referred to by nothing.
pub struct BodyWritten {
    pub size_bytes: u64,
    /// For the ETag: the MD5 of the bytes, or, where they are sealed, random.
    pub etag_md5: [u8; 16],
    /// MD5 of the bytes, where it was computed.
    pub md5: Option<[u8; 16]>,
    /// In the order of [`NewBody::checksums`].
    pub checksums: Vec<Digest>,
    /// `None` for an empty body.
    pub segment: Option<Segment>,
    /// What the committer syncs and keeps.
    pub data: Data,
}

/// What is known of a body before its first byte.
#[derive(Default)]
pub struct NewBody<'a> {
    pub size_bytes: u64,
    /// Additional checksums to compute.
    pub checksums: &'a [Algorithm],
    /// Seals the body under this key.
    pub key: Option<&'a CustomerKey>,
    /// MD5 even of a sealed body, whose ETag needs none.
    pub needs_md5: bool,
}

/// Writes one body of known size.
pub struct BodyWriter {
    store: Store,
    shape: BodyShape,
    size_bytes: u64,
    received: u64,
    md5: Option<Md5>,
    checksums: Vec<Hasher>,
    seal: Option<(BodySeal, Salt)>,
    body_id: u64,
    runs: Vec<Arc<Reservation>>,
    /// Blocks of the last run that are already assigned to frames.
    run_blocks_used: u32,
    filling: Option<Filling>,
    writing: Option<Task<Result<(), IoError>>>,
}

/// The buffer being filled: frames one after the other, the last one in progress.
struct Filling {
    /// `None` while the caller receives into it.
    buffer: Option<Buffer>,
    /// `None` for a body that goes inline into its record.
    reservation: Option<Arc<Reservation>>,
    /// First block of the buffer's frames in the extent.
    block: u32,
    /// Frames that this buffer will hold.
    frames: u32,
    frames_done: u32,
    frame_filled: usize,
}

impl Store {
    /// Begins a body.
    pub fn body_writer(&self, new: &NewBody<'_>) -> Result<BodyWriter, StoreError> {
        if !self.space.is_accepting() {
            return Err(StoreError::NoSpace);
        }
        let seal = new.key.map(CustomerKey::new_body).transpose().map_err(no_randomness)?;
        Ok(BodyWriter {
            store: self.clone(),
            shape: BodyShape::new(new.size_bytes, seal.is_some()),
            size_bytes: new.size_bytes,
            received: 0,
            md5: (new.needs_md5 || seal.is_none()).then(Md5::new),
            checksums: new.checksums.iter().copied().map(Hasher::new).collect(),
            seal,
            body_id: getrandom::u64().map_err(no_randomness)?,
            runs: Vec::new(),
            run_blocks_used: 0,
            filling: None,
            writing: None,
        })
    }
}

fn no_randomness(error: getrandom::Error) -> StoreError {
    StoreError::Corrupt(format!("no randomness: {error}"))
}

impl BodyWriter {
    /// Room for the next bytes, or `None` once the declared size has arrived.
    pub async fn space(&mut self) -> Result<Option<Window>, StoreError> {
        if self.received == self.size_bytes {
            return Ok(None);
        }
        if self.filling.is_none() {
            self.filling = Some(self.begin_buffer().await?);
        }
        let frame_bytes = self.shape.bytes_in(self.sequence());
        let filling = self.filling.as_mut().ok_or_else(misuse)?;
        let start = filling.frames_done as usize * FRAME_BYTES;
        let buffer = filling.buffer.take().ok_or_else(misuse)?;
        Ok(Some(buffer.window(start + filling.frame_filled..start + frame_bytes)))
    }

    /// Takes the window back with `count` bytes received at its start.
    pub async fn filled(&mut self, window: Window, count: usize) -> Result<(), StoreError> {
        if let Some(md5) = &mut self.md5 {
            md5.update(&window[..count]);
        }
        for checksum in &mut self.checksums {
            checksum.update(&window[..count]);
        }
        let sequence = self.sequence();
        let filling = self.filling.as_mut().ok_or_else(misuse)?;
        let mut buffer = window.into_buffer();
        filling.frame_filled += count;
        self.received += count as u64;
        let mut end = 0;
        if filling.frame_filled == self.shape.bytes_in(sequence) {
            let start = filling.frames_done as usize * FRAME_BYTES;
            filling.frames_done += 1;
            filling.frame_filled = 0;
            end = self.complete_frame(&mut buffer, start, sequence);
        }
        let filling = self.filling.as_mut().ok_or_else(misuse)?;
        filling.buffer = Some(buffer);
        if filling.frames_done == filling.frames && !self.is_inline() {
            self.write_buffer(end).await?;
        }
        Ok(())
    }

    /// Seals a whole frame at `start` and gives it its footer. Returns where it ends.
    fn complete_frame(&self, buffer: &mut [u8], start: usize, sequence: u64) -> usize {
        let (bytes, payload_bytes) = (self.shape.bytes_in(sequence), self.shape.payload_in(sequence));
        if let Some((seal, _)) = &self.seal {
            let is_last = self.shape.is_last(sequence);
            let aad = FrameAad { sequence, plaintext_bytes: bytes as u32, is_last };
            let tag = seal.seal_frame(aad, &mut buffer[start..start + bytes]);
            buffer[start + bytes..start + payload_bytes].copy_from_slice(&tag);
        }
        if self.is_inline() {
            return start + payload_bytes;
        }
        let end = start + frame::blocks_of_frame(payload_bytes) as usize * BLOCK_BYTES;
        let identity = FrameIdentity { body_id: self.body_id, sequence, payload_bytes };
        frame::complete(&mut buffer[start..end], identity);
        end
    }

    /// Waits for the last write. The whole declared size must have arrived.
    pub async fn finish(mut self) -> Result<BodyWritten, StoreError> {
        if self.received != self.size_bytes {
            return Err(StoreError::Corrupt("a body was finished before it was whole".into()));
        }
        self.wait_for_write().await?;
        let segment = self.segment();
        let mut extents: Vec<u32> = self.runs.iter().map(|reservation| reservation.run().extent).collect();
        extents.dedup();
        let hold =
            (!self.runs.is_empty()).then(|| Box::new(BodyHold(std::mem::take(&mut self.runs))) as Box<_>);
        let md5 = self.md5.map(Md5::finish);
        let etag_md5 = match (&self.seal, md5) {
            (None, Some(md5)) => md5,
            _ => random_md5()?,
        };
        Ok(BodyWritten {
            size_bytes: self.size_bytes,
            etag_md5,
            md5,
            checksums: self.checksums.into_iter().map(Hasher::finish).collect(),
            segment,
            data: Data { extents, hold },
        })
    }

    /// Where the bytes are now.
    fn segment(&mut self) -> Option<Segment> {
        let salt = self.seal.as_ref().map(|(_, salt)| *salt);
        if self.size_bytes == 0 {
            return None;
        }
        if self.is_inline() {
            let buffer = self.filling.take().and_then(|filling| filling.buffer)?;
            let bytes = buffer[..self.shape.payload_in(0)].to_vec();
            return Some(Segment::Inline(Inline { bytes, salt }));
        }
        Some(Segment::Extents(Slice {
            body_id: self.body_id,
            body_bytes: self.size_bytes,
            skip: 0,
            bytes: self.size_bytes,
            first_frame: 0,
            runs: self.runs.iter().map(|reservation| *reservation.run()).collect::<Vec<Run>>(),
            salt,
        }))
    }

    fn is_inline(&self) -> bool {
        self.size_bytes <= INLINE_BODY_BYTES_MAX
    }

    /// Number of the frame being filled.
    fn sequence(&self) -> u64 {
        self.shape.frame_of(self.received)
    }

    /// Assigns space to the next frames and takes a buffer for them.
    async fn begin_buffer(&mut self) -> Result<Filling, StoreError> {
        if self.is_inline() {
            // No space in an extent: the bytes leave the buffer for the record.
            let buffer = Some(self.store.buffer().await?);
            return Ok(Filling {
                buffer,
                reservation: None,
                block: 0,
                frames: 1,
                frames_done: 0,
                frame_filled: 0,
            });
        }
        let first = self.sequence();
        let blocks_left = self.shape.blocks() - first * u64::from(FRAME_BLOCKS);
        let reservation = match self.runs.last() {
            Some(run) if self.run_blocks_used < run.run().blocks => run.clone(),
            _ => {
                let reservation = self.store.space.reserve(blocks_left).await?;
                self.runs.push(reservation.clone());
                self.run_blocks_used = 0;
                reservation
            }
        };
        let run = reservation.run();
        let blocks_free = run.blocks - self.run_blocks_used;
        let blocks = blocks_free.min((BUFFER_BYTES / BLOCK_BYTES) as u32);
        let block = run.block + self.run_blocks_used;
        self.run_blocks_used += blocks;
        let frames = blocks.div_ceil(FRAME_BLOCKS);
        let buffer = Some(self.store.buffer().await?);
        Ok(Filling { buffer, reservation: Some(reservation), block, frames, frames_done: 0, frame_filled: 0 })
    }

    /// Starts writing the filled buffer, of which `length` bytes are frames.
    async fn write_buffer(&mut self, length: usize) -> Result<(), StoreError> {
        let Some(Filling { buffer: Some(buffer), reservation: Some(reservation), block, .. }) =
            self.filling.take()
        else {
            return Err(misuse());
        };
        self.wait_for_write().await?;
        let disk = self.store.disk.clone();
        let offset = u64::from(block) * BLOCK_BYTES as u64;
        self.writing = Some(runtime::spawn(write(disk, reservation, offset, buffer.window(0..length))));
        Ok(())
    }

    async fn wait_for_write(&mut self) -> Result<(), StoreError> {
        match self.writing.take() {
            Some(writing) => Ok(writing.await?),
            None => Ok(()),
        }
    }
}

/// Writes one buffer. Holds the reservation itself: should the writer be dropped meanwhile, the space is not reused
/// under this write.
async fn write(
    disk: Rc<CoreDisk>,
    reservation: Arc<Reservation>,
    offset: u64,
    window: Window,
) -> Result<(), IoError> {
    let extent = reservation.run().extent;
    let in_flight = InFlight::new(reservation);
    let (result, _window) = disk.write_at(extent, offset, window).await;
    in_flight.landed();
    result
}

/// Sealed bytes have an ETag that says nothing of them.
fn random_md5() -> Result<[u8; 16], StoreError> {
    let mut md5 = [0; 16];
    getrandom::fill(&mut md5).map_err(no_randomness)?;
    Ok(md5)
}

/// `space` and `filled` come in turn; anything else is a fault of this program.
fn misuse() -> StoreError {
    StoreError::Corrupt("a body writer was used out of turn".into())
}
