//! The thread over a store whose days last a second.

use ringstone_io::disk::Disk;
use ringstone_io::runtime::{Clock, run_on_core, sleep};

use super::*;
use crate::index::engine::{Engine, MemoryEngine};
use crate::index::listing::{ListQuery, Marker};
use crate::index::record::{Expiration, LifecycleRule, LifecycleRules, TagSet};
use crate::store::body_writer::NewBody;
use crate::store::buckets::NewBucket;
use crate::store::extent::space::SpaceOptions;
use crate::store::put::NewObject;
use crate::store::start::SharedStore;
use crate::store::write_condition::WriteCondition;

#[test]
fn it_takes_what_is_due_and_stops_when_told() {
    let options = SpaceOptions { extent_bytes: 16 * 1024 * 1024, reserve_bytes: 0 };
    let (engine, calendar) = (Engine::Memory(MemoryEngine::new()), Calendar::with_day_s(1));
    run_on_core(None, async {
        let shared = SharedStore::open(engine, Disk::simulated(1), options, 1, Clock::system(), calendar);
        let shared = shared.expect("the store opens");
        let store = shared.core(0).into_store(4 * 1024 * 1024).expect("a store");
        let lifecycle = Lifecycle::start(shared.lifecycle()).expect("a thread");
        let [name, user, display_name, org, region] = ["bucket", "u", "d", "o", "r"].map(str::to_owned);
        let new = NewBucket { name, user, display_name, org, region, tags: TagSet::default() };
        let bucket = store.create_bucket(new).await.expect("created").value().clone();
        for number in 0..20 {
            let body =
                store.body_writer(&NewBody::default()).expect("a writer").finish().await.expect("a body");
            let new = NewObject { key: number.to_string(), ..NewObject::default() };
            store.put_object(&bucket, new, body, WriteCondition::None).await.expect("put");
        }
        let rule = LifecycleRule {
            enabled: true,
            expiration: Some(Expiration::Days(1)),
            ..LifecycleRule::default()
        };
        store.set_lifecycle(&bucket, Some(LifecycleRules(vec![rule]))).await.expect("set");
        let query = ListQuery { prefix: "", delimiter: None, after: Marker::Start, keys_max: 1 };
        let began = Instant::now();
        while !store.list(&bucket, &query).expect("readable").items.is_empty() {
            assert!(began.elapsed() < Duration::from_secs(20), "nothing goes");
            sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(shared.monitor().lifecycle().expired_objects, 20);
        let began = Instant::now();
        lifecycle.stop();
        assert!(began.elapsed() < Duration::from_millis(500), "it stops at once");
        drop(store);
        shared.close();
    })
    .expect("a ring");
}

#[test]
fn rests_are_parts_of_short_days_and_bounded() {
    for (day_s, rest_ms) in [(1, 250), (2, 500), (4, 1000), (3600, 1000), (Calendar::DAY_S, 10_000)] {
        assert_eq!(idle_rest(Calendar::with_day_s(day_s)), Duration::from_millis(rest_ms), "{day_s}");
    }
}

#[test]
fn what_does_not_come_to_an_end_goes_faster() {
    let factors = [0, 10 * 60, 60 * 60, 9 * 60 * 60].map(|s| rest_factor(Duration::from_secs(s)));
    assert_eq!(factors, [60, 12, 3, 3]);
}
