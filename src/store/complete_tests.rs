//! Completions over a simulated disk: what is made, what is refused and in which order, what happens twice.

use std::time::Instant;

use ringstone_io::runtime;

use crate::index::engine::Engine;
use crate::index::record::Versioning;
use crate::index::record::{Metadata, Owner};
use crate::store::body_writer::NewBody;
use crate::store::copy::{NewPartCopy, Source};
use crate::store::delete::DeleteRequest;
use crate::store::multipart::{NewPart, NewUpload};
use crate::store::objects::Lookup;
use crate::store::test_node::{Content, MIB, Node, create_bucket, fill, get, open, put, read};

use super::*;

const MIN: u64 = PART_BYTES_MIN;

fn checksum(algorithm: Algorithm, full_object: bool) -> UploadChecksum {
    UploadChecksum { algorithm: algorithm.id(), full_object, declared: true }
}

async fn begin(store: &Store, bucket: &BucketRecord, checksum: UploadChecksum) -> UploadId {
    let metadata = Metadata { user: vec![("a".into(), "1".into())], ..Metadata::default() };
    let owner = Owner { user: "initiator".into(), display_name: "i".into() };
    let new = NewUpload { key: "k".into(), metadata, owner, checksum, encryption: None };
    *store.create_upload(bucket, new).await.expect("begun").value()
}

/// Uploads a part of pseudorandom bytes and names it.
async fn part(
    store: &Store,
    bucket: &BucketRecord,
    id: UploadId,
    number: u16,
    bytes: u64,
    algorithm: Algorithm,
) -> NamedPart {
    let new = NewBody { size_bytes: bytes, checksums: &[algorithm], ..NewBody::default() };
    let writer = store.body_writer(&new).expect("accepted");
    let body = fill(writer, content(number, bytes)).await.expect("written");
    let digest = body.checksums[0];
    let new = NewPart {
        bytes,
        md5: body.etag_md5,
        checksum: Some(StoredChecksum::of(&digest, true)),
        segments: body.segment.into_iter().collect(),
        data: body.data,
    };
    let put = store.put_part(bucket, "k", id, number, new).await.expect("put");
    let etag = ETag { md5: put.value().md5, parts: None }.to_string();
    NamedPart { number: u32::from(number), etag, checksum: Some(digest) }
}

fn content(number: u16, bytes: u64) -> Content {
    Content::new(u64::from(number) << 32 | bytes, bytes)
}

fn request(parts: &[NamedPart]) -> CompleteRequest {
    CompleteRequest {
        parts: parts.to_vec(),
        expected: Expected::default(),
        condition: WriteCondition::None,
        admitted_ms: i64::MAX,
    }
}

async fn complete(
    store: &Store,
    bucket: &BucketRecord,
    id: UploadId,
    request: CompleteRequest,
) -> Refused<Listed> {
    match store.complete_upload(bucket, "k", id, request).await {
        Ok(committed) => Ok(committed.value().clone()),
        Err(Refusal::Refused(refusal)) => Err(refusal),
        Err(Refusal::Failed(error)) => panic!("{error}"),
    }
}

fn digest_of_bytes(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish()
}

fn md5_of(bytes: &[u8]) -> [u8; 16] {
    let mut md5 = Md5::new();
    md5.update(bytes);
    md5.finish()
}

#[test]
fn named_parts_become_the_object_and_the_others_are_freed() {
    let node = Node::new(1, 64 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "k", Content::new(1, 100_000)).await.expect("put");
        let id = begin(store, &bucket, checksum(Algorithm::Crc32, true)).await;
        let sizes = [(2, MIN), (3, MIB), (700, MIN + 77), (9_999, 20), (10_000, MIB)];
        let mut named = Vec::new();
        for (number, bytes) in sizes {
            named.push(part(store, &bucket, id, number, bytes, Algorithm::Crc32).await);
        }
        let named = [named[0].clone(), named[2].clone(), named[3].clone()];
        let listed = complete(store, &bucket, id, request(&named)).await.expect("completed");
        let contents: Vec<Vec<u8>> = [(2, MIN), (700, MIN + 77), (9_999, 20)]
            .map(|(number, bytes)| content(number, bytes).make())
            .into();
        let whole = contents.concat();
        assert_eq!(listed.size, whole.len() as u64);
        let digests: Vec<u8> = contents.iter().flat_map(|content| md5_of(content)).collect();
        assert_eq!(listed.etag, ETag { md5: md5_of(&digests), parts: Some(3) });
        let expected = StoredChecksum::of(&digest_of_bytes(Algorithm::Crc32, &whole), true);
        assert_eq!(listed.checksum, Some(expected));
        assert_eq!(listed.owner.user, "initiator");

        let object = open(store, &bucket, "k");
        assert_eq!(object.record.listed, listed);
        assert_eq!(object.record.metadata.user, [("a".to_owned(), "1".to_owned())]);
        let parts: Vec<_> =
            object.record.content.parts.iter().map(|part| (part.number, part.bytes)).collect();
        assert_eq!(parts, [(2, MIN), (700, MIN + 77), (9_999, 20)]);
        // Over the border of two parts.
        let around = read(store, object, MIN - 3..=MIN + 3).await.expect("readable");
        assert_eq!(around, whole[MIN as usize - 3..=MIN as usize + 3]);
        assert!(get(store, &bucket, "k").await.expect("readable").expect("there") == whole);
        assert_eq!(store.upload(&bucket, "k", id).expect("readable"), None);
        node.check_space(monitor).await;
    });
}

