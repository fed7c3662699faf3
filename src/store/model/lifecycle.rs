//! Lifecycle in the histories: rules come and go, the job works for a step or two, or until it is idle, and the model
//! says what may go, what must and what stays.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::Calendar;
use crate::index::engine::Engine;
use crate::index::key_encoding;
use crate::index::record::{
    Expiration, FilterForm, LifecycleFilter, LifecycleRule, LifecycleRules, Listed, NoncurrentExpiration,
    ObjectRecord, Owner, Versioning,
};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::lifecycle::job::Progress;
use crate::store::test_node::lifecycle_job;
use crate::store::version_id::VersionId;

use super::account::marker;
use super::check::{entries, table_entries};
use super::deed::{Answer, Deed, Prepared};
use super::history::{History, RulesCome, UPLOADS_MAX};
use super::state::{KEYS, Model, Place, STOCK, Tags, Target, VERSIONED, Version};

/// Days of twenty seconds: about a hundred steps.
pub(super) const CALENDAR: Calendar = Calendar::with_day_s(DAY_MS.unsigned_abs() / 1000);
const DAY_MS: i64 = 20_000;

/// Steps after which the job must have become idle: far more than there can be to do.
const STEPS_MAX: usize = 10_000;

/// What of a key's versions the rules want.
struct Wanted {
    /// What is left when all is done.
    left: Vec<Version>,
    /// What may go on the way there: of these the order matters.
    may_go: Vec<VersionId>,
    /// When the next of what is left is due, or what is due now was.
    due_ms: Option<i64>,
}

impl Model {
    fn rules(&self, bucket: usize) -> Vec<&LifecycleRule> {
        let rules = self.buckets[bucket].rules.iter();
        rules.flat_map(|rules| &rules.0).filter(|rule| rule.enabled).collect()
    }

    /// The soonest of what those rules say that are about a key.
    fn soonest(
        &self,
        place: Place,
        (size, tags): (u64, &Tags),
        due_ms: impl Fn(&LifecycleRule) -> Option<i64>,
    ) -> Option<i64> {
        let is_covered = |rule: &&&LifecycleRule| {
            let LifecycleFilter { prefix, tags: wanted, size_greater_than, size_less_than, .. } =
                &rule.filter;
            prefix.as_ref().is_none_or(|prefix| place.key.starts_with(prefix.as_str()))
                && size_greater_than.is_none_or(|bound| bound < size)
                && size_less_than.is_none_or(|bound| size < bound)
                && wanted.iter().all(|tag| tags.contains(tag))
        };
        self.rules(place.bucket).iter().filter(is_covered).filter_map(|rule| due_ms(rule)).min()
    }

    fn due_of_current(&self, place: Place, version: &Version) -> Option<i64> {
        version.object.as_ref()?;
        self.soonest(place, described(version), |rule| match rule.expiration? {
            Expiration::Days(days) => Some(midnight(version.listed.last_modified_ms, days)),
            Expiration::Date(date) => Some(date),
            Expiration::ExpiredObjectDeleteMarker(_) => None,
        })
    }

    fn due_of_noncurrent(&self, place: Place, version: &Version, newer: &Version, count: u32) -> Option<i64> {
        let superseded_ms = newer.listed.last_modified_ms;
        self.soonest(place, described(version), |rule| {
            let NoncurrentExpiration { days, newer_versions } = rule.noncurrent?;
            let is_counted = newer_versions.is_none_or(|stay| count >= stay);
            is_counted.then(|| days.map_or(superseded_ms, |days| midnight(superseded_ms, days)))
        })
    }

    fn due_of_lone_marker(&self, place: Place, marker: &Listed) -> Option<i64> {
        self.soonest(place, (0, &Vec::new()), |rule| match rule.expiration? {
            Expiration::Days(days) => Some(midnight(marker.last_modified_ms, days)),
            Expiration::Date(date) => Some(date),
            Expiration::ExpiredObjectDeleteMarker(removes) => removes.then_some(0),
        })
    }

