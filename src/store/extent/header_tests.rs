use super::*;

#[test]
fn a_header_round_trips_and_any_flip_is_found() {
    let header = ExtentHeader { extent: 9, capacity_bytes: 256 << 20, created_ms: 1_795_000_000_123 };
    let block = header.encode();
    assert_eq!(ExtentHeader::decode(&block), Ok(header));
    for position in 0..END {
        let mut flipped = block;
        flipped[position] ^= 0x10;
        assert!(ExtentHeader::decode(&flipped).is_err(), "byte {position}");
    }
    assert_eq!(ExtentHeader::decode(&[0; BLOCK_BYTES]), Err(HeaderFault::Invalid));
}
