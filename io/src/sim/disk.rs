//! The simulated disk: the extents of one data directory, in memory.
//!
//! What it does, and what whoever stands on it must survive:
//! - A power cut ([`SimulatedDisk::cut`]) keeps what was synced. Of every 4 KiB block written since the
//!   last sync of its extent, it keeps all, nothing, or some of its 512-byte sectors.
//! - A failed sync loses some blocks and forgets it: the next sync succeeds.
//! - A failed write may have written any of its blocks; a failed create or remove may have happened, and
//!   its directory entry may or may not survive a cut.
//! - A bit may flip ([`SimulatedDisk::flip_bit`]), space may run out ([`SimulatedDisk::set_capacity_bytes`]).
//!
//! What it never does: lose or change what a successful sync covered. Operations complete at once, also
//! those of its [`crate::CoreDisk`], which therefore need no ring.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::extent::Extent;
use super::seed::Dice;
use crate::disk::{BLOCK_BYTES, Disk, DiskCounts};
use crate::error::IoError;

/// Kinds of operations that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Create,
    Preallocate,
    Remove,
    Read,
    Write,
    Sync,
}

impl Operation {
    fn verb(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Preallocate => "preallocate",
            Self::Remove => "remove",
            Self::Read => "read",
            Self::Write => "write",
            Self::Sync => "sync",
        }
    }
}

/// A data directory in memory. Every thread may use it.
pub struct SimulatedDisk {
    seed: u64,
    state: Mutex<State>,
}

struct State {
    extents: BTreeMap<u32, Extent>,
    dice: Dice,
    faults: Vec<Fault>,
    power: Power,
    capacity_bytes: Option<u64>,
    operations: u64,
    counts: DiskCounts,
}

struct Fault {
    operation: Operation,
    /// Operations of the kind until this one fails, itself included.
    remaining: u64,
    errno: i32,
}

enum Power {
    On,
    /// So many more operations complete; the one after them meets the cut.
    GoesAfter(u64),
    Off,
}

/// What becomes of an operation.
enum Fate {
    Completes,
    /// It fails on the way: parts of it may have happened.
    FailsMidway(io::Error),
    /// It never starts.
    Refused(io::Error),
}

