//! Histories in which the power goes: of the disk in the middle of an operation, of the index at a commit that nobody
//! learns the end of, of both at once; or clients go and leave what they asked for.
//!
//! What had no answer was done up to some deed of those that were queued, and not beyond. So of each deed that was under
//! way the model is asked what it would have made, and one of these states must be what the node has when it starts
//! again. Owners of runs and the space map are exact in each.

use ringstone_io::runtime::Clock;
use ringstone_io::sim::SimulatedDisk;

use crate::index::engine::Engine;
use crate::index::record::Versioning;
use crate::index::upload_listing::{UploadItem, UploadMarker, UploadQuery};
use crate::index::version_listing::{VersionItem, VersionMarker, VersionQuery};
use crate::store::Store;
use crate::store::objects::Lookup;
use crate::store::start::Monitor;
use crate::store::test_node::{Node, seeds, used_blocks};
use crate::store::upload_id::UploadId;
use crate::store::version_id::VersionId;

use super::account::Moment;
use super::check::Look;
use super::deed::{Answer, Deed, Work, run_all};
use super::history::{History, RulesCome};
use super::state::{Model, Place};
use super::{START_MS, extent_bytes};

const LIVES: u64 = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Orderly,
    /// Clients go while what they asked for is queued.
    Abandoned,
    /// Everything but what was synced is at the mercy of the dice.
    Cut,
    /// The power goes in the middle of some operation of the disk.
    DiskMidway,
    /// The same, where bodies are synced for a commit.
    DiskAtCommit,
    /// The power goes while the index commits.
    IndexMidway,
}

const ENDS: [End; 6] =
    [End::Orderly, End::Abandoned, End::Cut, End::DiskMidway, End::DiskAtCommit, End::IndexMidway];

/// What the store has that the model has not.
#[derive(Debug, Default)]
struct News {
    versions: Vec<(Place, u64)>,
    uploads: Vec<(Place, UploadId)>,
}

impl News {
    fn of(store: &Store, model: &Model) -> Self {
        let mut news = Self::default();
        for (number, bucket) in model.buckets.iter().enumerate() {
            let of_key = |key: &str| {
                let known = super::state::KEYS.iter().find(|known| **known == key);
                known.map(|key| Place { bucket: number, key })
            };
            let (prefix, delimiter) = ("", None);
            let after = VersionMarker::Start;
            let query = VersionQuery { prefix, delimiter, after, items_max: usize::MAX };
            for item in store.list_versions(&bucket.record, &query).expect("listed").items {
                if let VersionItem::Version { key, listed, .. } = item
                    && listed.stamp > model.last_stamp
                    && !listed.null_version
                {
                    news.versions.extend(of_key(&key).map(|place| (place, listed.stamp)));
                }
            }
            let query =
                UploadQuery { prefix, delimiter, after: UploadMarker::Start, uploads_max: usize::MAX };
            for item in store.list_uploads(&bucket.record, &query).expect("listed").items {
                if let UploadItem::Upload { key, stamp, record } = item {
                    let id = UploadId { stamp, tag: record.tag };
                    news.uploads.extend(of_key(&key).map(|place| (place, id)));
                }
            }
        }
        news.uploads.retain(|(_, id)| !model.uploads.contains_key(id));
        news
    }

