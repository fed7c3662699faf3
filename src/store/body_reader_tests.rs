use super::*;
use crate::config::limits::{FRAME_PAYLOAD_BYTES, SEALED_FRAME_PLAINTEXT_BYTES};
use crate::index::record::Run;

const PAYLOAD: u64 = FRAME_PAYLOAD_BYTES as u64;

fn run(extent: u32, block: u32, blocks: u32) -> Run {
    Run { node: 0, extent, block, blocks }
}

fn slice(runs: &[Run], body_bytes: u64, skip: u64, bytes: u64, first_frame: u64) -> Segment {
    Segment::Extents(Slice {
        body_id: 5,
        body_bytes,
        skip,
        bytes,
        first_frame,
        runs: runs.to_vec(),
        salt: None,
    })
}

/// Extent, block, first frame and frames of each read.
fn planned(segments: &[Segment], wanted: RangeInclusive<u64>) -> Vec<(u32, u32, u64, u64)> {
    Plan::new(segments.to_vec(), wanted, None)
        .map(|step| match step.expect("not sealed") {
            Step::Frames(read) => (read.extent, read.block, read.first_frame, read.frames),
            Step::Bytes(bytes) => (0, 0, 0, bytes.len() as u64),
        })
        .collect()
}

#[test]
fn reads_stay_within_runs_and_buffers() {
    // 6 full frames, then 2 full frames and a last one of 3 blocks.
    let body = [slice(&[run(1, 1, 96), run(2, 40, 35)], 8 * PAYLOAD + 101, 0, 8 * PAYLOAD + 101, 0)];
    assert_eq!(planned(&body, 0..=8 * PAYLOAD + 100), [(1, 1, 0, 4), (1, 65, 4, 2), (2, 40, 6, 3)]);
    let middle = planned(&body, 5 * PAYLOAD + 9..=6 * PAYLOAD);
    assert_eq!(middle, [(1, 81, 5, 1), (2, 40, 6, 1)], "only the frames of the range");
    assert_eq!(planned(&body, 7 * PAYLOAD - 1..=7 * PAYLOAD - 1), [(2, 40, 6, 1)]);
}

#[test]
fn ranges_run_over_segments() {
    let bytes = Segment::Inline(Inline { bytes: vec![7; 10], salt: None });
    let body = [
        slice(&[run(1, 1, 32)], 2 * PAYLOAD, 0, 2 * PAYLOAD, 0),
        bytes,
        // From the middle of frame 6 of a body, whose first run here begins with that frame.
        slice(&[run(3, 17, 48)], 100 * PAYLOAD, 6 * PAYLOAD + 5, PAYLOAD, 6),
    ];
    let first_of_last = 2 * PAYLOAD + 10;
    assert_eq!(planned(&body, 0..=0), [(1, 1, 0, 1)]);
    assert_eq!(planned(&body, PAYLOAD..=2 * PAYLOAD + 3), [(1, 17, 1, 1), (0, 0, 0, 4)]);
    assert_eq!(planned(&body, 2 * PAYLOAD + 9..=first_of_last), [(0, 0, 0, 1), (3, 17, 6, 1)]);
    assert_eq!(planned(&body, first_of_last + PAYLOAD - 1..=first_of_last + PAYLOAD - 1), [(3, 33, 7, 1)]);
}

#[test]
fn verified_ranges_are_the_wanted_bytes() {
    let mut buffer = vec![0; BUFFER_BYTES];
    for (sequence, payload_bytes) in [(0, FRAME_PAYLOAD_BYTES), (1, 10)] {
        let start = sequence as usize * FRAME_BYTES;
        let end = start + frame::blocks_of_frame(payload_bytes) as usize * BLOCK_BYTES;
        frame::complete(&mut buffer[start..end], FrameIdentity { body_id: 5, sequence, payload_bytes });
    }
    let read = |body_id| Read {
        body: Rc::new(BodyView { body_id, shape: BodyShape::new(PAYLOAD + 10, false), seal: None }),
        extent: 1,
        block: 1,
        first_frame: 0,
        frames: 2,
        wanted: PAYLOAD - 2..=PAYLOAD + 3,
    };
    let ranges = read(5).verify(&mut buffer).expect("frames are whole");
    assert_eq!(ranges, [FRAME_PAYLOAD_BYTES - 2..FRAME_PAYLOAD_BYTES, FRAME_BYTES..FRAME_BYTES + 4]);
    assert!(read(6).verify(&mut buffer).is_err(), "another body's frames");
}

#[test]
fn sealed_segments_need_their_key_and_count_their_own_bytes() {
    let key = CustomerKey::new(&[3; 32]);
    let (seal, salt) = key.new_body().expect("random numbers");
    let mut bytes = b"twelve bytes".to_vec();
    let tag = seal.seal_frame(FrameAad { sequence: 0, plaintext_bytes: 12, is_last: true }, &mut bytes);
    bytes.extend_from_slice(&tag);
    let inline = Inline { bytes, salt: Some(salt) };
    assert_eq!(Segment::Inline(inline.clone()).bytes(TAG_BYTES), 12);
    assert_eq!(inline_bytes(inline.clone(), Some(&key)).expect("opens"), b"twelve bytes");
    assert!(matches!(inline_bytes(inline.clone(), None), Err(StoreError::Unsealed)));
    let other = CustomerKey::new(&[4; 32]);
    assert!(matches!(inline_bytes(inline, Some(&other)), Err(StoreError::Unsealed)));
    assert_eq!(BodyShape::new(u64::MAX, true).frame_bytes(), SEALED_FRAME_PLAINTEXT_BYTES as u64);
}
