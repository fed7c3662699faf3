//! The pool of one core: a fixed number of equal slots in one anonymous mapping.
//!
//! When it is empty, callers wait in the order in which they asked. A slot that comes back is granted to
//! the longest waiter directly, so nobody who comes later can take it first, and a waiter that is dropped
//! after the grant passes it on.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::ptr::NonNull;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use memmap2::{Advice, MmapMut, MmapOptions};

use super::{ALIGNMENT_BYTES, Buffer};
use crate::error::IoError;

/// Index of a slot in its pool. Not `Clone` outside of this folder: holding one means owning the slot.
#[derive(Clone, Copy)]
pub(super) struct Slot(usize);

/// A fixed number of aligned buffers. Clones share the same slots.
#[derive(Clone)]
pub struct BufferPool {
    memory: Rc<PoolMemory>,
}

/// The mapping and who waits for a piece of it. Lives until the last buffer is back.
pub(super) struct PoolMemory {
    start: NonNull<u8>,
    size_bytes: usize,
    count: usize,
    queue: RefCell<Queue>,
    /// Unmapped when dropped; never read through, `start` is.
    _mapping: MmapMut,
}

struct Queue {
    /// Last in, first out: the slots in use stay few, and so does the memory that was ever touched.
    free: Vec<Slot>,
    waiters: VecDeque<Rc<Waiter>>,
}

struct Waiter {
    state: RefCell<WaiterState>,
}

enum WaiterState {
    Waiting(Waker),
    Granted(Slot),
    Gone,
}

impl BufferPool {
    /// Maps `count` buffers of `size_bytes` (a multiple of 4096). No page is touched before its first use.
    pub fn new(count: usize, size_bytes: usize) -> Result<Self, IoError> {
        let failed = |source| IoError::new("map", format!("{count} buffers of {size_bytes} bytes"), source);
        if count == 0 || size_bytes == 0 || !size_bytes.is_multiple_of(ALIGNMENT_BYTES) {
            return Err(failed(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a pool needs at least one buffer, of a multiple of 4096 bytes",
            )));
        }
        let length = count
            .checked_mul(size_bytes)
            .ok_or_else(|| failed(io::Error::new(io::ErrorKind::InvalidInput, "the pool is too large")))?;
        let mut mapping = MmapOptions::new().len(length).map_anon().map_err(failed)?;
        // Advice only: where transparent huge pages are off, the pool works all the same.
        let _ = mapping.advise(Advice::HugePage);
        let start = NonNull::from(&mut *mapping).cast::<u8>();
        let free = (0..count).rev().map(Slot).collect();
        let queue = RefCell::new(Queue { free, waiters: VecDeque::new() });
        Ok(Self { memory: Rc::new(PoolMemory { start, size_bytes, count, queue, _mapping: mapping }) })
    }

    /// A buffer if one is free. Never overtakes a waiter: a free slot means that nobody waits.
    pub fn try_acquire(&self) -> Option<Buffer> {
        let slot = self.memory.queue.borrow_mut().free.pop()?;
        Some(self.buffer(slot))
    }

    /// Waits for a buffer, first come first served. The future may be dropped at any moment.
    pub fn acquire(&self) -> Acquire {
        Acquire { pool: self.clone(), waiter: None }
    }

    /// Buffers free right now.
    pub fn available(&self) -> usize {
        self.memory.queue.borrow().free.len()
    }

    /// Buffers in all.
    pub fn capacity(&self) -> usize {
        self.memory.count
    }

    /// Bytes of one buffer.
    pub fn buffer_bytes(&self) -> usize {
        self.memory.size_bytes
    }

    fn buffer(&self, slot: Slot) -> Buffer {
        Buffer { pool: Rc::clone(&self.memory), slot }
    }
}

impl fmt::Debug for BufferPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BufferPool")
            .field("capacity", &self.capacity())
            .field("available", &self.available())
            .finish_non_exhaustive()
    }
}

impl PoolMemory {
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    pub(super) fn slot_start(&self, slot: Slot) -> *mut u8 {
        debug_assert!(slot.0 < self.count);
        // SAFETY: rule 1 of io/README.md. The mapping holds `count * size_bytes` bytes and the slot is
        // below `count`.
        unsafe { self.start.as_ptr().add(slot.0 * self.size_bytes) }
    }

    pub(super) fn release(&self, slot: Slot) {
        let mut queue = self.queue.borrow_mut();
        let Some(waiter) = queue.waiters.pop_front() else {
            queue.free.push(slot);
            return;
        };
        drop(queue);
        let before = waiter.state.replace(WaiterState::Granted(slot));
        // A waiter that went away has left the queue, and a granted one was taken out of it.
        if let WaiterState::Waiting(waker) = before {
            waker.wake();
        } else {
            debug_assert!(false, "only waiting waiters stand in the queue");
        }
    }
}

/// The wait of [`BufferPool::acquire`].
#[must_use = "a wait does nothing unless it is awaited"]
pub struct Acquire {
    pool: BufferPool,
    waiter: Option<Rc<Waiter>>,
}

impl Future for Acquire {
    type Output = Buffer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Buffer> {
        let Some(waiter) = self.waiter.take() else {
            if let Some(buffer) = self.pool.try_acquire() {
                return Poll::Ready(buffer);
            }
            let waiting = WaiterState::Waiting(context.waker().clone());
            let waiter = Rc::new(Waiter { state: RefCell::new(waiting) });
            self.pool.memory.queue.borrow_mut().waiters.push_back(Rc::clone(&waiter));
            self.waiter = Some(waiter);
            return Poll::Pending;
        };
        let before = waiter.state.replace(WaiterState::Gone);
        match before {
            WaiterState::Granted(slot) => Poll::Ready(self.pool.buffer(slot)),
            WaiterState::Waiting(_) | WaiterState::Gone => {
                waiter.state.replace(WaiterState::Waiting(context.waker().clone()));
                self.waiter = Some(waiter);
                Poll::Pending
            }
        }
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Some(waiter) = self.waiter.take() else { return };
        let before = waiter.state.replace(WaiterState::Gone);
        if let WaiterState::Granted(slot) = before {
            // Granted but never picked up: the next in line gets it.
            self.pool.memory.release(slot);
        } else {
            self.pool.memory.queue.borrow_mut().waiters.retain(|other| !Rc::ptr_eq(other, &waiter));
        }
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
