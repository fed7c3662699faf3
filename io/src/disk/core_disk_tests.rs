use super::CoreDisk;
use crate::buffer::BufferPool;
use crate::disk::{BLOCK_BYTES, Disk};
use crate::runtime::run_on_core;
use crate::scratch_directory::scratch_directory;

const BLOCK: u64 = BLOCK_BYTES as u64;

#[test]
fn what_a_core_writes_every_reader_reads() {
    let scratch = scratch_directory();
    let disk = Disk::open(scratch.path()).unwrap();
    disk.create(1).unwrap();
    let pool = BufferPool::new(1, 4 * BLOCK_BYTES).unwrap();
    let core = disk.core();
    run_on_core(None, async {
        let mut buffer = pool.acquire().await;
        for (index, byte) in buffer.iter_mut().enumerate() {
            *byte = (index / 7) as u8;
        }
        let expected = buffer.to_vec();
        let (result, window) = core.write_at(1, 2 * BLOCK, buffer.window(BLOCK_BYTES..4 * BLOCK_BYTES)).await;
        result.unwrap();
        let mut buffer = window.into_buffer();
        buffer.fill(0);
        let (result, window) = core.read_at(1, 3 * BLOCK, buffer.window(0..2 * BLOCK_BYTES)).await;
        result.unwrap();
        assert_eq!(window[..], expected[2 * BLOCK_BYTES..]);
    })
    .unwrap();
    disk.sync(1).unwrap();
    let mut byte = [0];
    disk.read_blocking(1, 2 * BLOCK + 700, &mut byte).unwrap();
    assert_eq!(byte[0], ((BLOCK_BYTES + 700) / 7) as u8);
    let counts = disk.counts();
    assert_eq!((counts.writes, counts.written_bytes, counts.reads, counts.syncs), (1, 3 * BLOCK, 2, 1));
}

#[test]
fn the_end_of_an_extent_is_an_error_of_its_own() {
    let scratch = scratch_directory();
    let disk = Disk::open(scratch.path()).unwrap();
    disk.create(1).unwrap();
    disk.preallocate(1, 0, BLOCK).unwrap();
    // A file that ends inside a block, as only a foreign hand would leave it.
    disk.create(2).unwrap();
    std::fs::write(scratch.path().join("0000000002.extent"), [1; 5000]).unwrap();
    let pool = BufferPool::new(1, 2 * BLOCK_BYTES).unwrap();
    let core = disk.core();
    run_on_core(None, async {
        for extent in [1, 2] {
            let window = pool.acquire().await.window(0..2 * BLOCK_BYTES);
            let (result, window) = core.read_at(extent, 0, window).await;
            assert!(result.unwrap_err().is_unexpected_eof());
            let window = window.into_buffer().window(0..BLOCK_BYTES);
            let (result, window) = core.read_at(extent, 2 * BLOCK, window).await;
            assert!(result.unwrap_err().is_unexpected_eof());
            let (result, _) = core.read_at(extent, 0, window).await;
            result.unwrap();
        }
    })
    .unwrap();
}

#[test]
fn misaligned_operations_are_refused_on_every_disk() {
    let scratch = scratch_directory();
    for disk in [Disk::open(scratch.path()).unwrap(), Disk::simulated(1)] {
        disk.create(1).unwrap();
        let pool = BufferPool::new(1, 2 * BLOCK_BYTES).unwrap();
        let core = disk.core();
        run_on_core(None, async {
            for (offset, range) in [(1, 0..4096), (0, 1..4097), (0, 0..100), (0, 0..0)] {
                let (result, window) =
                    core.write_at(1, offset, pool.acquire().await.window(range.clone())).await;
                assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
                let (result, _) = core.read_at(1, offset, window.into_buffer().window(range)).await;
                assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
            }
        })
        .unwrap();
    }
}

#[test]
fn a_removed_extent_does_not_live_on_in_a_core() {
    let scratch = scratch_directory();
    let disk = Disk::open(scratch.path()).unwrap();
    let pool = BufferPool::new(1, BLOCK_BYTES).unwrap();
    let core = disk.core();
    run_on_core(None, async {
        disk.create(1).unwrap();
        let (result, window) = core.write_at(1, 0, pool.acquire().await.window(0..BLOCK_BYTES)).await;
        result.unwrap();
        disk.remove(1).unwrap();
        let (result, mut window) = core.read_at(1, 0, window).await;
        assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::NotFound);
        disk.create(1).unwrap();
        window.fill(9);
        let (result, _) = core.write_at(1, 0, window).await;
        result.unwrap();
    })
    .unwrap();
    let mut block = [0; BLOCK_BYTES];
    disk.read_blocking(1, 0, &mut block).unwrap();
    assert_eq!(block, [9; BLOCK_BYTES]);
}

#[test]
fn more_extents_than_open_files_are_served() {
    let scratch = scratch_directory();
    let disk = Disk::open(scratch.path()).unwrap();
    let pool = BufferPool::new(1, BLOCK_BYTES).unwrap();
    let core = CoreDisk::with_open_files(disk.clone(), 3);
    let extents = 0..7;
    run_on_core(None, async {
        let mut window = pool.acquire().await.window(0..BLOCK_BYTES);
        for round in 0..2 {
            for extent in extents.clone() {
                if round == 0 {
                    disk.create(extent).unwrap();
                }
                let result;
                (result, window) = core.write_at(extent, round * BLOCK, window).await;
                result.unwrap();
            }
        }
    })
    .unwrap();
    assert_eq!(disk.extents().unwrap(), extents.collect::<Vec<_>>());
}
