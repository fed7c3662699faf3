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
