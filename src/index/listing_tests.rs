//! Listings against a model that looks at every key, on both engines.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::engine::tests::both_engines;
use super::super::engine::{Batch, MemoryEngine, Write};
use super::super::record::{Content, ETag, Inline, Metadata, Owner, Segment};
use super::*;

const BUCKET_ID: u64 = 7;

fn record(size: u64, delete_marker: bool) -> ObjectRecord {
    let listed = Listed {
        delete_marker,
        null_version: true,
        size,
        last_modified_ms: 1,
        stamp: 1,
        etag: ETag { md5: [0; 16], parts: None },
        checksum: None,
        owner: Owner::default(),
    };
    let segments = vec![Segment::Inline(Inline { bytes: vec![9; 100], salt: None })];
    ObjectRecord {
        listed,
        metadata: Metadata::default(),
        content: Content { segments, ..Content::default() },
    }
}

fn put(key: &str, delete_marker: bool) -> Write {
    let record = record(key.len() as u64, delete_marker);
    Write::Put(key_encoding::object_key(BUCKET_ID, key), record.encode())
}

fn apply(engine: &Engine, writes: Vec<Write>) {
    engine.commit(&[Batch { checks: Vec::new(), writes }]).unwrap();
}

/// The bucket with these keys, and neighbours on both sides that no listing may show.
fn fill<'k>(engine: &Engine, keys: impl IntoIterator<Item = (&'k String, &'k bool)>) {
    let mut writes: Vec<Write> =
        keys.into_iter().map(|(key, delete_marker)| put(key, *delete_marker)).collect();
    for neighbour in [BUCKET_ID - 1, BUCKET_ID + 1] {
        for key in ["a", "a/b", "\u{10FFFF}", "\0"] {
            writes.push(Write::Put(key_encoding::object_key(neighbour, key), record(0, false).encode()));
        }
    }
    apply(engine, writes);
}

/// Keys alone, without a delete marker; a group ends with a bar.
fn names(items: &[Item]) -> Vec<String> {
    let name = |item: &Item| match item {
        Item::Object { key, listed } => {
            assert_eq!(listed.size, key.len() as u64);
            key.clone()
        }
        Item::CommonPrefix(prefix) => format!("{prefix}|"),
    };
    items.iter().map(name).collect()
}

/// The items of a listing by definition: one look at every key.
fn model(keys: &BTreeMap<String, bool>, query: &ListQuery<'_>) -> (Vec<String>, bool) {
    let mut items: Vec<String> = Vec::new();
    for (key, delete_marker) in keys {
        let after = match &query.after {
            Marker::Start => true,
            Marker::AfterKey(marker) => key > marker,
            Marker::AfterPrefix(prefix) => key > prefix && !key.starts_with(prefix.as_str()),
        };
        let Some(rest) = key.strip_prefix(query.prefix).filter(|_| after && !delete_marker) else { continue };
        let delimiter = query.delimiter.filter(|delimiter| !delimiter.is_empty());
        let item = match delimiter.and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len())) {
            Some(group_bytes) => format!("{}{}|", query.prefix, &rest[..group_bytes]),
            None => key.clone(),
        };
        if items.last() != Some(&item) {
            items.push(item);
        }
    }
    let truncated = query.keys_max > 0 && items.len() > query.keys_max;
    items.truncate(query.keys_max);
    (items, truncated)
}

/// All pages from `query` on.
fn walk_pages(engine: &Engine, query: &ListQuery<'_>) -> Vec<Vec<String>> {
    let mut query = query.clone();
    let mut pages = Vec::new();
    loop {
        let page = list(engine, BUCKET_ID, &query).unwrap();
        pages.push(names(&page.items));
        let Some(next) = page.next else { return pages };
        assert_eq!(page.items.len(), query.keys_max, "a page that is not the last is full");
        query.after = next;
    }
}

/// Pieces that make delimiters overlap, end in one another and start at the byte borders of the encoding.
fn piece() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just("a"), 4 => Just("b"), 5 => Just("/"), 2 => Just("-"), 2 => Just("é"), 1 => Just("\0"),
        1 => Just("\u{10FFFF}"), 1 => Just("+"), 1 => Just("日"),
    ]
}

