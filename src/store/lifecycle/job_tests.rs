//! The job over a simulated node: what happens between a scan and its transaction, long histories, what cannot be read,
//! restarts, full disks.

use std::time::Duration;

use super::*;
use crate::config::limits::LIFECYCLE_HINTS_AT_ONCE;
use crate::index::engine::{Batch, MemoryEngine, Write};
use crate::index::record::{
    Expiration, LifecycleFilter, LifecycleRule, Metadata, NoncurrentExpiration, ObjectRecord, Owner, TagSet,
    UploadChecksum, Versioning,
};
use crate::store::Store;
use crate::store::delete::DeleteRequest;
use crate::store::lifecycle::look::{Budget, Tally};
use crate::store::multipart::NewUpload;
use crate::store::put::NewObject;
use crate::store::test_node::{
    Content, MIB, Node, create_bucket, delete, get, lifecycle_job, put, setting, write_body,
};
use crate::store::upload_id::UploadId;
use crate::store::version_id::VersionId;
use crate::store::write_condition::WriteCondition;

const DAY: Duration = Duration::from_secs(10);
const START_MS: i64 = 1_700_000_003_000;

impl LifecycleJob {
    /// With other limits of a transaction.
    pub(in crate::store) fn limited_to(mut self, keys_max: usize, records: usize) -> Self {
        self.limits = LookLimits { keys_max, budget: Budget { records, bytes: usize::MAX } };
        self
    }

    async fn until_idle(&mut self) -> Tally {
        for _ in 0..10_000 {
            if self.step().await.expect("a step") == Progress::Idle {
                return self.parts.counts.tally();
            }
        }
        panic!("never idle");
    }
}

fn node() -> Node {
    let calendar = Calendar::with_day_s(DAY.as_secs());
    Node { clock: Clock::manual(START_MS), calendar, ..Node::new(1, 16 * MIB) }
}

fn days(days: u32) -> LifecycleRule {
    LifecycleRule {
        id: "r".into(),
        enabled: true,
        expiration: Some(Expiration::Days(days)),
        ..Default::default()
    }
}

fn noncurrent(after: Option<u32>, newer_versions: Option<u32>) -> LifecycleRule {
    let noncurrent = Some(NoncurrentExpiration { days: after, newer_versions });
    LifecycleRule { expiration: None, noncurrent, ..days(1) }
}

fn with_filter(rule: LifecycleRule, filter: LifecycleFilter) -> LifecycleRule {
    LifecycleRule { filter, ..rule }
}

fn tagged(tag: &str) -> LifecycleFilter {
    LifecycleFilter { tags: vec![("t".into(), tag.into())], ..Default::default() }
}

async fn set(store: &Store, bucket: &BucketRecord, rules: Vec<LifecycleRule>) {
    store.set_lifecycle(bucket, Some(LifecycleRules(rules))).await.expect("set");
}

async fn put_small(store: &Store, bucket: &BucketRecord, key: &str) {
    put(store, bucket, key, Content::new(1, 10)).await.expect("put");
}

async fn put_tagged(store: &Store, bucket: &BucketRecord, key: &str, tag: &str) {
    let body = write_body(store, Content::new(1, 10)).await.expect("written");
    let metadata = Metadata { tags: vec![("t".into(), tag.into())], ..Metadata::default() };
    let new = NewObject { key: key.into(), metadata, ..NewObject::default() };
    store.put_object(bucket, new, body, WriteCondition::None).await.expect("put");
}

async fn tag(store: &Store, bucket: &BucketRecord, key: &str, tag: &str) {
    let tags = TagSet(vec![("t".into(), tag.into())]);
    store.set_object_tags(bucket, key, None, tags).await.expect("tagged");
}

async fn tag_version(store: &Store, bucket: &BucketRecord, key: &str, stamp: u64) {
    let tags = TagSet(vec![("t".into(), "x".into())]);
    store.set_object_tags(bucket, key, Some(VersionId::Stamp(stamp)), tags).await.expect("tagged");
}

async fn is_there(store: &Store, bucket: &BucketRecord, key: &str) -> bool {
    get(store, bucket, key).await.expect("readable").is_some()
}

