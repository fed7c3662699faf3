//! For tests: a node's store over a simulated disk, bodies to put into it, and the check that records and space map
//! agree.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ringstone_io::disk::Disk;
use ringstone_io::runtime::{Clock, run_on_core, sleep};

use crate::checksum::Algorithm;
use crate::config::Calendar;
use crate::config::limits::BUFFER_BYTES;
use crate::index::engine::{Engine, KeyRange, MemoryEngine, ScanLimits};
use crate::index::key_encoding;
use crate::index::record::body::runs_of;
use crate::index::record::{BucketRecord, ObjectRecord, PartRecord, Run, TagSet};
use crate::seal::CustomerKey;
use crate::store::Store;
use crate::store::body_writer::{BodyWriter, BodyWritten, NewBody};
use crate::store::buckets::NewBucket;
use crate::store::copy::{NewCopy, Source};
use crate::store::delete::DeleteRequest;
use crate::store::error::{Refusal, StoreError};
use crate::store::extent::space::SpaceOptions;
use crate::store::lifecycle::job::{LifecycleJob, LifecycleParts};
use crate::store::objects::{Body, Lookup, OpenObject};
use crate::store::put::NewObject;
use crate::store::rename::{Rename, RenameRefusal};
use crate::store::start::{Monitor, SharedStore};
use crate::store::write_condition::{WriteCondition, WriteRefusal};

pub(super) const MIB: u64 = 1024 * 1024;
const BLOCK: u64 = 4096;

/// What survives a restart.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(super) disk: Disk,
    pub(super) extent_bytes: u64,
    pub(super) reserve_bytes: u64,
    pub(crate) clock: Clock,
    pub(super) calendar: Calendar,
}

impl Node {
    pub(crate) fn new(seed: u64, extent_bytes: u64) -> Self {
        let engine = Engine::Memory(MemoryEngine::new());
        Self {
            engine,
            disk: Disk::simulated(seed),
            extent_bytes,
            reserve_bytes: 0,
            clock: Clock::system(),
            calendar: Calendar::default(),
        }
    }

    /// Starts the node, runs `life` on a core of it and stops it. The stop is orderly; what a crash leaves is up to
    /// the disk.
    pub(crate) fn run<T>(&self, life: impl AsyncFnOnce(&Store, &Monitor) -> T) -> T {
        let options = SpaceOptions { extent_bytes: self.extent_bytes, reserve_bytes: self.reserve_bytes };
        run_on_core(None, async {
            let (engine, disk) = (self.engine.clone(), self.disk.clone());
            let (clock, calendar) = (self.clock.clone(), self.calendar);
            let shared =
                SharedStore::open(engine, disk, options, 1, clock, calendar).expect("the store opens");
            let store = shared.core(0).into_store(16 * BUFFER_BYTES as u64).expect("a store");
            let result = life(&store, &shared.monitor()).await;
            drop(store);
            shared.close();
            result
        })
        .expect("a ring")
    }

