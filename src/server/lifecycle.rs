//! The thread that does the lifecycle's work, a little at a time: after each step it rests several times as long as the
//! step took, so that it never has more than a fraction of a core or of the committer.

use std::time::{Duration, Instant};

use ringstone_io::runtime;

use super::{RuntimeThread, ServerError, join};
use crate::config::Calendar;
use crate::store::error::StoreError;
use crate::store::lifecycle::job::{LifecycleJob, LifecycleParts, Progress};

/// Rests after looks, in times of the work, by how long the work has gone on without an end. At first so long that fewer
/// than one request in a hundred meets it: p99 beside it hardly moves (`scripts/measure_lifecycle`), at a hundred keys a
/// second and more. Single keys with shorter rests would touch more requests, for a commit costs as much as many keys.
/// What does not come to an end that way must go faster.
const REST_FACTORS: [(Duration, u32); 3] =
    [(Duration::from_hours(1), 3), (Duration::from_mins(10), 12), (Duration::ZERO, 60)];

/// The rest after a step of a sweep.
const SWEEP_REST_FACTOR: u32 = 3;

/// How often it is looked whether something is due. Days are long; what a write makes due at once can wait as well.
const IDLE_REST: Duration = Duration::from_secs(10);

/// The same where days are short, as tests have them: a part of a day, within these.
const SHORT_IDLE_REST_MIN: Duration = Duration::from_millis(100);
const SHORT_IDLE_REST_MAX: Duration = Duration::from_secs(1);
const SHORT_DAY_PART: u32 = 4;

/// The rest after a failure, doubled with each further one.
const FAILED_REST_MIN: Duration = Duration::from_secs(1);
const FAILED_REST_MAX: Duration = Duration::from_secs(30);

/// The running thread.
pub(super) struct Lifecycle {
    thread: RuntimeThread,
    stop: oneshot::Sender<()>,
}

impl Lifecycle {
    /// Starts the thread, which is pinned to no core.
    pub(super) fn start(parts: LifecycleParts) -> Result<Self, ServerError> {
        let (stop, stopped) = oneshot::async_channel();
        let thread = std::thread::Builder::new()
            .name("lifecycle".into())
            .spawn(move || {
                let idle_rest = idle_rest(parts.calendar());
                let working = async { work(&mut parts.into_job(), idle_rest, stopped).await };
                runtime::run_on_core(None, working).map_err(|error| error.to_string())
            })
            .map_err(|error| StoreError::Thread(error.to_string()))?;
        Ok(Self { thread, stop })
    }

    /// Waits for the step under way.
    pub(super) fn stop(self) {
        // A thread that has ended needs no telling.
        let _ = self.stop.send(());
        join("lifecycle", self.thread);
    }
}

async fn work(job: &mut LifecycleJob, idle_rest: Duration, mut stopped: oneshot::AsyncReceiver<()>) {
    let mut failed_rest = FAILED_REST_MIN;
    let mut at_work_since: Option<Instant> = None;
    loop {
        let began = Instant::now();
        let rest_factor = rest_factor(began - at_work_since.unwrap_or(began));
        let stepped = job.step().await;
        let rest = match &stepped {
            Ok(Progress::Looked) => began.elapsed() * rest_factor,
            Ok(Progress::Swept) => began.elapsed() * SWEEP_REST_FACTOR,
            Ok(Progress::Idle) => idle_rest,
            Err(StoreError::Poisoned(reason)) => {
                tracing::debug!(reason, "the lifecycle rests for good");
                return;
            }
            Err(error) => {
                tracing::warn!(%error, rest = ?failed_rest, "the lifecycle could not go on");
                failed_rest
            }
        };
        at_work_since = match stepped {
            Ok(Progress::Idle) => None,
            _ => at_work_since.or(Some(began)),
        };
        failed_rest = match stepped {
            Ok(_) => FAILED_REST_MIN,
            Err(_) => (failed_rest * 2).min(FAILED_REST_MAX),
        };
        if runtime::timeout(rest, &mut stopped).await.is_ok() {
            return;
        }
    }
}

fn rest_factor(at_work: Duration) -> u32 {
    let [.., (_, longest)] = REST_FACTORS;
    REST_FACTORS.iter().find(|(from, _)| at_work >= *from).map_or(longest, |(_, factor)| *factor)
}

fn idle_rest(calendar: Calendar) -> Duration {
    if calendar.is_true() {
        return IDLE_REST;
    }
    let day = Duration::from_millis(calendar.day_ms().unsigned_abs());
    (day / SHORT_DAY_PART).clamp(SHORT_IDLE_REST_MIN, SHORT_IDLE_REST_MAX)
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
