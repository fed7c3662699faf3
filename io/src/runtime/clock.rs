//! Wall time and monotonic time behind one value, so that tests can set both.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where time comes from. Clones of a manual clock move together.
#[derive(Debug, Clone)]
pub struct Clock {
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    System { origin: Instant },
    Manual { start_unix_ms: i64, elapsed_us: Arc<AtomicU64> },
}

impl Clock {
    /// The machine's clocks.
    pub fn system() -> Self {
        Self { source: Source::System { origin: Instant::now() } }
    }

    /// A clock that stands at `start_unix_ms` until it is advanced.
    pub fn manual(start_unix_ms: i64) -> Self {
        Self { source: Source::Manual { start_unix_ms, elapsed_us: Arc::default() } }
    }

    /// Moves a manual clock and all its clones forward.
    ///
    /// # Panics
    /// On the system clock, which nobody moves.
    pub fn advance(&self, by: Duration) {
        match &self.source {
            Source::System { .. } => panic!("the system clock cannot be advanced"),
            Source::Manual { elapsed_us, .. } => {
                elapsed_us.fetch_add(by.as_micros() as u64, Ordering::AcqRel);
            }
        }
    }

    /// Milliseconds since 1970, as the wall clock says: may jump either way.
    pub fn unix_ms(&self) -> i64 {
        match &self.source {
            Source::System { .. } => match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
                Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
            },
            Source::Manual { start_unix_ms, elapsed_us } => {
                start_unix_ms + (elapsed_us.load(Ordering::Acquire) / 1000).cast_signed()
            }
        }
    }

    /// Microseconds since this clock was made; never goes back.
    pub fn monotonic_us(&self) -> u64 {
        match &self.source {
            Source::System { origin } => origin.elapsed().as_micros() as u64,
            Source::Manual { elapsed_us, .. } => elapsed_us.load(Ordering::Acquire),
        }
    }
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
