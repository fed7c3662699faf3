use super::*;

#[test]
fn pieces_by_chunk_cover_the_range_once() {
    let pieces: Vec<_> = by_chunk(4000..12_290).collect();
    assert_eq!(pieces, vec![(0, 4000..4096), (1, 0..4096), (2, 0..4096), (3, 0..2)]);
}

#[test]
fn flipping_refuses_what_is_already_so() {
    let mut chunk = [0; CHUNK_BYTES];
    assert!(flip(&mut chunk, 5..20, true));
    let before = chunk;
    assert!(!flip(&mut chunk, 19..30, true), "block 19 is taken");
    assert!(!flip(&mut chunk, 4..6, false), "block 4 is free");
    assert_eq!(chunk, before, "a refusal changes nothing");
    assert!(flip(&mut chunk, 5..20, false));
    assert_eq!(chunk, [0; CHUNK_BYTES]);
}

#[test]
fn every_range_is_its_own_bits() {
    let is_set = |chunk: &Chunk, block: u32| chunk[block as usize / 8] & 1 << (block % 8) != 0;
    for start in 0..30 {
        for end in start..40 {
            let mut chunk = [0; CHUNK_BYTES];
            assert!(flip(&mut chunk, start..end, true));
            assert!((0..64).all(|block| is_set(&chunk, block) == (start..end).contains(&block)));
            assert!(are(&chunk, start..end, true));
            assert!(!are(&chunk, start..end + 1, true));
            assert_eq!(are(&chunk, start..end, false), start == end);
            assert!(flip(&mut chunk, start..end, false) && chunk == [0; CHUNK_BYTES]);
        }
    }
    let mut chunk = [0; CHUNK_BYTES];
    assert!(flip(&mut chunk, 0..CHUNK_BLOCKS, true));
    assert_eq!(chunk, [u8::MAX; CHUNK_BYTES]);
}
