//! The store as a whole over a simulated disk: sizes, space, readers, full disks.

use std::time::Duration;

use ringstone_io::runtime::sleep;
use ringstone_io::sim::Operation;

use crate::commit::{Abort, Data};
use crate::config::limits::{
    BUFFER_BYTES, FRAME_BYTES, FRAME_PAYLOAD_BYTES, INLINE_BODY_BYTES_MAX, RUN_BYTES_MAX,
};
use crate::index::engine::Engine;
use crate::store::Store;
use crate::store::body_shape::BodyShape;
use crate::store::body_writer::NewBody;
use crate::store::error::StoreError;
use crate::store::objects::Body;
use crate::store::put::NewObject;
use crate::store::start::Monitor;
use crate::store::test_node::{
    Content, MIB, Node, commit, create_bucket, delete, get, open, put, read, used_blocks, write_body,
};
use crate::store::write_condition::WriteCondition;

const FRAME: u64 = FRAME_PAYLOAD_BYTES as u64;
const BUFFER: u64 = FRAME * (BUFFER_BYTES / FRAME_BYTES) as u64;
const RUN: u64 = FRAME * (RUN_BYTES_MAX / FRAME_BYTES as u64);

/// Waits until the condition holds; background work has no other sign of its end.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..5000 {
        if holds() {
            return;
        }
        sleep(Duration::from_millis(1)).await;
    }
    panic!("never: {what}");
}

/// Puts again and again until it succeeds.
async fn until_put(
    store: &Store,
    bucket: &crate::index::record::bucket::BucketRecord,
    key: &str,
    content: Content,
) {
    for _ in 0..500 {
        match put(store, bucket, key, content).await {
            Ok(()) => return,
            Err(StoreError::NoSpace | StoreError::Io(_)) => sleep(Duration::from_millis(10)).await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("{key} is refused for ever");
}

#[test]
fn bodies_of_every_edge_size_come_back_whole_and_in_ranges() {
    let around = |edge: u64| [edge - 1, edge, edge + 1];
    let mut sizes = vec![0, 1, FRAME - 4096, FRAME - 4064, FRAME - 4063];
    for edge in [INLINE_BODY_BYTES_MAX, FRAME, 2 * FRAME, BUFFER, 2 * BUFFER, 16 * FRAME] {
        sizes.extend(around(edge));
    }
    for extent_bytes in [4 * MIB, 256 * MIB] {
        let node = Node::new(1, extent_bytes);
        let bucket = node.run(async |store, _| create_bucket(store).await);
        node.run(async |store, monitor| {
            for &size in &sizes {
                let content = Content::new(size, size);
                put(store, &bucket, "k", content).await.expect("put");
                let bytes = content.make();
                assert_eq!(get(store, &bucket, "k").await.expect("get").as_ref(), Some(&bytes), "{size}");
                for edge in [0, 1, FRAME - 1, FRAME, BUFFER - 1, BUFFER, size.saturating_sub(1)] {
                    let last = (edge + 1).min(size.saturating_sub(1));
                    if edge > last || size == 0 {
                        continue;
                    }
                    let object = open(store, &bucket, "k");
                    let found = read(store, object, edge..=last).await.expect("get");
                    assert_eq!(found, bytes[edge as usize..=last as usize], "{edge}..={last} of {size}");
                }
                node.check_space(monitor).await;
            }
        });
        // And all over again from the disk.
        let last = Content::new(16 * FRAME + 1, 16 * FRAME + 1);
        node.run(async |store, _| {
            assert_eq!(get(store, &bucket, "k").await.expect("get"), Some(last.make()));
        });
    }
}

#[test]
fn bodies_around_the_longest_run_come_back_whole() {
    for (extent_bytes, sizes) in [(4 * MIB, vec![4 * MIB, RUN + 1]), (256 * MIB, vec![RUN, RUN + 1])] {
        let node = Node::new(2, extent_bytes);
        node.run(async |store, monitor| {
            let bucket = create_bucket(store).await;
            for size in sizes {
                let content = Content::new(size, size);
                put(store, &bucket, "k", content).await.expect("put");
                assert!(get(store, &bucket, "k").await.expect("get") == Some(content.make()), "{size}");
                node.check_space(monitor).await;
            }
        });
    }
}

#[test]
fn overwritten_and_deleted_space_is_used_again() {
    let node = Node::new(3, 16 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        for round in 0..40 {
            let content = Content::new(round, 3 * MIB + round);
            put(store, &bucket, if round % 2 == 0 { "a" } else { "b" }, content).await.expect("put");
        }
        assert!(monitor.space().prepared_bytes <= 100 * MIB, "{:?}", monitor.space());
        node.check_space(monitor).await;
        for key in ["a", "b", "never"] {
            delete(store, &bucket, key).await.expect("deleted");
        }
        assert_eq!(used_blocks(monitor), 0);
        assert_eq!(node.check_space_map(), 0);
    });
}

#[test]
fn an_aborted_upload_gives_its_space_back() {
    let node = Node::new(4, 16 * MIB);
    node.run(async |store, monitor| {
        for buffers in 0..6 {
            let mut writer =
                store.body_writer(&NewBody { size_bytes: 5 * MIB, ..NewBody::default() }).expect("accepted");
            for _ in 0..buffers * BUFFER_BYTES / FRAME_BYTES {
                let window = writer.space().await.expect("room").expect("not whole yet");
                let length = window.len();
                writer.filled(window, length).await.expect("written");
            }
            drop(writer);
            until("the space is back", || used_blocks(monitor) == 0).await;
        }
        // Written whole, and then the commit is not asked for.
        drop(write_body(store, Content::new(1, MIB)).await.expect("written"));
        assert_eq!(used_blocks(monitor), 0);
        assert_eq!(store.buffers().available(), store.buffers().capacity());
    });
}

#[test]
fn a_reader_keeps_its_bytes_whatever_becomes_of_the_object() {
    let node = Node::new(5, 4 * MIB);
    node.disk.simulation().expect("simulated").set_capacity_bytes(44 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        let content = Content::new(77, 3 * MIB);
        put(store, &bucket, "k", content).await.expect("put");
        let object = open(store, &bucket, "k");
        let second = open(store, &bucket, "k");
        let wanted = 0..=content.bytes as u64 - 1;
        let Body::Extents(mut reader) = store.read(object, wanted, None).expect("readable") else {
            panic!("in extents");
        };
        let mut bytes = Vec::new();
        let (buffer, ranges) = reader.next().await.expect("read").expect("a first piece");
        for range in ranges {
            bytes.extend_from_slice(&buffer[range]);
        }
        drop(buffer);
        put(store, &bucket, "k", Content::new(78, MIB)).await.expect("overwritten");
        delete(store, &bucket, "k").await.expect("deleted");
        // Others ask for all the space there is.
        let mut others = 0;
        while put(store, &bucket, &format!("other {others}"), Content::new(others, MIB / 2)).await.is_ok() {
            others += 1;
        }
        assert!(others > 3, "the disk is smaller than the test thinks");
        let held = BodyShape::new(content.bytes as u64, false).blocks();
        let in_use = node.check_space_map() + held;
        until("only the readers hold more than the records", || used_blocks(monitor) == in_use).await;
        while let Some((buffer, ranges)) = reader.next().await.expect("the reader's own bytes") {
            for range in ranges {
                bytes.extend_from_slice(&buffer[range]);
            }
        }
        assert!(bytes == content.make());
        drop(reader);
        assert_eq!(used_blocks(monitor), in_use, "another reader is left");
        drop(second);
        node.check_space(monitor).await;
        put(store, &bucket, "after", Content::new(9, 2 * MIB)).await.expect("there is room again");
    });
}

