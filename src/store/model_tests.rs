//! Random histories of a bucket against a model of S3's versions. Each step is done to both; after it some of what the
//! store tells is compared, and all of it before the node stops. Nodes restart now and then.
//!
//! `RINGSTONE_TEST_SEED` runs one seed alone, `RINGSTONE_TEST_STEPS` sets the steps of each seed. A failure prints both
//! and the step.

use std::collections::BTreeMap;

use crate::index::engine::{Engine, Entry, KeyRange, ScanLimits};
use crate::index::key_encoding;
use crate::index::listing::{Item, ListQuery, Marker};
use crate::index::record::{BucketRecord, Listed, Metadata, ObjectRecord, TagSet, Versioning};
use crate::index::version_listing::{VersionItem, VersionMarker, VersionQuery};
use crate::store::Store;
use crate::store::buckets::DeleteBucketRefusal;
use crate::store::delete::DeleteRequest;
use crate::store::error::Refusal;
use crate::store::objects::Lookup;
use crate::store::put::NewObject;
use crate::store::start::Monitor;
use crate::store::tags::TagRefusal;
use crate::store::test_node::{Content, Dice, MIB, Node, create_bucket, read, write_body};
use crate::store::version_id::VersionId;
use crate::store::versions::Deleted;
use crate::store::write_condition::WriteCondition;

/// Some begin with others, and all fall into few groups.
const KEYS: &[&str] = &["a", "a/", "a/1", "a/1/x", "a/2", "b", "b\u{1}", "\u{e9}/1"];
const SEEDS: u64 = 4;
const STEPS_DEFAULT: u64 = 5_000;
const LIVES: u64 = 5;

type Tags = Vec<(String, String)>;

/// What is done to the bucket.
#[derive(Clone, Debug)]
enum Step {
    Put {
        key: &'static str,
        content: Content,
        tags: Tags,
    },
    Delete(Target),
    /// In one transaction, possibly with repetitions.
    DeleteAll(Vec<Target>),
    Tag(Target, Tags),
    SetVersioning(Versioning),
    /// Makes it anew, if it is empty.
    DeleteBucket,
}

/// A version, or whatever is the newest.
type Target = (&'static str, Option<VersionId>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    id: VersionId,
    /// `None` for a delete marker.
    object: Option<(Content, Tags)>,
}

/// The bucket as it must be.
#[derive(Default)]
struct Model {
    versioning: Versioning,
    /// The versions of every key that has any, newest first.
    keys: BTreeMap<&'static str, Vec<Version>>,
    /// Names that were given, and are perhaps no more.
    given: Vec<(&'static str, VersionId)>,
}

impl Model {
    fn newest(&self, key: &str) -> Option<&Version> {
        self.keys.get(key)?.first()
    }

    fn find(&self, (key, id): Target) -> Option<&Version> {
        match id {
            None => self.newest(key),
            Some(id) => self.keys.get(key)?.iter().find(|version| version.id == id),
        }
    }

    /// The name of a new version: `null` unless the bucket keeps versions, otherwise one that none of the key ever had.
    fn check_new(&mut self, key: &'static str, id: VersionId) {
        match (self.versioning, id) {
            (Versioning::Enabled, VersionId::Stamp(_)) => {
                assert!(!self.given.contains(&(key, id)), "{id} given twice");
            }
            (Versioning::Unset | Versioning::Suspended, VersionId::Null) => {}
            (versioning, id) => panic!("a new version {id} while versioning is {versioning:?}"),
        }
        self.given.push((key, id));
    }

    /// Puts a version on top; a new null version replaces the old one.
    fn install(&mut self, key: &'static str, version: Version) {
        self.check_new(key, version.id);
        let versions = self.keys.entry(key).or_default();
        versions.retain(|old| version.id != VersionId::Null || old.id != VersionId::Null);
        versions.insert(0, version);
    }