#[test]
fn checksums_of_the_whole_are_those_of_its_bytes_or_of_its_parts() {
    let node = Node::new(2, 64 * MIB);
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        let sizes = [(1, MIN), (2, MIN + 1), (3, 0)];
        let whole = sizes.map(|(number, bytes)| content(number, bytes).make()).concat();
        for (algorithm, full_object) in [
            (Algorithm::Crc32, true),
            (Algorithm::Crc32c, true),
            (Algorithm::Crc64Nvme, true),
            (Algorithm::Crc32c, false),
            (Algorithm::Sha1, false),
            (Algorithm::Sha256, false),
        ] {
            let id = begin(store, &bucket, checksum(algorithm, full_object)).await;
            let mut named = Vec::new();
            for (number, bytes) in sizes {
                named.push(part(store, &bucket, id, number, bytes, algorithm).await);
            }
            let digests: Vec<u8> =
                named.iter().flat_map(|part| part.checksum.expect("named").bytes().to_vec()).collect();
            let summed = if full_object { &whole } else { &digests };
            let digest = digest_of_bytes(algorithm, summed);
            let expected = Expected {
                checksum: Some(StatedChecksum { digest, parts: (!full_object).then_some(3) }),
                full_object: Some(full_object),
                size: Some(whole.len() as u64),
            };
            let request = CompleteRequest { expected, ..request(&named) };
            let listed = complete(store, &bucket, id, request).await.expect("completed");
            assert_eq!(listed.checksum, Some(StoredChecksum::of(&digest, full_object)));
        }
    });
}

