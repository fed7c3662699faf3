//! Uploads over a simulated disk: their parts, the space of these, what ends them.

use crate::checksum::Algorithm;
use crate::config::limits::INLINE_BODY_BYTES_MAX;
use crate::index::upload_listing::{UploadItem, UploadMarker};
use crate::store::body_writer::BodyWritten;
use crate::store::complete::{CompleteRequest, Expected, NamedPart};
use crate::store::test_node::{Content, Dice, MIB, Node, create_bucket, delete, get, open, put, write_body};
use crate::store::write_condition::WriteCondition;

use super::*;

fn part_of(body: BodyWritten) -> NewPart {
    NewPart {
        bytes: body.size_bytes,
        md5: body.etag_md5,
        checksum: body.checksums.first().map(|digest| StoredChecksum::of(digest, true)),
        segments: body.segment.into_iter().collect(),
        data: body.data,
        is_shared: false,
    }
}

async fn begin(store: &Store, bucket: &BucketRecord, key: &str) -> UploadId {
    let checksum =
        UploadChecksum { algorithm: Algorithm::Crc64Nvme.id(), full_object: true, declared: false };
    let new = NewUpload {
        key: key.into(),
        metadata: Metadata::default(),
        owner: Owner::default(),
        checksum,
        encryption: None,
    };
    *store.create_upload(bucket, new).await.expect("begun").value()
}

async fn upload_part(
    store: &Store,
    bucket: &BucketRecord,
    id: UploadId,
    number: u16,
    content: Content,
) -> PartRecord {
    let body = write_body(store, content).await.expect("written");
    let put = store.put_part(bucket, "k", id, number, part_of(body)).await;
    put.expect("put").value().clone()
}

/// Completes an upload of one part.
async fn complete(store: &Store, bucket: &BucketRecord, id: UploadId, number: u16, part: &PartRecord) {
    let etag = crate::index::record::ETag { md5: part.md5, parts: None }.to_string();
    let request = CompleteRequest {
        parts: vec![NamedPart { number: u32::from(number), etag, checksum: None }],
        expected: Expected::default(),
        condition: WriteCondition::None,
        admitted_ms: 0,
    };
    store.complete_upload(bucket, "k", id, request).await.expect("completed");
}

/// Numbers and sizes of all parts, in pages.
fn listed(store: &Store, bucket: &BucketRecord, id: UploadId, parts_max: usize) -> Vec<(u16, u64)> {
    let mut found: Vec<(u16, u64)> = Vec::new();
    loop {
        let after = found.last().map_or(0, |(number, _)| *number);
        let page = store.list_parts(bucket, "k", id, after, parts_max).expect("readable").expect("open");
        assert!(page.parts.len() <= parts_max);
        found.extend(page.parts.iter().map(|(number, part)| (*number, part.bytes)));
        if !page.more {
            return found;
        }
        assert_eq!(page.parts.len(), parts_max, "a page that is not the last is full");
    }
}

fn uploads(store: &Store, bucket: &BucketRecord) -> Vec<(String, u64)> {
    let query = UploadQuery { prefix: "", delimiter: None, after: UploadMarker::Start, uploads_max: 1000 };
    let page = store.list_uploads(bucket, &query).expect("readable");
    let name = |item| match item {
        UploadItem::Upload { key, stamp, .. } => (key, stamp),
        UploadItem::CommonPrefix(prefix) => panic!("{prefix}: there is no delimiter"),
    };
    page.items.into_iter().map(name).collect()
}

fn is_gone<T>(result: &Result<Committed<T>, Refusal<UploadGone>>) -> bool {
    matches!(result, Err(Refusal::Refused(UploadGone)))
}

#[test]
fn parts_take_space_give_it_back_when_replaced_and_when_aborted() {
    let node = Node::new(1, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        let id = begin(store, &bucket, "k").await;
        let sizes = [0, 1, INLINE_BODY_BYTES_MAX, INLINE_BODY_BYTES_MAX + 1, MIB, 200_000];
        for (number, size) in (1..).zip(sizes) {
            upload_part(store, &bucket, id, number * 100, Content::new(size, size)).await;
        }
        node.check_space(monitor).await;
        let expected: Vec<(u16, u64)> = (1..).map(|number| number * 100).zip(sizes).collect();
        for parts_max in [1, 2, 3, 6, 7] {
            assert_eq!(listed(store, &bucket, id, parts_max), expected);
        }
        for size in [MIB + 1, 5, 70_000] {
            upload_part(store, &bucket, id, 500, Content::new(size, size)).await;
            node.check_space(monitor).await;
            assert_eq!(listed(store, &bucket, id, 1000)[4], (500, size));
        }
        assert_eq!(uploads(store, &bucket), [("k".to_owned(), id.stamp)]);
        assert!(node.check_space_map() > 0);
        store.abort_upload(&bucket, "k", id).await.expect("aborted");
        assert_eq!(node.check_space_map(), 0);
        node.check_space(monitor).await;
        assert!(uploads(store, &bucket).is_empty());
    });
}

