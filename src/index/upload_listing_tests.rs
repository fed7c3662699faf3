//! Listings of uploads against a model that looks at every one, on both engines.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::engine::tests::both_engines;
use super::super::engine::{Batch, MemoryEngine, Write};
use super::super::record::{Metadata, Owner, UploadChecksum};
use super::*;

const BUCKET_ID: u64 = 7;

/// Keys and stamps, in the order of a listing.
type Uploads = BTreeSet<(String, u64)>;

fn record(stamp: u64) -> UploadRecord {
    UploadRecord {
        tag: stamp ^ 0xfeed,
        initiated_ms: 1,
        owner: Owner::default(),
        metadata: Metadata::default(),
        checksum: UploadChecksum { algorithm: 3, full_object: true, declared: false },
        encryption: None,
    }
}

fn put(bucket_id: u64, key: &str, stamp: u64) -> Write {
    Write::Put(key_encoding::upload_key(bucket_id, key, stamp), record(stamp).encode())
}

/// The bucket with these uploads, and neighbours on both sides that no listing may show.
fn fill(engine: &Engine, uploads: &Uploads) {
    let mut writes: Vec<Write> = uploads.iter().map(|(key, stamp)| put(BUCKET_ID, key, *stamp)).collect();
    for neighbour in [BUCKET_ID - 1, BUCKET_ID + 1] {
        writes.extend(["a", "a/b", "\u{10FFFF}", "\0"].map(|key| put(neighbour, key, 5)));
    }
    engine.commit(&[Batch { checks: Vec::new(), writes }]).unwrap();
}

/// Key and stamp; a group has none.
type Name = (String, Option<u64>);

fn names(items: &[UploadItem]) -> Vec<Name> {
    let name = |item: &UploadItem| match item {
        UploadItem::Upload { key, stamp, record } => {
            assert_eq!(record.tag, stamp ^ 0xfeed, "each upload comes with its own record");
            (key.clone(), Some(*stamp))
        }
        UploadItem::CommonPrefix(prefix) => (prefix.clone(), None),
    };
    items.iter().map(name).collect()
}

/// The items of a listing by definition: one look at every upload.
fn model(uploads: &Uploads, query: &UploadQuery<'_>) -> (Vec<Name>, bool) {
    let mut items: Vec<Name> = Vec::new();
    for (key, stamp) in uploads {
        let is_after = match &query.after {
            UploadMarker::Start => true,
            UploadMarker::AfterKey(marker) => key > marker,
            UploadMarker::AfterUpload { key: marker, stamp: of } => (key, stamp) > (marker, of),
            UploadMarker::AfterPrefix(prefix) => key > prefix && !key.starts_with(prefix.as_str()),
        };
        let Some(rest) = key.strip_prefix(query.prefix).filter(|_| is_after) else { continue };
        let delimiter = query.delimiter.filter(|delimiter| !delimiter.is_empty());
        let item = match delimiter.and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len())) {
            Some(group_bytes) => (format!("{}{}", query.prefix, &rest[..group_bytes]), None),
            None => (key.clone(), Some(*stamp)),
        };
        if items.last() != Some(&item) {
            items.push(item);
        }
    }
    let more = query.uploads_max > 0 && items.len() > query.uploads_max;
    items.truncate(query.uploads_max);
    (items, more)
}

/// Where clients go on after an item.
fn marker_of((key, stamp): &Name) -> UploadMarker {
    match stamp {
        Some(stamp) => UploadMarker::AfterUpload { key: key.clone(), stamp: *stamp },
        None => UploadMarker::AfterPrefix(key.clone()),
    }
}

/// Pieces that make delimiters overlap and start at the byte borders of the encoding.
fn text(pieces: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just("a"), 4 => Just("b"), 5 => Just("/"), 2 => Just("é"), 1 => Just("\0"), 1 => Just("\u{10FFFF}"),
    ];
    proptest::collection::vec(piece, pieces).prop_map(|pieces| pieces.concat())
}

