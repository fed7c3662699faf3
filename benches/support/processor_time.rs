//! Wall and processor time of a stretch of work, whoever does it: the threads of this process include the workers
//! to which the kernel hands operations that would block.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// What a stretch of work took.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) elapsed: Duration,
    pub(crate) processor: Duration,
}

pub(crate) struct Stopwatch {
    started: Instant,
    processor: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        let processor = processor_time();
        Self { started: Instant::now(), processor }
    }

    /// To be called while all threads that did the work still live.
    pub(crate) fn stop(self) -> Cost {
        let elapsed = self.started.elapsed();
        Cost { elapsed, processor: processor_time().saturating_sub(self.processor) }
    }
}

/// Of all living threads, by the scheduler's own account (proc(5): first field, nanoseconds), which is brought up to
/// date when a thread leaves its processor. So this one leaves it; the others wait for their disk or each other.
fn processor_time() -> Duration {
    thread::sleep(Duration::from_micros(1));
    let accounts = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanoseconds = accounts.filter_map(|entry| {
        // A thread may end in between.
        let account = fs::read_to_string(entry.path().join("schedstat")).ok()?;
        account.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}
