//! Listings of versions against a model that looks at every version, on both engines, while histories grow and shrink.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::engine::tests::both_engines;
use super::super::engine::{Batch, MemoryEngine, Write};
use super::super::record::{Content, ETag, Metadata, Owner};
use super::*;

const BUCKET_ID: u64 = 7;

/// Stamps and whether they are delete markers, newest first, of every key that has any.
type Histories = BTreeMap<String, Vec<(u64, bool)>>;

fn record(stamp: u64, delete_marker: bool) -> Vec<u8> {
    let listed = Listed {
        delete_marker,
        null_version: false,
        size: 1,
        last_modified_ms: 1,
        stamp,
        etag: ETag { md5: [0; 16], parts: None },
        checksum: None,
        owner: Owner::default(),
    };
    ObjectRecord { listed, metadata: Metadata::default(), content: Content::default() }.encode()
}

/// The entries of a key: its newest version in `O` if it is an object, all others in `V`.
fn entries(bucket_id: u64, key: &str, versions: &[(u64, bool)]) -> Vec<Write> {
    let place = |index: usize, (stamp, delete_marker): (u64, bool)| match (index, delete_marker) {
        (0, false) => key_encoding::object_key(bucket_id, key),
        _ => key_encoding::version_key(bucket_id, key, stamp),
    };
    let write = |(index, version): (usize, &(u64, bool))| {
        Write::Put(place(index, *version), record(version.0, version.1))
    };
    versions.iter().enumerate().map(write).collect()
}

fn apply(engine: &Engine, writes: Vec<Write>) {
    engine.commit(&[Batch { checks: Vec::new(), writes }]).unwrap();
}

/// The bucket with these histories, and neighbours on both sides that no listing may show.
fn fill(engine: &Engine, histories: &Histories) {
    let mut writes: Vec<Write> =
        histories.iter().flat_map(|(key, versions)| entries(BUCKET_ID, key, versions)).collect();
    for neighbour in [BUCKET_ID - 1, BUCKET_ID + 1] {
        for key in ["a", "a/b", "\u{10FFFF}", "\0"] {
            writes.extend(entries(neighbour, key, &[(3, false), (2, true), (1, false)]));
        }
    }
    apply(engine, writes);
}

/// Makes one key's history another.
fn rewrite(engine: &Engine, key: &str, old: &[(u64, bool)], new: &[(u64, bool)]) {
    let deleted = entries(BUCKET_ID, key, old).into_iter().map(|write| match write {
        Write::Put(key, _) | Write::Delete(key) => Write::Delete(key),
    });
    apply(engine, deleted.chain(entries(BUCKET_ID, key, new)).collect());
}

/// A version or, with a bar, a group.
fn name(item: &VersionItem) -> String {
    match item {
        VersionItem::Version { key, listed, is_latest } => {
            let kind = if listed.delete_marker { "marker" } else { "object" };
            format!("{key:?} {} {kind}{}", listed.stamp, if *is_latest { " latest" } else { "" })
        }
        VersionItem::CommonPrefix(prefix) => format!("{prefix:?}|"),
    }
}

fn names(items: &[VersionItem]) -> Vec<String> {
    items.iter().map(name).collect()
}

/// The items of a listing by definition: one look at every version.
fn model(histories: &Histories, query: &VersionQuery<'_>) -> (Vec<String>, bool) {
    let mut items: Vec<String> = Vec::new();
    let delimiter = query.delimiter.filter(|delimiter| !delimiter.is_empty());
    for (key, versions) in histories {
        let Some(rest) = key.strip_prefix(query.prefix) else { continue };
        let group = delimiter.and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len()));
        for (index, (stamp, delete_marker)) in versions.iter().enumerate() {
            let is_after = match &query.after {
                VersionMarker::Start => true,
                VersionMarker::AfterKey(marker) => key > marker,
                VersionMarker::AfterVersion { key: marker, stamp: seen } => {
                    key > marker || (key == marker && stamp < seen)
                }
                VersionMarker::AfterPrefix(prefix) => key > prefix && !key.starts_with(prefix.as_str()),
            };
            let item = match group {
                _ if !is_after => continue,
                Some(bytes) => format!("{:?}|", format!("{}{}", query.prefix, &rest[..bytes])),
                None => {
                    let kind = if *delete_marker { "marker" } else { "object" };
                    format!("{key:?} {stamp} {kind}{}", if index == 0 { " latest" } else { "" })
                }
            };
            if items.last() != Some(&item) {
                items.push(item);
            }
        }
    }
    let truncated = query.items_max > 0 && items.len() > query.items_max;
    items.truncate(query.items_max);
    (items, truncated)
}

