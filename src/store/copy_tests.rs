use super::*;
use crate::checksum::Algorithm;
use crate::index::record::{ETag, SystemHeader, UploadChecksum, Versioning};
use crate::store::complete::{CompleteRequest, Expected, NamedPart};
use crate::store::delete::DeleteRequest;
use crate::store::multipart::NewUpload;
use crate::store::objects::{Body, Lookup};
use crate::store::put::NewObject;
use crate::store::test_node::{
    Content as Bytes, MIB, Node, copy, create_bucket, delete, get, open, put, read, used_blocks, write_body,
};

fn source_of(store: &Store, bucket: &BucketRecord, key: &str) -> Source {
    Source::new(bucket, key, &open(store, bucket, key).record.listed)
}

async fn copy_from(
    store: &Store,
    source: Source,
    bucket: &BucketRecord,
    new: NewCopy,
) -> Result<Listed, CopyRefusal> {
    match store.copy_object(source, bucket, new, WriteCondition::None).await {
        Ok(committed) => Ok(committed.value().clone()),
        Err(Refusal::Refused(refusal)) => Err(refusal),
        Err(Refusal::Failed(error)) => panic!("{error}"),
    }
}

fn to(key: &str) -> NewCopy {
    NewCopy { key: key.into(), ..NewCopy::default() }
}

#[test]
fn copies_share_their_bytes_and_any_may_go_first() {
    for (first, second) in [("a", "b"), ("b", "a")] {
        let node = Node::new(1, 16 * MIB);
        let content = Bytes::new(1, 3 * MIB + 7);
        let bucket = node.run(async |store, monitor| {
            let bucket = create_bucket(store).await;
            put(store, &bucket, "a", content).await.expect("put");
            let once = used_blocks(monitor);
            assert!(copy(store, &bucket, "a", "b").await.expect("copied"));
            assert_eq!(used_blocks(monitor), once);
            delete(store, &bucket, first).await.expect("deleted");
            put(store, &bucket, "other", Bytes::new(2, 5 * MIB)).await.expect("put");
            assert!(get(store, &bucket, second).await.expect("get") == Some(content.make()));
            node.check_space(monitor).await;
            bucket
        });
        node.run(async |store, monitor| {
            assert!(get(store, &bucket, second).await.expect("get") == Some(content.make()));
            delete(store, &bucket, second).await.expect("deleted");
            delete(store, &bucket, "other").await.expect("deleted");
            node.check_space(monitor).await;
            assert_eq!(used_blocks(monitor), 0);
        });
    }
}

#[test]
fn readers_keep_their_bytes_when_source_and_copy_go() {
    let node = Node::new(2, 4 * MIB);
    node.disk.simulation().expect("simulated").set_capacity_bytes(44 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        let content = Bytes::new(3, 3 * MIB);
        put(store, &bucket, "a", content).await.expect("put");
        copy(store, &bucket, "a", "b").await.expect("copied");
        let whole = || 0..=content.bytes as u64 - 1;
        let of_source = store.read(open(store, &bucket, "a"), whole(), None).expect("readable");
        let Body::Extents(mut of_source) = of_source else { panic!("in extents") };
        let first = of_source.next().await.expect("read").expect("a first piece");
        delete(store, &bucket, "a").await.expect("deleted");
        let of_copy = open(store, &bucket, "b");
        delete(store, &bucket, "b").await.expect("deleted");
        // Others ask for all the space there is.
        let mut others = 0;
        while put(store, &bucket, &format!("other {others}"), Bytes::new(others, MIB / 2)).await.is_ok() {
            others += 1;
        }
        assert!(others > 3, "the disk is smaller than the test thinks");
        let mut bytes = Vec::new();
        let mut piece = Some(first);
        while let Some((buffer, ranges)) = piece {
            for range in ranges {
                bytes.extend_from_slice(&buffer[range]);
            }
            piece = of_source.next().await.expect("the reader's own bytes");
        }
        assert!(bytes == content.make());
        assert!(read(store, of_copy, whole()).await.expect("the reader's own bytes") == content.make());
        drop(of_source);
        node.check_space(monitor).await;
    });
}

