//! Versions, one transition at a time: what each state of a bucket does to a key, what a removal brings back.

use crate::index::record::TagSet;
use crate::index::record::{BucketRecord, Listed, Versioning};
use crate::index::version_listing::{VersionItem, VersionMarker, VersionQuery};
use crate::store::Store;
use crate::store::buckets::DeleteBucketRefusal;
use crate::store::delete::DeleteRequest;
use crate::store::error::Refusal;
use crate::store::objects::Lookup;
use crate::store::put::NewObject;
use crate::store::tags::TagRefusal;
use crate::store::test_node::{Content, MIB, Node, create_bucket, get, write_body};
use crate::store::version_id::VersionId;
use crate::store::versions::Deleted;
use crate::store::write_condition::WriteCondition;

const NULL: VersionId = VersionId::Null;

/// The key `k` of a bucket.
struct Key<'s> {
    store: &'s Store,
    bucket: BucketRecord,
}

impl<'s> Key<'s> {
    async fn new(store: &'s Store, versioning: Versioning) -> Self {
        let mut key = Self { store, bucket: create_bucket(store).await };
        if versioning != Versioning::Unset {
            key.set(versioning).await;
        }
        key
    }

    async fn set(&mut self, versioning: Versioning) {
        self.store.set_versioning(&self.bucket, versioning).await.expect("set");
        self.bucket = self.store.bucket(&self.bucket.name).expect("readable").expect("there");
    }

    async fn put(&self, bytes: u64) -> VersionId {
        let body = write_body(self.store, Content::new(bytes, bytes)).await.expect("written");
        let new = NewObject { key: "k".into(), ..NewObject::default() };
        let put = self.store.put_object(&self.bucket, new, body, WriteCondition::None).await;
        VersionId::of(put.expect("committed").value())
    }

    async fn delete(&self, version: Option<VersionId>) -> Deleted {
        let request = DeleteRequest { key: "k".into(), version, ..DeleteRequest::default() };
        *self.store.delete_object(&self.bucket, request).await.expect("deleted").value()
    }

    /// The id of the marker that a deletion leaves.
    async fn mark(&self) -> VersionId {
        match self.delete(None).await {
            Deleted { version: Some(id), delete_marker: true } => id,
            other => panic!("{other:?}"),
        }
    }

    /// Ids, newest first, with the sizes of objects.
    fn history(&self) -> Vec<(VersionId, Option<u64>)> {
        let query = VersionQuery { prefix: "", delimiter: None, after: VersionMarker::Start, items_max: 100 };
        let page = self.store.list_versions(&self.bucket, &query).expect("listed");
        let told = |listed: &Listed| (VersionId::of(listed), (!listed.delete_marker).then_some(listed.size));
        page.items
            .iter()
            .map(|item| match item {
                VersionItem::Version { listed, .. } => told(listed),
                VersionItem::CommonPrefix(_) => panic!("no delimiter"),
            })
            .collect()
    }

    async fn current(&self) -> Option<u64> {
        let bytes = get(self.store, &self.bucket, "k").await.expect("readable")?;
        assert_eq!(bytes, Content::new(bytes.len() as u64, bytes.len() as u64).make());
        Some(bytes.len() as u64)
    }
}