/// The times of the hints of a key.
fn hints(engine: &Engine, of: &str) -> Vec<i64> {
    let limits = ScanLimits { entries_max: 10_000, bytes_max: usize::MAX, value_bytes_max: 0 };
    let page = engine.scan(KeyRange::between(b"D", b"E"), limits).expect("readable");
    let decoded = page.entries.iter().filter_map(|(entry, _)| key_encoding::decode_due_key(entry));
    decoded.filter(|(_, _, key)| key == of).map(|(due_ms, ..)| due_ms).collect()
}

fn versions(engine: &Engine, bucket: &BucketRecord, key: &str) -> usize {
    let (start, end) = key_encoding::versions_of_key_range(bucket.id, key);
    let limits = ScanLimits { entries_max: 10_000, bytes_max: usize::MAX, value_bytes_max: 0 };
    engine.scan(KeyRange::between(&start, &end), limits).expect("readable").entries.len()
}

/// Of the versions that are not current.
fn newest_stamp(engine: &Engine, bucket: &BucketRecord, key: &str) -> u64 {
    let (start, end) = key_encoding::versions_of_key_range(bucket.id, key);
    let limits = ScanLimits { entries_max: 1, bytes_max: usize::MAX, value_bytes_max: 0 };
    let page = engine.scan(KeyRange::between(&start, &end), limits).expect("readable");
    key_encoding::decode_version_key(&page.entries[0].0).expect("a version").1
}

async fn begin_upload(store: &Store, bucket: &BucketRecord, key: &str) -> UploadId {
    let checksum = UploadChecksum { algorithm: 3, full_object: true, declared: false };
    let (metadata, owner) = (Metadata::default(), Owner::default());
    let new = NewUpload { key: key.into(), metadata, owner, checksum, encryption: None };
    *store.create_upload(bucket, new).await.expect("begun").value()
}

#[test]
fn nothing_that_changed_after_it_was_found_is_lost() {
    let node = node();
    let clock = node.clock.clone();
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        set(store, &bucket, vec![with_filter(days(1), tagged("old"))]).await;
        let keys = ["left", "overwritten", "tagged", "renamed", "deleted", "made anew"];
        for key in keys {
            put_tagged(store, &bucket, key, "old").await;
        }
        let mut job = lifecycle_job(store, &clock);
        job.until_idle().await;
        clock.advance(2 * DAY);
        assert!(job.find().expect("found"));
        assert_eq!(job.due.len(), keys.len());

        put_tagged(store, &bucket, "overwritten", "old").await;
        tag(store, &bucket, "tagged", "new").await;
        delete(store, &bucket, "deleted").await.expect("deleted");
        delete(store, &bucket, "made anew").await.expect("deleted");
        put_tagged(store, &bucket, "made anew", "old").await;
        let renamed = crate::store::test_node::rename(store, &bucket, "renamed", "moved").await;
        assert!(renamed.expect("renamed"));

        let done = job.until_idle().await;
        assert_eq!(
            done,
            Tally { expired_objects: 2, ..Tally::default() },
            "left, and moved, as old as it was"
        );
        for (key, stays) in
            [("left", false), ("moved", false), ("overwritten", true), ("tagged", true), ("made anew", true)]
        {
            assert_eq!(is_there(store, &bucket, key).await, stays, "{key}");
        }
        clock.advance(2 * DAY);
        let done = job.until_idle().await;
        assert_eq!(done.expired_objects, 4, "what was written later is due later");
        assert!(is_there(store, &bucket, "tagged").await);
    });
}

#[test]
fn rules_that_changed_after_a_key_was_found_are_those_that_count() {
    for change in ["disabled", "removed", "longer", "of another bucket"] {
        let node = node();
        let clock = node.clock.clone();
        node.run(async |store, _| {
            let bucket = create_bucket(store).await;
            set(store, &bucket, vec![days(1)]).await;
            put_small(store, &bucket, "k").await;
            let mut job = lifecycle_job(store, &clock);
            job.until_idle().await;
            clock.advance(2 * DAY);
            assert!(job.find().expect("found"));
            match change {
                "disabled" => set(store, &bucket, vec![LifecycleRule { enabled: false, ..days(1) }]).await,
                "removed" => _ = store.set_lifecycle(&bucket, None).await.expect("removed"),
                "longer" => set(store, &bucket, vec![days(3)]).await,
                _ => {
                    delete(store, &bucket, "k").await.expect("deleted");
                    store.delete_bucket(&bucket).await.expect("deleted");
                    let bucket = create_bucket(store).await;
                    set(store, &bucket, vec![days(1)]).await;
                    put_small(store, &bucket, "k").await;
                }
            }
            assert_eq!(job.until_idle().await, Tally::default(), "{change}");
            let bucket = store.bucket("bucket").expect("readable").expect("there");
            assert!(is_there(store, &bucket, "k").await, "{change}");
            clock.advance(2 * DAY);
            let expires = matches!(change, "longer" | "of another bucket");
            assert_eq!(job.until_idle().await.expired_objects, u64::from(expires), "{change}");
        });
    }
}

