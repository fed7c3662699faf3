//! What could be looked at too late, or never: keys that were put off, uploads behind many others, a clock that goes back.

use super::*;

#[test]
fn a_key_that_is_put_off_in_a_walk_is_looked_at_from_the_top() {
    let node = node();
    let clock = node.clock.clone();
    let engine = node.engine.clone();
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        store.set_versioning(&bucket, Versioning::Enabled).await.expect("set");
        set(store, &bucket, vec![with_filter(days(1), tagged("x")), noncurrent(Some(9), None)]).await;
        for _ in 0..8 {
            put_small(store, &bucket, "k").await;
        }
        lifecycle_job(store, &clock).until_idle().await;
        clock.advance(DAY);
        let oldest = newest_stamp(&engine, &bucket, "k");
        tag_version(store, &bucket, "k", oldest).await;
        let mut job = lifecycle_job(store, &clock).limited_to(1, 3);
        job.step().await.expect("a step");
        assert_eq!(hints(&engine, "k")[0], 0, "a walk");
        // It is put off, for its next version cannot be read, to the day on which the new object expires.
        put_tagged(store, &bucket, "k", "x").await;
        let (start, end) = key_encoding::versions_of_key_range(bucket.id, "k");
        let limits = ScanLimits { entries_max: 9, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
        let (broken, whole) =
            engine.scan(KeyRange::between(&start, &end), limits).expect("readable").entries.remove(5);
        let write = |value: Vec<u8>| {
            let writes = vec![Write::Put(broken.clone(), value)];
            engine.commit(&[Batch { checks: Vec::new(), writes }]).expect("committed");
        };
        write(b"\xffnonsense".to_vec());
        job.until_idle().await;
        write(whole.value);
        clock.advance(DAY);
        assert_eq!(job.until_idle().await.expired_objects, 1);
    });
}

#[test]
fn of_many_uploads_those_that_are_old_enough_are_aborted() {
    let node = node();
    let clock = node.clock.clone();
    node.run(async |store, _| {
        let bucket = create_bucket(store).await;
        set(store, &bucket, vec![LifecycleRule { expiration: None, abort_upload_days: Some(3), ..days(1) }])
            .await;
        let mut job = lifecycle_job(store, &clock);
        for uploads in [5, 300, 300] {
            for _ in 0..uploads {
                begin_upload(store, &bucket, "k").await;
            }
            job.until_idle().await;
            clock.advance(DAY);
        }
        for aborted in [5, 305, 605] {
            assert_eq!(job.until_idle().await.aborted_uploads, aborted);
            clock.advance(DAY);
        }
    });
}

#[test]
fn what_was_hinted_by_a_clock_that_went_ahead_is_found_again() {
    let right = node();
    let ahead = Node { clock: Clock::manual(START_MS + 1_000_000), ..right.clone() };
    let bucket = right.run(async |store, _| {
        let bucket = create_bucket(store).await;
        store.set_versioning(&bucket, Versioning::Enabled).await.expect("set");
        set(store, &bucket, vec![with_filter(noncurrent(Some(1), None), tagged("x"))]).await;
        put_small(store, &bucket, "k").await;
        put_small(store, &bucket, "k").await;
        lifecycle_job(store, &right.clock).until_idle().await;
        bucket
    });
    ahead.run(async |store, _| {
        lifecycle_job(store, &ahead.clock).until_idle().await;
        let old = newest_stamp(&right.engine, &bucket, "k");
        tag_version(store, &bucket, "k", old).await;
    });
    right.clock.advance(2 * DAY);
    right.run(async |store, _| {
        let mut job = lifecycle_job(store, &right.clock);
        assert_eq!(job.until_idle().await.deleted_versions, 1);
        right.clock.advance(DAY);
        job.until_idle().await;
        let swept = right.engine.get(&key_encoding::sweep_key(bucket.id)).expect("readable");
        assert_eq!(swept, None, "once is enough");
    });
}