    /// Does a deletion; `answer` is what the store said of it. `batch` holds the keys that its transaction has
    /// marked.
    fn delete(&mut self, (key, id): Target, answer: Deleted, batch: &mut Vec<&'static str>) {
        let found = self.find((key, id)).map(|version| version.object.is_none());
        match (id, self.versioning) {
            (Some(id), _) => {
                let delete_marker = found == Some(true);
                assert_eq!(answer, Deleted { version: Some(id), delete_marker });
                self.remove(key, id);
            }
            (None, Versioning::Unset) => {
                assert_eq!(answer, Deleted::default());
                self.remove(key, VersionId::Null);
            }
            (None, _) => {
                let marker = answer.version.expect("a marker has an id");
                assert!(answer.delete_marker);
                let version = Version { id: marker, object: None };
                // A transaction marks a key once.
                if marker != VersionId::Null && batch.contains(&key) {
                    assert_eq!(self.newest(key), Some(&version));
                    return;
                }
                self.install(key, version);
                batch.push(key);
            }
        }
    }

    fn remove(&mut self, key: &str, id: VersionId) {
        let Some(versions) = self.keys.get_mut(key) else { return };
        versions.retain(|version| version.id != id);
        if versions.is_empty() {
            self.keys.remove(key);
        }
    }