#[test]
fn only_what_a_rule_is_about_is_hinted_and_once_a_day() {
    let node = node();
    let clock = node.clock.clone();
    let engine = &node.engine;
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        put_small(store, &bucket, "a/before").await;
        let filter =
            LifecycleFilter { prefix: Some("a/".into()), size_less_than: Some(100), ..Default::default() };
        set(store, &bucket, vec![with_filter(days(2), filter)]).await;
        put_small(store, &bucket, "b").await;
        put(store, &bucket, "a/large", Content::new(1, 100)).await.expect("put");
        for _ in 0..3 {
            put_small(store, &bucket, "a/k").await;
            clock.advance(Duration::from_secs(1));
        }
        assert!(hints(engine, "a/before").is_empty(), "the sweep has not come by");
        lifecycle_job(store, &clock).until_idle().await;
        let due_ms = START_MS / 10_000 * 10_000 + 20_000;
        for (key, expected) in [("a/before", &[due_ms][..]), ("b", &[]), ("a/large", &[]), ("a/k", &[due_ms])]
        {
            assert_eq!(hints(engine, key), expected, "{key}");
        }
    });
}

#[test]
fn hints_go_with_what_they_were_for_where_nothing_else_needs_them() {
    let node = node();
    let clock = node.clock.clone();
    let engine = &node.engine;
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        let aborts = LifecycleRule { abort_upload_days: Some(30), ..days(30) };
        set(store, &bucket, vec![aborts, with_filter(days(20), tagged("x"))]).await;
        let soon_ms = START_MS / 10_000 * 10_000;
        put_small(store, &bucket, "k").await;
        assert_eq!(hints(engine, "k"), [soon_ms + 300_000]);
        tag(store, &bucket, "k", "x").await;
        assert_eq!(hints(engine, "k"), [soon_ms + 200_000]);
        clock.advance(DAY);
        put_small(store, &bucket, "k").await;
        assert_eq!(hints(engine, "k"), [soon_ms + 310_000]);
        assert!(crate::store::test_node::rename(store, &bucket, "k", "l").await.expect("renamed"));
        assert!(hints(engine, "k").is_empty());
        assert_eq!(hints(engine, "l"), [soon_ms + 310_000]);
        delete(store, &bucket, "l").await.expect("deleted");
        assert!(hints(engine, "l").is_empty());

        // The upload has the same time.
        put_small(store, &bucket, "k").await;
        let upload = begin_upload(store, &bucket, "k").await;
        delete(store, &bucket, "k").await.expect("deleted");
        assert_eq!(hints(engine, "k"), [soon_ms + 310_000]);
        store.abort_upload(&bucket, "k", upload).await.expect("aborted");

        store.set_versioning(&bucket, Versioning::Enabled).await.expect("set");
        put_tagged(store, &bucket, "v", "x").await;
        put_small(store, &bucket, "v").await;
        assert_eq!(hints(engine, "v"), [soon_ms + 310_000]);
        delete(store, &bucket, "v").await.expect("deleted");
        assert_eq!(hints(engine, "v"), [soon_ms + 10_000], "for the marker");
        let newest = newest_stamp(engine, &bucket, "v");
        let request =
            DeleteRequest { key: "v".into(), version: Some(VersionId::Stamp(newest)), ..Default::default() };
        store.delete_object(&bucket, request).await.expect("deleted");
        assert_eq!(hints(engine, "v"), [soon_ms + 10_000, soon_ms + 310_000], "the object is current again");
    });
}

