//! Memory lent to the ring. Every operation of this crate hands its memory over inside a [`Rented`], for
//! two reasons: operations that were cut short go on at an offset into the same memory, and a ring that
//! is torn down must not free what the kernel may still write to.

use std::cell::Cell;

use monoio::buf::{IoBuf, IoBufMut, IoVecBuf};

thread_local! {
    static RING_CLOSING: Cell<bool> = const { Cell::new(false) };
}

/// Runs the teardown of this thread's ring. Closing a ring does not wait for the operations in flight,
/// so memory that is lent when it closes is leaked instead of freed (rule 5 of io/README.md).
pub(crate) fn while_ring_closes<T>(teardown: impl FnOnce() -> T) -> T {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            RING_CLOSING.set(false);
        }
    }
    RING_CLOSING.set(true);
    let _reset = Reset;
    teardown()
}

/// `memory` from byte `start` on, owned by an operation until it completes.
pub(crate) struct Rented<T> {
    /// `None` only after `into_inner`.
    memory: Option<T>,
    start: usize,
}

impl<T> Rented<T> {
    pub(crate) fn new(memory: T, start: usize) -> Self {
        Self { memory: Some(memory), start }
    }

    pub(crate) fn into_inner(mut self) -> T {
        self.memory.take().expect("memory is taken out once, by value")
    }

    fn memory(&self) -> &T {
        self.memory.as_ref().expect("memory is present until it is taken out by value")
    }

    fn memory_mut(&mut self) -> &mut T {
        self.memory.as_mut().expect("memory is present until it is taken out by value")
    }
}

impl<T> Drop for Rented<T> {
    fn drop(&mut self) {
        if RING_CLOSING.get() {
            std::mem::forget(self.memory.take());
        }
    }
}

// SAFETY: rule 3 of io/README.md, kept by `T`; `start` never exceeds the initialised bytes of `T`,
// because it counts bytes that an operation moved within them.
unsafe impl<T: IoBuf> IoBuf for Rented<T> {
    fn read_ptr(&self) -> *const u8 {
        self.memory().read_ptr().wrapping_add(self.start)
    }

    fn bytes_init(&self) -> usize {
        self.memory().bytes_init() - self.start
    }
}

// SAFETY: rule 3, kept by `T`; `start` never exceeds the total bytes of `T`.
unsafe impl<T: IoBufMut> IoBufMut for Rented<T> {
    fn write_ptr(&mut self) -> *mut u8 {
        let start = self.start;
        self.memory_mut().write_ptr().wrapping_add(start)
    }

    fn bytes_total(&mut self) -> usize {
        let start = self.start;
        self.memory_mut().bytes_total() - start
    }

    unsafe fn set_init(&mut self, bytes: usize) {
        let end = self.start + bytes;
        // SAFETY: the kernel filled `bytes` from `start` on, and everything before `start` was
        // initialised already (rule 4).
        unsafe { self.memory_mut().set_init(end) }
    }
}

// SAFETY: rule 3, kept by `T`.
unsafe impl<T: IoVecBuf> IoVecBuf for Rented<T> {
    fn read_iovec_ptr(&self) -> *const libc::iovec {
        self.memory().read_iovec_ptr()
    }

    fn read_iovec_len(&self) -> usize {
        self.memory().read_iovec_len()
    }
}