    /// What a listing of versions shows, without pages.
    fn version_names(&self, prefix: &str, delimiter: Option<&str>) -> Vec<String> {
        let mut names = Vec::new();
        for (key, versions) in &self.keys {
            for (index, version) in versions.iter().enumerate() {
                let Some(name) = item_name(key, prefix, delimiter) else { continue };
                let name = match name {
                    Name::Group(group) => group,
                    Name::Key => format!("{key} {} {} {}", version.id, version.object.is_none(), index == 0),
                };
                if names.last() != Some(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// What a listing of objects shows.
    fn object_names(&self, prefix: &str, delimiter: Option<&str>) -> Vec<String> {
        let mut names = Vec::new();
        for (key, versions) in &self.keys {
            let Some(Version { object: Some((content, _)), .. }) = versions.first() else { continue };
            let Some(name) = item_name(key, prefix, delimiter) else { continue };
            let name = match name {
                Name::Group(group) => group,
                Name::Key => format!("{key} {}", content.bytes),
            };
            if names.last() != Some(&name) {
                names.push(name);
            }
        }
        names
    }
}

enum Name {
    Group(String),
    Key,
}

fn item_name(key: &str, prefix: &str, delimiter: Option<&str>) -> Option<Name> {
    let rest = key.strip_prefix(prefix)?;
    let group = delimiter.and_then(|delimiter| Some(prefix.len() + rest.find(delimiter)? + delimiter.len()));
    Some(group.map_or(Name::Key, |bytes| Name::Group(format!("{}|", &key[..bytes]))))
}

/// One history: where it stands, and what comes next.
struct History {
    seed: u64,
    steps: u64,
    step: Option<Step>,
    dice: Dice,
    bucket: BucketRecord,
    model: Model,
    contents: u64,
}

impl Drop for History {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { seed, steps, step, .. } = self;
            eprintln!("RINGSTONE_TEST_SEED={seed} RINGSTONE_TEST_STEPS={steps} failed at {step:?}");
        }
    }
}

/// What comes next.
impl History {
    fn below(&mut self, sides: u64) -> usize {
        self.dice.below(sides) as usize
    }

    fn key(&mut self) -> &'static str {
        KEYS[self.below(KEYS.len() as u64)]
    }

    /// Mostly a version that exists, otherwise the newest, or one that was or never will be.
    fn target(&mut self) -> Target {
        let key = self.key();
        let id = match (self.below(8), self.model.keys.get(key)) {
            (0, _) => None,
            (1, _) => Some(VersionId::Null),
            (2, _) => Some(VersionId::Stamp(self.dice.next())),
            (3, _) => {
                let place = self.below(1 + self.model.given.len() as u64);
                self.model.given.get(place).map(|(_, id)| *id)
            }
            (_, Some(versions)) => Some(versions[self.dice.below(versions.len() as u64) as usize].id),
            (_, None) => None,
        };
        (key, id)
    }

    fn content(&mut self) -> Content {
        self.contents += 1;
        let bytes = match self.below(32) {
            0 => 9_000 + self.below(100_000),
            1 => 0,
            _ => self.below(60),
        };
        Content::new(self.seed << 32 | self.contents, bytes as u64)
    }

    fn tags(&mut self) -> Tags {
        let count = self.below(3);
        (0..count).map(|index| (format!("t{index}"), self.contents.to_string())).collect()
    }

    fn choose(&mut self) -> Step {
        match self.below(100) {
            0..40 => Step::Put { key: self.key(), content: self.content(), tags: self.tags() },
            40..55 => Step::Delete((self.key(), None)),
            55..82 => Step::Delete(self.target()),
            82..88 => {
                let count = 1 + self.below(6);
                Step::DeleteAll((0..count).map(|_| self.target()).collect())
            }
            88..90 => {
                // All of a key, and the newest of it whatever that is by then.
                let key = self.key();
                let versions = self.model.keys.get(key).map(Vec::as_slice).unwrap_or_default();
                let mut targets: Vec<Target> =
                    versions.iter().map(|version| (key, Some(version.id))).collect();
                targets.extend([(key, None)].into_iter().filter(|_| self.dice.below(2) == 0));
                Step::DeleteAll(targets)
            }
            90..96 => Step::Tag(self.target(), self.tags()),
            96..98 => Step::SetVersioning([Versioning::Enabled, Versioning::Suspended][self.below(2)]),
            98 => Step::DeleteAll(self.everything()),
            _ => Step::DeleteBucket,
        }
    }

    fn everything(&self) -> Vec<Target> {
        let of_key = |(key, versions): (&&'static str, &Vec<Version>)| -> Vec<Target> {
            versions.iter().map(|version| (*key, Some(version.id))).collect()
        };
        self.model.keys.iter().flat_map(of_key).collect()
    }
}

/// What a step does.
impl History {
    async fn apply(&mut self, store: &Store, step: Step) {
        match step {
            Step::Put { key, content, tags } => self.put(store, key, content, tags).await,
            Step::Delete(target) => {
                let request = request(target);
                let answer = store.delete_object(&self.bucket, request).await.expect("deleted");
                self.model.delete(target, *answer.value(), &mut Vec::new());
            }
            Step::DeleteAll(targets) => {
                let requests = targets.iter().copied().map(request).collect();
                let answers = store.delete_objects(&self.bucket, requests).await.expect("deleted");
                let mut batch = Vec::new();
                for (target, answer) in targets.into_iter().zip(answers.value()) {
                    self.model.delete(target, answer.expect("unconditional"), &mut batch);
                }
            }
            Step::Tag(target, tags) => self.tag(store, target, tags).await,
            Step::SetVersioning(versioning) => {
                store.set_versioning(&self.bucket, versioning).await.expect("set");
                self.model.versioning = versioning;
                self.bucket = store.bucket(&self.bucket.name).expect("readable").expect("there");
            }
            Step::DeleteBucket => self.delete_bucket(store).await,
        }
    }

    async fn put(&mut self, store: &Store, key: &'static str, content: Content, tags: Tags) {
        let body = write_body(store, content).await.expect("written");
        let metadata = Metadata { tags: tags.clone(), ..Metadata::default() };
        let new = NewObject { key: key.into(), metadata, ..NewObject::default() };
        let committed =
            store.put_object(&self.bucket, new, body, WriteCondition::None).await.expect("committed");
        let id = VersionId::of(committed.value());
        self.model.install(key, Version { id, object: Some((content, tags)) });
    }

