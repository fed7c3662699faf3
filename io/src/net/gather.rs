//! A response in pieces: a head in ordinary memory, then ranges of one pool buffer, sent by one call.

use std::ops::Range;

use monoio::buf::IoVecBuf;

use crate::buffer::Buffer;

/// Pieces that the kernel takes in one call (`IOV_MAX`); the rest follows in the next.
const PIECES_MAX: usize = 1024;

/// Bytes to send in order: the head, then each range of the buffer.
#[derive(Debug)]
pub struct Gather {
    head: Vec<u8>,
    body: Option<(Buffer, Vec<Range<usize>>)>,
}

impl Gather {
    pub fn head_only(head: Vec<u8>) -> Self {
        Self { head, body: None }
    }

    /// # Panics
    /// If a range does not lie inside the buffer: a mistake of the calling code.
    pub fn new(head: Vec<u8>, buffer: Buffer, ranges: Vec<Range<usize>>) -> Self {
        for range in &ranges {
            assert!(
                range.start <= range.end && range.end <= buffer.len(),
                "range {range:?} leaves its buffer of {} bytes",
                buffer.len()
            );
        }
        Self { head, body: Some((buffer, ranges)) }
    }

    /// The same bytes with `head` before them: so the head of a response goes out with its first piece.
    #[must_use]
    pub fn with_head(mut self, mut head: Vec<u8>) -> Self {
        head.append(&mut self.head);
        self.head = head;
        self
    }

    /// Bytes that go out.
    pub fn len(&self) -> usize {
        self.pieces().map(<[u8]>::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The buffer back, once its bytes are sent.
    pub fn into_buffer(self) -> Option<Buffer> {
        self.body.map(|(buffer, _)| buffer)
    }

    /// Every piece in the order of sending, empty ones left out.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let body =
            self.body.iter().flat_map(|(buffer, ranges)| ranges.iter().map(|range| &buffer[range.clone()]));
        std::iter::once(self.head.as_slice()).chain(body).filter(|piece| !piece.is_empty())
    }
}

/// A gather with the kernel's description of what is still to be sent.
pub(super) struct Unsent {
    pieces: Vec<libc::iovec>,
    /// Pieces before this one are sent.
    next: usize,
    gather: Gather,
}

impl Unsent {
    pub(super) fn new(gather: Gather) -> Self {
        let pieces = gather
            .pieces()
            .map(|piece| libc::iovec { iov_base: piece.as_ptr().cast_mut().cast(), iov_len: piece.len() })
            .collect();
        Self { pieces, next: 0, gather }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.next == self.pieces.len()
    }

    pub(super) fn into_gather(self) -> Gather {
        self.gather
    }

    /// Takes `bytes` off the front: the kernel has them.
    pub(super) fn advance(&mut self, mut bytes: usize) {
        while let Some(piece) = self.pieces.get_mut(self.next) {
            if bytes < piece.iov_len {
                piece.iov_base = piece.iov_base.wrapping_byte_add(bytes);
                piece.iov_len -= bytes;
                return;
            }
            bytes -= piece.iov_len;
            self.next += 1;
        }
        debug_assert_eq!(bytes, 0, "the kernel cannot send more than it was given");
    }
}

// SAFETY: rule 3 of io/README.md. The list and everything that it points to (the head's heap block, the
// pool's mapping) stay where they are when this value moves, and this value owns all of it.
unsafe impl IoVecBuf for Unsent {
    fn read_iovec_ptr(&self) -> *const libc::iovec {
        self.pieces[self.next..].as_ptr()
    }

    fn read_iovec_len(&self) -> usize {
        (self.pieces.len() - self.next).min(PIECES_MAX)
    }
}
