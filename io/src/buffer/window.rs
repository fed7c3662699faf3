//! An owned sub-range of a buffer: what an I/O operation takes and gives back.

use std::fmt;
use std::ops::{Deref, DerefMut, Range};

use monoio::buf::{IoBuf, IoBufMut};

use super::Buffer;

/// A [`Buffer`] narrowed to a range. Operations read or fill exactly the range.
pub struct Window {
    buffer: Buffer,
    range: Range<usize>,
}

impl Window {
    pub(super) fn new(buffer: Buffer, range: Range<usize>) -> Self {
        assert!(
            range.start <= range.end && range.end <= buffer.len(),
            "window {range:?} leaves its buffer of {} bytes",
            buffer.len()
        );
        Self { buffer, range }
    }

    /// The whole buffer again, with its content.
    pub fn into_buffer(self) -> Buffer {
        self.buffer
    }

    /// Where the window lies in its buffer.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    fn start(&self) -> *mut u8 {
        // Inside the slot or one past its end, by the assertion of `new`.
        self.buffer.start().wrapping_add(self.range.start)
    }
}

impl Deref for Window {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.buffer[self.range.clone()]
    }
}

impl DerefMut for Window {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[self.range.clone()]
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Window").field("range", &self.range).finish_non_exhaustive()
    }
}

// SAFETY: rules 1 and 3 of io/README.md. The pointer leads into the pool's mapping, which does not move
// with the window; all of the range is initialised; the window owns the slot while the kernel reads it.
unsafe impl IoBuf for Window {
    fn read_ptr(&self) -> *const u8 {
        self.start()
    }

    fn bytes_init(&self) -> usize {
        self.range.len()
    }
}

// SAFETY: as above, and nothing else can view the slot while the kernel writes it (rule 2).
unsafe impl IoBufMut for Window {
    fn write_ptr(&mut self) -> *mut u8 {
        self.start()
    }

    fn bytes_total(&mut self) -> usize {
        self.range.len()
    }

    unsafe fn set_init(&mut self, _bytes: usize) {
        // The mapping was zeroed by the kernel: every byte is initialised from the start.
    }
}
