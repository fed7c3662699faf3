use ringstone_io::runtime;

use super::*;
use crate::index::listing::{Item, ListQuery, Marker};
use crate::index::record::Metadata;
use crate::store::objects::Lookup;
use crate::store::preconditions::{Combination, ETags};
use crate::store::put::NewObject;
use crate::store::test_node::{
    Content, MIB, Node, create_bucket, delete, get, open, put, rename, used_blocks, write_body,
};
use crate::store::write_condition::WriteCondition;

fn of(source: &str, destination: &str) -> Rename {
    Rename { source: source.into(), destination: destination.into(), ..Rename::default() }
}

async fn run_one(
    store: &Store,
    bucket: &BucketRecord,
    rename: Rename,
    token: Option<&str>,
) -> Result<(), RenameRefusal> {
    match store.rename_object(bucket, rename, token.map(str::to_owned)).await {
        Ok(_committed) => Ok(()),
        Err(Refusal::Refused(refusal)) => Err(refusal),
        Err(Refusal::Failed(error)) => panic!("{error}"),
    }
}

fn keys(store: &Store, bucket: &BucketRecord) -> Vec<String> {
    let query = ListQuery { prefix: "", delimiter: None, after: Marker::Start, keys_max: 1000 };
    let items = store.list(bucket, &query).expect("listed").items;
    let keys = items.into_iter().filter_map(|item| match item {
        Item::Object { key, .. } => Some(key),
        Item::CommonPrefix(_) => None,
    });
    keys.collect()
}

#[test]
fn everything_moves_but_the_stamp() {
    let node = Node::new(1, 16 * MIB);
    let content = Content::new(1, 2 * MIB);
    let bucket = node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        let metadata = Metadata { tags: vec![("t".into(), "1".into())], ..Metadata::default() };
        let new = NewObject { key: "a".into(), metadata, ..NewObject::default() };
        let body = write_body(store, content).await.expect("written");
        store.put_object(&bucket, new, body, WriteCondition::None).await.expect("put");
        put(store, &bucket, "b", Content::new(2, 3 * MIB)).await.expect("put");
        let before = open(store, &bucket, "a").record;
        assert!(rename(store, &bucket, "a", "b").await.expect("renamed"));
        let mut after = open(store, &bucket, "b").record;
        assert!(after.listed.stamp > before.listed.stamp);
        after.listed.stamp = before.listed.stamp;
        assert_eq!(after, before);
        assert_eq!(keys(store, &bucket), ["b"]);
        node.check_space(monitor).await;
        bucket
    });
    node.run(async |store, monitor| {
        assert!(get(store, &bucket, "b").await.expect("get") == Some(content.make()));
        assert!(!rename(store, &bucket, "a", "b").await.expect("nothing to rename"));
        delete(store, &bucket, "b").await.expect("deleted");
        assert_eq!(used_blocks(monitor), 0);
    });
}

#[test]
fn what_was_replaced_stays_with_its_readers() {
    let node = Node::new(2, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "a", Content::new(1, MIB)).await.expect("put");
        put(store, &bucket, "b", Content::new(2, MIB)).await.expect("put");
        let (source, replaced) = (open(store, &bucket, "a"), open(store, &bucket, "b"));
        rename(store, &bucket, "a", "b").await.expect("renamed");
        for number in 0..8 {
            put(store, &bucket, &number.to_string(), Content::new(3, MIB)).await.expect("put");
        }
        let whole = || 0..=MIB - 1;
        let read = crate::store::test_node::read;
        assert!(read(store, source, whole()).await.expect("read") == Content::new(1, MIB).make());
        assert!(read(store, replaced, whole()).await.expect("read") == Content::new(2, MIB).make());
        node.check_space(monitor).await;
    });
}

#[test]
fn checks_come_in_their_order() {
    let node = Node::new(3, 16 * MIB);
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "a", Content::new(1, 10)).await.expect("put");
        put(store, &bucket, "b", Content::new(2, 10)).await.expect("put");
        let fails = Preconditions { is_none_of: Some(ETags::Any), ..Preconditions::default() };
        let both = |source: &str, destination: &str| Rename {
            of_source: fails.clone(),
            of_destination: fails.clone(),
            ..of(source, destination)
        };
        let unmet = Unmet::IsNoneOf;
        for (rename, expected) in [
            (both("absent", "b"), RenameRefusal::NoSuchKey),
            (both("a", "b"), RenameRefusal::SourceCondition(unmet)),
            (
                Rename { of_source: Preconditions::default(), ..both("a", "b") },
                RenameRefusal::DestinationCondition(unmet),
            ),
            (
                Rename { of_source: Preconditions::default(), ..both("a", "a") },
                RenameRefusal::DestinationCondition(unmet),
            ),
            (of("a", "a"), RenameRefusal::OntoItself),
            (of("absent", "absent"), RenameRefusal::NoSuchKey),
        ] {
            assert_eq!(run_one(store, &bucket, rename, None).await, Err(expected));
        }
        assert_eq!(keys(store, &bucket), ["a", "b"]);
        for versioning in [Versioning::Enabled, Versioning::Suspended] {
            store.set_versioning(&bucket, versioning).await.expect("set");
            for token in [None, Some("token")] {
                let refused = run_one(store, &bucket, both("absent", "b"), token).await;
                assert_eq!(refused, Err(RenameRefusal::Versioned));
            }
        }
    });
}

