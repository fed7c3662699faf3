use std::collections::BTreeMap;

use super::*;
use crate::config::limits::FRAME_PAYLOAD_BYTES;
use crate::index::record::Run;
use crate::store::test_node::Dice;

const PAYLOAD: u64 = FRAME_PAYLOAD_BYTES as u64;

/// Where a byte of an object is: the value of an inline byte, or a body and the offset in it.
type Origin = (u64, u64);

/// The bytes of some segments, as stretches of origins that follow each other.
fn origins(segments: &[Segment]) -> Vec<(Origin, u64)> {
    let mut stretches: Vec<(Origin, u64)> = Vec::new();
    let mut push = |body: u64, offset: u64, bytes: u64| match stretches.last_mut() {
        Some(((last, start), length)) if *last == body && *start + *length == offset => *length += bytes,
        _ => stretches.push(((body, offset), bytes)),
    };
    for segment in segments {
        match segment {
            Segment::Inline(inline) => inline.bytes.iter().for_each(|byte| push(0, u64::from(*byte), 1)),
            Segment::Extents(slice) => push(slice.body_id, slice.skip, slice.bytes),
        }
    }
    stretches
}

/// The part of the stretches that a range covers.
fn cut(stretches: &[(Origin, u64)], range: &RangeInclusive<u64>) -> Vec<(Origin, u64)> {
    let mut position = 0;
    let mut wanted = Vec::new();
    for &((body, offset), bytes) in stretches {
        let first = (*range.start()).max(position);
        let end = (range.end() + 1).min(position + bytes);
        if first < end {
            wanted.push(((body, offset + first - position), end - first));
        }
        position += bytes;
    }
    wanted
}

/// Extent and block of each frame that some segments can reach.
fn frames(segments: &[Segment]) -> BTreeMap<(u64, u64), (u32, u32)> {
    let mut places = BTreeMap::new();
    for segment in segments {
        let Segment::Extents(slice) = segment else { continue };
        let mut frame = slice.first_frame;
        for run in &slice.runs {
            for index in 0..run.blocks.div_ceil(FRAME_BLOCKS) {
                places.insert((slice.body_id, frame), (run.extent, run.block + index * FRAME_BLOCKS));
                frame += 1;
            }
        }
    }
    places
}

fn body(dice: &mut Dice, body_id: u64) -> Segment {
    let frames = 1 + dice.below(30);
    let body_bytes = (frames - 1) * PAYLOAD + 1 + dice.below(PAYLOAD);
    let mut blocks_left = BodyShape::new(body_bytes, false).blocks() as u32;
    let mut runs = Vec::new();
    let mut block = dice.below(1000) as u32;
    while blocks_left > 0 {
        let blocks = blocks_left.min((1 + dice.below(6) as u32) * FRAME_BLOCKS);
        runs.push(Run { node: 0, extent: body_id as u32, block, blocks });
        block += blocks + dice.below(50) as u32;
        blocks_left -= blocks;
    }
    Segment::Extents(Slice {
        body_id,
        body_bytes,
        skip: 0,
        bytes: body_bytes,
        first_frame: 0,
        runs,
        salt: None,
    })
}

fn object(dice: &mut Dice) -> Vec<Segment> {
    let mut segments = Vec::new();
    for body_id in 1..=1 + dice.below(5) {
        segments.push(match dice.below(3) {
            0 => {
                let bytes = (0..=dice.below(50)).map(|_| dice.below(256) as u8).collect();
                Segment::Inline(Inline { bytes, salt: None })
            }
            _ => body(dice, body_id),
        });
    }
    segments
}

fn range_within(dice: &mut Dice, bytes: u64) -> RangeInclusive<u64> {
    let first = dice.below(bytes);
    first..=first + dice.below(bytes - first)
}

fn bytes_of(segments: &[Segment]) -> u64 {
    segments.iter().map(|segment| segment.bytes(TAG_BYTES)).sum()
}

fn check(segments: &[Segment], range: &RangeInclusive<u64>) -> Vec<Segment> {
    let slices = slice(segments, range);
    assert_eq!(origins(&slices), cut(&origins(segments), range));
    let all = frames(segments);
    for (frame, place) in frames(&slices) {
        assert_eq!(all[&frame], place, "frame {frame:?} of {range:?}");
    }
    for segment in &slices {
        let Segment::Extents(slice) = segment else { continue };
        let shape = BodyShape::new(slice.body_bytes, false);
        let (first, last) = (shape.frame_of(slice.skip), shape.frame_of(slice.skip + slice.bytes - 1));
        let mut frame = slice.first_frame;
        for run in &slice.runs {
            let end = frame + u64::from(run.blocks.div_ceil(FRAME_BLOCKS));
            assert!(frame <= last && first < end, "a run without a byte of the slice");
            frame = end;
        }
        assert!(slice.first_frame <= first && last < frame, "a frame without a run");
    }
    slices
}

#[test]
fn a_slice_has_the_bytes_of_its_range_and_the_runs_that_hold_them() {
    for seed in 0..2000 {
        let mut dice = Dice(seed);
        let segments = object(&mut dice);
        let size = bytes_of(&segments);
        assert_eq!(slice(&segments, &(0..=size - 1)), segments, "seed {seed}");
        let slices = check(&segments, &range_within(&mut dice, size));
        // A slice of a slice is a slice.
        check(&slices, &range_within(&mut dice, bytes_of(&slices)));
    }
}

#[test]
fn frames_at_the_edges() {
    let runs = [(1, 32), (50, 16), (90, 3)].map(|(block, blocks)| Run { node: 0, extent: 1, block, blocks });
    let body_bytes = 3 * PAYLOAD + 10;
    let whole = Slice {
        body_id: 1,
        body_bytes,
        skip: 0,
        bytes: body_bytes,
        first_frame: 0,
        runs: runs.to_vec(),
        salt: None,
    };
    let whole = [Segment::Extents(whole)];
    for (range, first_frame, expected) in [
        (0..=0, 0, &runs[..1]),
        (2 * PAYLOAD - 1..=2 * PAYLOAD, 0, &runs[..2]),
        (2 * PAYLOAD..=2 * PAYLOAD, 2, &runs[1..2]),
        (3 * PAYLOAD - 1..=3 * PAYLOAD, 2, &runs[1..]),
        (3 * PAYLOAD..=3 * PAYLOAD + 9, 3, &runs[2..]),
    ] {
        let [Segment::Extents(slice)] = &check(&whole, &range)[..] else { panic!("one slice") };
        assert_eq!((slice.first_frame, &slice.runs[..]), (first_frame, expected), "{range:?}");
    }
}

#[test]
fn what_stands_in_a_record_is_a_part_alone() {
    let inline = || Segment::Inline(Inline { bytes: vec![1; 10], salt: None });
    let mut dice = Dice(1);
    let (one, two) = (body(&mut dice, 1), body(&mut dice, 2));
    let (first, second) = (one.bytes(TAG_BYTES), one.bytes(TAG_BYTES) + 10);
    let last = second + two.bytes(TAG_BYTES) - 1;
    let segments = [one, inline(), two];
    for (range, expected) in [
        (0..=0, true),
        (0..=first - 1, true),
        (0..=first, false),
        (first..=second - 1, true),
        (second - 1..=second, false),
        (second..=last, true),
        (0..=last, false),
    ] {
        assert_eq!(can_be_part(&segments, &range), expected, "{range:?}");
    }
    let whole = [segments[0].clone(), segments[2].clone()];
    assert!(can_be_part(&whole, &(0..=last - 10)));
}