#[test]
fn a_full_disk_refuses_until_something_is_deleted_or_the_disk_grows() {
    let node = Node::new(6, 4 * MIB);
    let simulation = node.disk.simulation().expect("simulated");
    simulation.set_capacity_bytes(44 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        let mut count = 0;
        loop {
            match put(store, &bucket, &format!("{count}"), Content::new(count, MIB)).await {
                Ok(()) => count += 1,
                Err(StoreError::NoSpace) => break,
                Err(error) => panic!("{error}"),
            }
        }
        node.check_space(monitor).await;
        put(store, &bucket, "small", Content::new(1, 100)).await.expect("an inline body needs no extent");
        delete(store, &bucket, "0").await.expect("deletes work on a full disk");
        put(store, &bucket, "again", Content::new(5, MIB)).await.expect("its space serves the next");
        simulation.set_capacity_bytes(90 * MIB);
        until_put(store, &bucket, "more", Content::new(6, 3 * MIB)).await;
        for number in 1..count {
            let found = get(store, &bucket, &number.to_string()).await.expect("get");
            assert!(found == Some(Content::new(number, MIB).make()), "{number}");
        }
        node.check_space(monitor).await;
    });
}

#[test]
fn below_the_reserve_nothing_is_accepted_and_above_it_everything() {
    let node = Node { reserve_bytes: 8 * MIB, ..Node::new(7, 4 * MIB) };
    let simulation = node.disk.simulation().expect("simulated");
    simulation.set_capacity_bytes(100 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "k", Content::new(1, MIB)).await.expect("put");
        simulation.set_capacity_bytes(10 * MIB);
        until("refused", || !monitor.is_accepting()).await;
        for bytes in [10, MIB] {
            let refused = put(store, &bucket, "l", Content::new(2, bytes)).await;
            assert!(matches!(refused, Err(StoreError::NoSpace)));
        }
        assert!(get(store, &bucket, "k").await.expect("reads go on").is_some());
        delete(store, &bucket, "k").await.expect("deletes go on");
        simulation.set_capacity_bytes(100 * MIB);
        until("accepted", || monitor.is_accepting()).await;
        put(store, &bucket, "l", Content::new(2, MIB)).await.expect("put");
    });
}

