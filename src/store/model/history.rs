//! One history: where it stands, what comes next, and how it is done to store and model.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use ringstone_io::runtime::Clock;

use crate::checksum::{Algorithm, Digest};
use crate::config::limits::{
    FRAME_PAYLOAD_BYTES, INLINE_BODY_BYTES_MAX, PART_BYTES_MIN, REMEMBERED_MS, SEALED_FRAME_PLAINTEXT_BYTES,
};
use crate::index::record::{BucketRecord, Owner, TagSet};
use crate::store::Store;
use crate::store::body_writer::{BodyWritten, NewBody};
use crate::store::buckets::{CreateBucketRefusal, NewBucket};
use crate::store::error::{Refusal, StoreError};
use crate::store::lifecycle::job::LifecycleJob;
use crate::store::objects::{Lookup, OpenObject};
use crate::store::test_node::{Content, Dice, MIB, fill};
use crate::store::upload_id::UploadId;
use crate::store::version_id::VersionId;

use super::bytes::{Bytes, SUMMED_BYTES_MAX};
use super::check::Look;
use super::deed::{Answer, Deed, Prepared, Removal, run_all};
use super::state::{
    BUCKETS, Bucket, KEYS, Model, PLAIN, Place, STOCK, Tags, Target, VERSIONED, customer_key,
};

pub(super) const UPLOADS_MAX: usize = 10;
/// Ended uploads that are remembered for being used again.
const ENDED_MAX: usize = 24;
/// Enough for two large parts and more.
const STOCK_BYTES: u64 = 2 * PART_BYTES_MIN + MIB;

pub(super) struct History {
    pub(super) seed: u64,
    /// Steps asked for, for the message of a failure.
    pub(super) steps: u64,
    pub(super) done: u64,
    pub(super) dice: Dice,
    pub(super) clock: Clock,
    pub(super) model: Model,
    /// What is under way.
    pub(super) deeds: Vec<Deed>,
    /// How often each kind of deed had each kind of answer.
    pub(super) tally: BTreeMap<String, u64>,
    /// Buckets are not deleted: that and the making of the next one are two transactions.
    pub(super) keeps_buckets: bool,
    /// What is under way is one deed alone.
    pub(super) is_alone: bool,
    /// A bucket that was deleted, and its id.
    pub(super) gone: Option<(usize, u64)>,
    /// A rename that was asked for.
    pub(super) renamed: Option<Deed>,
    /// The lifecycle's job of this life.
    pub(super) job: Option<LifecycleJob>,
    pub(super) rules: RulesCome,
    planned: VecDeque<Plan>,
    /// Names that were given, and are perhaps no more.
    given: VecDeque<VersionId>,
    contents: u64,
    /// Sums of large pieces, which are few.
    md5s: HashMap<Bytes, [u8; 16]>,
    digests: HashMap<(Bytes, Algorithm), Digest>,
}

/// How often buckets get lifecycle rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RulesCome {
    Never,
    Rarely,
    /// And much else that rules are about.
    Often,
}

/// What comes next, where that is known.
#[derive(Clone, Copy, Debug)]
enum Plan {
    Empty(usize),
    Abort(UploadId, Place),
    DeleteBucket(usize),
}

impl Drop for History {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { seed, steps, done, deeds, .. } = self;
            eprintln!(
                "RINGSTONE_TEST_SEED={seed} RINGSTONE_TEST_STEPS={steps} failed at step {done}: {deeds:#?}"
            );
        }
    }
}

impl History {
    /// Makes the buckets and what parts are copied from.
    pub(super) async fn begin_with(store: &Store, seed: u64, steps: u64, clock: Clock) -> Self {
        let mut history = Self {
            seed,
            steps,
            done: 0,
            dice: Dice(seed),
            clock,
            model: Model::default(),
            deeds: Vec::new(),
            tally: BTreeMap::new(),
            keeps_buckets: false,
            is_alone: true,
            gone: None,
            renamed: None,
            job: None,
            rules: RulesCome::Rarely,
            planned: VecDeque::new(),
            given: VecDeque::new(),
            contents: 0,
            md5s: HashMap::new(),
            digests: HashMap::new(),
        };
        for name in BUCKETS {
            let record = create_bucket(store, name).await.expect("created");
            history.model.buckets.push(Bucket { record, keys: BTreeMap::new(), rules: None });
        }
        let place = Target::stock().place;
        let content = history.content_of(STOCK_BYTES);
        // Until one is put that is not sealed.
        while history.model.current(place).and_then(|stock| stock.object.as_ref()?.key).is_some()
            || history.model.current(place).is_none()
        {
            let prepared = history.put(store, place, content).await.expect("written").expect("a put");
            history.carry_out(store, vec![prepared]).await.expect("done");
        }
        history
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.unix_ms()
    }

