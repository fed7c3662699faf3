use super::*;

#[test]
fn bytes_leave_in_the_order_they_came() {
    let mut ahead = ReadAhead::new();
    ahead.push(b"abcdef");
    ahead.consume(2);
    assert_eq!(ahead.unread(), b"cdef");
    ahead.push(b"gh");
    ahead.consume(3);
    let mut bytes = ahead.take(10);
    assert_eq!(bytes, b"fgh");
    assert!(bytes.capacity() >= 13);
    assert!(ahead.is_empty());
    bytes.extend_from_slice(b"ij");
    ahead.put_back(bytes);
    assert_eq!(ahead.unread_mut(), b"fghij");
    ahead.consume(5);
    assert!(ahead.is_empty());
}

#[test]
fn bytes_that_come_one_by_one_are_moved_a_few_times() {
    let mut ahead = ReadAhead::new();
    let mut places = std::collections::BTreeSet::new();
    for count in 0..4 * READ_AHEAD_BYTES {
        let mut bytes = ahead.take(READ_AHEAD_BYTES);
        assert!(bytes.len() == count && bytes.capacity() - count >= READ_AHEAD_BYTES);
        bytes.push(count as u8);
        places.insert(bytes.as_ptr());
        ahead.put_back(bytes);
    }
    assert!(places.len() <= 6, "{}", places.len());
}

#[test]
fn an_idle_connection_keeps_one_small_buffer() {
    let mut ahead = ReadAhead::new();
    ahead.push(&[0; 3 * READ_AHEAD_BYTES]);
    ahead.shrink();
    assert_eq!(ahead.unread().len(), 3 * READ_AHEAD_BYTES);
    ahead.consume(3 * READ_AHEAD_BYTES);
    ahead.shrink();
    assert_eq!(ahead.take(0).capacity(), READ_AHEAD_BYTES);
}

#[test]
fn erased_bytes_are_gone_and_the_rest_stays() {
    let mut ahead = ReadAhead::new();
    ahead.push(b"abcdef");
    ahead.consume(1);
    ahead.erase(3);
    assert_eq!(ahead.bytes, b"a\0\0\0ef");
    assert_eq!(ahead.unread(), b"ef");
    ahead.erase(2);
    assert!(ahead.is_empty());
}
