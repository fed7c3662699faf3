//! Space: which blocks of which extents are free, and who may have them.
//!
//! Invariants: a block is in at most one of: a committed record, a reservation, a freed run that a reader still
//! holds, the free set. Only `reserve` takes from the free set; only `free` gives back to it. Growing happens on
//! the preparer's thread, never on a request core.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use ringstone_io::disk::Disk;

use crate::config::limits::{BLOCK_BYTES, RUN_BYTES_MAX, RUN_BYTES_MIN, SPACE_AHEAD_BYTES};
use crate::index::engine::{Engine, KeyRange, ScanLimits};
use crate::index::key_encoding;
use crate::index::record::Run;
use crate::index::record::space_map::{CHUNK_BLOCKS, CHUNK_BYTES, Chunk};
use crate::store::error::StoreError;
use crate::store::extent::bitmap::BlockBitmap;
use crate::store::extent::frame::FRAME_BLOCKS;
use crate::store::extent::header::{ExtentHeader, HeaderFault};
use crate::store::extent::reservation::Reservation;

/// This node's number in locators. The index may be shared by several nodes one day.
pub const THIS_NODE: u32 = 0;

const BLOCK: u64 = BLOCK_BYTES as u64;

/// What the space of a node is made with.
#[derive(Clone, Copy, Debug)]
pub struct SpaceOptions {
    /// Capacity of each extent file.
    pub extent_bytes: u64,
    /// Bytes of the filesystem left alone: room for the index to grow, so that deletes always work.
    pub reserve_bytes: u64,
}

/// All extents of one data directory.
pub struct Space {
    pub(super) disk: Disk,
    pub(super) options: SpaceOptions,
    pub(super) engine: Engine,
    pub(super) state: Mutex<State>,
    /// Tells the preparer that somebody waits or that little is left.
    pub(super) work: Condvar,
    /// False while the filesystem is below its reserve: writes answer 507.
    pub(super) accepting: AtomicBool,
}

pub(super) struct State {
    pub(super) extents: BTreeMap<u32, ExtentSpace>,
    /// Free blocks of all extents together, so that a reservation need not add them up.
    free: u64,
    /// Extent where the last reservation was found; the next one starts there.
    current: u32,
    /// Uploads waiting for the disk to grow; told whether it is worth trying again.
    pub(super) waiting: VecDeque<oneshot::Sender<bool>>,
    /// The filesystem has no room for another step.
    pub(super) exhausted: bool,
    pub(super) stopping: bool,
}

pub(super) struct ExtentSpace {
    /// Blocks not yet prepared count as used.
    pub(super) blocks: BlockBitmap,
    /// Blocks below this exist in the file.
    pub(super) prepared: u32,
    /// Where the next search starts: bodies written together lie together.
    next: u32,
    /// No free run is longer than this: spares searching an extent again and again.
    longest_max: u32,
}

impl ExtentSpace {
    fn new(capacity_blocks: u32, prepared: u32) -> Self {
        Self { blocks: BlockBitmap::all_used(capacity_blocks), prepared, next: 1, longest_max: u32::MAX }
    }

    /// A free run of `wanted` blocks, or a shorter one of at least `least`.
    fn take(&mut self, wanted: u32, least: u32) -> Option<(u32, u32)> {
        if self.blocks.free_blocks() < least || self.longest_max < least {
            return None;
        }
        let mut best = self.blocks.find(self.next, wanted);
        if best.as_ref().is_none_or(|run| run.end - run.start < wanted) {
            best = self.blocks.find(0, wanted);
            if let Some(run) = &best {
                self.longest_max = if run.end - run.start < wanted { run.end - run.start } else { u32::MAX };
            }
        }
        let run = best?;
        let mut length = run.end - run.start;
        if length < wanted {
            // All but the last run of a body hold whole frames.
            length -= length % FRAME_BLOCKS;
        }
        if length < least {
            return None;
        }
        self.blocks.take(run.start..run.start + length);
        self.next = run.start + length;
        Some((run.start, length))
    }
}

/// Figures for operators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpaceStatistics {
    pub extents: u64,
    pub prepared_bytes: u64,
    pub free_bytes: u64,
}

