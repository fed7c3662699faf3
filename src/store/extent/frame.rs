//! Frames: how payload lies in blocks, and the footer that every read verifies. See `FORMAT.md`.

use crate::checksum;
use crate::config::limits::{BLOCK_BYTES, FRAME_BYTES, FRAME_FOOTER_BYTES};

const MAGIC: [u8; 4] = *b"RSF1";

// Field offsets within the footer, each computed from the one before.
const PAYLOAD_LENGTH: usize = MAGIC.len();
const SEQUENCE: usize = PAYLOAD_LENGTH + size_of::<u32>();
const BODY_ID: usize = SEQUENCE + size_of::<u64>();
const RESERVED: usize = BODY_ID + size_of::<u64>();
const CHECKSUM: usize = RESERVED + size_of::<u32>();
const _: () = assert!(CHECKSUM + size_of::<u32>() == FRAME_FOOTER_BYTES);

/// Blocks of a full frame.
pub const FRAME_BLOCKS: u32 = (FRAME_BYTES / BLOCK_BYTES) as u32;

/// What a frame's footer must say. Known to the writer, and to the reader from the index record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameIdentity {
    pub body_id: u64,
    pub sequence: u64,
    pub payload_bytes: usize,
}

/// Why a frame was refused. The bytes are not what was written: they must not be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    #[error("no frame footer")]
    Magic,
    #[error("the frame belongs to another body or place")]
    Identity,
    #[error("the frame's checksum differs")]
    Checksum,
}

/// Blocks that a frame with this payload occupies.
pub fn blocks_of_frame(payload_bytes: usize) -> u32 {
    (payload_bytes + FRAME_FOOTER_BYTES).div_ceil(BLOCK_BYTES) as u32
}

/// Completes a frame in place: zeros behind the payload, then the footer at the end of `frame`.
///
/// `frame` is exactly the blocks of the frame; the payload already stands at its start.
pub fn complete(frame: &mut [u8], identity: FrameIdentity) {
    let footer_start = frame.len() - FRAME_FOOTER_BYTES;
    assert!(identity.payload_bytes >= 1 && identity.payload_bytes <= footer_start, "payload fits its blocks");
    frame[identity.payload_bytes..footer_start].fill(0);
    let (rest, footer) = frame.split_at_mut(footer_start);
    let checksum = footer_fields(footer, &rest[..identity.payload_bytes], identity);
    footer[CHECKSUM..].copy_from_slice(&checksum.to_le_bytes());
}

/// Checks a frame read from disk against what the index record says of it.
pub fn verify(frame: &[u8], identity: FrameIdentity) -> Result<(), FrameFault> {
    let footer_start = frame.len() - FRAME_FOOTER_BYTES;
    let (rest, footer) = frame.split_at(footer_start);
    if footer[..PAYLOAD_LENGTH] != MAGIC {
        return Err(FrameFault::Magic);
    }
    let mut expected = [0; FRAME_FOOTER_BYTES];
    let checksum = footer_fields(&mut expected, &rest[..identity.payload_bytes.min(rest.len())], identity);
    if footer[..CHECKSUM] != expected[..CHECKSUM] {
        return Err(FrameFault::Identity);
    }
    if footer[CHECKSUM..] != checksum.to_le_bytes() {
        return Err(FrameFault::Checksum);
    }
    Ok(())
}

/// Writes every footer field but the checksum, and returns the checksum.
fn footer_fields(footer: &mut [u8], payload: &[u8], identity: FrameIdentity) -> u32 {
    footer[..PAYLOAD_LENGTH].copy_from_slice(&MAGIC);
    footer[PAYLOAD_LENGTH..SEQUENCE].copy_from_slice(&(identity.payload_bytes as u32).to_le_bytes());
    footer[SEQUENCE..BODY_ID].copy_from_slice(&identity.sequence.to_le_bytes());
    footer[BODY_ID..RESERVED].copy_from_slice(&identity.body_id.to_le_bytes());
    footer[RESERVED..CHECKSUM].fill(0);
    checksum::crc32c_of(&[payload, &footer[..CHECKSUM]])
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