    /// When a deed may have been done: after `last`, at the first moment that the store shows of it.
    fn moment(&self, model: &Model, deed: &Deed, last: u64, now_ms: i64) -> Moment {
        let places: Vec<Place> = match deed {
            Deed::Put { place, .. } | Deed::Copy { place, .. } | Deed::Complete { place, .. } => vec![*place],
            Deed::Delete { removals, .. } => removals.iter().map(|removal| removal.target.place).collect(),
            _ => Vec::new(),
        };
        let shows = |place: &Place| model.versioning(place.bucket) == Versioning::Enabled;
        let stamps = self.versions.iter().filter(|(place, stamp)| places.contains(place) && *stamp > last);
        let stamp = match places.first() {
            Some(place) if shows(place) => stamps.map(|(_, stamp)| *stamp).min().unwrap_or(last + 1),
            // It is looked up where it matters.
            _ => 0,
        };
        let mut upload = UploadId { stamp: last + 1, tag: 0 };
        if let Deed::Begin(begun) = deed {
            let fits = |(place, id): &&(Place, UploadId)| *place == begun.place && id.stamp > last;
            let found = self.uploads.iter().filter(fits).map(|(_, id)| *id).min();
            upload = found.unwrap_or(upload);
            return Moment { stamp: upload.stamp, upload, now_ms };
        }
        Moment { stamp, upload, now_ms }
    }
}

/// Takes the stamps of null versions from the store, and forgets what cannot be known.
fn adopt(store: &Store, model: &mut Model) {
    for number in 0..model.buckets.len() {
        let record = model.buckets[number].record.clone();
        for (key, versions) in &mut model.buckets[number].keys {
            for version in versions.iter_mut().filter(|version| version.listed.stamp == 0) {
                let found = store.open_object(&record, key, Some(VersionId::Null)).expect("readable");
                if let (Lookup::Object(found), Some(_)) = (found, &version.object) {
                    version.listed.stamp = found.record.listed.stamp;
                }
            }
        }
    }
    let stamps = model.buckets.iter().flat_map(|bucket| bucket.keys.values().flatten());
    let last = stamps.map(|version| version.listed.stamp).max().unwrap_or(0);
    model.last_stamp = model.last_stamp.max(last);
    if let Some(id) = model.uploads.keys().next_back() {
        model.last_stamp = model.last_stamp.max(id.stamp);
    }
}

/// Finds out how far what was under way has come.
async fn settle(history: &mut History, store: &Store, under_way: &[Deed]) -> usize {
    let now_ms = history.now_ms();
    let news = News::of(store, &history.model);
    let mut differences = Vec::new();
    for done in (0..=under_way.len()).rev() {
        let mut model = history.model.clone();
        let mut last = model.last_stamp;
        for deed in &under_way[..done] {
            let moment = news.moment(&model, deed, last, now_ms);
            let _ = model.predict(deed, moment);
            last = last.max(moment.stamp);
        }
        // Answers that nobody has seen are not known.
        let mut is_under_way: Vec<UploadId> = Vec::new();
        for deed in under_way {
            if let Deed::Complete { id, .. } = deed {
                is_under_way.push(*id);
            }
        }
        model.ended.retain(|ended| !is_under_way.contains(&ended.id));
        adopt(store, &mut model);
        let same = Look { store, model: &model, dice: &mut history.dice }.all().await;
        match same {
            Ok(()) => {
                history.model = model;
                return done;
            }
            Err(difference) => differences.push(format!("with {done} done: {difference}")),
        }
    }
    history.deeds = under_way.to_vec();
    panic!("no state that could be:\n{}", differences.join("\n"));
}

/// Runs until something has no answer, or for so many steps. Returns what was then under way. The power goes at the
/// commit of the last step, where a disk is given.
async fn live(history: &mut History, store: &Store, steps: u64, disk: Option<&SimulatedDisk>) -> Vec<Deed> {
    for left in (0..steps).rev() {
        // The power may be off: then nothing more is asked for.
        let Ok(prepared) = history.next(store).await else { return Vec::new() };
        if let (0, Some(disk)) = (left, disk) {
            disk.power_off_after(0);
        }
        let (deeds, works): (Vec<Deed>, Vec<Work>) =
            prepared.into_iter().map(|prepared| (prepared.deed, prepared.work)).unzip();
        history.deeds.clone_from(&deeds);
        history.done += deeds.len() as u64;
        let answers = run_all(works).await;
        let is_failed = |answer: &Answer| matches!(answer, Answer::Failed(_));
        let answered = answers.iter().position(is_failed).unwrap_or(answers.len());
        assert!(answers[answered..].iter().all(is_failed), "an answer after the end: {answers:?}");
        let now_ms = history.now_ms();
        for (deed, answer) in deeds.iter().zip(&answers[..answered]) {
            let same = history.model.account(deed, answer, now_ms);
            same.unwrap_or_else(|difference| panic!("{difference}"));
        }
        if answered < deeds.len() {
            return deeds[answered..].to_vec();
        }
        for deed in &deeds {
            history.learn(store, deed).unwrap_or_else(|difference| panic!("{difference}"));
        }
    }
    Vec::new()
}