#[test]
fn a_noncurrent_version_goes_by_the_tags_that_it_got_later() {
    let node = node();
    let clock = node.clock.clone();
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        store.set_versioning(&bucket, Versioning::Enabled).await.expect("set");
        set(store, &bucket, vec![with_filter(noncurrent(Some(1), None), tagged("x"))]).await;
        put_small(store, &bucket, "k").await;
        put_small(store, &bucket, "k").await;
        let mut job = lifecycle_job(store, &clock);
        for _ in 0..5 {
            clock.advance(DAY);
            assert_eq!(job.until_idle().await, Tally::default());
        }
        let old = newest_stamp(&node.engine, &bucket, "k");
        tag_version(store, &bucket, "k", old).await;
        assert_eq!(job.until_idle().await.deleted_versions, 1);
    });
}

#[test]
fn a_history_is_walked_to_its_end_in_several_transactions() {
    for records in [1, 2, 7, 1000] {
        let node = node();
        let clock = node.clock.clone();
        node.run(async |store, _| {
            let bucket = create_bucket(store).await;
            store.set_versioning(&bucket, Versioning::Enabled).await.expect("set");
            let rules =
                vec![noncurrent(Some(1), Some(5)), with_filter(noncurrent(Some(2), None), tagged("x"))];
            set(store, &bucket, rules).await;
            let mut job = lifecycle_job(store, &clock).limited_to(3, records);
            for number in 0..60 {
                let tag = if number % 3 == 0 { "x" } else { "y" };
                put_tagged(store, &bucket, "k", tag).await;
                if number % 7 == 0 {
                    job.step().await.expect("a step");
                }
            }
            assert_eq!(versions(&node.engine, &bucket, "k"), 59, "none is old enough");
            clock.advance(DAY);
            job.until_idle().await;
            // The five newest, and none of the others.
            assert_eq!(versions(&node.engine, &bucket, "k"), 5, "{records} at once");
            clock.advance(DAY);
            let done = job.until_idle().await;
            assert_eq!(
                versions(&node.engine, &bucket, "k"),
                3,
                "{records} at once: two of them have the tag"
            );
            assert_eq!(done, Tally { deleted_versions: 56, ..Tally::default() });
            assert!(is_there(store, &bucket, "k").await);
        });
    }
}

#[test]
fn a_walk_ends_although_the_key_is_written_all_the_time() {
    let node = node();
    let clock = node.clock.clone();
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        store.set_versioning(&bucket, Versioning::Enabled).await.expect("set");
        // One that is too many, and above it those that stay: more than one transaction looks at.
        put_small(store, &bucket, "k").await;
        let filter = LifecycleFilter { size_less_than: Some(50), ..Default::default() };
        set(store, &bucket, vec![with_filter(noncurrent(None, Some(2)), filter)]).await;
        let mut job = lifecycle_job(store, &clock).limited_to(1, 4);
        for _ in 0..30 {
            put(store, &bucket, "k", Content::new(1, 60)).await.expect("put");
        }
        for _ in 0..60 {
            job.step().await.expect("a step");
            put(store, &bucket, "k", Content::new(1, 60)).await.expect("put");
        }
        assert_eq!(versions(&node.engine, &bucket, "k"), 89, "the small one has gone");
        job.until_idle().await;
        assert_eq!(versions(&node.engine, &bucket, "k"), 89);
    });
}

#[test]
fn a_key_that_cannot_be_read_holds_up_no_other() {
    let node = node();
    let clock = node.clock.clone();
    let engine = node.engine.clone();
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        set(store, &bucket, vec![days(1)]).await;
        for number in 0..40 {
            put_small(store, &bucket, &format!("k{number:02}")).await;
        }
        let broken = key_encoding::object_key(bucket.id, "k05");
        let whole = engine.get(&broken).expect("readable").expect("there").value;
        let write = |value: &[u8]| {
            let writes = vec![Write::Put(broken.clone(), value.to_vec())];
            engine.commit(&[Batch { checks: Vec::new(), writes }]).expect("committed");
        };
        write(b"\xffnonsense");
        clock.advance(2 * DAY);
        let mut job = lifecycle_job(store, &clock);
        assert_eq!(job.until_idle().await.expired_objects, 39);
        assert_eq!(hints(&engine, "k05").len(), 1, "it is tried again");
        write(&whole);
        assert_eq!(job.until_idle().await.expired_objects, 39, "in a day");
        clock.advance(DAY);
        assert_eq!(job.until_idle().await.expired_objects, 40);
    });
}