impl Space {
    /// Loads what the index and the extent files say.
    pub fn open(engine: &Engine, disk: Disk, options: SpaceOptions) -> Result<Arc<Self>, StoreError> {
        let map = load_map(engine)?;
        let mut extents = BTreeMap::new();
        for extent in disk.extents()? {
            let chunks = map.get(&extent).map_or(&[][..], Vec::as_slice);
            if let Some(space) = open_extent(&disk, extent, chunks)? {
                extents.insert(extent, space);
            }
        }
        if let Some(missing) = map.keys().find(|extent| !extents.contains_key(extent)) {
            return Err(StoreError::ExtentMissing(*missing));
        }
        let free = extents.values().map(|extent| u64::from(extent.blocks.free_blocks())).sum();
        let state =
            State { extents, free, current: 0, waiting: VecDeque::new(), exhausted: false, stopping: false };
        Ok(Arc::new(Self {
            disk,
            options,
            engine: engine.clone(),
            state: Mutex::new(state),
            work: Condvar::new(),
            accepting: AtomicBool::new(true),
        }))
    }

    /// Whether new bodies and records may be written; false while the filesystem is below its reserve.
    pub fn is_accepting(&self) -> bool {
        self.accepting.load(Ordering::Relaxed)
    }

    /// Space for the next run of a body of which `remaining_blocks` are not yet placed. Waits while the disk grows.
    pub async fn reserve(self: &Arc<Self>, remaining_blocks: u64) -> Result<Arc<Reservation>, StoreError> {
        let mut is_last_try = false;
        loop {
            let wait = {
                let mut state = self.lock();
                if let Some(run) = state.take(remaining_blocks, is_last_try) {
                    if state.free_blocks() * BLOCK < SPACE_AHEAD_BYTES {
                        self.work.notify_one();
                    }
                    return Ok(Arc::new(Reservation::new(self.clone(), run)));
                }
                if state.exhausted || is_last_try {
                    return Err(StoreError::NoSpace);
                }
                let (sender, receiver) = oneshot::async_channel();
                state.waiting.push_back(sender);
                self.work.notify_one();
                receiver
            };
            // Told no, or never told because the node stops: what is there now must do.
            is_last_try = !wait.await.unwrap_or(false);
        }
    }

    /// Gives blocks back to the free set. Called for runs that no committed record, reservation or reader holds.
    pub(crate) fn free(&self, run: &Run) {
        let mut guard = self.lock();
        let state = &mut *guard;
        if let Some(extent) = state.extents.get_mut(&run.extent) {
            extent.blocks.give_back(run.block..run.block + run.blocks);
            extent.longest_max = u32::MAX;
            state.free += u64::from(run.blocks);
        }
        for waiting in state.waiting.drain(..) {
            // A waiter that has gone needs no answer.
            let _ = waiting.send(true);
        }
    }

    pub fn statistics(&self) -> SpaceStatistics {
        let state = self.lock();
        let prepared: u64 = state.extents.values().map(|extent| u64::from(extent.prepared)).sum();
        SpaceStatistics {
            extents: state.extents.len() as u64,
            prepared_bytes: prepared * BLOCK,
            free_bytes: state.free_blocks() * BLOCK,
        }
    }

    /// The state, also after a panic elsewhere: every change to it is complete before anything can panic.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn free_blocks(&self) -> u64 {
        self.free
    }

    /// `settles`: take what there is, however short, as on a full disk.
    fn take(&mut self, remaining_blocks: u64, settles: bool) -> Option<Run> {
        let run = self.find(remaining_blocks, settles)?;
        self.current = run.extent;
        self.free -= u64::from(run.blocks);
        Some(run)
    }

    fn find(&mut self, remaining_blocks: u64, settles: bool) -> Option<Run> {
        let wanted = remaining_blocks.min(RUN_BYTES_MAX / BLOCK) as u32;
        let least =
            if self.exhausted || settles { FRAME_BLOCKS } else { (RUN_BYTES_MIN / BLOCK) as u32 }.min(wanted);
        let take_from = |id: u32, extent: &mut ExtentSpace| {
            let (block, blocks) = extent.take(wanted, least)?;
            Some(Run { node: THIS_NODE, extent: id, block, blocks })
        };
        if let Some(extent) = self.extents.get_mut(&self.current)
            && let Some(run) = take_from(self.current, extent)
        {
            return Some(run);
        }
        self.extents.iter_mut().find_map(|(id, extent)| take_from(*id, extent))
    }

    /// Makes the blocks of `extent` up to `prepared` available. `capacity_blocks` is for a new extent.
    pub(super) fn add_prepared(&mut self, extent: u32, prepared: u32, capacity_blocks: u32) {
        let space = self.extents.entry(extent).or_insert_with(|| ExtentSpace::new(capacity_blocks, 1));
        if prepared > space.prepared {
            space.blocks.give_back(space.prepared..prepared);
            self.free += u64::from(prepared - space.prepared);
            space.prepared = prepared;
            space.longest_max = u32::MAX;
        }
    }
}

