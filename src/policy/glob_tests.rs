use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn glob(pattern: &str) -> Glob {
    let mut builder = GlobBuilder::default();
    for char in pattern.chars() {
        match char {
            '*' => builder.any_run(),
            '?' => builder.any_char(),
            char => builder.literal(char.encode_utf8(&mut [0; 4])),
        }
    }
    builder.build()
}

/// By the definition, character by character.
fn matches_slowly(pattern: &[char], text: &[char]) -> bool {
    let mut row = vec![false; text.len() + 1];
    row[0] = true;
    for sign in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match sign {
                '*' => row[at] || at > 0 && next[at - 1],
                sign => at > 0 && row[at - 1] && (*sign == '?' || *sign == text[at - 1]),
            };
        }
        row = next;
    }
    row[text.len()]
}

#[test]
fn matches_as_patterns_do() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("", "a", false),
        ("a", "a", true),
        ("a", "A", false),
        ("*", "", true),
        ("*", "a/b/c", true),
        ("**", "a", true),
        ("?", "a", true),
        ("?", "", false),
        ("?", "ab", false),
        ("?", "é", true),
        ("??", "é", false),
        ("?", "🦀", true),
        ("*?", "", false),
        ("*?", "é", true),
        ("?*?", "a", false),
        ("?*?", "éé", true),
        ("a*", "a", true),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("ab*ba", "aba", false),
        ("*a*b*", "ba", false),
        ("*a*b*", "xaxbx", true),
        ("*abc*abc*", "abcab", false),
        ("*abc*abc*", "abcabc", true),
        ("*a?c*", "xabxabc", true),
        ("*a?c*", "xaéc", true),
        ("*a??c*", "xaéc", false),
        ("*?é*?é", "aébé", true),
        ("b/*", "b", false),
        ("b/*", "b/", true),
        ("b*", "b/k", true),
        ("*.txt", "a.txt.txt", true),
        ("*.?xt", "a.txt.éxt", true),
        ("a?*b", "ab", false),
        ("a?*b", "aéb", true),
    ] {
        assert_eq!(glob(pattern).matches(text), expected, "{pattern} on {text}");
    }
}

#[test]
fn a_long_segment_with_a_question_mark_spans_words() {
    for length in [62, 63, 64, 65, 127, 128, 129, 200] {
        let middle = "a".repeat(length);
        let pattern = glob(&format!("*{middle}?{middle}*"));
        assert!(pattern.matches(&format!("x{middle}b{middle}y")));
        assert!(pattern.matches(&format!("{middle}é{middle}")));
        assert!(pattern.matches(&format!("a{middle}a{middle}")));
        assert!(!pattern.matches(&format!("{middle}{middle}")));
        assert!(!pattern.matches(&format!("{middle}bb{middle}")));
    }
}

#[test]
fn knows_what_a_match_can_begin_with() {
    for (pattern, start, expected) in [
        ("b", "b/", false),
        ("b/", "b/", true),
        ("b/k", "b/", true),
        ("b*", "b/", true),
        ("*", "b/", true),
        ("?", "b/", false),
        ("??", "b/", true),
        ("b?k", "b/", true),
        ("c*", "b/", false),
        ("bb*", "b/", false),
        ("b/a*", "b/", true),
        ("*x", "b/", true),
        ("", "b/", false),
    ] {
        assert_eq!(glob(pattern).can_begin(start), expected, "{pattern} from {start}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn agrees_with_the_definition(pattern in "[ab/é?*]{0,10}", text in "[ab/é]{0,12}") {
        let signs: Vec<char> = pattern.chars().collect();
        let chars: Vec<char> = text.chars().collect();
        prop_assert_eq!(glob(&pattern).matches(&text), matches_slowly(&signs, &chars));
    }

    #[test]
    fn what_matches_can_begin_with_all_its_starts(pattern in "[ab/é?*]{0,8}", text in "[ab/é]{0,8}") {
        let glob = glob(&pattern);
        if glob.matches(&text) {
            for (at, _) in text.char_indices() {
                prop_assert!(glob.can_begin(&text[..at]));
            }
        }
    }
}

/// What would be dearest for one that backtracks: this takes some milliseconds, that ages.
#[test]
fn no_pattern_is_matched_by_backtracking() {
    let text = "a".repeat(8 * 1024);
    let half = "a".repeat(4_000);
    for pattern in [
        "*a".repeat(10_000) + "b",
        "*a?".repeat(6_000) + "b",
        "*a".repeat(4_000) + "b",
        "*a?".repeat(2_500) + "b*",
        format!("*{half}?b*"),
        format!("*b?{half}*"),
        format!("*{half}b*"),
        "?".repeat(8_000) + "*b*",
    ] {
        let started = Instant::now();
        assert!(!glob(&pattern).matches(std::hint::black_box(&text)));
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5), "{took:?} for {pattern:.20}…");
    }
}
