//! How the bytes of a body lie in frames: how many each frame holds, plain or sealed.

use crate::config::limits::{FRAME_PAYLOAD_BYTES, SEALED_FRAME_PLAINTEXT_BYTES, TAG_BYTES};
use crate::store::extent::frame::{self, FRAME_BLOCKS};

/// Follows from the size of a body and from whether it is sealed, and from nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyShape {
    bytes: u64,
    is_sealed: bool,
}

impl BodyShape {
    pub fn new(bytes: u64, is_sealed: bool) -> Self {
        Self { bytes, is_sealed }
    }

    /// Bytes of the body in a full frame.
    pub fn frame_bytes(self) -> u64 {
        (if self.is_sealed { SEALED_FRAME_PLAINTEXT_BYTES } else { FRAME_PAYLOAD_BYTES }) as u64
    }

    pub fn frames(self) -> u64 {
        self.bytes.div_ceil(self.frame_bytes())
    }

    /// The frame that holds a byte of the body.
    pub fn frame_of(self, offset: u64) -> u64 {
        offset / self.frame_bytes()
    }

    /// First byte of a frame.
    pub fn start_of(self, sequence: u64) -> u64 {
        sequence * self.frame_bytes()
    }

    /// Bytes of the body in a frame; 0 past the end.
    pub fn bytes_in(self, sequence: u64) -> usize {
        let start = sequence.saturating_mul(self.frame_bytes());
        self.bytes.saturating_sub(start).min(self.frame_bytes()) as usize
    }

    /// What the frame carries: the bytes, and the tag behind them where the body is sealed.
    pub fn payload_in(self, sequence: u64) -> usize {
        match self.bytes_in(sequence) {
            0 => 0,
            bytes if self.is_sealed => bytes + TAG_BYTES,
            bytes => bytes,
        }
    }

    pub fn is_last(self, sequence: u64) -> bool {
        sequence + 1 == self.frames()
    }

    /// Blocks of all frames.
    pub fn blocks(self) -> u64 {
        match self.frames().checked_sub(1) {
            None => 0,
            Some(last) => {
                last * u64::from(FRAME_BLOCKS) + u64::from(frame::blocks_of_frame(self.payload_in(last)))
            }
        }
    }
}

#[cfg(test)]
#[path = "body_shape_tests.rs"]
mod tests;