/// Reads the whole space map, by extent.
fn load_map(engine: &Engine) -> Result<BTreeMap<u32, Vec<(u16, Chunk)>>, StoreError> {
    let mut map: BTreeMap<u32, Vec<(u16, Chunk)>> = BTreeMap::new();
    let (start, end) = key_encoding::space_range();
    let limits = ScanLimits { entries_max: 4096, bytes_max: usize::MAX, value_bytes_max: CHUNK_BYTES };
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = engine.scan(KeyRange::after(&start, &end, after.as_deref()), limits)?;
        for (key, entry) in &page.entries {
            let (Some((extent, chunk)), Ok(bits)) =
                (key_encoding::decode_space_key(key), Chunk::try_from(entry.value.as_slice()))
            else {
                return Err(StoreError::Corrupt("an entry of the space map is malformed".into()));
            };
            map.entry(extent).or_default().push((chunk, bits));
        }
        match page.entries.into_iter().next_back() {
            Some((key, _)) if page.more => after = Some(key),
            _ => return Ok(map),
        }
    }
}

/// Opens one extent file. `None`: its creation was cut short by a crash and nothing refers to it; it is removed.
fn open_extent(disk: &Disk, extent: u32, chunks: &[(u16, Chunk)]) -> Result<Option<ExtentSpace>, StoreError> {
    let length = disk.length(extent)?;
    let mut block = [0; BLOCK_BYTES];
    let header = if length < BLOCK {
        Err(HeaderFault::Invalid)
    } else {
        disk.read_blocking(extent, 0, &mut block)?;
        ExtentHeader::decode(&block)
    };
    let header = match header {
        Ok(header) if header.extent == extent => header,
        Ok(_) | Err(HeaderFault::Invalid) if chunks.is_empty() => {
            tracing::warn!(extent, "removing an extent file whose creation was cut short");
            disk.remove(extent)?;
            return Ok(None);
        }
        Ok(header) => {
            return Err(StoreError::ExtentHeader(extent, format!("it says extent {}", header.extent)));
        }
        Err(fault) => return Err(StoreError::ExtentHeader(extent, fault.to_string())),
    };
    let capacity = (header.capacity_bytes / BLOCK) as u32;
    let prepared = ((length / BLOCK) as u32).min(capacity);
    if let Some(last) = chunks.iter().filter_map(last_used).max().filter(|last| *last >= prepared) {
        // Else growing the file would hand out blocks that records refer to.
        let reason = format!("the file ends before block {last}, which holds a committed body");
        return Err(StoreError::ExtentHeader(extent, reason));
    }
    let mut space = ExtentSpace::new(capacity, prepared);
    if prepared > 1 {
        space.blocks.give_back(1..prepared);
    }
    for (chunk, map) in chunks {
        space.blocks.load_chunk(*chunk, map, prepared);
        if !space.blocks.is_used(0) {
            space.blocks.take(0..1);
        }
    }
    Ok(Some(space))
}

/// The last block that a chunk of the space map has in use.
fn last_used((chunk, map): &(u16, Chunk)) -> Option<u32> {
    let byte = map.iter().rposition(|byte| *byte != 0)?;
    let bit = map[byte].checked_ilog2()?;
    Some(u32::from(*chunk) * CHUNK_BLOCKS + byte as u32 * 8 + bit)
}

#[cfg(test)]
#[path = "space_tests.rs"]
mod tests;
