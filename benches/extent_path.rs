//! Which way to the disk is the cheapest for a core that has much else to do? Random O_DIRECT reads and writes of
//! one preallocated, once written extent: through `ringstone_io` (monoio on io_uring), through tokio-uring, and by
//! blocking calls of one thread for each operation in flight.
//!
//! `cargo bench --bench extent_path`. Times are for one operation while so many are in flight all the time. Behind
//! each measurement the processor time of one operation is printed, over all threads: with many in flight the disk
//! sets the pace, and the difference between the ways shows there alone.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::rc::Rc;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringstone_io::{BLOCK_BYTES, BufferPool, CoreDisk, Disk, Window, run_on_core, spawn};
use tokio_uring::buf::BoundedBuf;

use processor_time::{Cost, Stopwatch};

#[path = "support/processor_time.rs"]
mod processor_time;
#[path = "support/scratch.rs"]
mod scratch;

const EXTENT: u32 = 0;
const EXTENT_BYTES: u64 = 256 * 1024 * 1024;
const KIB: usize = 1024;
/// As many as a core's ring of ours has.
const RING_ENTRIES: u32 = 1024;
/// Not zero, which storage may treat as nothing.
const FILL: u8 = 0xA5;

/// The flag of open(2), which differs between architectures.
const O_DIRECT: i32 = if cfg!(any(target_arch = "aarch64", target_arch = "arm")) { 0x1_0000 } else { 0x4000 };

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Read,
    Write,
}

#[derive(Clone, Copy)]
struct Load {
    direction: Direction,
    transfer_bytes: usize,
    /// Operations in flight.
    depth: usize,
    /// Operations of each lane, one after the other; there are as many lanes as `depth`.
    rounds: u64,
}

/// Aligned places of one lane, drawn with xorshift64.
struct Places {
    state: u64,
    transfer_bytes: u64,
}

