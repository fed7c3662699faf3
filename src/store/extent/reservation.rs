//! Space held by an upload in flight. Dropping it gives the space back, unless the commit kept it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::commit::SpaceHold;
use crate::index::record::Run;
use crate::store::extent::space::Space;

/// One reserved run. Shared by the writer, the committer and every disk write in flight: the space returns only
/// when the last of them has gone, so that a late write of an aborted upload can never land on its successor.
pub struct Reservation {
    space: Arc<Space>,
    run: Run,
    kept: AtomicBool,
}

impl Reservation {
    pub(super) fn new(space: Arc<Space>, run: Run) -> Self {
        Self { space, run, kept: AtomicBool::new(false) }
    }

    pub fn run(&self) -> &Run {
        &self.run
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.kept.load(Ordering::Acquire) {
            self.space.free(&self.run);
        }
    }
}

/// A reservation while a disk write into it is under way.
///
/// Dropped before the write has ended, which happens only to tasks that still run when their core's ring closes, it
/// never gives the space back: the kernel may write there at any moment from now on, and another core must not have
/// put acknowledged bytes in that place. A restart finds the space again.
pub struct InFlight(Option<Arc<Reservation>>);

impl InFlight {
    pub fn new(reservation: Arc<Reservation>) -> Self {
        Self(Some(reservation))
    }

    /// The write has ended, well or not: nothing more will come.
    pub fn landed(mut self) {
        self.0 = None;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        std::mem::forget(self.0.take());
    }
}

/// The reservations of one body, handed to the committer with the transaction that refers to them.
pub struct BodyHold(pub Vec<Arc<Reservation>>);

impl SpaceHold for BodyHold {
    fn keep(self: Box<Self>) {
        for reservation in &self.0 {
            reservation.kept.store(true, Ordering::Release);
        }
    }
}