#[test]
fn a_sweep_goes_on_after_a_restart_and_begins_anew_with_new_rules() {
    let node = node();
    let clock = node.clock.clone();
    let engine = node.engine.clone();
    let keys = 3 * LIFECYCLE_HINTS_AT_ONCE;
    let bucket = node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        for number in 0..keys {
            put_small(store, &bucket, &format!("k{number:04}")).await;
        }
        set(store, &bucket, vec![days(3)]).await;
        let mut job = lifecycle_job(store, &clock);
        job.step().await.expect("a step");
        bucket
    });
    let hinted = |due_days: i64| {
        let due_ms = START_MS / 10_000 * 10_000 + due_days * 10_000;
        let all = (0..keys).map(|number| hints(&engine, &format!("k{number:04}")));
        all.filter(|hints| hints.contains(&due_ms)).count()
    };
    let first = hinted(3);
    assert!((1..keys).contains(&first), "{first}");
    node.run(async |store, _| {
        lifecycle_job(store, &clock).step().await.expect("a step");
        assert!(hinted(3) > first && hinted(3) < keys, "it goes on where it was");
        set(store, &bucket, vec![days(2)]).await;
        lifecycle_job(store, &clock).until_idle().await;
        assert_eq!(hinted(2), keys, "all of them, also those that had been passed");
        assert_eq!(engine.get(&key_encoding::sweep_key(bucket.id)).expect("readable"), None);
        clock.advance(2 * DAY);
        assert_eq!(lifecycle_job(store, &clock).until_idle().await.expired_objects, keys as u64);
    });
}

#[test]
fn a_sweep_of_a_bucket_that_is_gone_ends() {
    let node = node();
    let clock = node.clock.clone();
    let engine = node.engine.clone();
    let sweeps = || {
        let (start, end) = key_encoding::sweep_range();
        let limits = ScanLimits { entries_max: 9, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
        engine.scan(KeyRange::between(&start, &end), limits).expect("readable").entries
    };
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        set(store, &bucket, vec![days(1)]).await;
        let old = sweeps();
        assert_eq!(old.len(), 1);
        store.delete_bucket(&bucket).await.expect("deleted");
        assert!(sweeps().is_empty());
        // One that was left behind.
        let write = Write::Put(old[0].0.clone(), old[0].1.value.clone());
        engine.commit(&[Batch { checks: Vec::new(), writes: vec![write] }]).expect("committed");
        lifecycle_job(store, &clock).until_idle().await;
        assert!(sweeps().is_empty());
    });
}

#[test]
fn days_of_another_length_are_swept_for() {
    let node = node();
    let clock = node.clock.clone();
    let long = Node { calendar: Calendar::default(), ..node.clone() };
    let bucket = long.run(async |store, _| {
        let bucket = create_bucket(store).await;
        set(store, &bucket, vec![days(1)]).await;
        put_small(store, &bucket, "k").await;
        lifecycle_job(store, &clock).until_idle().await;
        bucket
    });
    clock.advance(2 * DAY);
    for (node, expired) in [(&long, 0), (&node, 1)] {
        node.run(async |store, _| {
            assert_eq!(lifecycle_job(store, &clock).until_idle().await.expired_objects, expired);
            assert_eq!(is_there(store, &bucket, "k").await, expired == 0);
        });
    }
}

