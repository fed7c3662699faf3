use proptest::prelude::*;

use super::*;

#[test]
fn the_three_forms_of_the_standard_are_one_time() {
    for text in
        ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
    {
        assert_eq!(parse_http(text.as_bytes()), Some(784_111_777), "{text}");
    }
    assert_eq!(format_http(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

#[test]
fn times_that_cannot_be_written_become_the_nearest() {
    assert_eq!(format_http(i64::MIN), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(format_http(-1), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(format_http(i64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
}

#[test]
fn anything_else_is_no_date() {
    for text in [
        "",
        "0",
        "tomorrow",
        "2026-01-02T03:04:05Z",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 25:49:37 GMT",
    ] {
        assert_eq!(parse_http(text.as_bytes()), None, "{text}");
    }
    assert_eq!(parse_http(b"\xff\xfe"), None);
}

proptest! {
    #[test]
    fn times_round_trip(seconds in 0..=253_402_300_799_i64) {
        prop_assert_eq!(parse_http(format_http(seconds).as_bytes()), Some(seconds));
    }

    #[test]
    fn random_bytes_never_panic(text in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = parse_http(&text);
    }
}