fn with_key(versioning: Versioning, life: impl AsyncFnOnce(Key<'_>)) {
    let node = Node::new(1, 64 * MIB);
    node.run(async |store, monitor| {
        life(Key::new(store, versioning).await).await;
        node.check_space(monitor).await;
    });
}

#[test]
fn a_bucket_without_versions_has_one_null_version_and_no_markers() {
    with_key(Versioning::Unset, async |key| {
        assert_eq!((key.put(1).await, key.put(20_000).await), (NULL, NULL));
        assert_eq!(key.history(), [(NULL, Some(20_000))]);
        assert_eq!(key.delete(None).await, Deleted::default());
        assert_eq!(key.history(), []);
        key.put(3).await;
        assert_eq!(key.delete(Some(NULL)).await, Deleted { version: Some(NULL), delete_marker: false });
        assert_eq!((key.history(), key.current().await), (vec![], None));
    });
}

#[test]
fn each_write_and_each_delete_of_an_enabled_bucket_is_kept() {
    with_key(Versioning::Enabled, async |key| {
        let (first, marker) = (key.put(10_000).await, key.mark().await);
        let (second, again) = (key.mark().await, key.put(4).await);
        let expected = [(again, Some(4)), (second, None), (marker, None), (first, Some(10_000))];
        assert_eq!(key.history(), expected);
        assert_eq!(key.current().await, Some(4));
    });
}

#[test]
fn what_is_removed_gives_way_to_what_was_before() {
    with_key(Versioning::Enabled, async |key| {
        let (first, second) = (key.put(1).await, key.put(20_000).await);
        let (marker, third) = (key.mark().await, key.put(3).await);
        assert_eq!(key.delete(Some(third)).await, Deleted { version: Some(third), delete_marker: false });
        assert_eq!(key.current().await, None);
        assert!(matches!(
            key.store.open_object(&key.bucket, "k", None),
            Ok(Lookup::DeleteMarker(listed)) if VersionId::of(&listed) == marker
        ));
        assert_eq!(key.delete(Some(marker)).await, Deleted { version: Some(marker), delete_marker: true });
        assert_eq!(key.current().await, Some(20_000));
        // An older one goes without a trace at the top.
        assert_eq!(key.delete(Some(first)).await, Deleted { version: Some(first), delete_marker: false });
        assert_eq!(key.history(), [(second, Some(20_000))]);
        // What is gone already is no fault, and changes nothing.
        assert_eq!(key.delete(Some(first)).await, Deleted { version: Some(first), delete_marker: false });
        key.delete(Some(second)).await;
        assert_eq!((key.history(), key.current().await), (vec![], None));
    });
}

#[test]
fn the_null_version_outlives_the_state_that_made_it_and_is_replaced_alone() {
    with_key(Versioning::Unset, async |mut key| {
        key.put(1).await;
        key.set(Versioning::Enabled).await;
        let kept = key.put(2).await;
        assert_eq!(key.history(), [(kept, Some(2)), (NULL, Some(1))]);
        key.set(Versioning::Suspended).await;
        // The old one lies below others; the new one comes to the top.
        assert_eq!(key.put(9_000).await, NULL);
        assert_eq!(key.history(), [(NULL, Some(9_000)), (kept, Some(2))]);
        assert_eq!(key.put(4).await, NULL);
        assert_eq!(key.history(), [(NULL, Some(4)), (kept, Some(2))]);
        key.set(Versioning::Enabled).await;
        let newest = key.put(5).await;
        assert_eq!(key.history(), [(newest, Some(5)), (NULL, Some(4)), (kept, Some(2))]);
        assert_eq!(key.delete(Some(NULL)).await, Deleted { version: Some(NULL), delete_marker: false });
        assert_eq!(key.history(), [(newest, Some(5)), (kept, Some(2))]);
    });
}

#[test]
fn a_suspended_bucket_has_at_most_one_null_marker_of_a_key() {
    with_key(Versioning::Enabled, async |mut key| {
        let kept = key.put(1).await;
        key.set(Versioning::Suspended).await;
        key.put(2).await;
        for _ in 0..3 {
            assert_eq!(key.mark().await, NULL);
            assert_eq!(key.history(), [(NULL, None), (kept, Some(1))]);
        }
        // A write takes its place, and so does a marker below others.
        key.put(3).await;
        assert_eq!(key.history(), [(NULL, Some(3)), (kept, Some(1))]);
        key.mark().await;
        key.set(Versioning::Enabled).await;
        let newest = key.put(4).await;
        key.set(Versioning::Suspended).await;
        key.mark().await;
        assert_eq!(key.history(), [(NULL, None), (newest, Some(4)), (kept, Some(1))]);
        assert_eq!(key.delete(Some(NULL)).await, Deleted { version: Some(NULL), delete_marker: true });
        assert_eq!(key.current().await, Some(4));
    });
}

#[test]
fn a_key_may_have_nothing_but_markers_and_keeps_its_bucket() {
    with_key(Versioning::Enabled, async |key| {
        let (first, second) = (key.mark().await, key.mark().await);
        assert_eq!(key.history(), [(second, None), (first, None)]);
        let refused = key.store.delete_bucket(&key.bucket).await;
        assert!(matches!(refused, Err(Refusal::Refused(DeleteBucketRefusal::NotEmpty))));
        for marker in [second, first] {
            assert_eq!(
                key.delete(Some(marker)).await,
                Deleted { version: Some(marker), delete_marker: true }
            );
        }
        assert!(matches!(key.store.open_object(&key.bucket, "k", None), Ok(Lookup::Nothing)));
        key.store.delete_bucket(&key.bucket).await.expect("empty");
    });
}

#[test]
fn a_batch_may_name_a_key_or_version_twice() {
    with_key(Versioning::Enabled, async |key| {
        let (old, new) = (key.put(10_000).await, key.put(20_000).await);
        let request = |version| DeleteRequest { key: "k".into(), version, ..DeleteRequest::default() };
        let requests = [Some(old), Some(old), None, None, Some(new)].map(request).to_vec();
        let deleted = key.store.delete_objects(&key.bucket, requests).await.expect("deleted");
        let answers: Vec<Deleted> = deleted.value().iter().map(|answer| answer.expect("deleted")).collect();
        let removed = |id| Deleted { version: Some(id), delete_marker: false };
        assert_eq!(answers[..2], [removed(old), removed(old)]);
        // One transaction marks a key once.
        assert_eq!(answers[2], answers[3]);
        assert_eq!(answers[4], removed(new));
        assert_eq!(key.history(), [(answers[2].version.expect("a marker"), None)]);
    });
}

#[test]
fn tags_belong_to_a_version_and_change_nothing_else_of_it() {
    with_key(Versioning::Enabled, async |key| {
        let (old, new) = (key.put(10_000).await, key.put(2).await);
        let tags = |text: &str| TagSet(vec![(text.to_owned(), text.to_owned())]);
        let tag = async |id, text| key.store.set_object_tags(&key.bucket, "k", id, tags(text)).await;
        let opened = |id| match key.store.open_object(&key.bucket, "k", Some(id)) {
            Ok(Lookup::Object(object)) => object.record,
            _ => panic!("no object"),
        };
        let before = opened(old);
        assert_eq!(tag(Some(old), "old").await.expect("tagged").value(), &before.listed);
        tag(None, "new").await.expect("tagged");
        let after = opened(old);
        assert_eq!((after.listed, after.content), (before.listed, before.content));
        assert_eq!((after.metadata.tags, opened(new).metadata.tags), (tags("old").0, tags("new").0));
        let marker = key.mark().await;
        for id in [None, Some(marker)] {
            let refused = tag(id, "marker").await;
            let Err(Refusal::Refused(TagRefusal::DeleteMarker(listed))) = refused else {
                panic!("{refused:?}")
            };
            assert_eq!(VersionId::of(&listed), marker);
        }
        let refused = tag(Some(NULL), "none").await;
        assert!(matches!(refused, Err(Refusal::Refused(TagRefusal::NoSuchVersion))));
    });
}