#[test]
fn a_copy_onto_itself_and_chains_of_copies_keep_the_bytes() {
    let node = Node::new(3, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        for bytes in [0, 100, 300_000, 2 * MIB] {
            let content = Bytes::new(bytes, bytes);
            put(store, &bucket, "a", content).await.expect("put");
            let used = used_blocks(monitor);
            for turn in 0..3 {
                let headers = Metadata {
                    system: vec![(SystemHeader::ContentType, format!("text/{turn}"))],
                    ..Metadata::default()
                };
                let description = Description { headers: Some(headers.clone()), tags: None };
                let new = NewCopy { description, ..to("a") };
                let source = source_of(store, &bucket, "a");
                let listed = copy_from(store, source, &bucket, new).await.expect("copied");
                assert_eq!(listed.size, bytes);
                assert_eq!(open(store, &bucket, "a").record.metadata, headers);
                assert!(get(store, &bucket, "a").await.expect("get") == Some(content.make()));
                node.check_space(monitor).await;
            }
            assert_eq!(used_blocks(monitor), used);
            for link in 0..5 {
                copy(
                    store,
                    &bucket,
                    &if link == 0 { "a".into() } else { format!("c{link}") },
                    &format!("c{}", link + 1),
                )
                .await
                .expect("copied");
            }
            for key in ["a", "c1", "c4", "c2", "c3"] {
                delete(store, &bucket, key).await.expect("deleted");
                node.check_space(monitor).await;
            }
            assert!(get(store, &bucket, "c5").await.expect("get") == Some(content.make()));
            delete(store, &bucket, "c5").await.expect("deleted");
            assert_eq!(used_blocks(monitor), 0);
        }
    });
}

#[test]
fn a_copy_overwrites_what_was_there() {
    let node = Node::new(4, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "a", Bytes::new(1, MIB)).await.expect("put");
        put(store, &bucket, "b", Bytes::new(2, 2 * MIB)).await.expect("put");
        for _ in 0..3 {
            copy(store, &bucket, "a", "b").await.expect("copied");
        }
        node.check_space(monitor).await;
        delete(store, &bucket, "a").await.expect("deleted");
        assert!(get(store, &bucket, "b").await.expect("get") == Some(Bytes::new(1, MIB).make()));
        node.check_space(monitor).await;
    });
}

/// Between lookup and transaction anything may happen.
#[test]
fn a_source_that_went_away_is_noticed() {
    let node = Node::new(5, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        let content = Bytes::new(1, MIB);
        put(store, &bucket, "a", content).await.expect("put");
        let source = source_of(store, &bucket, "a");
        put(store, &bucket, "a", Bytes::new(2, MIB)).await.expect("overwritten");
        let refused = copy_from(store, source, &bucket, to("b")).await;
        assert_eq!(refused, Err(CopyRefusal::SourceGone));
        let source = source_of(store, &bucket, "a");
        delete(store, &bucket, "a").await.expect("deleted");
        assert_eq!(copy_from(store, source, &bucket, to("b")).await, Err(CopyRefusal::SourceGone));
        // The same bytes in the same place, but another object.
        put(store, &bucket, "a", content).await.expect("put");
        let source = source_of(store, &bucket, "a");
        put(store, &bucket, "a", content).await.expect("put");
        assert_eq!(copy_from(store, source, &bucket, to("b")).await, Err(CopyRefusal::SourceGone));
        assert!(get(store, &bucket, "b").await.expect("get").is_none());
        node.check_space(monitor).await;
    });
}

#[test]
fn versions_are_sources_wherever_they_stand() {
    let node = Node::new(6, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        let null = Bytes::new(1, MIB);
        put(store, &bucket, "a", null).await.expect("put");
        let source = source_of(store, &bucket, "a");
        // It moves away between lookup and transaction, but it is still the same.
        store.set_versioning(&bucket, Versioning::Enabled).await.expect("set");
        put(store, &bucket, "a", Bytes::new(2, MIB)).await.expect("put");
        delete(store, &bucket, "a").await.expect("a marker");
        let listed = copy_from(store, source.clone(), &bucket, to("a")).await.expect("restored");
        assert!(!listed.null_version);
        assert!(get(store, &bucket, "a").await.expect("get") == Some(null.make()));
        node.check_space(monitor).await;

        let request = DeleteRequest { version: Some(VersionId::Null), ..request_of("a") };
        store.delete_object(&bucket, request).await.expect("deleted");
        assert_eq!(copy_from(store, source, &bucket, to("b")).await, Err(CopyRefusal::SourceGone));
        assert!(get(store, &bucket, "a").await.expect("get") == Some(null.make()));
        node.check_space(monitor).await;

        store.set_versioning(&bucket, Versioning::Suspended).await.expect("set");
        for _ in 0..2 {
            let source = source_of(store, &bucket, "a");
            assert!(copy_from(store, source, &bucket, to("a")).await.expect("copied").null_version);
            node.check_space(monitor).await;
        }
    });
}