    async fn tag(&mut self, store: &Store, (key, id): Target, tags: Tags) {
        let answer = store.set_object_tags(&self.bucket, key, id, TagSet(tags.clone())).await;
        let versions = self.model.keys.get_mut(key).map(Vec::as_mut_slice).unwrap_or_default();
        let found = versions.iter_mut().find(|version| id.is_none_or(|id| version.id == id));
        match (found, answer) {
            (None, Err(Refusal::Refused(TagRefusal::NoSuchVersion))) => {}
            (Some(Version { id, object: None }), Err(Refusal::Refused(TagRefusal::DeleteMarker(marker)))) => {
                assert_eq!(VersionId::of(&marker), *id);
            }
            (Some(Version { id, object: Some((_, of_model)) }), Ok(committed)) => {
                assert_eq!(VersionId::of(committed.value()), *id);
                *of_model = tags;
            }
            (found, answer) => panic!("{found:?}: {answer:?}"),
        }
    }

    async fn delete_bucket(&mut self, store: &Store) {
        match store.delete_bucket(&self.bucket).await {
            Ok(_committed) => {
                assert!(self.model.keys.is_empty(), "a bucket with versions was deleted");
                self.bucket = create_bucket(store).await;
                self.model = Model::default();
            }
            Err(Refusal::Refused(DeleteBucketRefusal::NotEmpty)) => {
                assert!(!self.model.keys.is_empty(), "an empty bucket was not deleted");
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

fn request((key, version): Target) -> DeleteRequest {
    DeleteRequest { key: key.into(), version, ..DeleteRequest::default() }
}

/// What the store tells.
impl History {
    async fn check_some(&mut self, store: &Store) {
        let key = self.key();
        self.check(store, (key, None)).await;
        let target = self.target();
        self.check(store, target).await;
        if self.below(8) == 0 {
            self.check_lists(store);
        }
    }

    async fn check_all(&mut self, store: &Store) {
        for target in self.everything().into_iter().chain(KEYS.iter().map(|key| (*key, None))) {
            self.check(store, target).await;
        }
        self.check_lists(store);
        self.delete_bucket(store).await;
    }

    async fn check(&self, store: &Store, target: Target) {
        let lookup = store.open_object(&self.bucket, target.0, target.1).expect("readable");
        match (self.model.find(target), lookup) {
            (None, Lookup::Nothing) => {}
            (Some(Version { id, object: None }), Lookup::DeleteMarker(marker)) => {
                assert_eq!(VersionId::of(&marker), *id, "{target:?}");
            }
            (Some(Version { id, object: Some((content, tags)) }), Lookup::Object(object)) => {
                assert_eq!(VersionId::of(&object.record.listed), *id, "{target:?}");
                assert_eq!(object.record.metadata.tags, *tags, "{target:?}");
                assert_eq!(object.record.listed.size, content.bytes as u64, "{target:?}");
                if let Some(last) = object.record.listed.size.checked_sub(1) {
                    let bytes = read(store, object, 0..=last).await.expect("readable");
                    assert!(bytes == content.make(), "{target:?} has other bytes");
                }
            }
            (expected, found) => {
                let found = match found {
                    Lookup::Object(object) => format!("an object {:?}", object.record.listed),
                    Lookup::DeleteMarker(marker) => format!("a marker {marker:?}"),
                    Lookup::Nothing => "nothing".to_owned(),
                };
                panic!("{target:?} is {found}, not {expected:?}")
            }
        }
    }

    /// Walks the pages of both listings.
    fn check_lists(&mut self, store: &Store) {
        let prefix = ["", "", "a", "a/", "b"][self.below(5)];
        let delimiter = [None, Some("/"), Some("/1")][self.below(3)];
        let keys_max = [1, 2, 5, 1000][self.below(4)];
        let mut names = Vec::new();
        let mut query = ListQuery { prefix, delimiter, after: Marker::Start, keys_max };
        loop {
            let page = store.list(&self.bucket, &query).expect("listed");
            names.extend(page.items.into_iter().map(|item| match item {
                Item::Object { key, listed } => format!("{key} {}", listed.size),
                Item::CommonPrefix(group) => format!("{group}|"),
            }));
            let Some(next) = page.next else { break };
            query.after = next;
        }
        assert_eq!(names, self.model.object_names(prefix, delimiter), "{query:?}");

        let mut names = Vec::new();
        let mut query = VersionQuery { prefix, delimiter, after: VersionMarker::Start, items_max: keys_max };
        loop {
            let page = store.list_versions(&self.bucket, &query).expect("listed");
            names.extend(page.items.into_iter().map(|item| match item {
                VersionItem::Version { key, listed, is_latest } => {
                    format!("{key} {} {} {is_latest}", VersionId::of(&listed), listed.delete_marker)
                }
                VersionItem::CommonPrefix(group) => format!("{group}|"),
            }));
            let Some(next) = page.next else { break };
            query.after = next;
        }
        assert_eq!(names, self.model.version_names(prefix, delimiter), "{query:?}");
    }
}

/// What `store::versions` promises of the tables, whatever the model says.
fn check_tables(engine: &Engine, bucket: &BucketRecord) {
    let limits = ScanLimits { entries_max: usize::MAX, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
    let scan = |start: &[u8], end: &[u8]| {
        engine.scan(KeyRange::between(start, end), limits).expect("readable").entries
    };
    let listed = |entry: &Entry| ObjectRecord::decode_listed(&entry.value).expect("a record");
    let (start, end) = key_encoding::object_range(bucket.id, "");
    let mut newest: BTreeMap<String, Listed> = BTreeMap::new();
    for (key, entry) in scan(&start, &end) {
        let (_, key) = key_encoding::decode_object_key(&key).expect("the key of an object");
        newest.insert(key, listed(&entry));
    }
    assert!(newest.values().all(|listed| !listed.delete_marker), "a delete marker among the current objects");
    let (start, end) = key_encoding::versions_range(bucket.id, "");
    let mut null_versions = BTreeMap::new();
    for (encoded, entry) in scan(&start, &end) {
        let (key, stamp) = key_encoding::decode_version_key(&encoded).expect("the key of a version");
        let listed = listed(&entry);
        assert_eq!(listed.stamp, stamp);
        if listed.null_version {
            let pointer = key_encoding::null_version_key(bucket.id, &key);
            assert_eq!(null_versions.insert(pointer, stamp.to_be_bytes().to_vec()), None);
        }
        let newest = newest.entry(key).or_insert_with(|| listed.clone());
        assert!(
            newest.stamp > stamp || (*newest == listed && listed.delete_marker),
            "{listed:?} is out of place"
        );
    }
    let pointers: BTreeMap<Vec<u8>, Vec<u8>> =
        scan(b"N", b"O").into_iter().map(|(key, entry)| (key, entry.value)).collect();
    assert_eq!(pointers, null_versions);
}

fn run(seed: u64, steps: u64) {
    let node = Node::new(seed, 64 * MIB);
    let bucket = node.run(async |store, _| create_bucket(store).await);
    let (dice, model) = (Dice(seed), Model::default());
    let mut history = History { seed, steps, step: None, dice, bucket, model, contents: 0 };
    for _ in 0..LIVES {
        node.run(async |store, monitor: &Monitor| {
            for _ in 0..steps / LIVES {
                let step = history.choose();
                history.step = Some(step.clone());
                history.apply(store, step).await;
                history.check_some(store).await;
            }
            history.check_all(store).await;
            node.check_space(monitor).await;
        });
        check_tables(&node.engine, &history.bucket);
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn the_store_is_what_the_model_says() {
    let steps = setting("RINGSTONE_TEST_STEPS").unwrap_or(STEPS_DEFAULT);
    match setting("RINGSTONE_TEST_SEED") {
        Some(seed) => run(seed, steps),
        None => (0..SEEDS).for_each(|seed| run(seed, steps)),
    }
}