/// Stamps whose bytes look like keys as they stand in the index.
fn stamp() -> impl Strategy<Value = u64> {
    let of_pieces = proptest::collection::vec(prop_oneof![Just(0_u8), Just(b'0'), Just(b'b'), Just(255)], 8);
    prop_oneof![1 => 0_u64..4, 2 => of_pieces.prop_map(|bytes| u64::from_be_bytes(bytes.try_into().unwrap()))]
}

fn delimiter() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(String::new())),
        4 => Just(Some("/".to_owned())),
        2 => text(1..3).prop_map(Some),
    ]
}

fn marker() -> impl Strategy<Value = UploadMarker> {
    prop_oneof![
        2 => Just(UploadMarker::Start),
        2 => text(0..4).prop_map(UploadMarker::AfterKey),
        2 => (text(0..4), stamp()).prop_map(|(key, stamp)| UploadMarker::AfterUpload { key, stamp }),
        1 => text(0..4).prop_map(UploadMarker::AfterPrefix),
    ]
}

fn uploads() -> impl Strategy<Value = Uploads> {
    proptest::collection::btree_set((text(1..5), stamp()), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn a_page_is_what_its_definition_says(
        uploads in uploads(),
        questions in proptest::collection::vec((text(0..3), delimiter(), marker(), 0_usize..8), 1..12),
    ) {
        let (_directory, engines) = both_engines();
        for engine in engines {
            fill(&engine, &uploads);
            for (prefix, delimiter, after, uploads_max) in &questions {
                let query = UploadQuery {
                    prefix,
                    delimiter: delimiter.as_deref(),
                    after: after.clone(),
                    uploads_max: *uploads_max,
                };
                let page = list(&engine, BUCKET_ID, &query).unwrap();
                prop_assert_eq!((names(&page.items), page.more), model(&uploads, &query), "{:?}", query);
            }
        }
    }

    #[test]
    fn walking_the_pages_gives_each_item_once(
        uploads in uploads(),
        prefix in text(0..2),
        delimiter in delimiter(),
        uploads_max in 1_usize..6,
    ) {
        let (_directory, engines) = both_engines();
        for engine in engines {
            fill(&engine, &uploads);
            let whole = UploadQuery {
                prefix: &prefix,
                delimiter: delimiter.as_deref(),
                after: UploadMarker::Start,
                uploads_max: usize::MAX,
            };
            let mut query = UploadQuery { uploads_max, ..whole.clone() };
            let mut items = Vec::new();
            loop {
                let page = list(&engine, BUCKET_ID, &query).unwrap();
                items.extend(names(&page.items));
                if !page.more {
                    break;
                }
                prop_assert_eq!(page.items.len(), uploads_max, "a page that is not the last is full");
                query.after = marker_of(items.last().unwrap());
            }
            prop_assert_eq!(items, model(&uploads, &whole).0);
        }
    }
}

#[test]
fn a_page_of_groups_does_not_walk_through_them() {
    let engine = Engine::Memory(MemoryEngine::new());
    let uploads: Uploads =
        (0..100).flat_map(|group| (0..1000).map(move |key| (format!("{group:03}/{key:03}"), 1))).collect();
    fill(&engine, &uploads);
    let mut visited = 0;
    let (start, end) = key_encoding::uploads_range(BUCKET_ID, "");
    let mut page =
        PageBuilder { grouping: Grouping::new("", Some("/")), items_max: 1000, page: UploadPage::default() };
    engine
        .walk(KeyRange::between(&start, &end), &mut |key, _, value| {
            visited += 1;
            page.visit(key, value)
        })
        .unwrap();
    assert_eq!((visited, page.page.items.len()), (100, 100));
}

#[test]
fn a_damaged_record_fails_the_listing_and_names_the_key() {
    let engine = Engine::Memory(MemoryEngine::new());
    let key = key_encoding::upload_key(BUCKET_ID, "broken", 1);
    let writes = vec![Write::Put(key.clone(), vec![1, 2])];
    engine.commit(&[Batch { checks: Vec::new(), writes }]).unwrap();
    let query = UploadQuery { prefix: "", delimiter: None, after: UploadMarker::Start, uploads_max: 1 };
    match list(&engine, BUCKET_ID, &query) {
        Err(IndexError::Record { key: named, .. }) => assert_eq!(named, key),
        other => panic!("{other:?}"),
    }
}