/// Deletes never make extent files smaller, so the free space of the filesystem alone would never recover.
#[test]
fn room_inside_the_index_lets_a_node_below_its_reserve_write_again() {
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tmp");
    std::fs::create_dir_all(target).expect("created");
    let directory = tempfile::tempdir_in(target).expect("created");
    let engine = Engine::open(directory.path()).expect("opens");
    let node = Node { engine, reserve_bytes: 8 * MIB, ..Node::new(8, 4 * MIB) };
    let simulation = node.disk.simulation().expect("simulated");
    simulation.set_capacity_bytes(100 * MIB);
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "large", Content::new(1, MIB)).await.expect("put");
        for number in 0..300 {
            put(store, &bucket, &number.to_string(), Content::new(number, 8000)).await.expect("put");
        }
        simulation.set_capacity_bytes(10 * MIB);
        until("refused", || !monitor.is_accepting()).await;
        for number in 0..300 {
            delete(store, &bucket, &number.to_string()).await.expect("deletes go on");
        }
        delete(store, &bucket, "large").await.expect("deletes go on");
        until("accepted", || monitor.is_accepting()).await;
        put(store, &bucket, "new", Content::new(2, MIB)).await.expect("the deleted space serves");
        node.check_space(monitor).await;
    });
}

#[test]
fn an_extent_that_could_not_be_made_is_made_later() {
    for (operation, seed) in [Operation::Create, Operation::Preallocate, Operation::Write, Operation::Sync]
        .into_iter()
        .zip(0..)
        .cycle()
        .take(8)
    {
        let node = Node::new(seed, 4 * MIB);
        let simulation = node.disk.simulation().expect("simulated");
        node.run(async |store, monitor| {
            let bucket = create_bucket(store).await;
            simulation.fail_nth(operation, 1, eio());
            simulation.fail_nth(Operation::Remove, 1, eio());
            assert!(put(store, &bucket, "k", Content::new(1, MIB)).await.is_err(), "{operation:?}");
            until_put(store, &bucket, "k", Content::new(2, MIB)).await;
            assert!(monitor.poison().reason().is_none(), "no body was lost");
            node.check_space(monitor).await;
        });
    }
}

fn eio() -> i32 {
    5
}

#[test]
fn a_disk_that_cannot_grow_is_not_asked_in_a_tight_loop() {
    let node = Node::new(9, 4 * MIB);
    let simulation = node.disk.simulation().expect("simulated");
    node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "k", Content::new(1, MIB)).await.expect("put");
        (1..=5000).for_each(|nth| simulation.fail_nth(Operation::Preallocate, nth, enospc()));
        let mut stored = 0;
        while put(store, &bucket, &format!("{stored}"), Content::new(stored, 2 * MIB)).await.is_ok() {
            stored += 1;
        }
        node.check_space(monitor).await;
        let before = simulation.operations();
        sleep(Duration::from_millis(100)).await;
        let tried = simulation.operations() - before;
        assert!(tried < 10, "{tried} operations of a disk that has just refused");
        for _ in 0..50 {
            let refused = put(store, &bucket, "l", Content::new(1, 8 * MIB)).await;
            assert!(matches!(refused, Err(StoreError::NoSpace)), "an answer at once, not a wait");
        }
    });
}

fn enospc() -> i32 {
    28
}

