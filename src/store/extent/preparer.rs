//! The thread that grows extents ahead of need and watches how full the filesystem is.
//!
//! Growing means `fallocate`, which may block for milliseconds: it never happens on a request core.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ringstone_io::IoError;
use ringstone_io::runtime::Clock;

use crate::config::limits::{
    BLOCK_BYTES, INDEX_FREE_BYTES_MIN, SPACE_AHEAD_BYTES, SPACE_CHECK_MS, SPACE_STEP_BYTES,
};
use crate::store::error::StoreError;
use crate::store::extent::header::ExtentHeader;
use crate::store::extent::space::{Space, State};

const BLOCK: u64 = BLOCK_BYTES as u64;

/// The running preparer; stops and joins when dropped.
pub struct Preparer {
    space: Arc<Space>,
    thread: Option<JoinHandle<()>>,
}

impl Preparer {
    pub fn start(space: Arc<Space>, clock: Clock) -> Result<Self, StoreError> {
        let worker = space.clone();
        let thread = std::thread::Builder::new()
            .name("preparer".into())
            .spawn(move || run(&worker, &clock))
            .map_err(|error| StoreError::Thread(error.to_string()))?;
        Ok(Self { space, thread: Some(thread) })
    }
}

impl Drop for Preparer {
    fn drop(&mut self) {
        self.space.lock().stopping = true;
        self.space.work.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported already.
            let _ = thread.join();
        }
    }
}

fn run(space: &Arc<Space>, clock: &Clock) {
    let mut retry_at: Option<Instant> = None;
    loop {
        // After a failure the disk gets a pause: it would most likely fail again at once, for every request.
        let room = has_room(space) && retry_at.is_none_or(|retry_at| retry_at <= Instant::now());
        let due = {
            let mut state = space.lock();
            state.exhausted &= !room;
            state.is_due()
        };
        if due {
            let grown = if room { grow(space, clock) } else { Ok(false) };
            retry_at = grown.is_err().then(|| Instant::now() + Duration::from_millis(SPACE_CHECK_MS));
            answer(space, grown);
            continue;
        }
        let state = space.lock();
        if state.stopping {
            return;
        }
        if !state.is_due() {
            // Woken by a reservation, or time to look at the filesystem again.
            drop(space.work.wait_timeout(state, Duration::from_millis(SPACE_CHECK_MS)));
        }
    }
}

impl State {
    fn is_due(&self) -> bool {
        // A node that has never stored a body in an extent stays small.
        let running_low = !self.extents.is_empty() && self.free_blocks() * BLOCK < SPACE_AHEAD_BYTES;
        !self.stopping && !self.exhausted && (running_low || !self.waiting.is_empty())
    }
}

/// Looks at the filesystem; remembers whether writes are accepted at all. True: another step fits.
fn has_room(space: &Space) -> bool {
    match space.disk.free_bytes() {
        Ok(free) => {
            // What deletes free stays in the files: room for records inside the index counts as well, or else a node
            // that was full once would refuse writes for ever.
            let accepting =
                free >= space.options.reserve_bytes || index_free_bytes(space) >= INDEX_FREE_BYTES_MIN;
            if space.accepting.swap(accepting, Ordering::Relaxed) != accepting {
                tracing::warn!(
                    free_bytes = free,
                    accepting,
                    "free space of the filesystem crossed its reserve"
                );
            }
            free >= space.options.reserve_bytes + SPACE_STEP_BYTES
        }
        Err(error) => {
            tracing::error!(%error, "cannot read the free space of the filesystem");
            false
        }
    }
}

/// Pages of the index file that hold nothing.
fn index_free_bytes(space: &Space) -> u64 {
    let index = space.engine.statistics();
    index.file_bytes.saturating_sub(index.bytes_used)
}

/// Tells those who wait whether to try again.
fn answer(space: &Space, grown: Result<bool, IoError>) {
    let mut state = space.lock();
    match grown {
        Ok(true) => {}
        Ok(false) => state.exhausted = true,
        Err(error) => {
            tracing::error!(%error, "cannot grow an extent");
            state.exhausted = true;
        }
    }
    let exhausted = state.exhausted;
    for waiting in state.waiting.drain(..) {
        // A waiter that has gone needs no answer.
        let _ = waiting.send(!exhausted);
    }
}

/// Grows the newest extent by a step, or begins a new one. Only this thread adds or grows extents.
fn grow(space: &Space, clock: &Clock) -> Result<bool, IoError> {
    let capacity = (space.options.extent_bytes / BLOCK) as u32;
    let newest = {
        let state = space.lock();
        state.extents.iter().next_back().map(|(id, extent)| (*id, extent.prepared, extent.blocks.blocks()))
    };
    let (extent, prepared, capacity) = match newest {
        Some((extent, prepared, capacity)) if prepared < capacity => (extent, prepared, capacity),
        Some((extent, ..)) => (begin(space, clock, extent + 1)?, 1, capacity),
        None => (begin(space, clock, 1)?, 1, capacity),
    };
    let end = capacity.min(prepared + (SPACE_STEP_BYTES / BLOCK) as u32);
    space.disk.preallocate(extent, u64::from(prepared) * BLOCK, u64::from(end - prepared) * BLOCK)?;
    space.lock().add_prepared(extent, end, capacity);
    Ok(true)
}

/// Creates an extent file with a durable header.
fn begin(space: &Space, clock: &Clock, extent: u32) -> Result<u32, IoError> {
    let header =
        ExtentHeader { extent, capacity_bytes: space.options.extent_bytes, created_ms: clock.unix_ms() };
    if space.disk.extents()?.contains(&extent) {
        // Left by an attempt that failed midway. Every extent that records refer to is known since the start.
        space.disk.remove(extent)?;
    }
    space.disk.create(extent)?;
    let written = space
        .disk
        .preallocate(extent, 0, BLOCK)
        .and_then(|()| space.disk.write_blocking(extent, 0, &header.encode()))
        .and_then(|()| space.disk.sync(extent));
    if let Err(error) = written {
        // Without a header nothing can refer to it; if it cannot be removed now, the next attempt does it.
        let _ = space.disk.remove(extent);
        return Err(error);
    }
    Ok(extent)
}
