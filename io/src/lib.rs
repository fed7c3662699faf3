//! Rings, aligned buffers, extent files and sockets: everything of Ringstone that touches the kernel,
//! and the only unsafe code of it.
//!
//! - [`buffer`]: fixed pools of aligned memory, one pool a core, and owned windows into them.
//! - [`disk`]: the extent files of one data directory, as one thing that a simulation can replace.
//! - [`net`]: listeners and streams that take their buffers by value.
//! - [`runtime`]: one io_uring event loop a core, tasks, timers, the clock.
//! - [`sim`]: the simulated disk, with power cuts and faults from a seed.
//!
//! The crate knows nothing of objects, HTTP or S3: bytes in, bytes out. Who owns a buffer at which
//! moment, and the numbered safety rules that the `SAFETY` comments name, stand in `io/README.md`.

#![deny(clippy::undocumented_unsafe_blocks)]

pub mod buffer;
pub mod disk;
mod error;
pub mod net;
pub mod runtime;
#[cfg(test)]
mod scratch_directory;
pub mod sim;

pub use buffer::{Acquire, Buffer, BufferPool, Window};
pub use disk::{BLOCK_BYTES, CoreDisk, DirectoryLock, Disk, DiskCounts, FileDisk, fsync_directory};
pub use error::IoError;
pub use net::{Gather, ListenStopper, Listener, ReadStopper, Stream};
pub use runtime::{
    Clock, Elapsed, IoUringUnavailable, Task, core_count, open_files_limit, probe_io_uring,
    raise_open_files_limit, run_on_core, sleep, spawn, timeout,
};
pub use sim::SimulatedDisk;