    // ------------------------------------------------------------------------------------------- dice

    pub(super) fn below(&mut self, sides: u64) -> usize {
        self.dice.below(sides) as usize
    }

    pub(super) fn key(&mut self) -> &'static str {
        KEYS[self.below(KEYS.len() as u64)]
    }

    pub(super) fn place(&mut self) -> Place {
        Place { bucket: self.below(STOCK as u64), key: self.key() }
    }

    /// Mostly a key that has something.
    pub(super) fn existing_key(&mut self, bucket: usize) -> &'static str {
        let keys: Vec<&'static str> = self.model.buckets[bucket].keys.keys().copied().collect();
        if keys.is_empty() || self.below(8) == 0 { self.key() } else { keys[self.below(keys.len() as u64)] }
    }

    /// Mostly a version that exists, otherwise the newest, or one that was or never will be.
    pub(super) fn target_of(&mut self, place: Place) -> Target {
        let versions = self.model.versions(place).len() as u64;
        let version = match self.below(8) {
            0 => None,
            1 => Some(VersionId::Null),
            2 => Some(VersionId::Stamp(self.dice.next())),
            3 => {
                let index = self.below(1 + self.given.len() as u64);
                self.given.get(index).copied()
            }
            _ if versions == 0 => None,
            _ => {
                let index = self.below(versions);
                Some(self.model.versions(place)[index].id())
            }
        };
        Target { place, version }
    }

    pub(super) fn target(&mut self) -> Target {
        let place = self.place();
        self.target_of(place)
    }

    /// Something to copy from; now and then the large object.
    pub(super) fn source_target(&mut self) -> Target {
        if self.below(6) == 0 {
            return Target::stock();
        }
        let bucket = self.below(STOCK as u64);
        let key = self.existing_key(bucket);
        self.target_of(Place { bucket, key })
    }

    pub(super) fn content(&mut self) -> Content {
        let edges = [
            INLINE_BODY_BYTES_MAX,
            FRAME_PAYLOAD_BYTES as u64,
            SEALED_FRAME_PLAINTEXT_BYTES as u64,
            4 * 65_504,
        ];
        let bytes = match self.below(32) {
            0 => self.dice.below(300_000),
            1..4 => edges[self.below(4)] - 1 + self.dice.below(3),
            4..6 => 8_000 + self.dice.below(3_000),
            6 => 0,
            _ => self.dice.below(60),
        };
        self.content_of(bytes)
    }

    pub(super) fn content_of(&mut self, bytes: u64) -> Content {
        self.contents += 1;
        Content::new(self.seed << 32 | self.contents, bytes)
    }

    /// Mostly none.
    pub(super) fn sealing_key(&mut self) -> Option<u8> {
        (self.below(6) == 0).then(|| 1 + self.below(3) as u8)
    }

    pub(super) fn owner(&mut self) -> Owner {
        Owner { user: format!("u{}", self.below(3)), display_name: "d".into() }
    }

    pub(super) fn user(&mut self) -> Tags {
        vec![("n".to_owned(), self.dice.below(1000).to_string())]
    }

    pub(super) fn tags(&mut self) -> Tags {
        let count = self.below(3);
        (0..count).map(|index| (format!("t{index}"), self.dice.below(4).to_string())).collect()
    }

    // ------------------------------------------------------------------------------------------- bytes

    pub(super) fn md5(&mut self, bytes: &Bytes) -> [u8; 16] {
        if bytes.len() <= SUMMED_BYTES_MAX {
            return bytes.md5();
        }
        *self.md5s.entry(bytes.clone()).or_insert_with(|| bytes.md5())
    }

    pub(super) fn digest(&mut self, bytes: &Bytes, algorithm: Algorithm) -> Digest {
        if bytes.len() <= SUMMED_BYTES_MAX {
            return bytes.digest(algorithm);
        }
        *self.digests.entry((bytes.clone(), algorithm)).or_insert_with(|| bytes.digest(algorithm))
    }

    pub(super) async fn write(
        &self,
        store: &Store,
        content: Content,
        algorithm: Algorithm,
        key: Option<u8>,
    ) -> Result<BodyWritten, StoreError> {
        let key = key.map(customer_key);
        let size_bytes = content.bytes as u64;
        let new = NewBody { size_bytes, checksums: &[algorithm], key: key.as_ref(), needs_md5: false };
        fill(store.body_writer(&new)?, content).await
    }

    pub(super) async fn rewrite(
        &self,
        store: &Store,
        (object, source_key): (OpenObject, Option<u8>),
        range: Option<RangeInclusive<u64>>,
        algorithm: Algorithm,
        key: Option<u8>,
    ) -> Result<BodyWritten, StoreError> {
        let key = key.map(customer_key);
        let size_bytes = range.as_ref().map_or(0, |range| range.end() - range.start() + 1);
        let new = NewBody { size_bytes, checksums: &[algorithm], key: key.as_ref(), needs_md5: false };
        store.rewrite(object, range, source_key.map(|key| Rc::new(customer_key(key))), &new).await
    }

    // ------------------------------------------------------------------------------------------- steps

    /// One step, or several that share groups. A difference is an error.
    pub(super) async fn step(&mut self, store: &Store) -> Result<(), String> {
        self.work_perhaps(store).await?;
        let prepared = self.next(store).await.map_err(|error| error.to_string())?;
        self.carry_out(store, prepared).await?;
        self.check_hints(&store.engine)?;
        self.check_some(store).await
    }

    /// Prepares what comes next.
    pub(super) async fn next(&mut self, store: &Store) -> Result<Vec<Prepared>, StoreError> {
        let pause_max_ms = if self.rules == RulesCome::Often { 3_000 } else { 400 };
        self.clock.advance(Duration::from_millis(self.dice.below(pause_max_ms)));
        if self.below(3_000) == 0 {
            // What is remembered now will not be.
            self.clock.advance(Duration::from_millis(REMEMBERED_MS.unsigned_abs()));
        }
        let too_many = self.model.ended.len().saturating_sub(ENDED_MAX);
        self.model.ended.drain(..too_many);
        self.is_alone = self.below(if self.keeps_buckets { 2 } else { 4 }) != 0;
        let count = if self.is_alone { 1 } else { 2 + self.below(5) };
        let mut prepared = Vec::new();
        while prepared.len() < count {
            let next = match self.planned.pop_front() {
                Some(plan) => self.next_planned(store, plan),
                None => self.next_one(store).await?,
            };
            prepared.extend(next);
        }
        Ok(prepared)
    }

    fn next_planned(&mut self, store: &Store, plan: Plan) -> Option<Prepared> {
        match plan {
            Plan::Empty(bucket) => {
                let removals = self.model.all_in(bucket).into_iter().map(Removal::of).collect();
                Some(self.removal_prepared(store, bucket, removals))
            }
            Plan::Abort(id, place) => self.abort(store, Some((id, place))),
            // Its successor has another id, which what is prepared beside it does not know.
            Plan::DeleteBucket(_) if !self.is_alone || self.keeps_buckets => None,
            Plan::DeleteBucket(bucket) => {
                self.gone = Some((bucket, self.model.buckets[bucket].record.id));
                Some(self.delete_bucket(store, bucket))
            }
        }
    }

    async fn next_one(&mut self, store: &Store) -> Result<Option<Prepared>, StoreError> {
        if self.rules == RulesCome::Often && self.below(3) != 0 {
            return self.next_for_rules(store).await;
        }
        Ok(match self.below(1000) {
            0..250 => {
                let (place, content) = (self.place(), self.content());
                self.put(store, place, content).await?
            }
            250..330 => {
                let place = self.place();
                Some(self.delete(store, vec![Target { place, version: None }], place.bucket))
            }
            330..480 => {
                let target = self.target();
                Some(self.delete(store, vec![target], target.place.bucket))
            }
            480..530 => Some(self.delete_several(store)),
            530..565 => {
                let target = self.target();
                Some(self.tag(store, target))
            }
            565..570 if self.rules != RulesCome::Never => Some(self.set_lifecycle(store)),
            565..582 => {
                let bucket = self.below(VERSIONED as u64);
                Some(self.set_versioning(store, bucket))
            }
            582..700 => self.copy(store).await?,
            700..750 => Some(self.rename(store)),
            750..810 if self.model.uploads.len() < UPLOADS_MAX => Some(self.begin(store)),
            750..860 => self.put_part(store).await?,
            860..920 => self.copy_part(store).await?,
            920..975 => self.complete(store),
            975..990 => self.abort(store, None),
            990..993 => {
                self.plan_end_of(PLAIN + 1);
                None
            }
            _ => {
                self.planned.push_back(Plan::DeleteBucket(self.dice.below(STOCK as u64) as usize));
                None
            }
        })
    }

    fn delete_several(&mut self, store: &Store) -> Prepared {
        let bucket = self.below(STOCK as u64);
        let mut targets: Vec<Target> = Vec::new();
        if self.below(4) == 0 {
            // All of a key, and the newest of it whatever that is by then.
            let place = Place { bucket, key: self.key() };
            targets.extend(self.model.all_in(bucket).into_iter().filter(|target| target.place == place));
            targets.extend((self.below(2) == 0).then_some(Target { place, version: None }));
        }
        for _ in 0..=self.below(6) {
            let place = Place { bucket, key: self.key() };
            targets.push(self.target_of(place));
        }
        self.delete(store, targets, bucket)
    }

    /// Empties a bucket and deletes it.
    fn plan_end_of(&mut self, buckets: usize) {
        let bucket = self.below(buckets as u64);
        self.planned.push_back(Plan::Empty(bucket));
        let uploads: Vec<_> =
            self.model.uploads_in(bucket).map(|(id, upload)| Plan::Abort(id, upload.place)).collect();
        self.planned.extend(uploads);
        self.planned.push_back(Plan::DeleteBucket(bucket));
    }

    /// Does what was prepared to both.
    pub(super) async fn carry_out(&mut self, store: &Store, prepared: Vec<Prepared>) -> Result<(), String> {
        self.done += prepared.len() as u64;
        let (deeds, works): (Vec<Deed>, Vec<_>) =
            prepared.into_iter().map(|prepared| (prepared.deed, prepared.work)).unzip();
        self.deeds.clone_from(&deeds);
        let answers = run_all(works).await;
        let now_ms = self.now_ms();
        for (deed, answer) in deeds.iter().zip(&answers) {
            if let Answer::Failed(error) = answer {
                return Err(format!("failed: {error}"));
            }
            *self.tally.entry(self.kind(deed, answer)).or_default() += 1;
            self.model.account(deed, answer, now_ms).map_err(|error| format!("{deed:#?}\n{error}"))?;
        }
        deeds.iter().try_for_each(|deed| self.learn(store, deed))
    }

    /// What the answer did not tell.
    pub(super) fn learn(&mut self, store: &Store, deed: &Deed) -> Result<(), String> {
        match deed {
            Deed::DeleteBucket(bucket) => {
                let record = store.bucket(BUCKETS[*bucket]).map_err(|error| error.to_string())?;
                self.model.buckets[*bucket].record = record.ok_or("a bucket is not there")?;
            }
            Deed::SetLifecycle(bucket, rules) => {
                let record = &self.model.buckets[*bucket].record;
                let found = store.bucket(&record.name).map_err(|error| error.to_string())?;
                let found = found.ok_or("a bucket is not there")?;
                if store.lifecycle_rules(&found).map_err(|error| error.to_string())? != *rules
                    && self.is_alone
                {
                    return Err("other rules than those that were put".into());
                }
                self.model.buckets[*bucket].record.lifecycle = found.lifecycle;
            }
            Deed::Rename { bucket, to, .. } => {
                let place = Place { bucket: *bucket, key: to };
                let record = self.model.bucket(place).record.clone();
                let last_stamp = self.model.last_stamp;
                let Some(version) =
                    self.model.buckets[*bucket].keys.get_mut(to).and_then(|all| all.first_mut())
                else {
                    return Ok(());
                };
                if version.listed.stamp != 0 || version.object.is_none() {
                    return Ok(());
                }
                let found = store.open_object(&record, to, None).map_err(|error| error.to_string())?;
                let Lookup::Object(object) = found else { return Err(format!("{to} was not moved to")) };
                version.listed.stamp = object.record.listed.stamp;
                if version.listed.stamp == 0 {
                    return Err("a move without a stamp".into());
                }
                self.model.last_stamp = last_stamp.max(version.listed.stamp);
            }
            Deed::Put { place, .. } | Deed::Complete { place, .. } | Deed::Copy { place, .. } => {
                let newest = self.model.versions(*place).first().map(super::state::Version::id);
                self.given.extend(newest);
                if self.given.len() > 100 {
                    self.given.pop_front();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What became of a deed, for the tally.
    fn kind(&self, deed: &Deed, answer: &Answer) -> String {
        let detail = match (deed, answer) {
            (Deed::Complete { id, request, .. }, Answer::Listed(_)) => match self.model.uploads.get(id) {
                None => " again",
                Some(upload) if request.parts.len() < upload.parts.len() => " with gaps",
                Some(_) if request.parts.len() > 1 => " of several",
                Some(_) => "",
            },
            (Deed::CopyPart { part, .. }, _) if part.bytes.len() >= PART_BYTES_MIN => " large",
            _ => "",
        };
        format!("{}{detail} {}", name_of(deed), name_of(answer))
    }

    // ------------------------------------------------------------------------------------------- checks

    async fn check_some(&mut self, store: &Store) -> Result<(), String> {
        let place = self.place();
        let targets = [Target { place, version: None }, self.target(), self.source_target()];
        let bucket = self.below(BUCKETS.len() as u64);
        let lists = self.below(10) == 0;
        let mut look = Look { store, model: &self.model, dice: &mut self.dice };
        look.version(targets[self.done as usize % 3]).await?;
        look.version(targets[1]).await?;
        if lists {
            look.lists(bucket)?;
        }
        Ok(())
    }

    pub(super) async fn check_all(&mut self, store: &Store) -> Result<(), String> {
        Look { store, model: &self.model, dice: &mut self.dice }.all().await
    }

    /// Deletes whatever there is, and the buckets.
    pub(super) async fn clear(&mut self, store: &Store) -> Result<(), String> {
        self.is_alone = true;
        for (bucket, name) in BUCKETS.iter().enumerate() {
            let removals = self.model.all_in(bucket).into_iter().map(Removal::of).collect();
            let mut deeds = vec![self.removal_prepared(store, bucket, removals)];
            let uploads: Vec<_> =
                self.model.uploads_in(bucket).map(|(id, upload)| (id, upload.place)).collect();
            deeds.extend(uploads.into_iter().filter_map(|upload| self.abort(store, Some(upload))));
            deeds.push(self.delete_bucket(store, bucket));
            for deed in deeds {
                self.carry_out(store, vec![deed]).await?;
            }
            if self.model.buckets[bucket].keys.is_empty() {
                continue;
            }
            return Err(format!("{name} is not empty"));
        }
        Ok(())
    }
}

/// The name of a deed or answer; of a refusal the reason.
fn name_of(what: impl std::fmt::Debug) -> String {
    let text = format!("{what:?}").replace("Refused(\"", "! ");
    let end = text.find(['(', '{', '[', '\\', '"']).unwrap_or(text.len());
    text[..end].split_inclusive("a marker").next().unwrap_or_default().trim().to_owned()
}

pub(super) async fn create_bucket(
    store: &Store,
    name: &str,
) -> Result<BucketRecord, Refusal<CreateBucketRefusal>> {
    let [user, display_name, org, region] = ["u", "d", "o", "r"].map(str::to_owned);
    let tags = TagSet::default();
    let new = NewBucket { name: name.to_owned(), user, display_name, org, region, tags };
    Ok(store.create_bucket(new).await?.value().clone())
}