/// The refusals in their order: each request also has every fault that is judged later.
#[test]
fn the_first_fault_is_told_and_the_upload_stays() {
    let node = Node::new(3, 64 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "k", Content::new(1, 10)).await.expect("put");
        let id = begin(store, &bucket, checksum(Algorithm::Crc32, false)).await;
        let large = part(store, &bucket, id, 1, MIN, Algorithm::Crc32).await;
        let small = part(store, &bucket, id, 2, 10, Algorithm::Crc32).await;
        let last = part(store, &bucket, id, 3, 0, Algorithm::Crc32).await;
        let sha = digest_of_bytes(Algorithm::Sha256, b"");
        let wrong = digest_of_bytes(Algorithm::Crc32, b"other");
        let with = |part: &NamedPart, checksum| NamedPart { checksum, ..part.clone() };
        let at = |part: &NamedPart, number| NamedPart { number, ..part.clone() };
        let refused =
            |part: &NamedPart| CompleteRefusal::Part { number: part.number, etag: part.etag.clone() };
        let quoted = NamedPart { etag: format!("\"{}\"", small.etag), ..small.clone() };
        let too_small = CompleteRefusal::PartTooSmall { number: 2, etag: small.etag.clone(), bytes: 10 };
        let missing = CompleteRefusal::PartChecksumMissing { number: 1, algorithm: Algorithm::Crc32 };
        let other = CompleteRefusal::PartChecksumAlgorithm { number: 1, sent: Algorithm::Sha256 };
        let faults: Vec<(Vec<NamedPart>, CompleteRefusal)> = vec![
            (vec![at(&large, 0), small.clone(), at(&large, 2)], CompleteRefusal::PartNumber(0)),
            (vec![at(&large, 10_001), at(&large, 3)], CompleteRefusal::PartNumber(10_001)),
            (vec![small.clone(), at(&large, 1), at(&small, 9)], CompleteRefusal::PartOrder),
            (vec![small.clone(), small.clone()], CompleteRefusal::PartOrder),
            (vec![small.clone(), at(&last, 9)], refused(&at(&last, 9))),
            (vec![small.clone(), at(&large, 3)], refused(&at(&large, 3))),
            (vec![large.clone(), quoted.clone()], refused(&quoted)),
            (vec![with(&large, None), small.clone(), last.clone()], too_small),
            (vec![with(&large, None), with(&small, Some(wrong))], missing),
            (vec![with(&large, Some(sha)), with(&small, Some(wrong))], other),
            (vec![large.clone(), with(&small, Some(wrong))], refused(&small)),
            (vec![large.clone(), small.clone()], CompleteRefusal::ChecksumType { full_object: false }),
        ];
        let expected = Expected {
            checksum: Some(StatedChecksum { digest: sha, parts: None }),
            full_object: Some(true),
            size: Some(1),
        };
        let faulty = |parts: &[NamedPart]| CompleteRequest {
            expected: expected.clone(),
            condition: WriteCondition::Absent,
            ..request(parts)
        };
        for (parts, refusal) in faults {
            assert_eq!(complete(store, &bucket, id, faulty(&parts)).await, Err(refusal));
        }
        let good = [large, small];
        let mut request = faulty(&good);
        request.expected.full_object = Some(false);
        let sent = Algorithm::Sha256;
        assert_eq!(
            complete(store, &bucket, id, request.clone()).await,
            Err(CompleteRefusal::Checksum { sent })
        );
        request.expected.checksum = None;
        let size = CompleteRefusal::Size { bytes: MIN + 10 };
        assert_eq!(complete(store, &bucket, id, request.clone()).await, Err(size));
        request.expected.size = None;
        let failed = CompleteRefusal::Write(WriteRefusal::ConditionFailed);
        assert_eq!(complete(store, &bucket, id, request.clone()).await, Err(failed));
        node.check_space(monitor).await;
        request.condition = WriteCondition::Exists;
        complete(store, &bucket, id, request).await.expect("completed after all that");
        node.check_space(monitor).await;
    });
}

#[test]
fn the_same_request_again_or_at_once_makes_one_version() {
    let node = Node::new(4, 16 * MIB);
    let bucket = node.run(async |store, _| create_bucket(store).await);
    let (id, named, first) = node.run(async |store, _| {
        store.set_versioning(&bucket, Versioning::Enabled).await.expect("set");
        let id = begin(store, &bucket, checksum(Algorithm::Crc32, true)).await;
        let named = [part(store, &bucket, id, 1, 70_000, Algorithm::Crc32).await];
        let racing: Vec<_> = (0..8)
            .map(|_| {
                let (store, bucket, request) = (store.clone(), bucket.clone(), request(&named));
                runtime::spawn(async move { complete(&store, &bucket, id, request).await })
            })
            .collect();
        let mut stamps = Vec::new();
        for outcome in racing {
            stamps.push(outcome.await.expect("completed"));
        }
        assert!(stamps.windows(2).all(|pair| pair[0] == pair[1]), "{stamps:?}");
        (id, named, stamps[0].clone())
    });
    node.run(async |store, monitor| {
        // With a condition that only the first could meet, and after a restart.
        let again = CompleteRequest { condition: WriteCondition::Absent, ..request(&named) };
        assert_eq!(complete(store, &bucket, id, again).await, Ok(first.clone()));
        let other_etag = [NamedPart { etag: "0".repeat(32), ..named[0].clone() }];
        let fewer = [NamedPart { checksum: None, ..named[0].clone() }];
        for other in [&other_etag, &fewer] {
            assert_eq!(
                complete(store, &bucket, id, request(other)).await,
                Err(CompleteRefusal::NoSuchUpload)
            );
        }
        let other_key = store.complete_upload(&bucket, "k2", id, request(&named)).await;
        assert!(matches!(other_key, Err(Refusal::Refused(CompleteRefusal::NoSuchUpload))));
        // The memory is of the answer, not of the object.
        let version = Some(crate::store::version_id::VersionId::of(&first));
        let request_to_delete = DeleteRequest { key: "k".into(), version, ..DeleteRequest::default() };
        store.delete_object(&bucket, request_to_delete).await.expect("deleted");
        assert_eq!(complete(store, &bucket, id, request(&named)).await, Ok(first.clone()));
        assert!(matches!(store.open_object(&bucket, "k", None).expect("readable"), Lookup::Nothing));
        assert_eq!(node.check_space_map(), 0);
        node.check_space(monitor).await;
    });
}