/// What the tests of power cuts would see if the committer forgot its first step.
#[test]
fn without_the_data_sync_a_power_cut_is_noticed() {
    let (mut unsynced, mut synced) = (0, 0);
    for seed in 0..10 {
        for forget in [false, true] {
            let node = Node::new(seed, 4 * MIB);
            let content = Content::new(seed, MIB / 2);
            let (bucket, disk) = node.run(async |store, _| {
                let bucket = create_bucket(store).await;
                let mut body = write_body(store, content).await.expect("written");
                if forget {
                    body.data.extents.clear();
                }
                commit(store, &bucket, "k", body).await.expect("committed");
                (bucket, node.disk.simulation().expect("simulated").cut())
            });
            let options =
                crate::store::extent::space::SpaceOptions { extent_bytes: 4 * MIB, reserve_bytes: 0 };
            let opened = crate::store::extent::space::Space::open(&node.engine, disk.clone(), options);
            let lost = opened.is_err() || {
                let found = Node { disk, ..node }.run(async |store, _| get(store, &bucket, "k").await);
                !matches!(found, Ok(Some(bytes)) if bytes == content.make())
            };
            *(if forget { &mut unsynced } else { &mut synced }) += u32::from(lost);
        }
    }
    assert_eq!(synced, 0);
    assert!(unsynced > 0, "the simulation spares what was never synced");
}

#[test]
fn a_failed_sync_acknowledges_nothing_ever_again() {
    let node = Node::new(10, 4 * MIB);
    let simulation = node.disk.simulation().expect("simulated");
    let bucket = node.run(async |store, monitor| {
        let bucket = create_bucket(store).await;
        put(store, &bucket, "before", Content::new(1, MIB)).await.expect("put");
        let body = write_body(store, Content::new(2, MIB)).await.expect("written");
        simulation.fail_nth(Operation::Sync, 1, eio());
        let syncs = simulation.operations();
        assert!(matches!(commit(store, &bucket, "lost", body).await, Err(StoreError::Poisoned(_))));
        assert!(monitor.poison().reason().is_some());
        let after = put(store, &bucket, "after", Content::new(3, 10)).await;
        assert!(matches!(after, Err(StoreError::Poisoned(_))));
        assert!(matches!(delete(store, &bucket, "before").await, Err(StoreError::Poisoned(_))));
        assert_eq!(simulation.operations(), syncs + 1, "a failed sync is not tried again");
        bucket
    });
    node.run(async |store, monitor| {
        assert!(get(store, &bucket, "lost").await.expect("get").is_none());
        assert!(get(store, &bucket, "before").await.expect("get").is_some());
        node.check_space(monitor).await;
    });
}

#[test]
fn a_committer_that_panics_stops_the_node() {
    let node = Node::new(11, 4 * MIB);
    node.run(async |store, monitor: &Monitor| {
        let ran = store
            .commit
            .run::<(), (), _>(Data::default(), |_| -> Result<(), Abort<()>> { panic!("planted") });
        assert!(ran.await.is_err());
        until("poisoned", || monitor.poison().reason().is_some()).await;
    });
}

#[test]
fn a_bucket_is_deleted_empty_or_not_at_all() {
    let node = Node::new(12, 4 * MIB);
    node.run(async |store, monitor| {
        for round in 0..50 {
            let bucket = create_bucket(store).await;
            let put_one = {
                let (store, bucket) = (store.clone(), bucket.clone());
                ringstone_io::runtime::spawn(async move {
                    let new = NewObject { key: "k".into(), ..NewObject::default() };
                    let body = write_body(&store, Content::new(round, 20_000)).await.expect("written");
                    store.put_object(&bucket, new, body, WriteCondition::None).await.is_ok()
                })
            };
            if round % 2 == 0 {
                sleep(Duration::from_micros(round * 20)).await;
            }
            let deleted = store.delete_bucket(&bucket).await.is_ok();
            let stored = put_one.await;
            assert!(!(deleted && stored), "round {round}: an object without a bucket");
            if !deleted {
                assert!(stored, "round {round}: neither");
                delete(store, &bucket, "k").await.expect("deleted");
                store.delete_bucket(&bucket).await.expect("empty now");
            }
            node.check_space(monitor).await;
        }
    });
}

#[test]
fn blocks_of_a_commit_that_nobody_knows_the_end_of_are_given_to_nobody() {
    for is_kept in [true, false] {
        let node = Node::new(1, 16 * MIB);
        let Engine::Memory(engine) = &node.engine else { panic!("an index in memory") };
        let content = Content::new(1, MIB);
        let bucket = node.run(async |store, monitor| {
            let bucket = create_bucket(store).await;
            engine.power_off_at(1, is_kept);
            let put = put(store, &bucket, "k", content).await;
            assert!(matches!(put, Err(StoreError::Poisoned(_))));
            // Whoever still writes gets others.
            assert!(used_blocks(monitor) * 4096 >= MIB);
            bucket
        });
        engine.power_on();
        node.run(async |store, monitor| {
            let found = get(store, &bucket, "k").await.expect("readable");
            assert!(found == is_kept.then(|| content.make()));
            node.check_space(monitor).await;
        });
    }
}
