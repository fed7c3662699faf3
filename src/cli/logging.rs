//! The log: one subscriber on standard error, filtered by the key `log`.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Starts the log of the process. A second call changes nothing.
pub(super) fn start(filter: &str) {
    // The configuration has judged the filter; directives that mean nothing are dropped.
    let filter = EnvFilter::builder().parse_lossy(filter);
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init();
    if started.is_err() {
        tracing::debug!("the log was started before");
    }
}
