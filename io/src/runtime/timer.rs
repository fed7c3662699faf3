//! Waiting for time on a core, through its ring.

use std::future::Future;
use std::time::Duration;

/// The time given to [`timeout`] passed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time ran out")]
pub struct Elapsed;

/// Waits for `duration`, to the precision of a millisecond.
pub async fn sleep(duration: Duration) {
    monoio::time::sleep(duration).await;
}

/// Runs `future` for at most `duration`, then drops it. Dropping a read or write of a stream spoils that
/// direction of the stream (see the module `net`); dropping an accept leaks a connection.
pub async fn timeout<F: Future>(duration: Duration, future: F) -> Result<F::Output, Elapsed> {
    monoio::time::timeout(duration, future).await.map_err(|_| Elapsed)
}
