//! One event loop a core over io_uring, with timers; what this kernel allows; the clock.
//!
//! There is no fallback to epoll: under it file operations would block the core. Where io_uring is
//! refused, [`probe_io_uring`] says why and the server does not start.

mod clock;
mod core_runtime;
mod probe;
mod timer;

pub use clock::Clock;
pub use core_runtime::{Task, core_count, open_files_limit, raise_open_files_limit, run_on_core, spawn};
pub use probe::{IoUringUnavailable, probe_io_uring};
pub use timer::{Elapsed, sleep, timeout};