    /// What becomes of a key now.
    fn wanted(&self, place: Place, now_ms: i64) -> Wanted {
        let mut versions = self.versions(place).to_vec();
        let mut dues: Vec<i64> = Vec::new();
        let mut may_go: Vec<VersionId> = Vec::new();
        let expiry = versions.first().and_then(|newest| self.due_of_current(place, newest));
        dues.extend(expiry);
        if expiry.is_some_and(|due_ms| due_ms <= now_ms) {
            let versioning = self.versioning(place.bucket);
            if versioning != Versioning::Enabled {
                may_go.push(VersionId::Null);
                versions.retain(|version| !version.listed.null_version);
            }
            if versioning != Versioning::Unset {
                let owner = Owner { user: "u".into(), display_name: "d".into() };
                let null_version = versioning == Versioning::Suspended;
                let listed = Listed { null_version, ..marker(&owner, now_ms) };
                versions.insert(0, Version { listed, object: None });
            }
        }
        for (place_of_it, version) in versions.iter().enumerate().skip(1) {
            let newer = &versions[place_of_it - 1];
            let due_ms = self.due_of_noncurrent(place, version, newer, place_of_it as u32 - 1);
            may_go.extend(due_ms.filter(|due_ms| *due_ms <= now_ms).map(|_| version.id()));
        }
        if let Some((Version { object: None, listed }, others)) = versions.split_first()
            && self.due_of_lone_marker(place, listed).is_some_and(|due_ms| due_ms <= now_ms)
            && others.iter().all(|version| may_go.contains(&version.id()))
        {
            may_go.push(VersionId::of(listed));
        }
        let mut left: Vec<Version> = Vec::new();
        for version in versions {
            let Some(newer) = left.last() else {
                left.push(version);
                continue;
            };
            let due_ms = self.due_of_noncurrent(place, &version, newer, left.len() as u32 - 1);
            dues.extend(due_ms);
            if due_ms.is_none_or(|due_ms| due_ms > now_ms) {
                left.push(version);
            }
        }
        if let [Version { object: None, listed }] = left.as_slice()
            && let Some(due_ms) = self.due_of_lone_marker(place, listed)
        {
            dues.push(due_ms);
            if due_ms <= now_ms {
                left.clear();
            }
        }
        Wanted { left, may_go, due_ms: dues.into_iter().min() }
    }
}

fn midnight(from_ms: i64, days: u32) -> i64 {
    (from_ms / DAY_MS + i64::from(days)) * DAY_MS
}

fn described(version: &Version) -> (u64, &Tags) {
    static NONE: Tags = Vec::new();
    version.object.as_ref().map_or((0, &NONE), |object| (object.bytes.len(), &object.tags))
}

/// The versions of a key as the tables have them, newest first.
fn found(engine: &Engine, bucket_id: u64, key: &str) -> Vec<Listed> {
    let mut values: Vec<Vec<u8>> = Vec::new();
    let current = engine.get(&key_encoding::object_key(bucket_id, key)).expect("readable");
    values.extend(current.map(|entry| entry.value));
    let (start, end) = key_encoding::versions_of_key_range(bucket_id, key);
    values.extend(entries(engine, &start, &end).into_iter().map(|(_, value)| value));
    values.iter().map(|value| ObjectRecord::decode_listed(value).expect("a record")).collect()
}

/// Kinds and names; of a marker that the job has made the name is not known.
fn names(versions: &[Version]) -> Vec<(bool, Option<VersionId>)> {
    let name = |version: &Version| {
        let is_known = version.listed.null_version || version.listed.stamp != 0;
        (version.object.is_none(), is_known.then(|| version.id()))
    };
    versions.iter().map(name).collect()
}

impl History {
    pub(super) fn set_lifecycle(&mut self, store: &Store) -> Prepared {
        let bucket = self.below(STOCK as u64);
        let rules = (self.below(3) != 0).then(|| {
            let count = 1 + self.below(4);
            LifecycleRules((0..count).map(|number| self.rule(number)).collect())
        });
        let (store, record) = (store.clone(), self.model.buckets[bucket].record.clone());
        let deed = Deed::SetLifecycle(bucket, rules.clone());
        let work = Box::pin(async move {
            let set = store.set_lifecycle(&record, rules).await;
            Answer::of(set.map(|_committed| Answer::Done))
        });
        Prepared { deed, work }
    }

    /// More of what rules are about, and less that clears it away.
    pub(super) async fn next_for_rules(&mut self, store: &Store) -> Result<Option<Prepared>, StoreError> {
        let place = self.place();
        Ok(match self.below(40) {
            0 => Some(self.set_lifecycle(store)),
            1..6 => {
                let target = self.target_of(place);
                Some(self.tag(store, target))
            }
            6..14 => Some(self.delete(store, vec![Target { place, version: None }], place.bucket)),
            14 => {
                let target = self.target_of(place);
                Some(self.delete(store, vec![target], place.bucket))
            }
            15 if self.model.uploads.len() < UPLOADS_MAX => Some(self.begin(store)),
            16 => {
                let bucket = self.below(VERSIONED as u64);
                Some(self.set_versioning(store, bucket))
            }
            _ => {
                let content = self.content();
                self.put(store, place, content).await?
            }
        })
    }

