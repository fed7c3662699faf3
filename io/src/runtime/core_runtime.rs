//! The event loop of one core: built on the thread that runs it, pinned, torn down without freeing what
//! the kernel may still use.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use monoio::time::TimeDriver;
use monoio::{IoUringDriver, Runtime, RuntimeBuilder};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::buffer::while_ring_closes;
use crate::error::IoError;

pub(super) type CoreDriver = TimeDriver<IoUringDriver>;

/// Entries of a core's submission queue; the completion queue has twice as many.
const RING_ENTRIES: u32 = 1024;

/// Cores that this process may use: affinity and cgroup quota counted in.
pub fn core_count() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Raises the limit of open files to what the system grants without privileges, and returns it. Called
/// once at start-up: every connection and every extent takes a descriptor.
pub fn raise_open_files_limit() -> Result<usize, IoError> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised)
        .map_err(|errno| IoError::new("raise", "the limit of open files", errno.into()))?;
    Ok(open_files_limit())
}

/// Descriptors that the process may have open.
pub fn open_files_limit() -> usize {
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |limit| limit as usize)
}

/// Builds an event loop on the calling thread and blocks until `future` is done. Tasks that still run
/// then are dropped.
///
/// `core` pins the thread to the n-th of the processors that it may run on, counted around.
pub fn run_on_core<F: Future>(core: Option<usize>, future: F) -> Result<F::Output, IoError> {
    if let Some(core) = core {
        pin_thread(core).map_err(|source| IoError::new("pin to core", core.to_string(), source))?;
    }
    let runtime = build(RING_ENTRIES).map_err(|source| IoError::new("create", "io_uring", source))?;
    let mut runtime = CloseGently { runtime: Some(runtime) };
    Ok(runtime.get().block_on(future))
}

/// Starts a task on this core's event loop.
pub fn spawn<F>(future: F) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    Task { handle: monoio::spawn(future) }
}

/// The result of a spawned future. Dropping it detaches the task, which runs on.
pub struct Task<T> {
    handle: monoio::task::JoinHandle<T>,
}

impl<T> Task<T> {
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.handle).poll(context)
    }
}

/// A ring of this thread with timers and deferred task work: completions are delivered when the loop
/// asks, not by interrupting it. Kernels before 6.1 do not know the flags; they get a plain ring.
pub(super) fn build(entries: u32) -> io::Result<Runtime<CoreDriver>> {
    let builder = || RuntimeBuilder::<IoUringDriver>::new().with_entries(entries);
    let mut deferred = io_uring::IoUring::builder();
    deferred.setup_single_issuer().setup_defer_taskrun();
    match builder().uring_builder(deferred).enable_timer().build() {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => builder().enable_timer().build(),
        outcome => outcome,
    }
}

/// A runtime that is dropped while memory lent to its ring is leaked rather than freed.
struct CloseGently {
    runtime: Option<Runtime<CoreDriver>>,
}

impl CloseGently {
    fn get(&mut self) -> &mut Runtime<CoreDriver> {
        self.runtime.as_mut().expect("present until dropped")
    }
}

impl Drop for CloseGently {
    fn drop(&mut self) {
        while_ring_closes(|| drop(self.runtime.take()));
    }
}

fn pin_thread(core: usize) -> io::Result<()> {
    let allowed = sched_getaffinity(None)?;
    let processors: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect();
    let Some(processor) = processors.get(core % processors.len().max(1)) else {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the thread may run on no processor"));
    };
    let mut chosen = CpuSet::new();
    chosen.set(*processor);
    Ok(sched_setaffinity(None, &chosen)?)
}

#[cfg(test)]
#[path = "core_runtime_tests.rs"]
mod tests;
