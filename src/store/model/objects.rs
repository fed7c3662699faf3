//! What comes next of deeds on objects and buckets.

use crate::checksum::Algorithm;
use crate::index::record::{BucketRecord, ETag, Listed, Metadata, Owner, StoredChecksum, TagSet, Versioning};
use crate::store::Store;
use crate::store::body_writer::BodyWritten;
use crate::store::copy::{CopyRefusal, Description, NewCopy, Source as StoreSource};
use crate::store::delete::{DeleteCondition, DeleteRequest};
use crate::store::error::{Refusal, StoreError};
use crate::store::objects::{Lookup, OpenObject};
use crate::store::preconditions::{ETags, Preconditions};
use crate::store::put::NewObject;
use crate::store::rename::Rename;
use crate::store::tags::TagRefusal;
use crate::store::test_node::Content;
use crate::store::version_id::VersionId;
use crate::store::write_condition::WriteCondition;

use super::bytes::Bytes;
use super::deed::{Answer, Condition, Deed, Prepared, Removal, Source};
use super::history::History;
use super::state::{BUCKETS, Object, PLAIN, Place, Tags, Target, Version, customer_key};

/// The checksum of objects that were put whole.
pub(super) const ALGORITHM: Algorithm = Algorithm::Crc64Nvme;

/// Above this a body is rarely written anew.
const REWRITTEN_BYTES_MAX: u64 = 400_000;

type Next = Result<Option<Prepared>, StoreError>;

impl History {
    pub(super) async fn put(&mut self, store: &Store, place: Place, content: Content) -> Next {
        let key = self.sealing_key();
        let (user, tags) = (self.user(), self.tags());
        let body = self.write(store, content, ALGORITHM, key).await?;
        let bytes = Bytes::of(content);
        let md5 = if key.is_some() { body.etag_md5 } else { bytes.md5() };
        let version = self.version(bytes, md5, (user, tags), key);
        let mut condition = self.condition(place);
        // The bucket of a client that has not heard of its end.
        let is_late = self.below(64) == 0 && self.gone.is_some_and(|(bucket, _)| bucket == place.bucket);
        let mut record = self.model.bucket(place).record.clone();
        if let (true, Some((_, id))) = (is_late, self.gone) {
            record.id = id;
            // To the admission the old bucket is empty.
            condition.is_admitted = false;
        }
        Ok(Some(put_prepared(store, place, record, version, condition, body)))
    }

    fn version(
        &mut self,
        bytes: Bytes,
        md5: [u8; 16],
        (user, tags): (Tags, Tags),
        key: Option<u8>,
    ) -> Version {
        let listed = Listed {
            delete_marker: false,
            null_version: false,
            size: bytes.len(),
            last_modified_ms: 0,
            stamp: 0,
            etag: ETag { md5, parts: None },
            checksum: Some(StoredChecksum::of(&self.digest(&bytes, ALGORITHM), true)),
            owner: self.owner(),
        };
        Version { listed, object: Some(Object { bytes, user, tags, parts: Vec::new(), key }) }
    }

    /// Finds an object to copy from.
    pub(super) fn open_source(
        &mut self,
        store: &Store,
        target: Target,
    ) -> Result<Option<(Place, OpenObject, Object)>, StoreError> {
        let record = &self.model.bucket(target.place).record;
        let Lookup::Object(object) = store.open_object(record, target.place.key, target.version)? else {
            return Ok(None);
        };
        // What the store has and the model has not is found by the check.
        let known = self.model.find(target).and_then(|version| version.object.clone());
        Ok(known.map(|known| (target.place, object, known)))
    }

    pub(super) async fn copy(&mut self, store: &Store) -> Next {
        let target = self.source_target();
        let Some((from, object, known)) = self.open_source(store, target)? else { return Ok(None) };
        let place = if self.below(8) == 0 { from } else { self.place() };
        if place.bucket >= super::state::STOCK {
            return Ok(None);
        }
        let description = Description {
            headers: (self.below(3) == 0).then(|| Metadata { user: self.user(), ..Metadata::default() }),
            tags: (self.below(3) == 0).then(|| self.tags()),
        };
        let condition = self.condition(place);
        let key = self.sealing_key();
        if key.is_none() && known.key.is_none() {
            let owner = self.owner();
            return Ok(Some(self.copy_prepared(
                store,
                from,
                &object,
                place,
                (description, owner, condition),
            )));
        }
        if known.bytes.len() > REWRITTEN_BYTES_MAX && self.below(32) != 0 {
            return Ok(None);
        }
        let source = Metadata { user: known.user, tags: known.tags, ..Metadata::default() };
        let Metadata { user, tags, .. } = description.over(source);
        let whole = known.bytes.len().checked_sub(1).map(|last| 0..=last);
        let body = self.rewrite(store, (object, known.key), whole, ALGORITHM, key).await?;
        let md5 = if key.is_some() { body.etag_md5 } else { self.md5(&known.bytes) };
        let version = self.version(known.bytes, md5, (user, tags), key);
        let record = self.model.bucket(place).record.clone();
        Ok(Some(put_prepared(store, place, record, version, condition, body)))
    }