    /// Checks that runs with a block in common are one and the same, that each has as many records as are counted, and
    /// that the space map is the union of them. Returns the number of blocks in use.
    pub(crate) fn check_space_map(&self) -> u64 {
        let limits =
            ScanLimits { entries_max: usize::MAX, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
        let scan = |start: &[u8], end: &[u8]| {
            self.engine.scan(KeyRange::between(start, end), limits).expect("readable").entries
        };
        let mut segments = Vec::new();
        for (_, entry) in scan(b"O", b"P").into_iter().chain(scan(b"V", b"W")) {
            segments.extend(ObjectRecord::decode(&entry.value).expect("a record").content.segments);
        }
        for (_, entry) in scan(b"P", b"Q") {
            segments.extend(PartRecord::decode(&entry.value).expect("a part").segments);
        }
        let mut owners: BTreeMap<(u32, u32), (Run, u32)> = BTreeMap::new();
        for run in runs_of(&segments) {
            let (known, count) = owners.entry((run.extent, run.block)).or_insert((*run, 0));
            assert_eq!(known, run, "two runs begin with one block");
            *count += 1;
        }
        let mut of_records = BTreeSet::new();
        for (run, _) in owners.values() {
            for block in run.block..run.block + run.blocks {
                assert!(of_records.insert((run.extent, block)), "two runs have block {block} of {run:?}");
            }
        }
        owners.retain(|_, (_, count)| *count > 1);
        let counted: BTreeMap<(u32, u32), u32> =
            owners.into_iter().map(|(place, (_, count))| (place, count)).collect();
        let (start, end) = key_encoding::shared_run_range();
        let in_index: BTreeMap<(u32, u32), u32> = scan(&start, &end)
            .into_iter()
            .map(|(key, entry)| {
                let place = key_encoding::decode_shared_run_key(&key).expect("a key of a shared run");
                (place, u32::from_be_bytes(entry.value.try_into().expect("a number")))
            })
            .collect();
        assert_eq!(in_index, counted, "the owners of shared runs are not what the records say");
        let mut of_map = BTreeSet::new();
        let (start, end) = key_encoding::space_range();
        for (key, entry) in scan(&start, &end) {
            let (extent, chunk) = key_encoding::decode_space_key(&key).expect("a key of the space map");
            for bit in (0..4096_u32).filter(|bit| entry.value[*bit as usize / 8] & (1 << (bit % 8)) != 0) {
                of_map.insert((extent, u32::from(chunk) * 4096 + bit));
            }
        }
        assert_eq!(of_map, of_records, "the space map is not what the records say");
        of_records.len() as u64
    }

    /// Checks the map, and that the running allocator counts the same once the writes of aborted uploads have ended.
    pub(super) async fn check_space(&self, monitor: &Monitor) {
        let used = self.check_space_map();
        for _ in 0..1000 {
            if used_blocks(monitor) == used {
                return;
            }
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(used_blocks(monitor), used, "the allocator disagrees with the records");
    }
}

/// A number that a test was given.
pub(super) fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The seeds of a test: the one that was asked for, or so many.
pub(super) fn seeds(count: u64) -> Vec<u64> {
    setting("RINGSTONE_TEST_SEED").map_or_else(|| (0..count).collect(), |seed| vec![seed])
}

/// Blocks that are neither free nor headers.
pub(super) fn used_blocks(monitor: &Monitor) -> u64 {
    let space = monitor.space();
    (space.prepared_bytes - space.free_bytes) / BLOCK - space.extents
}

/// A body that follows from a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Content {
    pub(super) seed: u64,
    pub(super) bytes: usize,
}

impl Content {
    pub(super) fn new(seed: u64, bytes: u64) -> Self {
        Self { seed, bytes: bytes as usize }
    }

    pub(super) fn make(self) -> Vec<u8> {
        self.part(0, self.bytes as u64)
    }

    /// `bytes` of it, from byte `first` on.
    pub(super) fn part(self, first: u64, bytes: u64) -> Vec<u8> {
        // Long bodies in longer strides: making them must not dominate the tests.
        let stride = 8 * (1 + self.bytes as u64 / 20_000);
        let (start, end) = (first / stride, (first + bytes).div_ceil(stride));
        let mut made: Vec<u8> = Vec::with_capacity(((end - start) * stride) as usize);
        let mut dice = Dice(self.seed.wrapping_add(start.wrapping_mul(DICE_STEP)));
        for _ in start..end {
            made.extend_from_slice(&dice.next().to_le_bytes().repeat(stride as usize / 8));
        }
        made.drain(..(first - start * stride) as usize);
        made.truncate(bytes as usize);
        made
    }
}

const DICE_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(DICE_STEP);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, sides: u64) -> u64 {
        self.next() % sides
    }
}

/// The lifecycle's job over a core's store.
pub(super) fn lifecycle_job(store: &Store, clock: &Clock) -> LifecycleJob {
    LifecycleParts {
        engine: store.engine.clone(),
        commit: store.commit.clone(),
        space: store.space.clone(),
        clock: clock.clone(),
        calendar: store.calendar,
        counts: Arc::default(),
    }
    .into_job()
}

pub(super) async fn create_bucket(store: &Store) -> BucketRecord {
    let [user, display_name, org, region] = ["u", "d", "o", "r"].map(str::to_owned);
    let tags = TagSet::default();
    let new = NewBucket { name: "bucket".into(), user, display_name, org, region, tags };
    store.create_bucket(new).await.expect("created").value().clone()
}

pub(super) async fn write_body(store: &Store, content: Content) -> Result<BodyWritten, StoreError> {
    let size_bytes = content.bytes as u64;
    let new = NewBody { size_bytes, checksums: &[Algorithm::Crc64Nvme], ..NewBody::default() };
    fill(store.body_writer(&new)?, content).await
}

