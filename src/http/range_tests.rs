use proptest::prelude::*;

use super::RangeOutcome::{Partial, Unsatisfiable, Whole};
use super::*;

#[test]
fn satisfiable_ranges() {
    for (header, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=5-9", 5, 9),
        ("bytes=99-99", 99, 99),
        ("bytes=10-", 10, 99),
        ("bytes=-1", 99, 99),
        ("bytes=-100", 0, 99),
        ("Bytes=5-9", 5, 9),
        ("bytes=005-009", 5, 9),
        // Beyond the end: clamped.
        ("bytes=90-1000", 90, 99),
        ("bytes=-1000", 0, 99),
        ("bytes=0-99999999999999999999999999", 0, 99),
        ("bytes=-99999999999999999999999999", 0, 99),
    ] {
        assert_eq!(parse_range(header.as_bytes(), 100), Partial { first, last }, "{header}");
    }
}

#[test]
fn ignored_ranges() {
    for header in [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5",
        "bytes=10-5",
        "bytes=200-100",
        "bytes=0-1,3-4",
        "bytes=0-1,",
        "bytes=a-b",
        "bytes=1-b",
        "bytes=0x1-2",
        "bytes=+1-2",
        "bytes=--1",
        "bytes=1--2",
        "bytes=1-2-3",
        "bytes= 0-1",
        "bytes=0 -1",
        "bytes=0- 1",
        "bytes =0-1",
        "lines=0-1",
        "0-1",
        "garbage",
        "bytes=0-1\u{e4}",
    ] {
        assert_eq!(parse_range(header.as_bytes(), 100), Whole, "{header}");
        assert_eq!(parse_range(header.as_bytes(), 0), Whole, "{header}, empty");
    }
}

#[test]
fn unsatisfiable_ranges() {
    for header in [
        "bytes=100-",
        "bytes=100-200",
        "bytes=-0",
        "bytes=99999999999999999999-",
        "bytes=18446744073709551615-",
    ] {
        assert_eq!(parse_range(header.as_bytes(), 100), Unsatisfiable, "{header}");
    }
    for header in ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0"] {
        assert_eq!(parse_range(header.as_bytes(), 0), Unsatisfiable, "{header}, empty");
    }
}

#[test]
fn the_largest_size_does_not_overflow() {
    assert_eq!(parse_range(b"bytes=0-", u64::MAX), Partial { first: 0, last: u64::MAX - 1 });
    assert_eq!(
        parse_range(b"bytes=-18446744073709551615", u64::MAX),
        Partial { first: 0, last: u64::MAX - 1 }
    );
}

proptest! {
    #[test]
    fn a_partial_answer_lies_inside(header in "(bytes=)?[0-9\\-, b]{0,24}", size in any::<u64>()) {
        if let Partial { first, last } = parse_range(header.as_bytes(), size) {
            prop_assert!(first <= last && last < size);
        }
    }

    #[test]
    fn well_formed_ranges_are_answered_exactly(first in 0_u64..200, length in 1_u64..200, size in 0_u64..200) {
        let last = first + length - 1;
        let expected = if first < size { Partial { first, last: last.min(size - 1) } } else { Unsatisfiable };
        prop_assert_eq!(parse_range(format!("bytes={first}-{last}").as_bytes(), size), expected);
    }

    #[test]
    fn random_bytes_never_panic(header in proptest::collection::vec(any::<u8>(), 0..40), size in any::<u64>()) {
        let _ = parse_range(&header, size);
    }
}