/// Pieces that make delimiters overlap and keys begin with each other, at the byte borders of the encoding.
fn text(pieces: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just("a"), 2 => Just("b"), 5 => Just("/"), 2 => Just("é"), 1 => Just("\0"), 1 => Just("\u{10FFFF}"),
    ];
    proptest::collection::vec(piece, pieces).prop_map(|pieces| pieces.concat())
}

fn delimiter() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        2 => Just(None),
        1 => Just(Some(String::new())),
        4 => Just(Some("/".to_owned())),
        2 => text(1..3).prop_map(Some),
    ]
}

/// Histories whose stamps are spread over the keys: those of one key are not neighbours.
fn histories() -> impl Strategy<Value = Histories> {
    let kinds = proptest::collection::vec(prop::bool::weighted(0.3), 1..6);
    proptest::collection::btree_map(text(1..5), kinds, 0..12).prop_map(|kinds| {
        let keys = kinds.len() as u64;
        let versions = |(index, (key, kinds)): (usize, (String, Vec<bool>))| {
            let stamp = |step: usize| 1 + step as u64 * keys + index as u64;
            (key, kinds.into_iter().enumerate().map(|(step, kind)| (stamp(step), kind)).rev().collect())
        };
        kinds.into_iter().enumerate().map(versions).collect()
    })
}

fn marker() -> impl Strategy<Value = VersionMarker> {
    prop_oneof![
        1 => Just(VersionMarker::Start),
        1 => text(0..3).prop_map(VersionMarker::AfterKey),
        1 => (text(0..3), 0_u64..60).prop_map(|(key, stamp)| VersionMarker::AfterVersion { key, stamp }),
        1 => text(0..3).prop_map(VersionMarker::AfterPrefix),
    ]
}

/// The marker after some version that exists.
fn marker_after(histories: &Histories, index: Index) -> VersionMarker {
    let versions: Vec<(&String, u64)> = histories
        .iter()
        .flat_map(|(key, versions)| versions.iter().map(move |(stamp, _)| (key, *stamp)))
        .collect();
    match versions.len() {
        0 => VersionMarker::Start,
        count => {
            let (key, stamp) = versions[index.index(count)];
            VersionMarker::AfterVersion { key: key.clone(), stamp }
        }
    }
}

/// What happens between two pages.
#[derive(Clone, Debug)]
enum Change {
    Put,
    Delete,
    /// Removes a version; an older one may come to the top.
    DeleteVersion(Index),
}

fn change() -> impl Strategy<Value = (Change, Index)> {
    let change = prop_oneof![
        1 => Just(Change::Put),
        1 => Just(Change::Delete),
        3 => any::<Index>().prop_map(Change::DeleteVersion),
    ];
    (change, any::<Index>())
}

fn changed(histories: &mut Histories, engine: &Engine, change: &Change, key: Index, stamp: u64) {
    if histories.is_empty() {
        return;
    }
    let key = histories.keys().nth(key.index(histories.len())).unwrap().clone();
    let old = histories[&key].clone();
    let mut new = old.clone();
    match change {
        Change::Put => new.insert(0, (stamp, false)),
        Change::Delete => new.insert(0, (stamp, true)),
        Change::DeleteVersion(version) => {
            new.remove(version.index(new.len()));
        }
    }
    rewrite(engine, &key, &old, &new);
    if new.is_empty() {
        histories.remove(&key)
    } else {
        histories.insert(key, new)
    };
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn a_page_is_what_its_definition_says(
        histories in histories(),
        questions in proptest::collection::vec(
            (text(0..3), delimiter(), marker(), any::<Option<Index>>(), 0_usize..8), 1..12,
        ),
    ) {
        let (_directory, engines) = both_engines();
        for engine in engines {
            fill(&engine, &histories);
            for (prefix, delimiter, after, existing, items_max) in &questions {
                let after = existing.map_or_else(|| after.clone(), |index| marker_after(&histories, index));
                let delimiter = delimiter.as_deref();
                let query = VersionQuery { prefix, delimiter, after, items_max: *items_max };
                let page = list_versions(&engine, BUCKET_ID, &query).unwrap();
                let found = (names(&page.items), page.next.is_some());
                prop_assert_eq!(found, model(&histories, &query), "{:?}", query);
            }
        }
    }

    #[test]
    fn pages_lose_and_repeat_nothing_while_versions_come_go_and_move(
        histories in histories(),
        prefix in text(0..2),
        delimiter in delimiter(),
        items_max in 1_usize..6,
        changes in proptest::collection::vec(change(), 0..10),
    ) {
        let (_directory, engines) = both_engines();
        for engine in engines {
            fill(&engine, &histories);
            let mut now = histories.clone();
            let mut changes = changes.iter().zip(1000..);
            let delimiter = delimiter.as_deref();
            let mut query = VersionQuery { prefix: &prefix, delimiter, after: VersionMarker::Start, items_max };
            let mut seen = Vec::new();
            loop {
                let page = list_versions(&engine, BUCKET_ID, &query).unwrap();
                prop_assert_eq!(names(&page.items), model(&now, &query).0);
                seen.extend(names(&page.items).into_iter().map(|name| name.replace(" latest", "")));
                let Some(next) = page.next else { break };
                prop_assert_eq!(page.items.len(), items_max, "a page that is not the last is full");
                query.after = next;
                if let Some(((change, key), stamp)) = changes.next() {
                    changed(&mut now, &engine, change, *key, stamp);
                }
            }
            prop_assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "{:?}", seen);
            let whole = VersionQuery { after: VersionMarker::Start, items_max: usize::MAX, ..query };
            let before = model(&histories, &whole).0;
            for item in model(&now, &whole).0.iter().filter(|item| before.contains(item)) {
                prop_assert!(seen.contains(&item.replace(" latest", "")), "{:?} lacks {}", seen, item);
            }
        }
    }
}