#[test]
fn an_upload_is_found_by_its_bucket_key_and_whole_id_alone() {
    let node = Node::new(2, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        let id = begin(store, &bucket, "k").await;
        let elsewhere = BucketRecord { id: bucket.id + 1, ..bucket.clone() };
        let others = [
            (&bucket, "k2", id),
            (&bucket, "", id),
            (&elsewhere, "k", id),
            (&bucket, "k", UploadId { tag: id.tag ^ 1, ..id }),
            (&bucket, "k", UploadId { stamp: id.stamp + 1, ..id }),
        ];
        for (bucket, key, id) in others {
            assert_eq!(store.upload(bucket, key, id).expect("readable"), None);
            assert!(store.list_parts(bucket, key, id, 0, 10).expect("readable").is_none());
            assert!(is_gone(&store.abort_upload(bucket, key, id).await));
            let body = write_body(store, Content::new(1, 100_000)).await.expect("written");
            assert!(is_gone(&store.put_part(bucket, key, id, 1, part_of(body)).await));
        }
        node.check_space(monitor).await;
        assert!(store.upload(&bucket, "k", id).expect("readable").is_some());
        assert!(listed(store, &bucket, id, 10).is_empty());
    });
}

#[test]
fn a_part_that_arrives_after_the_end_of_its_upload_leaves_nothing() {
    let node = Node::new(3, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        let id = begin(store, &bucket, "k").await;
        let late = write_body(store, Content::new(1, MIB)).await.expect("written");
        store.abort_upload(&bucket, "k", id).await.expect("aborted");
        assert!(is_gone(&store.put_part(&bucket, "k", id, 1, part_of(late)).await));
        assert!(is_gone(&store.abort_upload(&bucket, "k", id).await));
        node.check_space(monitor).await;
        assert_eq!(node.check_space_map(), 0);
    });
}

#[test]
fn parts_of_existing_bytes_outlive_their_source_and_each_other() {
    let node = Node::new(4, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        let content = Content::new(7, 3 * MIB);
        put(store, &bucket, "source", content).await.expect("put");
        let source = open(store, &bucket, "source").record;
        let shared = || NewPart {
            bytes: source.listed.size,
            md5: source.listed.etag.md5,
            checksum: source.listed.checksum.clone(),
            segments: source.content.segments.clone(),
            data: Data::default(),
            is_shared: true,
        };
        let id = begin(store, &bucket, "k").await;
        for number in [1, 2, 1, 2] {
            store.put_part(&bucket, "k", id, number, shared()).await.expect("put");
            node.check_space(monitor).await;
        }
        delete(store, &bucket, "source").await.expect("deleted");
        node.check_space(monitor).await;
        // The part that is replaced is one of the two owners left.
        let part = store.put_part(&bucket, "k", id, 2, shared()).await.expect("put").value().clone();
        node.check_space(monitor).await;
        complete(store, &bucket, id, 2, &part).await;
        node.check_space(monitor).await;
        assert!(get(store, &bucket, "k").await.expect("readable") == Some(content.make()));
        delete(store, &bucket, "k").await.expect("deleted");
        assert_eq!(node.check_space_map(), 0);
    });
}

/// Random lives of a few uploads of one key; after each step records and space agree.
#[test]
fn whatever_happens_to_uploads_space_and_records_agree() {
    let node = Node::new(5, 16 * MIB);
    let bucket = node.run(async |store, _| create_bucket(store).await);
    let mut dice = Dice(11);
    let mut open: Vec<(UploadId, std::collections::BTreeMap<u16, PartRecord>)> = Vec::new();
    for _life in 0..4 {
        node.run(async |store, monitor| {
            for step in 0..40 {
                let place = dice.below(3) as usize;
                if open.len() <= place {
                    open.push((begin(store, &bucket, "k").await, std::collections::BTreeMap::new()));
                    continue;
                }
                match dice.below(8) {
                    0 => {
                        let (id, _) = open.swap_remove(place);
                        store.abort_upload(&bucket, "k", id).await.expect("aborted");
                    }
                    1 if !open[place].1.is_empty() => {
                        let (id, parts) = open.swap_remove(place);
                        let last = parts.last_key_value().expect("one at least");
                        complete(store, &bucket, id, *last.0, last.1).await;
                    }
                    _ => {
                        let (id, parts) = &mut open[place];
                        let number = 1 + dice.below(4) as u16;
                        let content = Content::new(step, dice.below(300_000));
                        parts.insert(number, upload_part(store, &bucket, *id, number, content).await);
                    }
                }
                node.check_space(monitor).await;
            }
            for (id, parts) in &open {
                let expected: Vec<_> = parts.iter().map(|(number, part)| (*number, part.bytes)).collect();
                assert_eq!(listed(store, &bucket, *id, 2), expected);
            }
            assert_eq!(uploads(store, &bucket).len(), open.len());
        });
    }
}