/// Writes the content in pieces of odd sizes, as they come from a socket.
pub(super) async fn fill(mut writer: BodyWriter, content: Content) -> Result<BodyWritten, StoreError> {
    let bytes = content.make();
    let mut at = 0;
    let mut dice = Dice(content.seed);
    while let Some(mut window) = writer.space().await? {
        let piece = 1 + dice.below(3 * 65_536) as usize;
        let count = window.len().min(piece);
        window[..count].copy_from_slice(&bytes[at..at + count]);
        at += count;
        writer.filled(window, count).await?;
    }
    writer.finish().await
}

pub(super) async fn put(
    store: &Store,
    bucket: &BucketRecord,
    key: &str,
    content: Content,
) -> Result<(), StoreError> {
    let body = write_body(store, content).await?;
    commit(store, bucket, key, body).await
}

pub(super) async fn commit(
    store: &Store,
    bucket: &BucketRecord,
    key: &str,
    body: BodyWritten,
) -> Result<(), StoreError> {
    let new = NewObject { key: key.into(), ..NewObject::default() };
    match store.put_object(bucket, new, body, WriteCondition::None).await {
        Ok(_committed) => Ok(()),
        Err(refusal) => Err(failure(refusal)),
    }
}

pub(super) async fn delete(store: &Store, bucket: &BucketRecord, key: &str) -> Result<(), StoreError> {
    let request = DeleteRequest { key: key.into(), ..DeleteRequest::default() };
    store.delete_object(bucket, request).await.map(|_committed| ()).map_err(failure)
}

fn failure(refusal: Refusal<WriteRefusal>) -> StoreError {
    match refusal {
        Refusal::Failed(error) => error,
        Refusal::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

/// Copies the current object of a key; `false` if there is none.
pub(super) async fn copy(
    store: &Store,
    bucket: &BucketRecord,
    from: &str,
    to: &str,
) -> Result<bool, StoreError> {
    let Lookup::Object(object) = store.open_object(bucket, from, None)? else { return Ok(false) };
    let source = Source::new(bucket, from, &object.record.listed);
    let new = NewCopy { key: to.into(), ..NewCopy::default() };
    match store.copy_object(source, bucket, new, WriteCondition::None).await {
        Ok(_committed) => Ok(true),
        Err(Refusal::Failed(error)) => Err(error),
        Err(Refusal::Refused(refusal)) => panic!("refused: {refusal:?}"),
    }
}

/// Moves the object of a key; `false` if there is none.
pub(super) async fn rename(
    store: &Store,
    bucket: &BucketRecord,
    from: &str,
    to: &str,
) -> Result<bool, StoreError> {
    let rename = Rename { source: from.into(), destination: to.into(), ..Rename::default() };
    match store.rename_object(bucket, rename, None).await {
        Ok(_committed) => Ok(true),
        Err(Refusal::Refused(RenameRefusal::NoSuchKey)) => Ok(false),
        Err(Refusal::Failed(error)) => Err(error),
        Err(Refusal::Refused(refusal)) => panic!("refused: {refusal:?}"),
    }
}

/// The current object of a key, which must exist.
pub(super) fn open(store: &Store, bucket: &BucketRecord, key: &str) -> OpenObject {
    match store.open_object(bucket, key, None).expect("readable") {
        Lookup::Object(object) => object,
        _ => panic!("no object {key}"),
    }
}

/// Reads a whole object; `None` if there is none.
pub(super) async fn get(
    store: &Store,
    bucket: &BucketRecord,
    key: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Lookup::Object(object) = store.open_object(bucket, key, None)? else { return Ok(None) };
    let size = object.record.listed.size;
    if size == 0 {
        return Ok(Some(Vec::new()));
    }
    read(store, object, 0..=size - 1).await.map(Some)
}

pub(super) async fn read(
    store: &Store,
    object: OpenObject,
    wanted: RangeInclusive<u64>,
) -> Result<Vec<u8>, StoreError> {
    read_with(store, object, wanted, None).await
}

/// Reads with a customer's key.
pub(super) async fn read_with(
    store: &Store,
    object: OpenObject,
    wanted: RangeInclusive<u64>,
    key: Option<Rc<CustomerKey>>,
) -> Result<Vec<u8>, StoreError> {
    match store.read(object, wanted, key)? {
        Body::Inline(bytes) => Ok(bytes),
        Body::Extents(mut reader) => {
            let mut bytes = Vec::new();
            while let Some((buffer, ranges)) = reader.next().await? {
                for range in ranges {
                    bytes.extend_from_slice(&buffer[range]);
                }
            }
            Ok(bytes)
        }
    }
}