impl SimulatedDisk {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with_extents(seed, BTreeMap::new(), None)
    }

    fn with_extents(seed: u64, extents: BTreeMap<u32, Extent>, capacity_bytes: Option<u64>) -> Self {
        let state = State {
            extents,
            dice: Dice::new(seed),
            faults: Vec::new(),
            power: Power::On,
            capacity_bytes,
            operations: 0,
            counts: DiskCounts::default(),
        };
        Self { seed, state: Mutex::new(state) }
    }

    /// The seed of this disk; a failing test prints it.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Operations so far, of every kind: the points at which [`SimulatedDisk::power_off_after`] can cut.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// The disk that is found when the power comes back after a cut at this moment: no faults armed,
    /// the same capacity. This disk stays as it is, and each call rolls the dice anew.
    pub fn cut(&self) -> Disk {
        let mut state = self.lock();
        let State { extents, dice, capacity_bytes, .. } = &mut *state;
        let mut survivors = BTreeMap::new();
        for (&number, extent) in extents.iter() {
            let image = extent.after_cut(dice);
            let survives = if extent.present == extent.linked { extent.linked } else { dice.flip() };
            if survives {
                survivors.insert(number, Extent::surviving(image, true));
            }
        }
        let seed = dice.next();
        Disk::Simulated(Arc::new(Self::with_extents(seed, survivors, *capacity_bytes)))
    }

    /// Lets `operations` more operations complete. The next one is cut off midway, and everything after
    /// it fails; then look at [`SimulatedDisk::cut`].
    pub fn power_off_after(&self, operations: u64) {
        self.lock().power = Power::GoesAfter(operations);
    }

    /// Makes the `n`-th next operation of a kind fail with `errno`; 1 is the next. May be called several
    /// times.
    pub fn fail_nth(&self, operation: Operation, n: u64, errno: i32) {
        assert!(n > 0, "operations are counted from 1");
        self.lock().faults.push(Fault { operation, remaining: n, errno });
    }

    /// Size of the device: what would make extents exceed it in sum fails with ENOSPC.
    pub fn set_capacity_bytes(&self, capacity_bytes: u64) {
        self.lock().capacity_bytes = Some(capacity_bytes);
    }

    /// Rots one bit of the byte at `offset`, now and on the medium.
    ///
    /// # Panics
    /// If there is no such byte: a mistake of the test.
    pub fn flip_bit(&self, extent: u32, offset: u64) {
        let mut state = self.lock();
        let found = state.extents.get_mut(&extent).filter(|found| found.present && offset < found.length());
        found.expect("a bit of an existing extent").flip_bit(offset);
    }

    pub(crate) fn extents(&self) -> Vec<u32> {
        let state = self.lock();
        state.extents.iter().filter(|(_, extent)| extent.present).map(|(&number, _)| number).collect()
    }

    pub(crate) fn create(&self, extent: u32) -> Result<(), IoError> {
        let failed = |error| error_of(Operation::Create, extent, None, error);
        let mut state = self.lock();
        let fate = state.fate(Operation::Create);
        if state.extents.get(&extent).is_some_and(|found| found.present) {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        match fate {
            Fate::Completes => {
                state.extents.insert(extent, Extent::new(true));
                Ok(())
            }
            Fate::FailsMidway(error) => {
                if state.dice.flip() {
                    state.extents.insert(extent, Extent::new(false));
                }
                Err(failed(error))
            }
            Fate::Refused(error) => Err(failed(error)),
        }
    }

    pub(crate) fn preallocate(&self, extent: u32, offset: u64, length: u64) -> Result<(), IoError> {
        let failed = |error| error_of(Operation::Preallocate, extent, Some(offset), error);
        let mut state = self.lock();
        match state.fate(Operation::Preallocate) {
            Fate::Completes => {
                state.reserve(extent, offset + length).map_err(failed)?;
                state.present(extent).map_err(failed)?.grow(offset + length);
                Ok(())
            }
            Fate::FailsMidway(error) | Fate::Refused(error) => Err(failed(error)),
        }
    }

    pub(crate) fn remove(&self, extent: u32) -> Result<(), IoError> {
        let failed = |error| error_of(Operation::Remove, extent, None, error);
        let mut state = self.lock();
        let fate = state.fate(Operation::Remove);
        let midway = state.dice.flip();
        let found = state.present(extent).map_err(failed)?;
        match fate {
            Fate::Completes => {
                state.extents.remove(&extent);
                Ok(())
            }
            Fate::FailsMidway(error) => {
                found.present = midway;
                Err(failed(error))
            }
            Fate::Refused(error) => Err(failed(error)),
        }
    }

    pub(crate) fn sync(&self, extent: u32) -> Result<(), IoError> {
        let failed = |error| error_of(Operation::Sync, extent, None, error);
        let mut state = self.lock();
        let fate = state.fate(Operation::Sync);
        state.present(extent).map_err(failed)?;
        let State { extents, dice, counts, .. } = &mut *state;
        let found = extents.get_mut(&extent).expect("looked up just now");
        match fate {
            Fate::Completes => {
                found.sync();
                counts.syncs += 1;
                Ok(())
            }
            Fate::FailsMidway(error) => {
                found.sync_partly(dice);
                Err(failed(error))
            }
            Fate::Refused(error) => Err(failed(error)),
        }
    }

    pub(crate) fn read(&self, extent: u32, offset: u64, bytes: &mut [u8]) -> Result<(), IoError> {
        let failed = |error| error_of(Operation::Read, extent, Some(offset), error);
        let mut state = self.lock();
        match state.fate(Operation::Read) {
            Fate::Completes => {
                state.present(extent).map_err(failed)?.read(offset, bytes).map_err(failed)?;
                state.counts.reads += 1;
                state.counts.read_bytes += bytes.len() as u64;
                Ok(())
            }
            Fate::FailsMidway(error) | Fate::Refused(error) => Err(failed(error)),
        }
    }

    pub(crate) fn write(&self, extent: u32, offset: u64, bytes: &[u8]) -> Result<(), IoError> {
        let failed = |error| error_of(Operation::Write, extent, Some(offset), error);
        let mut state = self.lock();
        let fate = state.fate(Operation::Write);
        state.reserve(extent, offset + bytes.len() as u64).map_err(failed)?;
        let State { extents, dice, counts, .. } = &mut *state;
        let found = extents.get_mut(&extent).expect("looked up by the reservation");
        match fate {
            Fate::Completes => {
                found.write(offset, bytes);
                counts.writes += 1;
                counts.written_bytes += bytes.len() as u64;
                Ok(())
            }
            Fate::FailsMidway(error) => {
                found.write_partly(offset, bytes, dice);
                Err(failed(error))
            }
            Fate::Refused(error) => Err(failed(error)),
        }
    }

    pub(crate) fn length(&self, extent: u32) -> Result<u64, IoError> {
        let mut state = self.lock();
        state
            .present(extent)
            .map(|found| found.length())
            .map_err(|error| error_of(Operation::Read, extent, None, error))
    }

    pub(crate) fn free_bytes(&self) -> u64 {
        let state = self.lock();
        match state.capacity_bytes {
            Some(capacity) => capacity.saturating_sub(state.used_bytes()),
            None => u64::MAX,
        }
    }

    pub(crate) fn counts(&self) -> DiskCounts {
        self.lock().counts
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere still wants to look at the disk.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SimulatedDisk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SimulatedDisk").field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl State {
    fn fate(&mut self, operation: Operation) -> Fate {
        self.operations += 1;
        match &mut self.power {
            Power::On => {}
            Power::GoesAfter(0) => {
                self.power = Power::Off;
                return Fate::FailsMidway(io::Error::from_raw_os_error(libc::EIO));
            }
            Power::GoesAfter(remaining) => *remaining -= 1,
            Power::Off => return Fate::Refused(io::Error::from_raw_os_error(libc::EIO)),
        }
        let mut fate = Fate::Completes;
        self.faults.retain_mut(|fault| {
            if fault.operation != operation {
                return true;
            }
            fault.remaining -= 1;
            if fault.remaining == 0 {
                fate = Fate::FailsMidway(io::Error::from_raw_os_error(fault.errno));
            }
            fault.remaining > 0
        });
        fate
    }

    fn present(&mut self, extent: u32) -> io::Result<&mut Extent> {
        let found = self.extents.get_mut(&extent).filter(|found| found.present);
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Whether an extent may grow to `length` bytes.
    fn reserve(&mut self, extent: u32, length: u64) -> io::Result<()> {
        let before = blocks_bytes(self.present(extent)?.length());
        let after = blocks_bytes(length).max(before);
        match self.capacity_bytes {
            Some(capacity) if after > before && self.used_bytes() - before + after > capacity => {
                Err(io::Error::from_raw_os_error(libc::ENOSPC))
            }
            _ => Ok(()),
        }
    }

    fn used_bytes(&self) -> u64 {
        self.extents
            .values()
            .filter(|extent| extent.present)
            .map(|extent| blocks_bytes(extent.length()))
            .sum()
    }
}

fn blocks_bytes(length: u64) -> u64 {
    length.next_multiple_of(BLOCK_BYTES as u64)
}

fn error_of(operation: Operation, extent: u32, offset: Option<u64>, source: io::Error) -> IoError {
    let error = IoError::new(operation.verb(), format!("simulated extent {extent}"), source);
    match offset {
        Some(offset) => error.at(offset),
        None => error,
    }
}

#[cfg(test)]
#[path = "disk_tests.rs"]
mod tests;
