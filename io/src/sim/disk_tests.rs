use proptest::prelude::*;

use super::*;
use crate::buffer::BufferPool;

const BLOCK: u64 = BLOCK_BYTES as u64;

fn with_extent(seed: u64) -> Disk {
    let disk = Disk::simulated(seed);
    disk.create(1).unwrap();
    disk
}

fn block_of(disk: &Disk, number: u64) -> Vec<u8> {
    let mut bytes = vec![0; BLOCK_BYTES];
    disk.read_blocking(1, number * BLOCK, &mut bytes).unwrap();
    bytes
}

/// What a step of a history does to the extent.
#[derive(Debug, Clone)]
enum Step {
    Write { block: u64, byte: u8 },
    Sync,
    FailSync,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..8_u64, 1..=255_u8).prop_map(|(block, byte)| Step::Write { block, byte }),
        2 => Just(Step::Sync),
        1 => Just(Step::FailSync),
    ]
}

/// What one block may hold after a cut.
#[derive(Debug, Clone)]
struct Possible {
    /// What may be on the medium: one value after a good sync, more after failed ones.
    medium: Vec<u8>,
    /// Written since the last sync.
    since: Option<u8>,
}

proptest! {
    #[test]
    fn a_cut_keeps_what_was_synced(seed: u64, steps in prop::collection::vec(step(), 0..40)) {
        let disk = with_extent(seed);
        disk.preallocate(1, 0, 8 * BLOCK).unwrap();
        disk.sync(1).unwrap();
        let mut blocks = vec![Possible { medium: vec![0], since: None }; 8];
        for step in steps {
            match step {
                Step::Write { block, byte } => {
                    disk.write_blocking(1, block * BLOCK, &[byte; BLOCK_BYTES]).unwrap();
                    blocks[block as usize].since = Some(byte);
                }
                Step::Sync => {
                    disk.sync(1).unwrap();
                    for block in &mut blocks {
                        if let Some(byte) = block.since.take() {
                            block.medium = vec![byte];
                        }
                    }
                }
                Step::FailSync => {
                    disk.simulation().unwrap().fail_nth(Operation::Sync, 1, libc::EIO);
                    disk.sync(1).unwrap_err();
                    for block in &mut blocks {
block.medium.extend(block.since.take());
}
                }
            }
        }
        let after = disk.simulation().unwrap().cut();
        for (number, Possible { medium, since }) in (0..).zip(blocks) {
            for sector in block_of(&after, number).chunks(512) {
                prop_assert!(sector.iter().all(|byte| *byte == sector[0]), "sectors are whole");
                let found = sector[0];
                prop_assert!(medium.contains(&found) || since == Some(found), "{found} in block {number}");
            }
        }
    }

    #[test]
    fn the_same_seed_and_calls_give_the_same_cut(seed: u64) {
        let images = [(), ()].map(|()| {
            let disk = with_extent(seed);
            disk.write_blocking(1, 0, &[1; 4 * BLOCK_BYTES]).unwrap();
            disk.preallocate(1, 0, 8 * BLOCK).unwrap();
            let after = disk.simulation().unwrap().cut();
            let mut bytes = vec![0; 8 * BLOCK_BYTES];
            let whole = after.read_blocking(1, 0, &mut bytes).is_ok();
            (whole, bytes, after.simulation().unwrap().seed())
        });
        prop_assert_eq!(&images[0], &images[1]);
    }

    #[test]
    fn an_extent_keeps_its_synced_length(seed: u64, synced in 1..20_u64, grown in 1..20_u64) {
        let disk = with_extent(seed);
        disk.write_blocking(1, 0, &vec![1; (synced * 1000) as usize]).unwrap();
        disk.sync(1).unwrap();
        disk.preallocate(1, synced * 1000, grown * 1000).unwrap();
        let after = disk.simulation().unwrap().cut();
        let mut bytes = vec![0; (synced * 1000) as usize];
        after.read_blocking(1, 0, &mut bytes).unwrap();
        prop_assert!(bytes.iter().all(|byte| *byte == 1));
        let mut bytes = vec![1; (grown * 1000) as usize];
        if after.read_blocking(1, synced * 1000, &mut bytes).is_ok() {
            prop_assert!(bytes.iter().all(|byte| *byte == 0));
        }
    }
}