impl Places {
    fn new(load: Load, lane: usize) -> Self {
        let state = (lane as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self { state, transfer_bytes: load.transfer_bytes as u64 }
    }

    fn draw(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % (EXTENT_BYTES / self.transfer_bytes) * self.transfer_bytes
    }
}

// ------------------------------------------------------------------------------------------ ringstone_io

fn by_ringstone_io(directory: &Path, load: Load) -> Cost {
    let disk = Disk::open(directory).expect("the directory of the extent");
    let work = async {
        let core = disk.core();
        let pool = BufferPool::new(load.depth, load.transfer_bytes).expect("memory");
        let window = || {
            let mut buffer = pool.try_acquire().expect("a buffer for each lane");
            buffer.fill(FILL);
            buffer.window(0..load.transfer_bytes)
        };
        // The first operation opens the file.
        let (result, first) = core.read_at(EXTENT, 0, window()).await;
        result.expect("a read");
        drop(first);
        let windows: Vec<Window> = (0..load.depth).map(|_lane| window()).collect();
        let stopwatch = Stopwatch::start();
        let lanes: Vec<_> = windows
            .into_iter()
            .enumerate()
            .map(|(lane, window)| spawn(lane_of_ringstone_io(core.clone(), window, load, lane)))
            .collect();
        for lane in lanes {
            lane.await;
        }
        stopwatch.stop()
    };
    run_on_core(None, work).expect("a ring")
}

async fn lane_of_ringstone_io(core: CoreDisk, mut window: Window, load: Load, lane: usize) {
    let mut places = Places::new(load, lane);
    for _ in 0..load.rounds {
        let (result, same) = match load.direction {
            Direction::Read => core.read_at(EXTENT, places.draw(), window).await,
            Direction::Write => core.write_at(EXTENT, places.draw(), window).await,
        };
        result.expect("an operation on the extent");
        window = same;
    }
}

// ------------------------------------------------------------------------------------------- tokio-uring

fn by_tokio_uring(directory: &Path, load: Load) -> Cost {
    let extent = open_direct(directory);
    tokio_uring::builder().entries(RING_ENTRIES).start(async move {
        let file = Rc::new(tokio_uring::fs::File::from_std(extent));
        let buffers: Vec<_> = (0..load.depth).map(|_lane| AlignedMemory::new(load.transfer_bytes)).collect();
        let stopwatch = Stopwatch::start();
        let lanes: Vec<_> = buffers
            .into_iter()
            .enumerate()
            .map(|(lane, memory)| {
                tokio_uring::spawn(lane_of_tokio_uring(Rc::clone(&file), memory, load, lane))
            })
            .collect();
        for lane in lanes {
            lane.await.expect("a lane that ends");
        }
        let cost = stopwatch.stop();
        let file = Rc::into_inner(file).expect("the lanes have ended");
        file.close().await.expect("a file that closes");
        cost
    })
}

async fn lane_of_tokio_uring(
    file: Rc<tokio_uring::fs::File>,
    memory: AlignedMemory,
    load: Load,
    lane: usize,
) {
    let mut places = Places::new(load, lane);
    let end = memory.start + load.transfer_bytes;
    let mut slice = memory.bytes.slice(memory.start..end);
    for _ in 0..load.rounds {
        let (result, same) = match load.direction {
            Direction::Read => file.read_exact_at(slice, places.draw()).await,
            Direction::Write => file.write_all_at(slice, places.draw()).await,
        };
        result.expect("an operation on the extent");
        slice = same;
    }
}

// -------------------------------------------------------------------------------------- pread and pwrite

fn by_blocking_calls(directory: &Path, load: Load) -> Cost {
    let extent = open_direct(directory);
    let [ready, done, measured] = [(); 3].map(|()| Barrier::new(load.depth + 1));
    thread::scope(|scope| {
        for lane in 0..load.depth {
            let (extent, ready, done, measured) = (&extent, &ready, &done, &measured);
            scope.spawn(move || {
                let memory = AlignedMemory::new(load.transfer_bytes);
                ready.wait();
                blocking_lane(extent, memory, load, lane);
                done.wait();
                measured.wait();
            });
        }
        ready.wait();
        let stopwatch = Stopwatch::start();
        done.wait();
        let cost = stopwatch.stop();
        measured.wait();
        cost
    })
}

fn blocking_lane(extent: &File, mut memory: AlignedMemory, load: Load, lane: usize) {
    let mut places = Places::new(load, lane);
    let bytes = &mut memory.bytes[memory.start..][..load.transfer_bytes];
    for _ in 0..load.rounds {
        let result = match load.direction {
            Direction::Read => extent.read_exact_at(bytes, places.draw()),
            Direction::Write => extent.write_all_at(bytes, places.draw()),
        };
        result.expect("an operation on the extent");
    }
}

// ---------------------------------------------------------------------------------------------- the load

/// Memory with room to begin at a block boundary.
struct AlignedMemory {
    bytes: Vec<u8>,
    start: usize,
}

impl AlignedMemory {
    fn new(size_bytes: usize) -> Self {
        let bytes = vec![FILL; size_bytes + BLOCK_BYTES];
        let address = bytes.as_ptr().addr();
        let start = address.next_multiple_of(BLOCK_BYTES) - address;
        Self { bytes, start }
    }
}

fn open_direct(directory: &Path) -> File {
    let path = directory.join(format!("{EXTENT:010}.extent"));
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(O_DIRECT).open(path).expect("the extent")
}

/// Creates the extent. False where it would go through the page cache, which is not what is asked.
fn prepare(directory: &Path) -> bool {
    let disk = Disk::open(directory).expect("a directory for the extent");
    if !disk.is_direct() {
        return false;
    }
    disk.create(EXTENT).expect("a new extent");
    disk.preallocate(EXTENT, 0, EXTENT_BYTES).expect("space");
    // A first write to a block also writes the file system's note of it; that is another question.
    let block = vec![FILL; 1024 * KIB];
    for offset in (0..EXTENT_BYTES).step_by(block.len()) {
        disk.write_blocking(EXTENT, offset, &block).expect("a write");
    }
    disk.sync(EXTENT).expect("a sync");
    true
}

type Way = fn(&Path, Load) -> Cost;
const WAYS: [(&str, Way); 3] =
    [("ringstone_io", by_ringstone_io), ("tokio_uring", by_tokio_uring), ("blocking", by_blocking_calls)];

fn extent_path(criterion: &mut Criterion) {
    let directory = scratch::scratch_directory();
    if !prepare(directory.path()) {
        eprintln!("extent_path: the file system under target/ does not take O_DIRECT; nothing is measured");
        return;
    }
    for (direction, verb) in [(Direction::Write, "write"), (Direction::Read, "read")] {
        for kib in [4, 64] {
            let mut group = criterion.benchmark_group(format!("extent_path/{verb}_{kib}KiB"));
            group.throughput(Throughput::Bytes((kib * KIB) as u64));
            for depth in [1, 16] {
                for (way, run) in WAYS {
                    let name = format!("depth_{depth}/{way}");
                    let (processor, operations) = (Cell::new(Duration::ZERO), Cell::new(0));
                    group.bench_function(&name, |bencher| {
                        bencher.iter_custom(|rounds| {
                            let load = Load { direction, transfer_bytes: kib * KIB, depth, rounds };
                            let cost = run(directory.path(), load);
                            processor.set(processor.get() + cost.processor);
                            operations.set(operations.get() + rounds * depth as u64);
                            cost.elapsed / depth as u32
                        });
                    });
                    if operations.get() > 0 {
                        let nanoseconds = processor.get().as_nanos() / u128::from(operations.get());
                        println!("{verb}_{kib}KiB/{name}: processor time {nanoseconds} ns an operation\n");
                    }
                }
            }
            group.finish();
        }
    }
}

criterion_group!(benches, extent_path);
criterion_main!(benches);