#[test]
fn the_newest_of_a_key_is_known_in_the_middle_of_its_versions() {
    let (_directory, engines) = both_engines();
    for engine in engines {
        let versions = [(5, false), (4, true), (3, false)];
        fill(&engine, &Histories::from([("k".to_owned(), versions.to_vec())]));
        let after = |stamp| {
            let after = VersionMarker::AfterVersion { key: "k".into(), stamp };
            let query = VersionQuery { prefix: "", delimiter: None, after, items_max: 10 };
            names(&list_versions(&engine, BUCKET_ID, &query).unwrap().items)
        };
        assert_eq!(after(5), ["\"k\" 4 marker", "\"k\" 3 object"]);
        // Once what was shown is gone, what comes next is the newest.
        rewrite(&engine, "k", &versions, &versions[1..]);
        assert_eq!(after(5), ["\"k\" 4 marker latest", "\"k\" 3 object"]);
        rewrite(&engine, "k", &versions[1..], &versions[2..]);
        assert_eq!(after(4), ["\"k\" 3 object latest"]);
    }
}

#[test]
fn a_page_costs_its_items() {
    let engine = Engine::Memory(MemoryEngine::new());
    let key = |group: u64, key: u64| format!("{group:02}/{key:03}");
    let histories: Histories = (0..50)
        .flat_map(|group| {
            (0..100).map(move |number| (key(group, number), vec![(3, false), (2, true), (1, false)]))
        })
        .collect();
    fill(&engine, &histories);
    let visited = |delimiter, items_max: usize| {
        let (objects, earlier) =
            (key_encoding::object_range(BUCKET_ID, ""), key_encoding::versions_range(BUCKET_ID, ""));
        let ranges = [KeyRange::between(&objects.0, &objects.1), KeyRange::between(&earlier.0, &earlier.1)];
        let mut walk = Walk {
            grouping: Grouping::new("", delimiter),
            found_max: items_max + 1,
            objects: Vec::new(),
            earlier: Vec::new(),
            resumed: None,
        };
        let mut visited = 0;
        engine
            .walk_many(&ranges, &mut |place, key, _, value| {
                visited += 1;
                if place == 0 { walk.visit_object(key, value) } else { walk.visit_earlier(key, value) }
            })
            .unwrap();
        (visited, walk.page(items_max).items.len())
    };
    assert_eq!(visited(Some("/"), 1000), (100, 50));
    assert_eq!(visited(Some("/"), 10), (22, 10));
    assert_eq!(visited(None, 10), (22, 10));
}

#[test]
fn what_is_damaged_fails_the_listing_and_is_named() {
    let keys = [
        key_encoding::object_key(BUCKET_ID, "k"),
        key_encoding::version_key(BUCKET_ID, "k", 1),
        key_encoding::versions_range(BUCKET_ID, "k").0,
    ];
    for key in keys {
        for value in [vec![1, 2], record(1, false)] {
            let engine = Engine::Memory(MemoryEngine::new());
            apply(&engine, vec![Write::Put(key.clone(), value.clone())]);
            let query =
                VersionQuery { prefix: "", delimiter: None, after: VersionMarker::Start, items_max: 1 };
            match list_versions(&engine, BUCKET_ID, &query) {
                Err(IndexError::Record { key: named, .. } | IndexError::Damaged { key: named, .. }) => {
                    assert_eq!(named, key);
                }
                Ok(page) => assert_eq!(page.items.len(), 1, "{key:?}"),
                Err(other) => panic!("{other:?}"),
            }
        }
    }
}