#[test]
fn a_cut_keeps_loses_and_tears_unsynced_blocks() {
    let (mut kept, mut lost, mut torn) = (0, 0, 0);
    for seed in 0..200 {
        let disk = with_extent(seed);
        disk.write_blocking(1, 0, &[1; BLOCK_BYTES]).unwrap();
        disk.sync(1).unwrap();
        disk.write_blocking(1, 0, &[2; BLOCK_BYTES]).unwrap();
        let after = block_of(&disk.simulation().unwrap().cut(), 0);
        match (after.contains(&1), after.contains(&2)) {
            (false, true) => kept += 1,
            (true, false) => lost += 1,
            _ => torn += 1,
        }
        assert_eq!(block_of(&disk, 0), [2; BLOCK_BYTES], "the disk itself is not touched by a cut");
    }
    assert!(kept > 30 && lost > 30 && torn > 30, "{kept} kept, {lost} lost, {torn} torn");
}

#[test]
fn the_sync_after_a_failed_one_succeeds_without_the_lost_data() {
    let mut lost = 0;
    for seed in 0..50 {
        let disk = with_extent(seed);
        let simulation = disk.simulation().unwrap();
        disk.preallocate(1, 0, BLOCK).unwrap();
        disk.sync(1).unwrap();
        disk.write_blocking(1, 0, &[1; BLOCK_BYTES]).unwrap();
        simulation.fail_nth(Operation::Sync, 1, libc::ENOSPC);
        assert!(disk.sync(1).unwrap_err().is_no_space());
        disk.sync(1).unwrap();
        assert_eq!(block_of(&disk, 0), [1; BLOCK_BYTES], "readers still see it");
        lost += usize::from(block_of(&simulation.cut(), 0) != [1; BLOCK_BYTES]);
    }
    assert!(lost > 10, "{lost} of 50 lost");
}

#[test]
fn only_the_counted_operation_of_the_kind_fails() {
    let disk = with_extent(1);
    let simulation = disk.simulation().unwrap();
    simulation.fail_nth(Operation::Write, 2, libc::EIO);
    simulation.fail_nth(Operation::Write, 3, libc::ENOSPC);
    disk.write_blocking(1, 0, &[1]).unwrap();
    disk.sync(1).unwrap();
    assert_eq!(disk.write_blocking(1, 0, &[1]).unwrap_err().raw_os_error(), Some(libc::EIO));
    assert!(disk.write_blocking(1, 0, &[1]).unwrap_err().is_no_space());
    disk.write_blocking(1, 0, &[1]).unwrap();
    assert_eq!(disk.counts(), DiskCounts { writes: 2, written_bytes: 2, syncs: 1, ..DiskCounts::default() });
}

#[test]
fn a_failed_create_or_remove_leaves_the_entry_in_doubt() {
    let mut outcomes = [[0; 2]; 2];
    for seed in 0..100 {
        let disk = with_extent(seed);
        let simulation = disk.simulation().unwrap();
        simulation.fail_nth(Operation::Create, 1, libc::EIO);
        disk.create(2).unwrap_err();
        simulation.fail_nth(Operation::Remove, 1, libc::EIO);
        disk.remove(1).unwrap_err();
        let after = simulation.cut().extents().unwrap();
        outcomes[0][usize::from(after.contains(&2))] += 1;
        outcomes[1][usize::from(after.contains(&1))] += 1;
    }
    assert!(outcomes.iter().flatten().all(|count| *count > 5), "{outcomes:?}");
}

