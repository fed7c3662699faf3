use proptest::prelude::*;

use super::Verdict::{Failed, NotModified, Proceed};
use super::*;
use crate::http::date::format_http;

const MODIFIED_S: i64 = 1_700_000_000;
const NOW_S: i64 = MODIFIED_S + 1_000;

fn conditions(fields: &str) -> Conditions {
    let input = format!("GET / HTTP/1.1\r\n{fields}\r\n");
    Conditions::from_head(&RequestHead::parse(input.as_bytes()).unwrap().unwrap().0)
}

fn verdict(fields: &str) -> Verdict {
    conditions(fields).evaluate("abc", MODIFIED_S, NOW_S)
}

fn since(name: &str, offset_s: i64) -> String {
    format!("{name}: {}\r\n", format_http(MODIFIED_S + offset_s))
}

#[test]
fn no_condition_proceeds() {
    assert!(conditions("").is_empty());
    assert_eq!(verdict(""), Proceed);
}

#[test]
fn if_match() {
    for tags in ["\"abc\"", "abc", "*", "\"x\", \"abc\"", "x,abc", ",, \"abc\" ,"] {
        assert_eq!(verdict(&format!("If-Match: {tags}\r\n")), Proceed, "{tags}");
    }
    // Weak tags never match here; commas and quotes inside a tag are part of it; a broken quote matches nothing.
    for tags in
        ["\"x\"", "x", "", "W/\"abc\"", "\"abc, x\"", "\"abc", "abc\"", "\"ABC\"", "\"*\"", "\"\"abc\"\""]
    {
        assert_eq!(verdict(&format!("If-Match: {tags}\r\n")), Failed("If-Match"), "{tags}");
    }
    assert_eq!(verdict("If-Match: \"x\"\r\nIf-Match: \"abc\"\r\n"), Proceed);
}

#[test]
fn if_none_match() {
    for tags in ["\"abc\"", "abc", "*", "W/\"abc\"", "\"x\", W/\"abc\"", "\"a,b\",\"abc\""] {
        assert_eq!(verdict(&format!("If-None-Match: {tags}\r\n")), NotModified, "{tags}");
    }
    for tags in ["\"x\"", "\"abc,\"", ""] {
        assert_eq!(verdict(&format!("If-None-Match: {tags}\r\n")), Proceed, "{tags}");
    }
}

#[test]
fn dates() {
    for offset_s in [0, 1, 1_000] {
        assert_eq!(verdict(&since("If-Modified-Since", offset_s)), NotModified, "{offset_s}");
        assert_eq!(verdict(&since("If-Unmodified-Since", offset_s)), Proceed, "{offset_s}");
    }
    assert_eq!(verdict(&since("If-Modified-Since", -1)), Proceed);
    assert_eq!(verdict(&since("If-Unmodified-Since", -1)), Failed("If-Unmodified-Since"));
    // Dates in the future and dates that are none are ignored.
    assert_eq!(verdict(&since("If-Modified-Since", 1_001)), Proceed);
    assert_eq!(verdict(&since("If-Unmodified-Since", 1_001)), Proceed);
    assert_eq!(verdict("If-Modified-Since: yesterday\r\nIf-Unmodified-Since: 0\r\n"), Proceed);
}

#[test]
fn entity_tags_come_before_dates() {
    let stale = since("If-Unmodified-Since", -1);
    let fresh = since("If-Modified-Since", 0);
    assert_eq!(verdict(&format!("If-Match: abc\r\n{stale}")), Proceed);
    assert_eq!(verdict(&format!("If-None-Match: x\r\n{fresh}")), Proceed);
    assert_eq!(verdict(&format!("If-Match: x\r\n{}", since("If-Unmodified-Since", 0))), Failed("If-Match"));
    assert_eq!(verdict(&format!("If-None-Match: abc\r\n{}", since("If-Modified-Since", -1))), NotModified);
}

#[test]
fn a_failed_precondition_wins_over_not_modified() {
    let stale = since("If-Unmodified-Since", -1);
    assert_eq!(verdict(&format!("{stale}If-None-Match: abc\r\n")), Failed("If-Unmodified-Since"));
    assert_eq!(verdict(&format!("{stale}{}", since("If-Modified-Since", 0))), Failed("If-Unmodified-Since"));
    assert_eq!(verdict("If-Match: x\r\nIf-None-Match: abc\r\n"), Failed("If-Match"));
    assert_eq!(verdict("If-Match: abc\r\nIf-None-Match: abc\r\n"), NotModified);
}

#[test]
fn conditions_of_a_second_representation_have_a_prefix() {
    let input = b"PUT / HTTP/1.1\r\nIf-Match: x\r\nx-amz-copy-source-if-match: abc\r\n\r\n";
    let head = RequestHead::parse(input).unwrap().unwrap().0;
    let conditions = Conditions::from_prefixed(&head, "x-amz-copy-source-");
    assert_eq!(conditions.if_match.as_deref(), Some(&b"abc"[..]));
}

#[test]
fn if_range() {
    let holds = |value: &str| if_range_holds(value.as_bytes(), "abc", MODIFIED_S);
    assert!(holds("\"abc\"") && holds("abc") && holds(&format_http(MODIFIED_S)));
    assert!(!holds("\"x\"") && !holds("W/\"abc\"") && !holds(""));
    assert!(!holds(&format_http(MODIFIED_S + 1)) && !holds(&format_http(MODIFIED_S - 1)));
}

#[test]
fn members_of_a_list() {
    let tag = |opaque, weak| TagMember::Tag { opaque, weak };
    let members: Vec<_> = tag_members(b" \"a,b\",, W/\"c\" ,d,* ,\"e").collect();
    let expected =
        [tag(b"a,b", false), tag(b"c", true), tag(b"d", false), TagMember::Any, tag(b"\"e", false)];
    assert_eq!(members, expected);
    assert_eq!(tag_members(b" ,").next(), None);
}

proptest! {
    #[test]
    fn random_lists_never_panic(list in "[\"W/, *a\t]{0,24}", comparison in any::<bool>()) {
        let comparison = if comparison { Comparison::Strong } else { Comparison::Weak };
        let _ = lists_tag(list.as_bytes(), "a", comparison);
    }

    #[test]
    fn a_listed_tag_is_found(before in proptest::collection::vec("[a-z,]{1,5}", 0..4), tag in "[0-9]{1,8}") {
        let list: Vec<String> = before.iter().chain([&tag]).map(|tag| format!("\"{tag}\"")).collect();
        prop_assert!(lists_tag(list.join(", ").as_bytes(), &tag, Comparison::Strong));
        prop_assert!(!lists_tag(list[..before.len()].join(",").as_bytes(), &tag, Comparison::Strong));
    }
}