    fn rule(&mut self, number: usize) -> LifecycleRule {
        let prefix = [None, None, Some("a"), Some("a/"), Some("a/1"), Some("b")][self.below(6)];
        let with_marker = self.below(5) == 0;
        let filter = LifecycleFilter {
            form: FilterForm::And,
            prefix: prefix.map(str::to_owned),
            tags: if self.below(3) == 0 { self.tags() } else { Vec::new() },
            size_greater_than: (self.below(4) == 0).then(|| self.dice.below(60)),
            size_less_than: (self.below(4) == 0).then(|| self.dice.below(60)),
        };
        let today = self.now_ms() / DAY_MS;
        let expiration = match self.below(4) {
            _ if with_marker => Some(Expiration::ExpiredObjectDeleteMarker(self.below(4) != 0)),
            0 | 1 => Some(Expiration::Days(1 + self.below(4) as u32)),
            2 if self.below(2) == 0 => {
                Some(Expiration::Date((today - 1 + self.dice.below(5).cast_signed()) * DAY_MS))
            }
            _ => None,
        };
        let noncurrent = (self.below(2) == 0).then(|| {
            let newer_versions = (self.below(2) == 0).then(|| 1 + self.below(3) as u32);
            let days = (newer_versions.is_none() || self.below(2) == 0).then(|| 1 + self.below(3) as u32);
            NoncurrentExpiration { days, newer_versions }
        });
        LifecycleRule {
            id: format!("rule {number}"),
            enabled: self.below(8) != 0,
            filter: if with_marker {
                LifecycleFilter { prefix: filter.prefix, ..Default::default() }
            } else {
                filter
            },
            expiration,
            noncurrent,
            abort_upload_days: (self.below(2) == 0).then(|| 1 + self.below(3) as u32),
        }
    }

    /// Lets the job work, now and then.
    pub(super) async fn work_perhaps(&mut self, store: &Store) -> Result<(), String> {
        let pause = if self.rules == RulesCome::Often { 4 } else { 12 };
        if self.rules == RulesCome::Never || self.below(pause) != 0 {
            return Ok(());
        }
        if self.below(30) == 0 {
            // What it had in hand is forgotten.
            self.job = None;
        }
        let steps_max = if self.below(3) == 0 { STEPS_MAX } else { 1 + self.below(3) };
        self.work(store, steps_max).await
    }

    async fn work(&mut self, store: &Store, steps_max: usize) -> Result<(), String> {
        let is_small = self.seed % 2 == 1;
        let mut job = self.job.take().unwrap_or_else(|| {
            let job = lifecycle_job(store, &self.clock);
            if is_small { job.limited_to(2, 2) } else { job }
        });
        let mut is_idle = false;
        for _ in 0..steps_max {
            is_idle = job.step().await.map_err(|error| error.to_string())? == Progress::Idle;
            if is_idle {
                break;
            }
        }
        self.job = Some(job);
        if steps_max == STEPS_MAX && !is_idle {
            return Err("the job does not become idle".into());
        }
        self.deeds.clear();
        let last_stamp = self.model.last_stamp;
        for bucket in 0..STOCK {
            for key in KEYS {
                self.compare(store, Place { bucket, key }, last_stamp, (is_small, is_idle))?;
            }
            self.compare_uploads(store, bucket, is_idle)?;
        }
        *self.tally.entry(format!("work, idle: {is_idle}")).or_default() += 1;
        self.check_hints(&store.engine)
    }

    /// Sees what became of a key, and makes it so in the model.
    fn compare(
        &mut self,
        store: &Store,
        place: Place,
        last_stamp: u64,
        (is_small, is_idle): (bool, bool),
    ) -> Result<(), String> {
        let now_ms = self.now_ms();
        let before = self.model.versions(place).to_vec();
        let Wanted { left, may_go, .. } = self.model.wanted(place, now_ms);
        let bucket_id = self.model.bucket(place).record.id;
        let mut versions: Vec<Version> = Vec::new();
        for mut listed in found(&store.engine, bucket_id, place.key) {
            let stamp = listed.stamp;
            if listed.delete_marker && listed.null_version {
                listed.stamp = 0;
            }
            let is_it = |version: &&Version| version.listed == listed;
            if let Some(version) = before.iter().find(is_it) {
                versions.push(version.clone());
                continue;
            }
            if !versions.is_empty() || !listed.delete_marker || stamp <= last_stamp {
                return Err(format!("{place:?} has got {listed:?}"));
            }
            // One transaction makes several.
            self.model.last_stamp = self.model.last_stamp.max(stamp);
            let made = left.first().map(|version| Listed { stamp: listed.stamp, ..version.listed.clone() });
            if made.as_ref().is_some_and(|made| *made != listed) {
                return Err(format!("{place:?} has got {listed:?}, not {made:?}"));
            }
            versions.push(Version { listed, object: None });
        }
        let known = |versions: &[Version]| {
            let mut names = names(versions);
            if let Some(newest) = names.first_mut().filter(|_| versions[0].object.is_none()) {
                let is_made = !before.iter().any(|version| Some(version.id()) == newest.1);
                newest.1 = newest.1.filter(|id| !is_made || *id == VersionId::Null);
            }
            names
        };
        let (is, was, will) = (known(&versions), known(&before), known(&left));
        let is_kept = |version: &&Version| versions.iter().any(|kept| kept.listed == version.listed);
        let gone = before.iter().filter(|version| !is_kept(version));
        let may_be = gone.into_iter().all(|version| may_go.contains(&version.id()));
        let is_exact = is == will || (!is_idle && is == was);
        if !may_be || !(is_exact || is_small) {
            return Err(format!("{place:?} is {is:?}, was {was:?}, should be {will:?}, idle: {is_idle}"));
        }
        let gone = before.len() - versions.len().min(before.len());
        *self.tally.entry("versions gone".into()).or_default() += gone as u64;
        let keys = &mut self.model.buckets[place.bucket].keys;
        if versions.is_empty() {
            keys.remove(place.key);
        } else {
            keys.insert(place.key, versions);
        }
        let again = self.model.wanted(place, now_ms);
        if is_idle && names(&again.left) != names(self.model.versions(place)) {
            return Err(format!("{place:?} is {is:?}, and the job is idle; it was {was:?}"));
        }
        Ok(())
    }

