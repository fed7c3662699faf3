use super::*;

fn run(extent: u32, block: u32, blocks: u32) -> Run {
    Run { node: 0, extent, block, blocks }
}

#[test]
fn reads_stay_within_runs_and_buffers() {
    // 6 full frames, then 2 full frames and a last one of 3 blocks.
    let runs = [run(1, 1, 96), run(2, 40, 35)];
    let payload = FRAME_PAYLOAD_BYTES as u64;
    let all: Vec<_> = plan(&runs, &(0..=8 * payload + 100)).into_iter().collect();
    let read = |extent, block, first_frame, frames| Read { extent, block, first_frame, frames };
    assert_eq!(all, vec![read(1, 1, 0, 4), read(1, 65, 4, 2), read(2, 40, 6, 3)]);
    let middle: Vec<_> = plan(&runs, &(5 * payload + 9..=6 * payload)).into_iter().collect();
    assert_eq!(middle, vec![read(1, 81, 5, 1), read(2, 40, 6, 1)], "only the frames of the range");
    let one: Vec<_> = plan(&runs, &(7 * payload - 1..=7 * payload - 1)).into_iter().collect();
    assert_eq!(one, vec![read(2, 40, 6, 1)]);
}

#[test]
fn verified_ranges_are_the_wanted_bytes() {
    let payload = FRAME_PAYLOAD_BYTES as u64;
    let size_bytes = payload + 10;
    let mut buffer = vec![0; BUFFER_BYTES];
    for (sequence, payload_bytes) in [(0, FRAME_PAYLOAD_BYTES), (1, 10)] {
        let start = sequence as usize * FRAME_BYTES;
        let end = start + frame::blocks_of_frame(payload_bytes) as usize * BLOCK_BYTES;
        frame::seal(&mut buffer[start..end], FrameIdentity { body_id: 5, sequence, payload_bytes });
    }
    let read = Read { extent: 1, block: 1, first_frame: 0, frames: 2 };
    let ranges =
        verify(&buffer, &read, 5, size_bytes, &(payload - 2..=payload + 3)).expect("frames are whole");
    assert_eq!(ranges, vec![FRAME_PAYLOAD_BYTES - 2..FRAME_PAYLOAD_BYTES, FRAME_BYTES..FRAME_BYTES + 4]);
    assert!(verify(&buffer, &read, 6, size_bytes, &(0..=1)).is_err(), "another body's frames");
}