fn text(pieces: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), pieces).prop_map(|pieces| pieces.concat())
}

fn delimiter() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(String::new())),
        4 => Just(Some("/".to_owned())),
        2 => text(1..3).prop_map(Some),
        1 => Just(Some("é".to_owned())),
        1 => Just(Some("a/".to_owned())),
        1 => Just(Some("//".to_owned())),
    ]
}

fn marker() -> impl Strategy<Value = Marker> {
    prop_oneof![
        2 => Just(Marker::Start),
        2 => text(0..4).prop_map(Marker::AfterKey),
        1 => text(0..4).prop_map(Marker::AfterPrefix),
    ]
}

fn keys() -> impl Strategy<Value = BTreeMap<String, bool>> {
    proptest::collection::btree_map(text(1..6), prop::bool::weighted(0.2), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn a_page_is_what_its_definition_says(
        keys in keys(),
        questions in proptest::collection::vec((text(0..3), delimiter(), marker(), 0_usize..8), 1..12),
    ) {
        let (_directory, engines) = both_engines();
        for engine in engines {
            fill(&engine, &keys);
            for (prefix, delimiter, after, keys_max) in &questions {
                let query = ListQuery {
                    prefix,
                    delimiter: delimiter.as_deref(),
                    after: after.clone(),
                    keys_max: *keys_max,
                };
                let page = list(&engine, BUCKET_ID, &query).unwrap();
                let found = (names(&page.items), page.next.is_some());
                prop_assert_eq!(found, model(&keys, &query), "{:?}", query);
            }
        }
    }

    #[test]
    fn walking_the_pages_gives_each_item_once(
        keys in keys(),
        prefix in text(0..2),
        delimiter in delimiter(),
        keys_max in 1_usize..6,
    ) {
        let (_directory, engines) = both_engines();
        for engine in engines {
            fill(&engine, &keys);
            let query = ListQuery { prefix: &prefix, delimiter: delimiter.as_deref(), after: Marker::Start, keys_max };
            let items = walk_pages(&engine, &query).concat();
            prop_assert_eq!(&items, &model(&keys, &ListQuery { keys_max: usize::MAX, ..query }).0);
            prop_assert_eq!(items.iter().collect::<BTreeSet<_>>().len(), items.len());
        }
    }

    #[test]
    fn deletes_between_pages_lose_and_repeat_nothing_else(
        keys in keys(),
        delimiter in delimiter(),
        keys_max in 1_usize..4,
        deleted in proptest::collection::vec(any::<prop::sample::Index>(), 1..8),
    ) {
        let (_directory, engines) = both_engines();
        for engine in engines {
            fill(&engine, &keys);
            let mut left = keys.clone();
            let mut deleted = deleted.iter();
            let mut query =
                ListQuery { prefix: "", delimiter: delimiter.as_deref(), after: Marker::Start, keys_max };
            let mut seen = Vec::new();
            loop {
                let page = list(&engine, BUCKET_ID, &query).unwrap();
                prop_assert_eq!(names(&page.items), model(&left, &query).0);
                seen.extend(names(&page.items));
                let Some(next) = page.next else { break };
                query.after = next;
                if let Some(victim) = deleted.next().filter(|_| !left.is_empty()) {
                    let victim = left.keys().nth(victim.index(left.len())).unwrap().clone();
                    left.remove(&victim);
                    apply(&engine, vec![Write::Delete(key_encoding::object_key(BUCKET_ID, &victim))]);
                }
            }
            prop_assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len());
            let remaining = model(&left, &ListQuery { after: Marker::Start, keys_max: usize::MAX, ..query }).0;
            prop_assert!(remaining.iter().all(|item| seen.contains(item)), "{:?} lacks of {:?}", seen, remaining);
        }
    }
}

fn listed(engine: &Engine, prefix: &str, delimiter: &str, after: Marker) -> Vec<String> {
    let query = ListQuery { prefix, delimiter: Some(delimiter), after, keys_max: 1000 };
    names(&list(engine, BUCKET_ID, &query).unwrap().items)
}