fn request_of(key: &str) -> DeleteRequest {
    DeleteRequest { key: key.into(), ..DeleteRequest::default() }
}

#[test]
fn headers_and_tags_are_replaced_apart() {
    let node = Node::new(7, 16 * MIB);
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        let pair = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let metadata = Metadata { user: pair("m", "1"), tags: pair("t", "1"), ..Metadata::default() };
        let body = write_body(store, Bytes::new(1, 50_000)).await.expect("written");
        let new = NewObject { key: "a".into(), metadata: metadata.clone(), ..NewObject::default() };
        store.put_object(&bucket, new, body, WriteCondition::None).await.expect("put");
        let headers = Metadata { user: pair("m", "2"), tags: pair("ignored", "1"), ..Metadata::default() };
        for (description, user, tags) in [
            (Description::default(), "1", pair("t", "1")),
            (Description { headers: Some(headers.clone()), tags: None }, "2", pair("t", "1")),
            (Description { headers: None, tags: Some(pair("t", "9")) }, "1", pair("t", "9")),
            (Description { headers: Some(headers), tags: Some(Vec::new()) }, "2", Vec::new()),
        ] {
            let owner = Owner { user: "copier".into(), display_name: "c".into() };
            let new = NewCopy { description, owner: owner.clone(), ..to("b") };
            copy_from(store, source_of(store, &bucket, "a"), &bucket, new).await.expect("copied");
            let (original, copied) = (open(store, &bucket, "a").record, open(store, &bucket, "b").record);
            assert_eq!(copied.metadata, Metadata { user: pair("m", user), tags, ..Metadata::default() });
            assert_eq!(copied.listed.owner, owner);
            assert_eq!(copied.content, original.content);
            assert_eq!(copied.listed.etag, original.listed.etag);
            assert_eq!(copied.listed.checksum, original.listed.checksum);
            assert!(copied.listed.stamp > original.listed.stamp);
        }
    });
}

#[test]
fn the_condition_is_that_of_the_destination() {
    let node = Node::new(8, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "a", Bytes::new(1, 50_000)).await.expect("put");
        let etag = open(store, &bucket, "a").record.listed.etag.to_string();
        let conflict = CopyRefusal::Write(WriteRefusal::Conflict);
        for (condition, key, expected) in [
            (WriteCondition::Absent, "a", Err(conflict)),
            (WriteCondition::Exists, "b", Err(conflict)),
            (WriteCondition::Absent, "b", Ok(())),
            (WriteCondition::Absent, "b", Err(conflict)),
            (WriteCondition::ETagIs(etag), "a", Ok(())),
            (WriteCondition::ETagIs("other".into()), "a", Err(conflict)),
        ] {
            let source = source_of(store, &bucket, "a");
            let result = store.copy_object(source, &bucket, to(key), condition.clone()).await;
            let result = match result {
                Ok(_committed) => Ok(()),
                Err(Refusal::Refused(refusal)) => Err(refusal),
                Err(Refusal::Failed(error)) => panic!("{error}"),
            };
            assert_eq!(result, expected, "{condition:?} {key}");
            node.check_space(monitor).await;
        }
    });
}

#[test]
fn buckets_that_were_deleted_are_noticed_on_both_sides() {
    let node = Node::new(9, 16 * MIB);
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "a", Bytes::new(1, 100)).await.expect("put");
        let source = source_of(store, &bucket, "a");
        delete(store, &bucket, "a").await.expect("deleted");
        store.delete_bucket(&bucket).await.expect("deleted");
        let gone = CopyRefusal::Write(WriteRefusal::NoSuchBucket);
        assert_eq!(copy_from(store, source.clone(), &bucket, to("b")).await, Err(gone));
        let anew = create_bucket(store).await;
        put(store, &anew, "a", Bytes::new(1, 100)).await.expect("put");
        assert_eq!(copy_from(store, source, &anew, to("b")).await, Err(CopyRefusal::SourceGone));
        assert!(matches!(store.open_object(&anew, "b", None), Ok(Lookup::Nothing)));
    });
}