    fn copy_prepared(
        &self,
        store: &Store,
        from: Place,
        object: &OpenObject,
        place: Place,
        (description, owner, condition): (Description, Owner, Condition),
    ) -> Prepared {
        let (store, record) = (store.clone(), self.model.bucket(place).record.clone());
        let (source, deed_source) = self.source_of(from, object);
        let new = NewCopy { key: place.key.into(), owner: owner.clone(), description: description.clone() };
        let deed = Deed::Copy { from: deed_source, place, owner, description, condition: condition.clone() };
        let work = Box::pin(async move {
            let Condition { wanted, is_admitted } = condition;
            if is_admitted {
                match store.admit(&record, place.key, &wanted, i64::MAX) {
                    Ok(()) => {}
                    Err(Refusal::Refused(refusal)) => return Answer::refused(CopyRefusal::Write(refusal)),
                    Err(Refusal::Failed(error)) => return Answer::Failed(error.to_string()),
                }
            }
            let copied = store.copy_object(source, &record, new, wanted).await;
            Answer::of(copied.map(|committed| Answer::Listed(committed.value().clone().into())))
        });
        Prepared { deed, work }
    }

    /// A source as the store and as the model has it.
    pub(super) fn source_of(&self, place: Place, object: &OpenObject) -> (StoreSource, Source) {
        let record = &self.model.bucket(place).record;
        let listed = &object.record.listed;
        let of_model = Source { place, bucket_id: record.id, id: VersionId::of(listed), stamp: listed.stamp };
        (StoreSource::new(record, place.key, listed), of_model)
    }

    pub(super) fn delete(&mut self, store: &Store, targets: Vec<Target>, bucket: usize) -> Prepared {
        let removals: Vec<Removal> = targets
            .into_iter()
            .map(|target| Removal { target, condition: self.delete_condition(target) })
            .collect();
        self.removal_prepared(store, bucket, removals)
    }

    pub(super) fn removal_prepared(
        &mut self,
        store: &Store,
        bucket: usize,
        removals: Vec<Removal>,
    ) -> Prepared {
        let is_single = removals.len() == 1;
        let owner = self.owner();
        let mut requests: Vec<DeleteRequest> = removals
            .iter()
            .map(|Removal { target, condition }| DeleteRequest {
                key: target.place.key.into(),
                version: target.version,
                condition: condition.clone(),
                owner: owner.clone(),
            })
            .collect();
        let (store, record) = (store.clone(), self.model.buckets[bucket].record.clone());
        let work = Box::pin(async move {
            if is_single && let Some(request) = requests.pop() {
                let deleted = store.delete_object(&record, request).await;
                return Answer::of(deleted.map(|committed| Answer::Deleted(vec![Ok(*committed.value())])));
            }
            let deleted = store.delete_objects(&record, requests).await;
            Answer::of(deleted.map(|committed| Answer::Deleted(committed.value().clone())))
        });
        Prepared { deed: Deed::Delete { bucket, removals, owner }, work }
    }

    fn delete_condition(&mut self, target: Target) -> DeleteCondition {
        if self.below(6) != 0 {
            return DeleteCondition::default();
        }
        let listed = self.model.find(target).map(|version| version.listed.clone());
        let size = listed.as_ref().map_or(7, |listed| listed.size);
        let second = listed.as_ref().map_or(7, |listed| listed.last_modified_ms.div_euclid(1000));
        DeleteCondition {
            etag: self.wanted(listed.as_ref()),
            size: (self.below(3) == 0).then(|| size + self.below(2) as u64),
            last_modified_s: (self.below(3) == 0).then(|| second - i64::from(self.below(2) == 0)),
        }
    }

    pub(super) fn tag(&mut self, store: &Store, target: Target) -> Prepared {
        let tags = self.tags();
        let (store, record, set) =
            (store.clone(), self.model.bucket(target.place).record.clone(), TagSet(tags.clone()));
        let work = Box::pin(async move {
            match store.set_object_tags(&record, target.place.key, target.version, set).await {
                Err(Refusal::Refused(TagRefusal::DeleteMarker(marker))) => {
                    Answer::Refused(format!("a marker {}", VersionId::of(&marker)))
                }
                tagged => {
                    Answer::of(tagged.map(|committed| Answer::Listed(committed.value().clone().into())))
                }
            }
        });
        Prepared { deed: Deed::Tag(target, tags), work }
    }

    pub(super) fn set_versioning(&mut self, store: &Store, bucket: usize) -> Prepared {
        let versioning = [Versioning::Enabled, Versioning::Suspended][self.below(2)];
        let (store, record) = (store.clone(), self.model.buckets[bucket].record.clone());
        let work = Box::pin(async move {
            let set = store.set_versioning(&record, versioning).await;
            Answer::of(set.map(|_committed| Answer::Done))
        });
        Prepared { deed: Deed::SetVersioning(bucket, versioning), work }
    }

