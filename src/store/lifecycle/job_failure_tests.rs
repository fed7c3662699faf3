//! What goes wrong around the job: full disks, cuts of the power, clocks that go back, keys that cannot be read.

use super::*;

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
            while job.step().await.is_ok_and(|progress| progress != Progress::Idle) {}
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
