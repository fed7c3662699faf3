//! Pins: which runs the readers of a core are streaming.
//!
//! A reader must never see its blocks reused under it. It reads the record and pins the record's runs while it holds
//! its core's table; the release of freed runs happens after the commit that freed them and takes each core's table
//! once. So either the reader has pinned before the release looks, or it reads the record after the commit and does
//! not find the runs any more. There is no third order.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::index::record::Run;
use crate::store::release::FreedRun;

/// Place of a run: extent and first block.
type Place = (u32, u32);

#[derive(Default)]
struct Pin {
    readers: u32,
    /// Set when the run was freed while pinned; dropped with the last reader, which frees the space.
    freed: Option<Arc<FreedRun>>,
}

/// The pins of one core. Only the core itself and the release touch it, so the lock is free almost always.
#[derive(Default)]
pub struct CorePins {
    table: Mutex<HashMap<Place, Pin>>,
}

impl CorePins {
    /// Looks a record up and pins the runs it names, as one step against the release.
    pub(crate) fn pin<T, E>(
        self: &Arc<Self>,
        lookup: impl FnOnce() -> Result<Option<T>, E>,
        for_each_run: impl FnOnce(&T, &mut dyn FnMut(&Run)),
    ) -> Result<Option<(T, PinnedRuns)>, E> {
        let mut table = self.lock();
        let Some(found) = lookup()? else { return Ok(None) };
        let mut places: Vec<Place> = Vec::new();
        for_each_run(&found, &mut |run| places.push((run.extent, run.block)));
        for place in &places {
            table.entry(*place).or_default().readers += 1;
        }
        drop(table);
        Ok(Some((found, PinnedRuns { _pinned: Rc::new(Pinned { pins: self.clone(), places }) })))
    }

    /// Leaves a freed run with the readers that still stream it, if there are any.
    pub(crate) fn hand_over(&self, freed: &Arc<FreedRun>) {
        if let Some(pin) = self.lock().get_mut(&(freed.run().extent, freed.run().block)) {
            pin.freed = Some(freed.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Pin>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps runs from being reused while it or a clone of it lives.
#[derive(Clone)]
pub struct PinnedRuns {
    /// Held for its `Drop`.
    _pinned: Rc<Pinned>,
}

struct Pinned {
    pins: Arc<CorePins>,
    places: Vec<Place>,
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let mut released = Vec::new();
        let mut table = self.pins.lock();
        for place in &self.places {
            let Some(pin) = table.get_mut(place) else { continue };
            pin.readers -= 1;
            if pin.readers == 0 {
                released.extend(table.remove(place).and_then(|pin| pin.freed));
            }
        }
        // The space's own lock is taken by these drops, never under the table's.
        drop(table);
        drop(released);
    }
}
