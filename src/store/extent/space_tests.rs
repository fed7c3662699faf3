use super::*;
use crate::config::limits::SPACE_STEP_BYTES;
use crate::index::engine::{Batch, MemoryEngine, Write};
use crate::index::record::space_map;

const MIB: u64 = 1024 * 1024;

fn options(extent_bytes: u64) -> SpaceOptions {
    SpaceOptions { extent_bytes, reserve_bytes: 0 }
}

/// A space with one extent of `prepared` blocks, the header included, and no preparer.
fn space_of(prepared: u32) -> Arc<Space> {
    let space = open(&Disk::simulated(1), &Engine::Memory(MemoryEngine::new())).expect("an empty disk opens");
    space.lock().add_prepared(1, prepared, prepared);
    space
}

fn open(disk: &Disk, engine: &Engine) -> Result<Arc<Space>, StoreError> {
    Space::open(engine, disk.clone(), options(16 * MIB))
}

fn take(space: &Space, blocks: u64) -> Option<Run> {
    space.lock().take(blocks, false)
}

fn free_blocks(space: &Space) -> u64 {
    space.lock().free_blocks()
}

/// An extent file with a header, `blocks` long.
fn file(disk: &Disk, extent: u32, blocks: u64) {
    let header = ExtentHeader { extent, capacity_bytes: 16 * MIB, created_ms: 0 };
    disk.create(extent).expect("created");
    disk.preallocate(extent, 0, blocks * BLOCK).expect("room");
    disk.write_blocking(extent, 0, &header.encode()).expect("written");
    disk.sync(extent).expect("synced");
}

fn engine_using(extent: u32, blocks: std::ops::Range<u32>) -> Engine {
    let engine = Engine::Memory(MemoryEngine::new());
    let writes = space_map::by_chunk(blocks).map(|(chunk, range)| {
        let mut map = [0; CHUNK_BYTES];
        assert!(space_map::flip(&mut map, range, true));
        Write::Put(key_encoding::space_key(extent, chunk), map.to_vec())
    });
    engine.commit(&[Batch { checks: Vec::new(), writes: writes.collect() }]).expect("committed");
    engine
}

#[test]
fn blocks_are_handed_out_once_and_never_the_header() {
    let space = space_of(1 + 100);
    let mut seen = std::collections::BTreeSet::new();
    for wanted in [1, 40, 3, 16, 40] {
        let run = take(&space, wanted).expect("room");
        assert_eq!(u64::from(run.blocks), wanted);
        for block in run.block..run.block + run.blocks {
            assert!((1..=100).contains(&block) && seen.insert(block), "block {block} twice");
        }
    }
    assert_eq!(take(&space, 1), None);
    assert_eq!(free_blocks(&space), 0);
}

#[test]
fn a_run_is_bounded_and_a_shorter_one_holds_whole_frames() {
    let max = (RUN_BYTES_MAX / BLOCK) as u32;
    let space = space_of(1 + 2 * max);
    assert_eq!(take(&space, u64::MAX).expect("room").blocks, max);
    let least = (RUN_BYTES_MIN / BLOCK) as u32;
    let space = space_of(1 + least + 7);
    let run = take(&space, u64::from(max)).expect("long enough");
    assert_eq!(run.blocks, least, "cut down to whole frames");
    assert_eq!(take(&space, u64::from(max)), None, "the rest is too short while the disk can grow");
    space.lock().exhausted = true;
    assert_eq!(take(&space, u64::from(max)), None, "less than one frame");
    assert_eq!(take(&space, 7).expect("an exact fit").blocks, 7, "the last run of a body may be any length");
}

#[test]
fn a_full_disk_is_used_to_the_last_frame() {
    let space = space_of(1 + 3 * 100);
    let runs: Vec<Run> = (0..3).map(|_| take(&space, 100).expect("room")).collect();
    space.free(&runs[0]);
    space.free(&runs[2]);
    assert_eq!(take(&space, 300), None, "200 blocks are free, in pieces of less than the minimum");
    space.lock().exhausted = true;
    let pieces: Vec<u32> = std::iter::from_fn(|| take(&space, 300)).map(|run| run.blocks).collect();
    assert_eq!(pieces, vec![96, 96]);
    assert_eq!(free_blocks(&space), 8);
}

#[test]
fn freed_blocks_are_found_again_though_the_extent_was_known_to_be_full() {
    let space = space_of(1 + 600);
    let runs: Vec<Run> = (0..2).map(|_| take(&space, 300).expect("room")).collect();
    assert_eq!(take(&space, 300), None);
    space.free(&runs[0]);
    assert_eq!(take(&space, 300).as_ref(), Some(&runs[0]));
}