#[test]
fn a_write_that_came_in_meanwhile_is_a_conflict_and_one_before_is_not() {
    let node = Node::new(5, 16 * MIB);
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        let id = begin(store, &bucket, checksum(Algorithm::Crc32, true)).await;
        let named = [part(store, &bucket, id, 1, 10, Algorithm::Crc32).await];
        let absent = |admitted_ms| CompleteRequest {
            condition: WriteCondition::Absent,
            admitted_ms,
            ..request(&named)
        };
        let tag = CompleteRequest { condition: WriteCondition::ETagIs("x".into()), ..request(&named) };
        let refused = |refusal| Err(CompleteRefusal::Write(refusal));
        assert_eq!(complete(store, &bucket, id, tag).await, refused(WriteRefusal::NoSuchKey));
        put(store, &bucket, "k", Content::new(1, 10)).await.expect("put");
        assert_eq!(complete(store, &bucket, id, absent(0)).await, refused(WriteRefusal::Conflict));
        let failed = complete(store, &bucket, id, absent(i64::MAX)).await;
        assert_eq!(failed, refused(WriteRefusal::ConditionFailed));
        complete(store, &bucket, id, request(&named)).await.expect("completed");
    });
}

#[test]
fn a_checksum_that_the_upload_did_not_ask_for_is_not_held_against_a_part() {
    let node = Node::new(6, 16 * MIB);
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        let own = UploadChecksum { declared: false, ..checksum(Algorithm::Crc64Nvme, true) };
        let id = begin(store, &bucket, own).await;
        let named = part(store, &bucket, id, 1, 10, Algorithm::Crc64Nvme).await;
        let wrong = NamedPart { checksum: Some(digest_of_bytes(Algorithm::Crc64Nvme, b"")), ..named.clone() };
        let refused = CompleteRefusal::Part { number: 1, etag: named.etag.clone() };
        assert_eq!(complete(store, &bucket, id, request(&[wrong])).await, Err(refused));
        let other = NamedPart { checksum: Some(digest_of_bytes(Algorithm::Crc32, b"")), ..named };
        complete(store, &bucket, id, request(&[other])).await.expect("completed");
    });
}

/// Prints how long the committer is busy with the longest list of parts: `cargo test --release --lib -- --ignored
/// --nocapture time_of`.
#[test]
#[ignore = "a measurement"]
fn time_of_completing_ten_thousand_parts() {
    let directory = tempfile::tempdir().expect("a directory");
    let engine = Engine::open(directory.path()).expect("an index");
    let node = Node { engine, ..Node::new(1, 64 * MIB) };
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        for (algorithm, full_object) in
            [(Algorithm::Crc64Nvme, true), (Algorithm::Crc32, true), (Algorithm::Sha256, false)]
        {
            let id = begin(store, &bucket, checksum(algorithm, full_object)).await;
            let first = part(store, &bucket, id, 1, MIN, algorithm).await;
            put(store, &bucket, "source", content(1, MIN)).await.expect("put");
            let source = open(store, &bucket, "source").record.listed;
            let mut named = vec![first.clone()];
            let mut waiting = Vec::new();
            for number in 2..=PARTS_MAX {
                let checksum = first.checksum.map(|digest| StoredChecksum::of(&digest, true));
                let new = NewPartCopy { md5: source.etag.md5, checksum };
                let from = Source::new(&bucket, "source", &source);
                named.push(NamedPart { number: u32::from(number), ..first.clone() });
                let (store, bucket) = (store.clone(), bucket.clone());
                waiting.push(runtime::spawn(async move {
                    let place = (&bucket, "k", id, number);
                    store.copy_part(from, Some(0..=MIN - 1), place, new).await.map(|_| ()).expect("copied");
                }));
                if waiting.len() == 500 {
                    for task in waiting.drain(..) {
                        task.await;
                    }
                }
            }
            for task in waiting {
                task.await;
            }
            let began = Instant::now();
            let listed = complete(store, &bucket, id, request(&named)).await.expect("completed");
            let taken = began.elapsed();
            assert_eq!(listed.size, u64::from(PARTS_MAX) * MIN);
            println!("{} {full_object}: {:.1} ms", algorithm.name(), taken.as_secs_f64() * 1000.0);
        }
    });
}
