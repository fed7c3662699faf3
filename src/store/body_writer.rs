//! A body on its way in: received bytes into frames, frames into extents, digests along the way.
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
use crate::config::limits::{
    BLOCK_BYTES, BUFFER_BYTES, FRAME_BYTES, FRAME_PAYLOAD_BYTES, INLINE_BODY_BYTES_MAX,
};
use crate::index::record::object::{Layout, Run};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::extent::frame::{self, FRAME_BLOCKS, FrameIdentity};
use crate::store::extent::reservation::{BodyHold, InFlight, Reservation};

/// A body that is wholly on its way to the disk: written, not yet synced, referred to by nothing.
pub struct BodyWritten {
    pub size_bytes: u64,
    pub md5: [u8; 16],
    pub checksum: Option<Digest>,
    pub layout: Layout,
    /// What the committer syncs and keeps.
    pub data: Data,
}

/// Writes one body of known size.
pub struct BodyWriter {
    store: Store,
    size_bytes: u64,
    received: u64,
    md5: Md5,
    checksum: Option<Hasher>,
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
    frames_sealed: u32,
    frame_filled: usize,
}

impl Store {
    /// Begins a body of `size_bytes`, with an additional checksum where asked for.
    pub fn body_writer(
        &self,
        size_bytes: u64,
        checksum: Option<Algorithm>,
    ) -> Result<BodyWriter, StoreError> {
        if !self.space.is_accepting() {
            return Err(StoreError::NoSpace);
        }
        let body_id =
            getrandom::u64().map_err(|error| StoreError::Corrupt(format!("no randomness: {error}")))?;
        Ok(BodyWriter {
            store: self.clone(),
            size_bytes,
            received: 0,
            md5: Md5::new(),
            checksum: checksum.map(Hasher::new),
            body_id,
            runs: Vec::new(),
            run_blocks_used: 0,
            filling: None,
            writing: None,
        })
    }
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
        let payload = frame::payload_bytes_of(self.size_bytes, self.sequence());
        let filling = self.filling.as_mut().ok_or_else(misuse)?;
        let start = filling.frames_sealed as usize * FRAME_BYTES;
        let buffer = filling.buffer.take().ok_or_else(misuse)?;
        Ok(Some(buffer.window(start + filling.frame_filled..start + payload)))
    }

    /// Takes the window back with `count` bytes received at its start.
    pub async fn filled(&mut self, window: Window, count: usize) -> Result<(), StoreError> {
        self.md5.update(&window[..count]);
        if let Some(checksum) = &mut self.checksum {
            checksum.update(&window[..count]);
        }
        let (sequence, size_bytes, body_id) = (self.sequence(), self.size_bytes, self.body_id);
        let inline = self.is_inline();
        let filling = self.filling.as_mut().ok_or_else(misuse)?;
        let mut buffer = window.into_buffer();
        filling.frame_filled += count;
        self.received += count as u64;
        let payload_bytes = frame::payload_bytes_of(size_bytes, sequence);
        let frame_is_whole = filling.frame_filled == payload_bytes;
        let mut end = 0;
        if frame_is_whole && !inline {
            let start = filling.frames_sealed as usize * FRAME_BYTES;
            end = start + frame::blocks_of_frame(payload_bytes) as usize * BLOCK_BYTES;
            frame::seal(&mut buffer[start..end], FrameIdentity { body_id, sequence, payload_bytes });
            filling.frames_sealed += 1;
            filling.frame_filled = 0;
        }
        filling.buffer = Some(buffer);
        if filling.frames_sealed == filling.frames {
            self.write_buffer(end).await?;
        }
        Ok(())
    }

    /// Waits for the last write. The whole declared size must have arrived.
    pub async fn finish(mut self) -> Result<BodyWritten, StoreError> {
        if self.received != self.size_bytes {
            return Err(StoreError::Corrupt("a body was finished before it was whole".into()));
        }
        let layout = if self.is_inline() {
            let buffer = self.filling.take().and_then(|filling| filling.buffer);
            Layout::Inline(buffer.map_or_else(Vec::new, |buffer| buffer[..self.size_bytes as usize].to_vec()))
        } else {
            self.wait_for_write().await?;
            let runs: Vec<Run> = self.runs.iter().map(|reservation| *reservation.run()).collect();
            Layout::Extents { body_id: self.body_id, runs }
        };
        let mut extents: Vec<u32> = self.runs.iter().map(|reservation| reservation.run().extent).collect();
        extents.dedup();
        let hold =
            (!self.runs.is_empty()).then(|| Box::new(BodyHold(std::mem::take(&mut self.runs))) as Box<_>);
        Ok(BodyWritten {
            size_bytes: self.size_bytes,
            md5: self.md5.finish(),
            checksum: self.checksum.map(Hasher::finish),
            layout,
            data: Data { extents, hold },
        })
    }

    fn is_inline(&self) -> bool {
        self.size_bytes <= INLINE_BODY_BYTES_MAX
    }

    /// Number of the frame being filled.
    fn sequence(&self) -> u64 {
        self.received / FRAME_PAYLOAD_BYTES as u64
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
                frames_sealed: 0,
                frame_filled: 0,
            });
        }
        let first = self.sequence();
        let blocks_left = frame::blocks_of_body(self.size_bytes) - first * u64::from(FRAME_BLOCKS);
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
        Ok(Filling {
            buffer,
            reservation: Some(reservation),
            block,
            frames,
            frames_sealed: 0,
            frame_filled: 0,
        })
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

/// `space` and `filled` come in turn; anything else is a fault of this program.
fn misuse() -> StoreError {
    StoreError::Corrupt("a body writer was used out of turn".into())
}