#[test]
fn a_full_disk_stops_sweeps_and_new_rules_but_no_deletion() {
    let node = Node { reserve_bytes: 8 * MIB, ..node() };
    let clock = node.clock.clone();
    let simulation = node.disk.simulation().expect("simulated");
    simulation.set_capacity_bytes(100 * MIB);
    let until = async |what: &str, holds: &dyn Fn() -> bool| {
        for _ in 0..5000 {
            if holds() {
                return;
            }
            ringstone_io::runtime::sleep(Duration::from_millis(1)).await;
        }
        panic!("never {what}");
    };
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        let prefix = LifecycleFilter { prefix: Some("a".into()), ..Default::default() };
        set(store, &bucket, vec![with_filter(days(1), prefix)]).await;
        put(store, &bucket, "a", Content::new(1, MIB)).await.expect("put");
        put_small(store, &bucket, "b").await;
        let mut job = lifecycle_job(store, &clock);
        job.until_idle().await;
        set(store, &bucket, vec![days(1)]).await;
        simulation.set_capacity_bytes(10 * MIB);
        until("refused", &|| !monitor.is_accepting()).await;
        clock.advance(2 * DAY);
        let refused = store.set_lifecycle(&bucket, Some(LifecycleRules(vec![days(1)]))).await;
        assert!(matches!(refused, Err(crate::store::error::Refusal::Failed(StoreError::NoSpace))));
        assert_eq!(job.until_idle().await.expired_objects, 1, "a, of which it is known");
        assert!(!is_there(store, &bucket, "a").await && is_there(store, &bucket, "b").await);
        simulation.set_capacity_bytes(100 * MIB);
        until("accepted", &|| monitor.is_accepting()).await;
        assert_eq!(job.until_idle().await.expired_objects, 2);
        simulation.set_capacity_bytes(10 * MIB);
        until("refused", &|| !monitor.is_accepting()).await;
        store.set_lifecycle(&bucket, None).await.expect("rules can be taken away");
    });
}

#[test]
fn a_cut_at_any_commit_leaves_nothing_undone() {
    for cut in 1..setting("RINGSTONE_TEST_STEPS").unwrap_or(14) {
        let memory = MemoryEngine::new();
        let node = Node { engine: Engine::Memory(memory.clone()), ..node() };
        let clock = node.clock.clone();
        let bucket = node.run(async |store, _| {
            let bucket = create_bucket(store).await;
            store.set_versioning(&bucket, Versioning::Enabled).await.expect("set");
            for number in 0..70 {
                let key = format!("k{:02}", number % 50);
                put(store, &bucket, &key, Content::new(number, 20_000)).await.expect("put");
            }
            set(store, &bucket, vec![days(1), noncurrent(Some(2), None)]).await;
            bucket
        });
        clock.advance(DAY);
        node.run(async |store, _| {
            memory.power_off_at(cut, cut % 2 == 0);
            let mut job = lifecycle_job(store, &clock);
            while job.step().await.is_ok_and(|progress| progress == Progress::Worked) {}
        });
        memory.power_on();
        node.run(async |store, monitor| {
            lifecycle_job(store, &clock).until_idle().await;
            for number in 0..50 {
                assert!(!is_there(store, &bucket, &format!("k{number:02}")).await, "{number}, cut {cut}");
            }
            clock.advance(2 * DAY);
            lifecycle_job(store, &clock).until_idle().await;
            for number in 0..50 {
                let key = format!("k{number:02}");
                assert_eq!(versions(&node.engine, &bucket, &key), 0, "{key}, cut {cut}: its marker too");
            }
            node.check_space(monitor).await;
        });
    }
}

#[test]
fn the_marker_that_comes_is_the_bucket_owners_and_goes_when_it_is_alone() {
    let node = node();
    let clock = node.clock.clone();
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        store.set_versioning(&bucket, Versioning::Suspended).await.expect("set");
        put_small(store, &bucket, "k").await;
        set(store, &bucket, vec![days(1)]).await;
        clock.advance(2 * DAY);
        let mut job = lifecycle_job(store, &clock);
        assert_eq!(job.until_idle().await, Tally { expired_objects: 1, ..Tally::default() });
        let (start, end) = key_encoding::versions_of_key_range(bucket.id, "k");
        let limits = ScanLimits { entries_max: 9, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
        let left = node.engine.scan(KeyRange::between(&start, &end), limits).expect("readable").entries;
        assert_eq!(left.len(), 1, "a null marker in the place of the null object");
        let marker = ObjectRecord::decode(&left[0].1.value).expect("a record").listed;
        assert_eq!((VersionId::of(&marker), marker.delete_marker), (VersionId::Null, true));
        assert_eq!((marker.owner.user.as_str(), marker.owner.display_name.as_str()), ("u", "d"));

        let rule = LifecycleRule { expiration: Some(Expiration::ExpiredObjectDeleteMarker(true)), ..days(1) };
        set(store, &bucket, vec![rule]).await;
        assert_eq!(job.until_idle().await.removed_markers, 1);
        assert_eq!(versions(&node.engine, &bucket, "k"), 0);
    });
}

#[path = "job_late_tests.rs"]
mod late;