#[test]
fn conditions_are_judged_on_both_sides() {
    let node = Node::new(4, 16 * MIB);
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "a", Content::new(1, 10)).await.expect("put");
        let listed = open(store, &bucket, "a").record.listed;
        let (etag, modified_s) = (listed.etag.to_string(), listed.last_modified_ms.div_euclid(1000));
        let named = |etag: &str| Some(ETags::Listed(vec![etag.to_owned()]));
        let all = Preconditions { combination: Combination::All, ..Preconditions::default() };
        let holds = Preconditions {
            is_one_of: named(&etag),
            is_none_of: named("other"),
            modified_since: Some(modified_s - 1),
            unmodified_since: Some(modified_s),
            ..all.clone()
        };
        let fails = [
            (Preconditions { is_one_of: named("other"), ..holds.clone() }, Unmet::IsOneOf),
            (Preconditions { is_none_of: named(&etag), ..holds.clone() }, Unmet::IsNoneOf),
            (Preconditions { modified_since: Some(modified_s), ..holds.clone() }, Unmet::ModifiedSince),
            (
                Preconditions { unmodified_since: Some(modified_s - 1), ..holds.clone() },
                Unmet::UnmodifiedSince,
            ),
        ];
        for (conditions, unmet) in fails {
            let rename = Rename { of_source: conditions.clone(), ..of("a", "b") };
            assert_eq!(
                run_one(store, &bucket, rename, None).await,
                Err(RenameRefusal::SourceCondition(unmet))
            );
            let rename = Rename { of_destination: conditions, ..of("a", "a") };
            let refused = run_one(store, &bucket, rename, None).await;
            assert_eq!(refused, Err(RenameRefusal::DestinationCondition(unmet)));
        }
        let absent = Preconditions { is_none_of: Some(ETags::Any), ..all };
        let rename = Rename { of_source: holds, of_destination: absent, ..of("a", "b") };
        assert_eq!(run_one(store, &bucket, rename, None).await, Ok(()));
    });
}

#[test]
fn a_token_acts_once_and_outlives_the_process() {
    let node = Node::new(5, 16 * MIB);
    let bucket = node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "a", Content::new(1, 10)).await.expect("put");
        // What fails is not remembered.
        let absent = Preconditions { is_one_of: Some(ETags::Any), ..Preconditions::default() };
        let conditional = Rename { of_destination: absent, ..of("a", "b") };
        assert!(run_one(store, &bucket, conditional, Some("t")).await.is_err());
        assert_eq!(run_one(store, &bucket, of("a", "b"), Some("t")).await, Ok(()));
        bucket
    });
    node.run(async |store, _| {
        assert_eq!(run_one(store, &bucket, of("a", "b"), Some("t")).await, Ok(()));
        put(store, &bucket, "a", Content::new(2, 10)).await.expect("put");
        assert_eq!(run_one(store, &bucket, of("a", "b"), Some("t")).await, Ok(()));
        assert_eq!(keys(store, &bucket), ["a", "b"], "answered, not done");
        let any = Preconditions { is_none_of: Some(ETags::Any), ..Preconditions::default() };
        for other in [
            of("a", "c"),
            of("c", "b"),
            Rename { of_source: any.clone(), ..of("a", "b") },
            Rename { of_destination: any, ..of("a", "b") },
        ] {
            assert_eq!(run_one(store, &bucket, other, Some("t")).await, Err(RenameRefusal::TokenMismatch));
        }
        assert_eq!(run_one(store, &bucket, of("a", "c"), Some("u")).await, Ok(()));
        delete(store, &bucket, "b").await.expect("deleted");
        assert_eq!(run_one(store, &bucket, of("a", "b"), Some("t")).await, Ok(()));
        assert_eq!(keys(store, &bucket), ["c"]);
    });
}

#[test]
fn of_many_renames_of_one_object_one_wins() {
    let node = Node::new(6, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "a", Content::new(1, MIB)).await.expect("put");
        let tasks: Vec<_> = (0..20)
            .map(|number| {
                let (store, bucket) = (store.clone(), bucket.clone());
                runtime::spawn(
                    async move { run_one(&store, &bucket, of("a", &format!("b{number}")), None).await },
                )
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            match task.await {
                Ok(()) => won += 1,
                Err(refusal) => assert_eq!(refusal, RenameRefusal::NoSuchKey),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(keys(store, &bucket).len(), 1);
        node.check_space(monitor).await;
    });
}

#[test]
fn a_reader_sees_exactly_one_of_the_two_keys() {
    let node = Node::new(7, 16 * MIB);
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        let content = Content::new(1, 100_000);
        put(store, &bucket, "a", content).await.expect("put");
        let renaming = {
            let (store, bucket) = (store.clone(), bucket.clone());
            runtime::spawn(async move {
                for turn in 0..200 {
                    let (from, to) = if turn % 2 == 0 { ("a", "b") } else { ("b", "a") };
                    assert!(rename(&store, &bucket, from, to).await.expect("renamed"));
                }
            })
        };
        let mut looks = 0;
        let mut renaming = std::pin::pin!(renaming);
        while std::future::poll_fn(|context| {
            use std::future::Future;
            std::task::Poll::Ready(renaming.as_mut().poll(context).is_pending())
        })
        .await
        {
            assert_eq!(keys(store, &bucket).len(), 1);
            let both = ["a", "b"].map(|key| store.open_object(&bucket, key, None).expect("readable"));
            for object in both {
                if let Lookup::Object(object) = object {
                    let read = crate::store::test_node::read(store, object, 0..=99_999).await;
                    assert!(read.expect("its bytes stay") == content.make());
                }
            }
            looks += 1;
            runtime::sleep(std::time::Duration::from_micros(50)).await;
        }
        assert!(looks > 10);
    });
}
