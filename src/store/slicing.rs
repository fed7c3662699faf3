//! A range of an object's bytes as segments of their own, which share its runs.
//!
//! Whole runs are shared, so a slice may refer to more blocks than its bytes need; never to a run that holds none of
//! them.

use std::ops::RangeInclusive;

use crate::config::limits::TAG_BYTES;
use crate::index::record::{Inline, Segment, Slice};
use crate::store::body_shape::BodyShape;
use crate::store::extent::frame::FRAME_BLOCKS;

/// The segments of the bytes in `range`, which must lie within those of `segments`. None of these may be sealed: bytes
/// that change their owner must change their key.
pub(super) fn slice(segments: &[Segment], range: &RangeInclusive<u64>) -> Vec<Segment> {
    let mut slices = Vec::new();
    let mut position = 0;
    for segment in segments {
        debug_assert!(!segment.is_sealed(), "a sealed segment is written anew");
        let bytes = segment.bytes(TAG_BYTES);
        let first = (*range.start()).max(position);
        let end = (range.end() + 1).min(position + bytes);
        if first < end {
            slices.push(slice_of(segment, first - position, end - first));
        }
        position += bytes;
    }
    slices
}

/// Whether a slice of these segments can be a part. Bytes that stand in a record go along with every slice, and an
/// object is made of ten thousand of them: beside others they would add up to a record that nothing can keep. Alone they
/// are fewer than any part but the last must have.
pub(super) fn can_be_part(segments: &[Segment], range: &RangeInclusive<u64>) -> bool {
    let (mut position, mut touched, mut touches_inline) = (0, 0, false);
    for segment in segments {
        let end = position + segment.bytes(TAG_BYTES);
        if *range.start() < end && position <= *range.end() {
            touched += 1;
            touches_inline |= matches!(segment, Segment::Inline(_));
        }
        position = end;
    }
    touched == 1 || !touches_inline
}

/// `bytes` bytes of a segment, `first` bytes from its start.
fn slice_of(segment: &Segment, first: u64, bytes: u64) -> Segment {
    match segment {
        Segment::Inline(inline) => {
            let cut = &inline.bytes[first as usize..(first + bytes) as usize];
            Segment::Inline(Inline { bytes: cut.to_vec(), salt: inline.salt })
        }
        Segment::Extents(slice) => Segment::Extents(part_of(slice, slice.skip + first, bytes)),
    }
}

/// The slice of the same body that begins at the body's byte `skip`.
fn part_of(slice: &Slice, skip: u64, bytes: u64) -> Slice {
    let shape = BodyShape::new(slice.body_bytes, slice.salt.is_some());
    let (first, last) = (shape.frame_of(skip), shape.frame_of(skip + bytes - 1));
    let mut runs = Vec::new();
    let mut first_frame = slice.first_frame;
    let mut run_first = slice.first_frame;
    for run in &slice.runs {
        let run_end = run_first + u64::from(run.blocks.div_ceil(FRAME_BLOCKS));
        if run_first <= last && first < run_end {
            if runs.is_empty() {
                first_frame = run_first;
            }
            runs.push(*run);
        }
        run_first = run_end;
    }
    Slice {
        body_id: slice.body_id,
        body_bytes: slice.body_bytes,
        skip,
        bytes,
        first_frame,
        runs,
        salt: slice.salt,
    }
}

#[cfg(test)]
#[path = "slicing_tests.rs"]
mod tests;
