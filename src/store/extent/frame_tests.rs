use super::*;
use crate::config::limits::FRAME_PAYLOAD_BYTES;

const IDENTITY: FrameIdentity = FrameIdentity { body_id: 7, sequence: 3, payload_bytes: 5000 };

fn sealed() -> Vec<u8> {
    let mut frame = vec![0xAA; blocks_of_frame(IDENTITY.payload_bytes) as usize * BLOCK_BYTES];
    for (index, byte) in frame[..5000].iter_mut().enumerate() {
        *byte = index as u8;
    }
    complete(&mut frame, IDENTITY);
    frame
}

#[test]
fn a_sealed_frame_verifies_and_its_padding_is_zero() {
    let frame = sealed();
    assert_eq!(frame.len(), 8192);
    assert_eq!(verify(&frame, IDENTITY), Ok(()));
    assert!(frame[5000..frame.len() - FRAME_FOOTER_BYTES].iter().all(|&byte| byte == 0));
}

#[test]
fn every_flipped_bit_of_payload_and_footer_is_found() {
    let frame = sealed();
    let footer = frame.len() - FRAME_FOOTER_BYTES;
    for position in (0..5000).step_by(37).chain(footer..frame.len()) {
        for bit in 0..8 {
            let mut flipped = frame.clone();
            flipped[position] ^= 1 << bit;
            assert!(verify(&flipped, IDENTITY).is_err(), "byte {position} bit {bit}");
        }
    }
}

#[test]
fn a_valid_frame_of_another_body_or_place_is_refused() {
    let frame = sealed();
    for other in [
        FrameIdentity { body_id: 8, ..IDENTITY },
        FrameIdentity { sequence: 4, ..IDENTITY },
        FrameIdentity { payload_bytes: 4999, ..IDENTITY },
        FrameIdentity { payload_bytes: FRAME_PAYLOAD_BYTES, ..IDENTITY },
    ] {
        assert_eq!(verify(&frame, other), Err(FrameFault::Identity));
    }
    assert_eq!(verify(&[0; BLOCK_BYTES], IDENTITY), Err(FrameFault::Magic));
}