#[test]
fn markers_before_inside_and_behind_a_group() {
    let keys = ["prefix1", "prefix1/a", "prefix1/b", "prefix2/a"].map(|key| (key.to_owned(), false));
    let (_directory, engines) = both_engines();
    for engine in engines {
        fill(&engine, &BTreeMap::from(keys.clone()));
        let after_key = |key: &str| listed(&engine, "prefix", "/", Marker::AfterKey(key.to_owned()));
        assert_eq!(after_key("prefix1"), ["prefix1/|", "prefix2/|"]);
        assert_eq!(after_key("prefix1/"), ["prefix1/|", "prefix2/|"]);
        assert_eq!(after_key("prefix1/a"), ["prefix1/|", "prefix2/|"]);
        assert_eq!(after_key("prefix1/b"), ["prefix2/|"]);
        assert_eq!(listed(&engine, "prefix", "/", Marker::AfterPrefix("prefix1/".to_owned())), ["prefix2/|"]);
        assert_eq!(after_key("a"), ["prefix1", "prefix1/|", "prefix2/|"]);
        assert!(after_key("q").is_empty());
    }
}

#[test]
fn a_key_equal_to_the_prefix_stands_for_itself() {
    let keys = ["a/", "a/b", "a/c/", "a/c/d"].map(|key| (key.to_owned(), false));
    let (_directory, engines) = both_engines();
    for engine in engines {
        fill(&engine, &BTreeMap::from(keys.clone()));
        assert_eq!(listed(&engine, "a/", "/", Marker::Start), ["a/", "a/b", "a/c/|"]);
        assert_eq!(listed(&engine, "", "/", Marker::Start), ["a/|"]);
        assert_eq!(listed(&engine, "a/c/", "/", Marker::Start), ["a/c/", "a/c/d"]);
    }
}

#[test]
fn delete_markers_cut_no_page_even_where_one_walk_is_not_enough() {
    let engine = Engine::Memory(MemoryEngine::new());
    let mut keys: BTreeMap<String, bool> =
        (0..2 * LIST_WALK_ENTRIES_MAX + 5).map(|number| (format!("gone/{number:06}"), true)).collect();
    keys.insert("gone/z".to_owned(), false);
    keys.insert("last".to_owned(), false);
    fill(&engine, &keys);
    let query = ListQuery { prefix: "", delimiter: None, after: Marker::Start, keys_max: 1 };
    assert_eq!(walk_pages(&engine, &query), [["gone/z"], ["last"]]);
    let grouped = ListQuery { delimiter: Some("/"), ..query };
    assert_eq!(walk_pages(&engine, &grouped), [["gone/|"], ["last"]]);
}

#[test]
fn a_damaged_record_fails_the_listing_and_names_the_key() {
    let engine = Engine::Memory(MemoryEngine::new());
    let key = key_encoding::object_key(BUCKET_ID, "broken");
    apply(&engine, vec![Write::Put(key.clone(), vec![1, 2])]);
    let query = ListQuery { prefix: "", delimiter: None, after: Marker::Start, keys_max: 1 };
    match list(&engine, BUCKET_ID, &query) {
        Err(IndexError::Record { key: named, .. }) => assert_eq!(named, key),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_page_of_groups_does_not_walk_through_them() {
    let engine = Engine::Memory(MemoryEngine::new());
    let keys: BTreeMap<String, bool> = (0..100)
        .flat_map(|group| (0..1000).map(move |key| (format!("{group:03}/{key:03}"), false)))
        .collect();
    fill(&engine, &keys);
    let mut visited = 0;
    let (start, end) = key_encoding::object_range(BUCKET_ID, "");
    let mut page = PageBuilder {
        grouping: Grouping::new("", Some("/")),
        items_max: 1000,
        items: Vec::new(),
        next: None,
    };
    engine
        .walk(KeyRange::between(&start, &end), &mut |key, _, value| {
            visited += 1;
            page.visit(key, value)
        })
        .unwrap();
    assert_eq!((visited, page.items.len()), (100, 100));
}