#[test]
fn a_dropped_reservation_returns_its_blocks_and_a_kept_one_does_not() {
    use crate::commit::SpaceHold;
    use crate::store::extent::reservation::BodyHold;

    let space = space_of(1 + 32);
    let reserve = || Arc::new(Reservation::new(space.clone(), take(&space, 16).expect("room")));
    let (dropped, kept) = (reserve(), reserve());
    let in_flight = dropped.clone();
    drop(BodyHold(vec![dropped]));
    assert_eq!(free_blocks(&space), 0, "a write is still in flight");
    drop(in_flight);
    assert_eq!(free_blocks(&space), 16);
    Box::new(BodyHold(vec![kept])).keep();
    assert_eq!(free_blocks(&space), 16);
}

#[test]
fn opening_gives_out_what_no_record_uses() {
    let disk = Disk::simulated(2);
    file(&disk, 4, 1000);
    let engine = engine_using(4, 10..700);
    let space = open(&disk, &engine).expect("opens");
    assert_eq!(free_blocks(&space), 999 - 690);
    space.lock().exhausted = true;
    let mut found = Vec::new();
    while let Some(run) = take(&space, 16) {
        found.extend(run.block..run.block + run.blocks);
    }
    assert!(found.iter().all(|block| (1..10).contains(block) || (700..1000).contains(block)), "{found:?}");
    let statistics = space.statistics();
    assert_eq!((statistics.extents, statistics.prepared_bytes), (1, 1000 * BLOCK));
}

#[test]
fn a_creation_cut_short_is_cleaned_away_unless_records_refer_to_it() {
    for length in [0, 1] {
        let disk = Disk::simulated(3);
        disk.create(1).expect("created");
        disk.preallocate(1, 0, length * BLOCK).expect("room");
        assert_eq!(open(&disk, &Engine::Memory(MemoryEngine::new())).expect("opens").statistics().extents, 0);
        assert_eq!(disk.extents().expect("listed"), Vec::<u32>::new());
    }
    let disk = Disk::simulated(3);
    disk.create(1).expect("created");
    assert!(matches!(open(&disk, &engine_using(1, 1..2)), Err(StoreError::ExtentHeader(1, _))));
    assert_eq!(disk.extents().expect("listed"), vec![1], "nothing is removed that may hold bodies");
}

#[test]
fn a_missing_extent_and_one_of_another_number_are_refused() {
    let engine = engine_using(1, 1..2);
    assert!(matches!(open(&Disk::simulated(4), &engine), Err(StoreError::ExtentMissing(1))));
    let disk = Disk::simulated(4);
    disk.create(1).expect("created");
    let header = ExtentHeader { extent: 2, capacity_bytes: 16 * MIB, created_ms: 0 };
    disk.write_blocking(1, 0, &header.encode()).expect("written");
    assert!(matches!(open(&disk, &engine), Err(StoreError::ExtentHeader(1, _))));
}

#[test]
fn growing_adds_exactly_the_new_blocks() {
    let space = space_of(1);
    let step = (SPACE_STEP_BYTES / BLOCK) as u32;
    space.lock().add_prepared(7, 1 + step, 3 * step);
    assert_eq!(free_blocks(&space), u64::from(step));
    let run = take(&space, 64).expect("room");
    assert_eq!(run.extent, 7);
    space.lock().add_prepared(7, 1 + 2 * step, 3 * step);
    assert_eq!(free_blocks(&space), u64::from(2 * step - 64), "what was handed out stays handed out");
    space.lock().add_prepared(7, 1 + step, 3 * step);
    assert_eq!(space.statistics().prepared_bytes, u64::from(1 + 1 + 2 * step) * BLOCK, "never backwards");
}

#[test]
fn space_under_a_write_that_never_ended_is_not_given_back() {
    use crate::store::extent::reservation::InFlight;

    let space = space_of(1 + 32);
    let reserve = || Arc::new(Reservation::new(space.clone(), take(&space, 16).expect("room")));
    InFlight::new(reserve()).landed();
    assert_eq!(free_blocks(&space), 32);
    drop(InFlight::new(reserve()));
    assert_eq!(free_blocks(&space), 16, "the kernel may still write there");
}

#[test]
fn a_file_shorter_than_what_records_use_is_refused() {
    let disk = Disk::simulated(5);
    file(&disk, 1, 100);
    assert!(open(&disk, &engine_using(1, 90..100)).is_ok());
    for used in [100..101, 90..101, 4100..4101] {
        assert!(matches!(open(&disk, &engine_using(1, used)), Err(StoreError::ExtentHeader(1, _))));
    }
}