#[test]
fn created_and_removed_extents_survive_a_cut_as_they_are() {
    let disk = with_extent(1);
    disk.create(2).unwrap();
    assert_eq!(disk.create(2).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    disk.remove(1).unwrap();
    assert_eq!(disk.extents().unwrap(), [2]);
    assert_eq!(disk.simulation().unwrap().cut().extents().unwrap(), [2]);
    assert_eq!(disk.sync(1).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_full_disk_refuses_growth_only() {
    let disk = with_extent(1);
    disk.simulation().unwrap().set_capacity_bytes(2 * BLOCK);
    disk.preallocate(1, 0, 2 * BLOCK).unwrap();
    assert_eq!(disk.free_bytes().unwrap(), 0);
    assert!(disk.preallocate(1, 2 * BLOCK, 1).unwrap_err().is_no_space());
    assert!(disk.write_blocking(1, 2 * BLOCK - 1, &[1; 2]).unwrap_err().is_no_space());
    disk.write_blocking(1, BLOCK, &[1; BLOCK_BYTES]).unwrap();
    disk.create(2).unwrap();
    assert!(disk.write_blocking(2, 0, &[1]).unwrap_err().is_no_space());
    disk.remove(1).unwrap();
    disk.write_blocking(2, 0, &[1]).unwrap();
}

#[test]
fn a_flipped_bit_stays_flipped() {
    let disk = with_extent(1);
    disk.write_blocking(1, 0, &[6; BLOCK_BYTES]).unwrap();
    disk.sync(1).unwrap();
    disk.simulation().unwrap().flip_bit(1, 100);
    for disk in [disk.simulation().unwrap().cut(), disk] {
        let block = block_of(&disk, 0);
        assert_eq!((block[99], block[100], block[101]), (6, 7, 6));
    }
}

#[test]
fn the_power_goes_where_it_was_told_to() {
    let disk = with_extent(3);
    let simulation = disk.simulation().unwrap();
    let before = simulation.operations();
    simulation.power_off_after(2);
    disk.write_blocking(1, 0, &[1; BLOCK_BYTES]).unwrap();
    disk.sync(1).unwrap();
    for _ in 0..2 {
        assert_eq!(disk.write_blocking(1, 0, &[2; BLOCK_BYTES]).unwrap_err().raw_os_error(), Some(libc::EIO));
    }
    disk.sync(1).unwrap_err();
    assert_eq!(simulation.operations(), before + 5);
    let after = simulation.cut();
    assert!(block_of(&after, 0).iter().all(|byte| [1, 2].contains(byte)));
    after.write_blocking(1, 0, &[3]).unwrap();
}

#[test]
fn reads_behind_the_end_fail_as_on_a_real_disk() {
    let disk = with_extent(1);
    disk.write_blocking(1, 0, &[1; 100]).unwrap();
    assert!(disk.read_blocking(1, 99, &mut [0; 2]).unwrap_err().is_unexpected_eof());
    assert!(disk.read_blocking(1, u64::MAX, &mut [0; 2]).unwrap_err().is_unexpected_eof());
    disk.read_blocking(1, 99, &mut [0]).unwrap();
}

#[test]
fn a_core_needs_no_ring() {
    let disk = with_extent(1);
    let core = disk.core();
    let pool = BufferPool::new(1, 2 * BLOCK_BYTES).unwrap();
    let mut buffer = pool.try_acquire().unwrap();
    buffer.fill(4);
    let (result, window) = at_once(core.write_at(1, BLOCK, buffer.window(0..BLOCK_BYTES)));
    result.unwrap();
    let window = window.into_buffer().window(0..2 * BLOCK_BYTES);
    let (result, window) = at_once(core.read_at(1, 0, window));
    result.unwrap();
    assert_eq!((window[0], window[BLOCK_BYTES]), (0, 4));
    assert!(at_once(core.read_at(1, BLOCK, window)).0.unwrap_err().is_unexpected_eof());
}

fn at_once<F: Future>(future: F) -> F::Output {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("simulated operations complete at once"),
    }
}
