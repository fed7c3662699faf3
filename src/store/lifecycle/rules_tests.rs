//! Tables of what rules want, and when.

use super::*;
use crate::index::record::{ETag, FilterForm, NoncurrentExpiration, Owner};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// An afternoon.
const MADE_MS: i64 = 100 * DAY_MS + 14 * 60 * 60 * 1000;
const NOTHING: Option<(i64, &str)> = None;

fn rules(rules: Vec<LifecycleRule>) -> Rules {
    Rules::new(LifecycleRules(rules), Calendar::default())
}

fn rule(id: &str) -> LifecycleRule {
    LifecycleRule { id: id.into(), enabled: true, ..LifecycleRule::default() }
}

fn days(id: &str, days: u32) -> LifecycleRule {
    LifecycleRule { expiration: Some(Expiration::Days(days)), ..rule(id) }
}

fn noncurrent(id: &str, days: Option<u32>, newer_versions: Option<u32>) -> LifecycleRule {
    LifecycleRule { noncurrent: Some(NoncurrentExpiration { days, newer_versions }), ..rule(id) }
}

impl LifecycleRule {
    fn prefix(mut self, prefix: &str) -> Self {
        self.filter.prefix = Some(prefix.into());
        self
    }

    fn tag(mut self, key: &str, value: &str) -> Self {
        self.filter.form = FilterForm::And;
        self.filter.tags.push((key.into(), value.into()));
        self
    }

    fn larger_than(mut self, size: u64) -> Self {
        self.filter.size_greater_than = Some(size);
        self
    }

    fn smaller_than(mut self, size: u64) -> Self {
        self.filter.size_less_than = Some(size);
        self
    }

    fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }
}

fn listed(size: u64) -> Listed {
    Listed {
        delete_marker: false,
        null_version: false,
        size,
        last_modified_ms: MADE_MS,
        stamp: 1,
        etag: ETag { md5: [0; 16], parts: None },
        checksum: None,
        owner: Owner::default(),
    }
}

fn marker() -> Listed {
    Listed { delete_marker: true, ..listed(0) }
}