#[test]
fn ranges_of_an_object_are_parts_of_another() {
    let node = Node::new(10, 16 * MIB);
    let content = Bytes::new(1, 8 * MIB + 77);
    let small = Bytes::new(2, 5000);
    let bytes = content.make();
    let ranges = [(3 * MIB + 5, 8 * MIB + 76), (0, 5 * MIB), (8 * MIB + 70, 8 * MIB + 76)];
    let (bucket, id) = node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "source", content).await.expect("put");
        put(store, &bucket, "small", small).await.expect("put");
        let checksum =
            UploadChecksum { algorithm: Algorithm::Crc64Nvme.id(), full_object: true, declared: false };
        let new = NewUpload {
            key: "k".into(),
            metadata: Metadata::default(),
            owner: Owner::default(),
            checksum,
            encryption: None,
        };
        let id = *store.create_upload(&bucket, new).await.expect("begun").value();
        for (number, (first, last)) in (1..).zip(ranges) {
            copy_range(store, &bucket, id, number, "source", Some(first..=last)).await.expect("copied");
            node.check_space(monitor).await;
        }
        copy_range(store, &bucket, id, 4, "small", Some(10..=4000)).await.expect("copied");
        let none = copy_range(store, &bucket, id, 5, "source", None).await.expect("copied");
        assert_eq!((none.bytes, none.segments), (0, Vec::new()));
        for key in ["source", "small"] {
            delete(store, &bucket, key).await.expect("deleted");
        }
        node.check_space(monitor).await;
        (bucket, id)
    });
    node.run(async |store, monitor| {
        node.check_space(monitor).await;
        let gone = copy_range(store, &bucket, UploadId { stamp: 1, ..id }, 1, "k", None).await;
        assert_eq!(gone, Err(PartCopyRefusal::UploadGone));
        let page = store.list_parts(&bucket, "k", id, 0, 10).expect("readable").expect("open");
        let named = page.parts.iter().map(|(number, part)| NamedPart {
            number: u32::from(*number),
            etag: ETag { md5: part.md5, parts: None }.to_string(),
            checksum: None,
        });
        let request = CompleteRequest {
            // The third is too short to stand in the middle.
            parts: named.filter(|part| matches!(part.number, 1 | 2 | 4)).collect(),
            expected: Expected::default(),
            condition: WriteCondition::None,
            admitted_ms: i64::MAX,
        };
        store.complete_upload(&bucket, "k", id, request).await.expect("completed");
        let cut = |bytes: &[u8], first: u64, last: u64| bytes[first as usize..=last as usize].to_vec();
        let [(a, b), (c, d), _] = ranges;
        let expected = [cut(&bytes, a, b), cut(&bytes, c, d), cut(&small.make(), 10, 4000)].concat();
        assert!(get(store, &bucket, "k").await.expect("get") == Some(expected));
        node.check_space(monitor).await;
        delete(store, &bucket, "k").await.expect("deleted");
        assert_eq!(node.check_space_map(), 0);
    });
}

async fn copy_range(
    store: &Store,
    bucket: &BucketRecord,
    id: UploadId,
    number: u16,
    key: &str,
    range: Option<RangeInclusive<u64>>,
) -> Result<PartRecord, PartCopyRefusal> {
    let source = match store.open_object(bucket, key, None).expect("readable") {
        Lookup::Object(object) => Source::new(bucket, key, &object.record.listed),
        _ => Source { bucket: bucket.clone(), key: key.into(), version: VersionId::Null, stamp: 0 },
    };
    let new = NewPartCopy { md5: [number as u8; 16], checksum: Some(crc64(number)) };
    match store.copy_part(source, range, (bucket, "k", id, number), new).await {
        Ok(committed) => Ok(committed.value().clone()),
        Err(Refusal::Refused(refusal)) => Err(refusal),
        Err(Refusal::Failed(error)) => panic!("{error}"),
    }
}

fn crc64(number: u16) -> StoredChecksum {
    let algorithm = Algorithm::Crc64Nvme;
    StoredChecksum { algorithm: algorithm.id(), full_object: true, bytes: vec![number as u8; 8] }
}
