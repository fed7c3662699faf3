//! Bytes that have arrived on a connection and belong to nobody yet: the head being read, the start of a body,
//! pipelined requests.

use zeroize::Zeroize as _;

use crate::config::limits::READ_AHEAD_BYTES;

/// A queue of bytes: filled at the end by the socket, consumed from the front.
#[derive(Debug)]
pub(super) struct ReadAhead {
    bytes: Vec<u8>,
    /// Bytes before this are consumed.
    start: usize,
}

impl ReadAhead {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::with_capacity(READ_AHEAD_BYTES), start: 0 }
    }

    pub(super) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    pub(super) fn unread_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unread().is_empty()
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        debug_assert!(self.start <= self.bytes.len(), "consumed more than has arrived");
        if self.start >= self.bytes.len() {
            self.clear();
        }
    }

    /// As [`ReadAhead::consume`], but leaves nothing of the bytes behind: heads may hold secrets, and this memory
    /// lives as long as the connection.
    pub(super) fn erase(&mut self, count: usize) {
        self.bytes[self.start..self.start + count].zeroize();
        self.consume(count);
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.start = 0;
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Moves the bytes out for a read that appends to them, with spare capacity of at least `room`.
    pub(super) fn take(&mut self, room: usize) -> Vec<u8> {
        let has_room = self.bytes.capacity() - self.bytes.len() >= room;
        if self.start == 0 && has_room {
            return core::mem::take(&mut self.bytes);
        }
        // By hand, to wipe what is left behind: it may be the first half of a head. With room to spare, or a head that
        // comes byte by byte would be moved for each of them.
        let capacity = if self.is_empty() { room } else { self.unread().len() + 2 * room };
        let mut bytes = Vec::with_capacity(capacity);
        bytes.extend_from_slice(self.unread());
        self.bytes.zeroize();
        self.start = 0;
        bytes
    }

    /// The bytes of [`ReadAhead::take`] back, grown by what was read.
    pub(super) fn put_back(&mut self, bytes: Vec<u8>) {
        self.bytes = bytes;
    }

    /// Gives memory back that a large request needed: called when the connection goes idle.
    pub(super) fn shrink(&mut self) {
        if self.is_empty() && self.bytes.capacity() > READ_AHEAD_BYTES {
            *self = Self::new();
        }
    }
}

#[cfg(test)]
#[path = "read_ahead_tests.rs"]
mod tests;
