//! Whether this kernel, this container and this user may use io_uring; if not, why.

use std::fs;
use std::io;
use std::time::Duration;

use super::core_runtime::build;
use super::timer::timeout;

const SYSCTL: &str = "/proc/sys/kernel/io_uring_disabled";
const ENTRIES: u32 = 256;
/// A ring that works answers in microseconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Why io_uring cannot be used here; each variant's text names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum IoUringUnavailable {
    #[error(
        "io_uring is switched off by the sysctl kernel.io_uring_disabled={value}; set it to 0 (or add this \
         process to kernel.io_uring_group where it is 1)"
    )]
    Sysctl { value: u8 },
    #[error(
        "io_uring is refused (EPERM) although the sysctl allows it: a seccomp profile or security module, \
         as containers use, forbids io_uring_setup; allow io_uring_setup, io_uring_enter and io_uring_register"
    )]
    Forbidden,
    #[error(
        "this kernel has no io_uring (ENOSYS), or a container's seccomp profile hides it; Linux 5.15 or \
         newer is needed"
    )]
    Absent,
    #[error(
        "no memory for io_uring (ENOMEM): the limit of locked memory is too low for this kernel; raise it \
         (ulimit -l, LimitMEMLOCK=, --ulimit memlock)"
    )]
    LockedMemory,
    #[error(
        "io_uring accepts operations but does not complete them: io_uring_enter is forbidden, or the \
         kernel is too old; Linux 5.15 or newer is needed"
    )]
    Silent,
    #[error("io_uring cannot be used: {0}")]
    Other(#[source] io::Error),
}

/// Builds a ring on the calling thread, sends one file operation through it and takes it down again.
pub fn probe_io_uring() -> Result<(), IoUringUnavailable> {
    let mut runtime = build(ENTRIES).map_err(|error| explain(error, read_sysctl()))?;
    let answered = runtime.block_on(timeout(ANSWER_TIMEOUT, monoio::fs::File::open("/dev/null")));
    match answered {
        Err(_) => Err(IoUringUnavailable::Silent),
        Ok(Err(error)) => Err(explain(error, read_sysctl())),
        Ok(Ok(_)) => Ok(()),
    }
}

fn explain(error: io::Error, sysctl: Option<u8>) -> IoUringUnavailable {
    match (error.raw_os_error(), sysctl) {
        (Some(libc::EPERM | libc::EACCES), Some(value @ 1..)) => IoUringUnavailable::Sysctl { value },
        (Some(libc::EPERM | libc::EACCES), _) => IoUringUnavailable::Forbidden,
        (Some(libc::ENOSYS), _) => IoUringUnavailable::Absent,
        (Some(libc::ENOMEM), _) => IoUringUnavailable::LockedMemory,
        // Known to rings since 5.6, and so to every kernel that this crate runs on.
        (Some(libc::EINVAL), _) => IoUringUnavailable::Silent,
        _ => IoUringUnavailable::Other(error),
    }
}

fn read_sysctl() -> Option<u8> {
    fs::read_to_string(SYSCTL).ok()?.trim().parse().ok()
}
