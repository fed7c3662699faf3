use super::*;
use crate::config::limits::{BLOCK_BYTES, FRAME_FOOTER_BYTES};

#[test]
fn frames_add_up_to_the_body() {
    for is_sealed in [false, true] {
        let unit = BodyShape::new(1, is_sealed).frame_bytes();
        for bytes in [0, 1, 100, unit - 1, unit, unit + 1, 3 * unit, 7 * unit + 5] {
            let shape = BodyShape::new(bytes, is_sealed);
            let frames = 0..shape.frames();
            assert_eq!(frames.clone().map(|frame| shape.bytes_in(frame) as u64).sum::<u64>(), bytes);
            let blocks = |frame| (shape.payload_in(frame) + FRAME_FOOTER_BYTES).div_ceil(BLOCK_BYTES) as u64;
            assert_eq!(frames.clone().map(blocks).sum::<u64>(), shape.blocks(), "{bytes} bytes");
            for frame in frames {
                assert_eq!(shape.frame_of(shape.start_of(frame)), frame);
                assert_eq!(shape.is_last(frame), frame + 1 == shape.frames());
            }
            assert_eq!((shape.bytes_in(shape.frames()), shape.payload_in(shape.frames())), (0, 0));
        }
    }
}

#[test]
fn blocks_at_the_edges_of_frames() {
    let full = FRAME_PAYLOAD_BYTES as u64;
    for (bytes, blocks) in [(0, 0), (1, 1), (4064, 1), (4065, 2), (full, 16), (full + 1, 17)] {
        assert_eq!(BodyShape::new(bytes, false).blocks(), blocks, "{bytes}");
    }
    assert_eq!(BodyShape::new(4064 - 16, true).blocks(), 1);
    assert_eq!(BodyShape::new(4064 - 15, true).blocks(), 2);
}

#[test]
fn a_sealed_frame_has_room_for_its_tag() {
    let shape = BodyShape::new(u64::from(u32::MAX), true);
    assert_eq!(shape.payload_in(0), FRAME_PAYLOAD_BYTES);
    assert_eq!(shape.bytes_in(0), FRAME_PAYLOAD_BYTES - TAG_BYTES);
    let one = BodyShape::new(1, true);
    assert_eq!((one.bytes_in(0), one.payload_in(0)), (1, 1 + TAG_BYTES));
}