    fn compare_uploads(&mut self, store: &Store, bucket: usize, is_idle: bool) -> Result<(), String> {
        let now_ms = self.now_ms();
        let uploads: Vec<_> = self
            .model
            .uploads_in(bucket)
            .map(|(id, upload)| (id, upload.place, upload.initiated_ms))
            .collect();
        for (id, place, initiated_ms) in uploads {
            let record = &self.model.bucket(place).record;
            let is_there = store.upload(record, place.key, id).map_err(|error| error.to_string())?.is_some();
            let due_ms = self.model.due_of_upload(place, initiated_ms);
            let is_due = due_ms.is_some_and(|due_ms| due_ms <= now_ms);
            match (is_there, is_due) {
                (true, true) if is_idle => return Err(format!("{place:?} still has the upload {id}")),
                (true, _) => {}
                (false, false) => return Err(format!("{place:?} has lost the upload {id}")),
                (false, true) => {
                    self.model.end(place, id, None);
                    *self.tally.entry("uploads gone".into()).or_default() += 1;
                }
            }
        }
        Ok(())
    }

    /// Checks that whatever will be due has a hint in time, unless a sweep is under way.
    pub(super) fn check_hints(&self, engine: &Engine) -> Result<(), String> {
        let now_ms = self.now_ms();
        let mut hints: BTreeMap<(u64, String), i64> = BTreeMap::new();
        for (entry, _) in table_entries(engine, "D") {
            let (due_ms, bucket_id, key) = key_encoding::decode_due_key(&entry).ok_or("no hint")?;
            hints.entry((bucket_id, key)).or_insert(due_ms);
        }
        for bucket in 0..STOCK {
            let bucket_id = self.model.buckets[bucket].record.id;
            if engine.get(&key_encoding::sweep_key(bucket_id)).map_err(|error| error.to_string())?.is_some() {
                continue;
            }
            for key in KEYS {
                let place = Place { bucket, key };
                let uploads = self.model.uploads_in(bucket).filter(|(_, upload)| upload.place == place);
                let due_ms = uploads
                    .filter_map(|(_, upload)| self.model.due_of_upload(place, upload.initiated_ms))
                    .chain(self.model.wanted(place, now_ms).due_ms)
                    .min();
                let hinted_ms = hints.get(&(bucket_id, (*key).to_owned()));
                if let Some(due_ms) = due_ms.map(|due_ms| due_ms.max(now_ms))
                    && hinted_ms.is_none_or(|hinted_ms| *hinted_ms > due_ms)
                {
                    return Err(format!("{place:?} is due at {due_ms}, its hint is for {hinted_ms:?}"));
                }
            }
        }
        Ok(())
    }

    /// When all is empty, hints go when they are due.
    pub(super) async fn end_lifecycle(&mut self, store: &Store) -> Result<(), String> {
        self.clock.advance(Duration::from_millis(100 * DAY_MS.unsigned_abs()));
        let outcome = self.work(store, STEPS_MAX).await;
        self.job = None;
        outcome
    }
}

impl Model {
    fn due_of_upload(&self, place: Place, initiated_ms: i64) -> Option<i64> {
        // Whatever the size and the tags.
        let rules = self.rules(place.bucket);
        let is_about = |rule: &&&LifecycleRule| {
            rule.filter.prefix.as_ref().is_none_or(|prefix| place.key.starts_with(prefix.as_str()))
        };
        let days = rules.iter().filter(is_about).filter_map(|rule| rule.abort_upload_days).min();
        days.map(|days| midnight(initiated_ms, days))
    }
}