    pub(super) fn delete_bucket(&self, store: &Store, bucket: usize) -> Prepared {
        let (store, record) = (store.clone(), self.model.buckets[bucket].record.clone());
        let work = Box::pin(async move {
            let deleted = store.delete_bucket(&record).await;
            let answer = Answer::of(deleted.map(|_committed| Answer::Done));
            if answer == Answer::Done
                && let Err(error) = super::history::create_bucket(&store, BUCKETS[bucket]).await
            {
                return Answer::Failed(format!("{error:?}"));
            }
            answer
        });
        Prepared { deed: Deed::DeleteBucket(bucket), work }
    }

    /// A rename, or one that was asked for before.
    pub(super) fn rename(&mut self, store: &Store) -> Prepared {
        if let (0, Some(deed)) = (self.below(8), self.renamed.clone()) {
            return rename_prepared(store, self.model.buckets[PLAIN].record.clone(), deed);
        }
        let bucket = if self.below(8) == 0 { self.below(PLAIN as u64 + 1) } else { PLAIN };
        let [from, to] = [self.existing_key(bucket), self.key()];
        let [of_source, of_destination] = [from, to].map(|key| {
            let listed = self.model.current(Place { bucket, key }).map(|version| version.listed.clone());
            self.preconditions(listed.as_ref())
        });
        let rename = Rename { source: from.into(), destination: to.into(), of_source, of_destination };
        let token = (self.below(2) == 0).then(|| format!("token {}", self.below(20)));
        let deed = Deed::Rename { bucket, rename, from, to, token };
        if bucket == PLAIN {
            self.renamed = Some(deed.clone());
        }
        rename_prepared(store, self.model.buckets[bucket].record.clone(), deed)
    }

    fn preconditions(&mut self, listed: Option<&Listed>) -> Preconditions {
        let etag = listed.map_or_else(String::new, |listed| listed.etag.to_string());
        let mut etags = |sides| match self.below(sides) {
            0 => Some(ETags::Any),
            1 => Some(ETags::Listed(vec!["other".into(), etag.clone()])),
            2 => Some(ETags::Listed(vec!["other".into()])),
            _ => None,
        };
        let (is_one_of, is_none_of) = (etags(12), etags(24));
        Preconditions { is_one_of, is_none_of, ..Preconditions::default() }
    }

    fn condition(&mut self, place: Place) -> Condition {
        if self.below(5) != 0 {
            return Condition::default();
        }
        let listed = self.model.current(place).map(|version| version.listed.clone());
        let wanted = self.wanted(listed.as_ref());
        // Beside others it is not known what the admission sees.
        Condition { is_admitted: self.is_alone && self.below(2) == 0, ..Condition::unadmitted(wanted) }
    }

    pub(super) fn wanted(&mut self, current: Option<&Listed>) -> WriteCondition {
        match (self.below(5), current) {
            (0, _) => WriteCondition::Absent,
            (1, _) => WriteCondition::Exists,
            (2 | 3, Some(listed)) => WriteCondition::ETagIs(listed.etag.to_string()),
            (4, _) => WriteCondition::ETagIs("0".repeat(32)),
            _ => WriteCondition::None,
        }
    }
}

fn put_prepared(
    store: &Store,
    place: Place,
    record: BucketRecord,
    version: Version,
    condition: Condition,
    body: BodyWritten,
) -> Prepared {
    let store = store.clone();
    let object = version.object.clone().expect("an object");
    let new = NewObject {
        key: place.key.into(),
        metadata: Metadata { user: object.user, tags: object.tags, ..Metadata::default() },
        owner: version.listed.owner.clone(),
        encryption: object.key.map(|key| customer_key(key).new_check().expect("random numbers")),
    };
    let deed =
        Deed::Put { place, bucket_id: record.id, version: version.into(), condition: condition.clone() };
    let work = Box::pin(async move {
        let Condition { wanted, is_admitted } = condition;
        let admitted = if is_admitted { store.admit(&record, place.key, &wanted, i64::MAX) } else { Ok(()) };
        let put = match admitted {
            Ok(()) => store.put_object(&record, new, body, wanted).await,
            Err(refusal) => Err(refusal),
        };
        Answer::of(put.map(|committed| Answer::Listed(committed.value().clone().into())))
    });
    Prepared { deed, work }
}

fn rename_prepared(store: &Store, record: BucketRecord, deed: Deed) -> Prepared {
    let store = store.clone();
    let Deed::Rename { rename, token, .. } = deed.clone() else { panic!("a rename") };
    let work = Box::pin(async move {
        let renamed = store.rename_object(&record, rename, token).await;
        Answer::of(renamed.map(|_committed| Answer::Done))
    });
    Prepared { deed, work }
}
