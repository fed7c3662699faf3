//! Aligned memory for O_DIRECT, counted once at start-up and never grown.
//!
//! A [`BufferPool`] belongs to one core. A [`Buffer`] is one slot of it, owned by whoever holds the
//! value; dropping it gives the slot to the longest waiter or back to the pool. A [`Window`] is a buffer
//! narrowed to a range, the form in which memory travels through an I/O operation and back: nothing is
//! borrowed across an await.
//!
//! Invariants: a slot is owned by exactly one `Buffer`, granted to exactly one waiter, or free; a free
//! slot and a waiter never exist at the same time.

mod pool;
mod rented;
mod window;

use std::fmt;
use std::ops::{Deref, DerefMut, Range};
use std::rc::Rc;

pub use pool::{Acquire, BufferPool};
use pool::{PoolMemory, Slot};
pub(crate) use rented::{Rented, while_ring_closes};
pub use window::Window;

/// Alignment of every buffer, and the unit of O_DIRECT transfers.
pub(crate) const ALIGNMENT_BYTES: usize = 4096;

/// One slot of a [`BufferPool`]: `size_bytes` of initialised memory, page-aligned. Its content is
/// whatever the last owner left.
pub struct Buffer {
    pool: Rc<PoolMemory>,
    slot: Slot,
}

impl Buffer {
    /// Narrows the buffer to `range` for one I/O operation.
    ///
    /// # Panics
    /// If the range does not lie inside the buffer: a mistake of the calling code.
    pub fn window(self, range: Range<usize>) -> Window {
        Window::new(self, range)
    }

    fn start(&self) -> *mut u8 {
        self.pool.slot_start(self.slot)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: rules 1 and 2 of io/README.md. The slot is mapped and initialised for `size_bytes`,
        // and this value is its only owner.
        unsafe { std::slice::from_raw_parts(self.start(), self.pool.size_bytes()) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: rules 1 and 2, and `&mut self` excludes every other view of the slot.
        unsafe { std::slice::from_raw_parts_mut(self.start(), self.pool.size_bytes()) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.pool.release(self.slot);
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Buffer").field("size_bytes", &self.pool.size_bytes()).finish_non_exhaustive()
    }
}
