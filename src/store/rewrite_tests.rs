use super::*;
use crate::config::limits::{FRAME_PAYLOAD_BYTES, INLINE_BODY_BYTES_MAX, SEALED_FRAME_PLAINTEXT_BYTES};
use crate::index::record::BucketRecord;
use crate::store::objects::Lookup;
use crate::store::put::NewObject;
use crate::store::test_node::{Content, MIB, Node, create_bucket, open, put, read_with};
use crate::store::write_condition::WriteCondition;

fn key(byte: u8) -> Rc<CustomerKey> {
    Rc::new(CustomerKey::new(&[byte; 32]))
}

/// What is known of a body once it is written.
struct Written {
    etag_md5: [u8; 16],
    md5: Option<[u8; 16]>,
    checksums: Vec<Digest>,
}

/// Writes the bytes of `from` anew as `to`, from under one key to under another.
async fn rewrite(
    store: &Store,
    bucket: &BucketRecord,
    (from, from_key): (&str, Option<Rc<CustomerKey>>),
    (to, to_key): (&str, Option<&CustomerKey>),
    range: Option<RangeInclusive<u64>>,
) -> Result<Written, StoreError> {
    let object = open(store, bucket, from);
    let size_bytes = range.as_ref().map_or(0, |range| range.end() - range.start() + 1);
    let new = NewBody { size_bytes, checksums: &[Algorithm::Sha256], key: to_key, needs_md5: true };
    let body = store.rewrite(object, range, from_key, &new).await?;
    let encryption = to_key.map(|key| key.new_check().expect("random numbers"));
    let new = NewObject { key: to.into(), encryption, ..NewObject::default() };
    let sums = Written { etag_md5: body.etag_md5, md5: body.md5, checksums: body.checksums.clone() };
    store.put_object(bucket, new, body, WriteCondition::None).await.expect("put");
    Ok(sums)
}

async fn get(store: &Store, bucket: &BucketRecord, name: &str, key: Option<Rc<CustomerKey>>) -> Vec<u8> {
    let Ok(Lookup::Object(object)) = store.open_object(bucket, name, None) else { panic!("no {name}") };
    let Some(last) = object.record.listed.size.checked_sub(1) else { return Vec::new() };
    read_with(store, object, 0..=last, key).await.expect("readable")
}

fn sums_of(bytes: &[u8]) -> ([u8; 16], Digest) {
    let (mut md5, mut sha256) = (Md5::new(), Hasher::new(Algorithm::Sha256));
    md5.update(bytes);
    sha256.update(bytes);
    (md5.finish(), sha256.finish())
}

#[test]
fn bytes_go_from_key_to_key_and_come_out_the_same() {
    let edges = [INLINE_BODY_BYTES_MAX, FRAME_PAYLOAD_BYTES as u64, SEALED_FRAME_PLAINTEXT_BYTES as u64];
    let around = edges.iter().flat_map(|edge| [edge - 1, *edge, edge + 1]);
    let node = Node::new(1, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        for size in [0, 1].into_iter().chain(around).chain([3 * MIB + 1]) {
            let content = Content::new(size, size);
            put(store, &bucket, "plain", content).await.expect("put");
            let bytes = content.make();
            let (md5, sha256) = sums_of(&bytes);
            let whole = || size.checked_sub(1).map(|last| 0..=last);
            let (one, two) = (key(1), key(2));
            for (from, from_key, to, to_key) in [
                ("plain", None, "one", Some(&one)),
                ("one", Some(&one), "two", Some(&two)),
                ("two", Some(&two), "two", Some(&one)),
                ("two", Some(&one), "out", None),
                ("out", None, "out", None),
            ] {
                let to_key = to_key.map(Rc::as_ref);
                let sums = rewrite(store, &bucket, (from, from_key.cloned()), (to, to_key), whole()).await;
                let sums = sums.expect("written");
                assert_eq!((sums.md5, &sums.checksums[..]), (Some(md5), &[sha256][..]), "{size}");
                assert_eq!(sums.etag_md5 == md5, to_key.is_none(), "a sealed body's ETag says nothing");
            }
            assert!(get(store, &bucket, "one", Some(one.clone())).await == bytes);
            assert!(get(store, &bucket, "two", Some(one)).await == bytes);
            assert!(get(store, &bucket, "out", None).await == bytes);
            node.check_space(monitor).await;
        }
    });
}

#[test]
fn ranges_are_written_and_summed() {
    let node = Node::new(2, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        for size in [5000, 2 * MIB] {
            let content = Content::new(size, size);
            put(store, &bucket, "a", content).await.expect("put");
            let bytes = content.make();
            for (first, last) in [(0, 0), (1, size - 2), (size / 2, size - 1)] {
                let expected = &bytes[first as usize..=last as usize];
                let range = Some(first..=last);
                rewrite(store, &bucket, ("a", None), ("b", None), range.clone()).await.expect("written");
                assert!(get(store, &bucket, "b", None).await == expected);
                let sums = store
                    .sums(open(store, &bucket, "a"), range, Some(Algorithm::Sha256))
                    .await
                    .expect("read");
                let (md5, sha256) = sums_of(expected);
                assert_eq!((sums.md5, sums.checksum), (md5, Some(sha256)));
            }
        }
        let nothing = store.sums(open(store, &bucket, "a"), None, None).await.expect("read");
        assert_eq!((nothing.md5, nothing.checksum), (sums_of(b"").0, None));
        node.check_space(monitor).await;
    });
}

#[test]
fn a_wrong_key_writes_nothing() {
    let node = Node::new(3, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        for size in [100, MIB] {
            put(store, &bucket, "a", Content::new(1, size)).await.expect("put");
            let whole = || Some(0..=size - 1);
            let one = key(1);
            rewrite(store, &bucket, ("a", None), ("one", Some(&one)), whole()).await.expect("written");
            for wrong in [None, Some(key(2))] {
                let refused = rewrite(store, &bucket, ("one", wrong), ("b", None), whole()).await;
                assert!(matches!(refused, Err(StoreError::Unsealed)));
            }
            node.check_space(monitor).await;
        }
    });
}

/// Each holds buffers while it waits for more; all of them at once would hold the whole pool.
#[test]
fn many_at_once_do_not_wait_for_each_other_for_ever() {
    let node = Node::new(4, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        let size = 3 * MIB;
        put(store, &bucket, "a", Content::new(1, size)).await.expect("put");
        let tasks: Vec<_> = (0..60)
            .map(|number| {
                let (store, bucket) = (store.clone(), bucket.clone());
                runtime::spawn(async move {
                    let to = format!("b{number}");
                    rewrite(&store, &bucket, ("a", None), (&to, None), Some(0..=size - 1)).await.is_ok()
                })
            })
            .collect();
        for task in tasks {
            assert!(task.await);
        }
        assert!(get(store, &bucket, "b59", None).await == Content::new(1, size).make());
        assert_eq!(store.buffers().available(), store.buffers().capacity());
        node.check_space(monitor).await;
    });
}