fn tags(tags: &[(&str, &str)]) -> Vec<(String, String)> {
    tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn shown(due: Option<Due<'_>>) -> Option<(i64, &str)> {
    due.map(|due| (due.at_ms / DAY_MS, due.rule_id))
}

#[test]
fn a_current_object_expires_at_the_midnight_of_its_last_day() {
    let rules = rules(vec![days("week", 7)]);
    assert_eq!(shown(rules.expiry_of_current("k", &listed(1), &[])), Some((107, "week")));
    let due = rules.expiry_of_current("k", &listed(1), &[]).expect("due");
    assert_eq!(due.at_ms % DAY_MS, 0);
    assert_eq!(shown(rules.expiry_of_current("k", &marker(), &[])), NOTHING, "a marker does not expire");
}

#[test]
fn a_date_is_the_same_for_all_also_for_what_is_made_later() {
    let date = LifecycleRule { expiration: Some(Expiration::Date(50 * DAY_MS)), ..rule("date") };
    let rules = rules(vec![date]);
    assert_eq!(shown(rules.expiry_of_current("k", &listed(1), &[])), Some((50, "date")));
}

#[test]
fn the_soonest_rule_acts_and_the_first_of_equals() {
    let rules = rules(vec![
        days("ten", 10),
        days("three", 3).prefix("a/"),
        days("two", 2).prefix("a/b/").tag("t", "1"),
        days("also three", 3).prefix("a"),
        days("off", 1).disabled(),
        LifecycleRule { expiration: Some(Expiration::Date(101 * DAY_MS)), ..rule("date") }.prefix("d"),
    ]);
    let table = [
        ("x", "", 110, "ten"),
        ("", "", 110, "ten"),
        ("a", "", 103, "also three"),
        ("a/", "", 103, "three"),
        ("a/b/c", "", 103, "three"),
        ("a/b/c", "1", 102, "two"),
        ("a/b/c", "2", 103, "three"),
        ("a0", "", 103, "also three"),
        ("d", "", 101, "date"),
    ];
    for (key, tag, day, id) in table {
        let due = rules.expiry_of_current(key, &listed(1), &tags(&[("t", tag)]));
        assert_eq!(shown(due), Some((day, id)), "{key} {tag}");
    }
}

#[test]
fn a_filter_covers_what_all_of_it_is_true_of() {
    let rules =
        rules(vec![days("r", 1).prefix("a").tag("t", "1").tag("u", "2").larger_than(10).smaller_than(20)]);
    let both = [("t", "1"), ("u", "2")];
    let table: [(_, _, &[(&str, &str)], _); 10] = [
        ("a", 11, &both, true),
        ("a", 19, &[("u", "2"), ("x", "3"), ("t", "1")], true),
        ("a", 10, &both, false),
        ("a", 20, &both, false),
        ("b", 11, &both, false),
        ("", 11, &both, false),
        ("a", 11, &[("t", "1")], false),
        ("a", 11, &[("t", "1"), ("u", "3")], false),
        ("a", 11, &[("T", "1"), ("u", "2")], false),
        ("a", 11, &[("1", "t"), ("2", "u")], false),
    ];
    for (key, size, with, covers) in table {
        let due = rules.expiry_of_current(key, &listed(size), &tags(with));
        assert_eq!(due.is_some(), covers, "{key} {size} {with:?}");
    }
}

#[test]
fn a_noncurrent_version_goes_when_it_is_old_enough_and_enough_are_newer() {
    let table = [
        (noncurrent("r", Some(3), None), 0, Some(103)),
        (noncurrent("r", Some(3), None), 9, Some(103)),
        (noncurrent("r", Some(3), Some(2)), 1, None),
        (noncurrent("r", Some(3), Some(2)), 2, Some(103)),
        (noncurrent("r", None, Some(2)), 1, None),
        // At once.
        (noncurrent("r", None, Some(2)), 2, Some(100)),
        (noncurrent("r", None, None), 9, None),
        (noncurrent("r", Some(3), None).disabled(), 9, None),
        (noncurrent("r", Some(3), None).prefix("other"), 9, None),
        (noncurrent("r", Some(3), None).larger_than(5), 9, None),
        (noncurrent("r", Some(3), None).larger_than(4), 9, Some(103)),
        (noncurrent("r", Some(3), None).tag("t", "2"), 9, None),
        (noncurrent("r", Some(3), None).tag("t", "1"), 9, Some(103)),
        (days("r", 1), 9, None),
    ];
    for (rule, newer, day) in table {
        let rules = rules(vec![rule.clone()]);
        let due = rules.expiry_of_noncurrent("k", &listed(5), &tags(&[("t", "1")]), MADE_MS, newer);
        assert_eq!(due.map(|due| due.at_ms / DAY_MS), day, "{rule:?} {newer}");
    }
    let rules = rules(vec![noncurrent("slow", Some(9), None), noncurrent("fast", Some(2), Some(3))]);
    for (newer, due) in [(2, (109, "slow")), (3, (102, "fast"))] {
        assert_eq!(shown(rules.expiry_of_noncurrent("k", &listed(1), &[], MADE_MS, newer)), Some(due));
    }
}

#[test]
fn a_noncurrent_marker_has_no_size_and_no_tags() {
    let table = [
        (noncurrent("r", Some(3), None), true),
        (noncurrent("r", Some(3), None).smaller_than(1), true),
        (noncurrent("r", Some(3), None).larger_than(0), false),
        (noncurrent("r", Some(3), None).tag("t", "1"), false),
    ];
    for (rule, goes) in table {
        let due = rules(vec![rule.clone()]).expiry_of_noncurrent("k", &marker(), &[], MADE_MS, 0).is_some();
        assert_eq!(due, goes, "{rule:?}");
    }
}

#[test]
fn a_lone_marker_goes_at_once_by_its_own_rule_and_with_its_age_by_others() {
    let removes = |removes| LifecycleRule {
        expiration: Some(Expiration::ExpiredObjectDeleteMarker(removes)),
        ..rule("r")
    };
    let date = LifecycleRule { expiration: Some(Expiration::Date(7)), ..rule("r") };
    let table = [
        (removes(true), Some(i64::MIN)),
        (removes(true).prefix("k"), Some(i64::MIN)),
        (removes(true).prefix("l"), None),
        (removes(true).tag("t", "1"), None),
        (removes(false), None),
        (removes(true).disabled(), None),
        (days("r", 1), Some(101 * DAY_MS)),
        (days("r", 1).tag("t", "1"), None),
        (days("r", 1).larger_than(0), None),
        (date, Some(7)),
        (noncurrent("r", Some(1), None), None),
    ];
    for (rule, due_ms) in table {
        let rules = rules(vec![rule.clone()]);
        let due = rules.expiry_of_lone_marker("k", &marker());
        assert_eq!(due.map(|due| due.at_ms), due_ms, "{rule:?}");
        if let Some(Expiration::ExpiredObjectDeleteMarker(_)) = rule.expiration {
            assert_eq!(rules.expiry_of_current("k", &listed(1), &[]), None);
        }
    }
}

#[test]
fn an_upload_is_aborted_so_many_days_after_it_began() {
    let abort = |id, days| LifecycleRule { abort_upload_days: Some(days), ..rule(id) };
    let rules = rules(vec![abort("five", 5), abort("two", 2).prefix("a"), abort("off", 1).disabled()]);
    assert_eq!(shown(rules.abort_of_upload("b", MADE_MS)), Some((105, "five")));
    assert_eq!(shown(rules.abort_of_upload("ab", MADE_MS)), Some((102, "two")));
}

#[test]
fn what_rules_are_about_is_known_by_prefix() {
    let marker = LifecycleRule { expiration: Some(Expiration::ExpiredObjectDeleteMarker(true)), ..rule("m") };
    let upload = LifecycleRule { abort_upload_days: Some(1), ..rule("u") };
    let rules = rules(vec![
        days("d", 1).prefix("a/").tag("t", "1"),
        noncurrent("n", Some(1), Some(4)).prefix("a/b"),
        noncurrent("n", None, Some(7)).prefix("a/b"),
        marker.prefix("y/"),
        upload.prefix("z"),
        days("off", 1).disabled(),
    ]);
    let nothing = Concern::default();
    let current = Concern { current: true, markers: true, ..nothing };
    let versions = Concern { noncurrent: Some(7), ..current };
    let table = [
        ("a", nothing),
        ("a/", current),
        ("a/a", current),
        ("a/b", versions),
        ("a/bb", versions),
        ("a/b/c/d", versions),
        ("a/c", current),
        ("b", nothing),
        ("y/", Concern { markers: true, ..nothing }),
        ("zz", Concern { uploads: true, ..nothing }),
        ("", nothing),
    ];
    for (key, concern) in table {
        assert_eq!(rules.concern(key), concern, "{key}");
    }
    let next = ["", "a/", "a/b", "y/", "z"].map(|key| rules.next_prefix(key));
    assert_eq!(next, [Some("a/"), Some("a/b"), Some("y/"), Some("z"), None]);
}

#[test]
fn the_prefixes_of_a_key_are_found_among_many() {
    let mut state = 7_u64;
    let mut below = |sides: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    let mut text = |letters: u64| -> String {
        (0..below(letters)).map(|_| ['a', 'b', '\u{e9}', '/'][below(4) as usize]).collect()
    };
    for _ in 0..200 {
        let prefixes: Vec<String> = (0..12).map(|_| text(5)).collect();
        let rules = rules(prefixes.iter().map(|prefix| days(prefix, 1).prefix(prefix)).collect());
        for _ in 0..50 {
            let key = text(8);
            let mut found: Vec<usize> = rules.matching(&key).map(|(place, _)| place).collect();
            found.sort_unstable();
            let expected: Vec<usize> =
                (0..prefixes.len()).filter(|place| key.starts_with(&prefixes[*place])).collect();
            assert_eq!(found, expected, "{key} of {prefixes:?}");
            assert_eq!(rules.concern(&key).current, !expected.is_empty());
        }
    }
}

#[test]
fn of_a_thousand_rules_a_key_has_its_own() {
    let many =
        (0..1000).map(|number| days(&number.to_string(), 1).prefix(&format!("p{number:03}/"))).collect();
    let rules = rules(many);
    for number in 0..1000 {
        let key = format!("p{number:03}/k");
        assert_eq!(shown(rules.expiry_of_current(&key, &listed(1), &[])), Some((101, &*number.to_string())));
    }
    assert_eq!(rules.concern("q"), Concern::default());
}