/// Queues deeds and leaves.
async fn abandon(history: &mut History, store: &Store) -> Vec<Deed> {
    let Ok(prepared) = history.next(store).await else { return Vec::new() };
    let (deeds, works): (Vec<Deed>, Vec<Work>) =
        prepared.into_iter().map(|prepared| (prepared.deed, prepared.work)).unzip();
    for mut work in works {
        std::future::poll_fn(|context| {
            let _ = work.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
    }
    deeds
}

fn run(mut node: Node, seed: u64, reopen: impl Fn(&mut Node)) {
    node.clock = Clock::manual(START_MS);
    let clock = node.clock.clone();
    let mut history = node.run(async |store, _| History::begin_with(store, seed, 0, clock).await);
    history.keeps_buckets = true;
    history.rules = RulesCome::Never;
    let mut ends: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    for _ in 0..LIVES {
        let disk = node.disk.clone();
        let simulation = disk.simulation().expect("simulated");
        let mut end = ENDS[history.below(ENDS.len() as u64)];
        if end == End::IndexMidway {
            match &node.engine {
                Engine::Memory(engine) => {
                    engine.power_off_at(1 + history.dice.below(60), history.dice.below(2) == 0);
                }
                Engine::Lmdb(_) => end = End::Cut,
            }
        }
        let (under_way, cut) = node.run(async |store, _| {
            if end == End::DiskMidway {
                simulation.power_off_after(history.dice.below(150));
            }
            let steps = 10 + history.dice.below(60);
            let disk = (end == End::DiskAtCommit).then_some(simulation);
            let mut under_way = live(&mut history, store, steps, disk).await;
            if end == End::Abandoned {
                under_way = abandon(&mut history, store).await;
            }
            (under_way, (end == End::Cut).then(|| simulation.cut()))
        });
        match (end, cut) {
            (End::Orderly | End::Abandoned, _) => {}
            (_, Some(disk)) => node.disk = disk,
            (_, None) => node.disk = simulation.cut(),
        }
        if let Engine::Memory(engine) = &node.engine {
            engine.power_on();
        }
        reopen(&mut node);
        node.check_space_map();
        node.run(async |store, monitor: &Monitor| {
            let done = settle(&mut history, store, &under_way).await;
            *ends.entry(format!("{end:?} {done} of {}", under_way.len())).or_default() += 1;
            node.check_space(monitor).await;
        });
    }
    history.keeps_buckets = false;
    node.run(async |store, monitor| {
        history.clear(store).await.unwrap_or_else(|difference| panic!("{difference}"));
        node.check_space(monitor).await;
        assert_eq!(used_blocks(monitor), 0);
    });
    println!("seed {seed}: {} steps, {ends:?}", history.done);
}

#[test]
fn what_was_under_way_at_a_cut_is_done_wholly_or_not_at_all() {
    for seed in seeds(4) {
        run(Node::new(seed, extent_bytes(seed)), seed, |_| {});
    }
}

#[test]
fn over_lmdb_too() {
    let seed = 1;
    let directory = tempfile::tempdir().expect("a directory");
    let mut node = Node::new(seed, extent_bytes(seed));
    let reopen = |node: &mut Node| {
        // The old one must be closed before the new one opens.
        node.engine = Node::new(seed, 0).engine;
        node.engine = Engine::open(directory.path()).expect("an index");
    };
    reopen(&mut node);
    run(node, seed, reopen);
}
