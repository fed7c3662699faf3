//! Bodies under a customer's key, over a simulated disk.

use std::ops::RangeInclusive;
use std::rc::Rc;

use crate::config::limits::{INLINE_BODY_BYTES_MAX, SEALED_FRAME_PLAINTEXT_BYTES};
use crate::index::record::BucketRecord;
use crate::seal::CustomerKey;
use crate::store::Store;
use crate::store::body_writer::NewBody;
use crate::store::error::StoreError;
use crate::store::put::NewObject;
use crate::store::test_node::{Content, MIB, Node, create_bucket, fill, open, read_with};
use crate::store::write_condition::WriteCondition;

const FRAME: u64 = SEALED_FRAME_PLAINTEXT_BYTES as u64;

fn key(byte: u8) -> CustomerKey {
    CustomerKey::new(&[byte; 32])
}

async fn put_sealed(store: &Store, bucket: &BucketRecord, content: Content, key: &CustomerKey) {
    let size_bytes = content.bytes as u64;
    let body = NewBody { size_bytes, key: Some(key), ..NewBody::default() };
    let written = fill(store.body_writer(&body).expect("accepted"), content).await.expect("written");
    assert!(written.md5.is_none(), "nobody asked for it");
    let encryption = Some(key.new_check().expect("random numbers"));
    let new = NewObject { key: "k".into(), encryption, ..NewObject::default() };
    store.put_object(bucket, new, written, WriteCondition::None).await.expect("put");
}

async fn get(
    store: &Store,
    bucket: &BucketRecord,
    wanted: RangeInclusive<u64>,
    key: CustomerKey,
) -> Result<Vec<u8>, StoreError> {
    read_with(store, open(store, bucket, "k"), wanted, Some(Rc::new(key))).await
}

#[test]
fn sealed_bodies_of_every_edge_size_come_back_to_their_key_alone() {
    let node = Node::new(1, 16 * MIB);
    let bucket = node.run(async |store, _| create_bucket(store).await);
    node.run(async |store, monitor| {
        let inline = INLINE_BODY_BYTES_MAX;
        for size in [1, inline, inline + 1, FRAME - 1, FRAME, FRAME + 1, 4 * FRAME, 9 * FRAME + 77] {
            let content = Content::new(size, size);
            put_sealed(store, &bucket, content, &key(1)).await;
            let plain = content.make();
            for edge in [0, 1, FRAME - 1, FRAME, 4 * FRAME - 1, 4 * FRAME, size - 1] {
                let last = (edge + 1).min(size - 1);
                if edge <= last {
                    let found = get(store, &bucket, edge..=last, key(1)).await.expect("opens");
                    assert_eq!(found, plain[edge as usize..=last as usize], "{edge}..={last} of {size}");
                }
            }
            assert!(get(store, &bucket, 0..=size - 1, key(1)).await.expect("opens") == plain, "{size}");
            let other = get(store, &bucket, 0..=size - 1, key(2)).await;
            assert!(matches!(other, Err(StoreError::Unsealed)), "{size}");
            node.check_space(monitor).await;
        }
    });
}

#[test]
fn the_same_content_twice_is_two_ciphertexts() {
    let node = Node::new(2, 16 * MIB);
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        let content = Content::new(5, 1000);
        let mut seen = Vec::new();
        for _ in 0..2 {
            put_sealed(store, &bucket, content, &key(1)).await;
            let record = open(store, &bucket, "k").record;
            seen.push((record.listed.etag, record.content.segments));
        }
        assert_ne!(seen[0].0, seen[1].0, "an ETag says nothing of the content");
        assert_ne!(seen[0].1, seen[1].1);
    });
}
