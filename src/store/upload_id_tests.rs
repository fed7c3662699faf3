use proptest::prelude::*;

use super::*;

#[test]
fn both_numbers_are_written_in_full() {
    let id = UploadId { stamp: 0x1a, tag: u64::MAX };
    assert_eq!(id.to_string(), "000000000000001affffffffffffffff");
}

#[test]
fn nothing_else_is_a_name() {
    for text in [
        "",
        "000000000000001a",
        "000000000000001afffffffffffffff",
        "000000000000001afffffffffffffffff",
        "000000000000001Affffffffffffffff",
        "000000000000001affffffffffffffFf",
        "+00000000000001affffffffffffffff",
        "000000000000001a+fffffffffffffff",
        "00000000000001éaffffffffffffffff",
        "000000000000001éfffffffffffffff",
    ] {
        assert_eq!(UploadId::parse(text), None, "{text:?}");
    }
}

proptest! {
    #[test]
    fn names_round_trip_and_sort_oldest_first(one: (u64, u64), other: (u64, u64)) {
        let [one, other] = [one, other].map(|(stamp, tag)| UploadId { stamp, tag });
        prop_assert_eq!(UploadId::parse(&one.to_string()), Some(one));
        prop_assert_eq!(one.to_string().cmp(&other.to_string()), one.cmp(&other));
    }
}
