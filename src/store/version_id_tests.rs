use proptest::prelude::*;

use super::*;

#[test]
fn names_as_they_are_written() {
    for (id, text) in [
        (VersionId::Null, "null"),
        (VersionId::Stamp(0), "ffffffffffffffff"),
        (VersionId::Stamp(u64::MAX), "0000000000000000"),
        (VersionId::Stamp(0x0123_4567_89ab_cdef), "fedcba9876543210"),
    ] {
        assert_eq!(id.to_string(), text);
        assert_eq!(VersionId::parse(text), Some(id));
    }
}

#[test]
fn nothing_else_is_a_name() {
    for text in [
        "",
        "Null",
        "NULL",
        "null ",
        "0",
        "fedcba987654321",
        "fedcba98765432100",
        "FEDCBA9876543210",
        "fedcba987654321g",
        "+edcba9876543210",
        "-edcba9876543210",
        " edcba9876543210",
        "0xdcba9876543210",
        "édcba987654321",
        "edcba987654321é",
    ] {
        assert_eq!(VersionId::parse(text), None, "{text:?}");
    }
}

proptest! {
    #[test]
    fn names_sort_newest_first(one: u64, other: u64) {
        let (first, second) = (VersionId::Stamp(one).to_string(), VersionId::Stamp(other).to_string());
        prop_assert_eq!(VersionId::parse(&first), Some(VersionId::Stamp(one)));
        prop_assert_eq!(first.cmp(&second), other.cmp(&one));
        prop_assert!(first.as_str() < "null");
    }

    #[test]
    fn what_is_read_is_written_alike(text in "[0-9a-fA-F+ ]{15,17}") {
        if let Some(id) = VersionId::parse(&text) {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}
