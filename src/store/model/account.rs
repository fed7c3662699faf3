//! What each deed must do: the model does it too, and says what the store has to answer.

use crate::config::limits::REMEMBERED_MS;
use crate::index::record::{ETag, Listed, Metadata, Owner, PartListed, StoredChecksum, Versioning};
use crate::store::buckets::DeleteBucketRefusal;
use crate::store::copy::CopyRefusal;
use crate::store::copy::PartCopyRefusal;
use crate::store::delete::DeleteCondition;
use crate::store::multipart::UploadGone;
use crate::store::preconditions::{ETags, Preconditions, Unmet};
use crate::store::rename::{Rename, RenameRefusal};
use crate::store::tags::TagRefusal;
use crate::store::upload_id::UploadId;
use crate::store::version_id::VersionId;
use crate::store::versions::Deleted;
use crate::store::write_condition::{WriteCondition, WriteRefusal};

use super::deed::{Answer, Condition, Deed, Removal, Source};
use super::state::{Ended, Model, Object, Place, Tags, Target, Token, Upload, UploadedPart, Version};

/// What of a transaction only the store knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Zero where it does not show.
    pub(super) stamp: u64,
    /// Names an upload that is begun.
    pub(super) upload: UploadId,
    pub(super) now_ms: i64,
}

impl Model {
    /// Does a deed that the store has answered; tells a difference.
    pub(super) fn account(&mut self, deed: &Deed, answer: &Answer, now_ms: i64) -> Result<(), String> {
        let stamp = stamp_of(deed, answer);
        let upload = match answer {
            Answer::Begun(id) => *id,
            _ => UploadId { stamp: 0, tag: 0 },
        };
        let last_stamp = self.last_stamp;
        let shown = match (deed, answer) {
            // That of what was moved a moment ago is known only now.
            (Deed::Tag(..), Answer::Listed(listed)) => listed.stamp,
            _ => stamp.unwrap_or(0),
        };
        let expected = self.predict(deed, Moment { stamp: shown, upload, now_ms });
        if expected != *answer {
            return Err(format!("answered\n{answer:?}, expected\n{expected:?}"));
        }
        match stamp {
            // An answer that is given again has the stamp of the first time.
            Some(stamp) if stamp <= last_stamp && !self.is_remembered(deed) => {
                Err(format!("stamp {stamp} after {last_stamp}"))
            }
            Some(stamp) => {
                self.last_stamp = last_stamp.max(stamp);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn is_remembered(&self, deed: &Deed) -> bool {
        matches!(deed, Deed::Complete { id, .. } if self.ended.iter().any(|ended| ended.id == *id))
    }

    /// Does a deed and returns what the store must answer.
    pub(super) fn predict(&mut self, deed: &Deed, moment: Moment) -> Answer {
        match deed {
            Deed::Put { place, bucket_id, version, condition } => {
                self.put(*place, *bucket_id, version, condition, moment)
            }
            Deed::Copy { from, place, owner, description, condition } => {
                let described = |object: &Object| {
                    let source = Metadata {
                        user: object.user.clone(),
                        tags: object.tags.clone(),
                        ..Metadata::default()
                    };
                    let Metadata { user, tags, .. } = description.clone().over(source);
                    (user, tags)
                };
                self.copy(*from, *place, owner, described, condition, moment)
            }
            Deed::Delete { bucket, removals, owner } => self.delete(*bucket, removals, owner, moment),
            Deed::Tag(target, tags) => self.tag(*target, tags, moment),
            Deed::SetVersioning(bucket, versioning) => {
                self.buckets[*bucket].record.versioning = *versioning;
                Answer::Done
            }
            Deed::SetLifecycle(bucket, rules) => {
                self.buckets[*bucket].rules.clone_from(rules);
                Answer::Done
            }
            Deed::DeleteBucket(bucket) => {
                if !self.buckets[*bucket].keys.is_empty() || self.uploads_in(*bucket).next().is_some() {
                    return Answer::refused(DeleteBucketRefusal::NotEmpty);
                }
                self.buckets[*bucket].record.versioning = Versioning::Unset;
                self.buckets[*bucket].rules = None;
                Answer::Done
            }
            Deed::Rename { bucket, rename, from, to, token } => {
                let [from, to] = [from, to].map(|key| Place { bucket: *bucket, key });
                match self.rename(rename, from, to, token.as_ref(), moment) {
                    Ok(()) => Answer::Done,
                    Err(refusal) => Answer::refused(refusal),
                }
            }
            Deed::Begin(upload) => {
                let upload = Upload { initiated_ms: moment.now_ms, ..Upload::clone(upload) };
                self.uploads.insert(moment.upload, upload);
                Answer::Begun(moment.upload)
            }
            Deed::PutPart { place, id, number, part } => match self.upload_mut(*place, *id) {
                Some(upload) => put_part(upload, *number, part, moment),
                None => Answer::refused(UploadGone),
            },
            Deed::CopyPart { from, place, id, number, part, .. } => {
                let is_there = self.source(*from).is_some();
                match self.upload_mut(*place, *id) {
                    None => Answer::refused(PartCopyRefusal::UploadGone),
                    Some(_) if !is_there => Answer::refused(PartCopyRefusal::SourceGone),
                    Some(upload) => put_part(upload, *number, part, moment),
                }
            }
            Deed::Complete { place, id, request } => self.complete(*place, *id, request, moment),
            Deed::Abort { place, id } => match self.upload_mut(*place, *id) {
                Some(_) => {
                    self.end(*place, *id, None);
                    Answer::Done
                }
                None => Answer::refused(UploadGone),
            },
        }
    }

    fn put(
        &mut self,
        place: Place,
        bucket_id: u64,
        version: &Version,
        condition: &Condition,
        moment: Moment,
    ) -> Answer {
        if self.bucket(place).record.id != bucket_id {
            return Answer::refused(WriteRefusal::NoSuchBucket);
        }
        if let Err(refusal) = self.judge_write(place, condition) {
            return Answer::refused(refusal);
        }
        let mut version = version.clone();
        version.listed.last_modified_ms = moment.now_ms;
        Answer::Listed(self.install(place, version, moment.stamp).into())
    }

    /// A condition that was admitted fails as such; one that was not is found broken by the transaction.
    pub(super) fn judge_write(&self, place: Place, condition: &Condition) -> Result<(), WriteRefusal> {
        let current = self.current(place);
        match holds(&condition.wanted, current.map(|version| &version.listed)) {
            true => Ok(()),
            false if !condition.is_admitted => Err(WriteRefusal::Conflict),
            false if current.is_none() => Err(WriteRefusal::NoSuchKey),
            false => Err(WriteRefusal::ConditionFailed),
        }
    }

    fn source(&self, from: Source) -> Option<&Version> {
        let target = Target { place: from.place, version: Some(from.id) };
        let is_it = |version: &&Version| version.listed.stamp == from.stamp;
        self.find(target).filter(is_it).filter(|_| self.bucket(from.place).record.id == from.bucket_id)
    }

    fn copy(
        &mut self,
        from: Source,
        place: Place,
        owner: &Owner,
        described: impl FnOnce(&Object) -> (Tags, Tags),
        condition: &Condition,
        moment: Moment,
    ) -> Answer {
        let judged = self.judge_write(place, condition);
        if condition.is_admitted
            && let Err(refusal) = judged
        {
            return Answer::refused(CopyRefusal::Write(refusal));
        }
        let Some(Version { listed, object: Some(object) }) = self.source(from) else {
            return Answer::refused(CopyRefusal::SourceGone);
        };
        if let Err(refusal) = judged {
            return Answer::refused(CopyRefusal::Write(refusal));
        }
        let (user, tags) = described(object);
        let listed = Listed { last_modified_ms: moment.now_ms, owner: owner.clone(), ..listed.clone() };
        let version = Version { listed, object: Some(Object { user, tags, ..object.clone() }) };
        Answer::Listed(self.install(place, version, moment.stamp).into())
    }

    fn delete(&mut self, bucket: usize, removals: &[Removal], owner: &Owner, moment: Moment) -> Answer {
        let answers: Vec<_> =
            removals.iter().map(|removal| self.delete_one(bucket, removal, owner, moment)).collect();
        match answers.as_slice() {
            [Err(refusal)] => Answer::refused(refusal),
            _ => Answer::Deleted(answers),
        }
    }

    fn delete_one(
        &mut self,
        bucket: usize,
        removal: &Removal,
        owner: &Owner,
        moment: Moment,
    ) -> Result<Deleted, WriteRefusal> {
        let Removal { target, condition } = removal;
        let found = match target.version {
            None => self.current(target.place),
            Some(_) => self.find(*target),
        };
        judge_deletion(condition, found.map(|version| &version.listed))?;
        if let Some(id) = target.version {
            let delete_marker = found.is_some_and(|version| version.object.is_none());
            self.remove(target.place, id);
            return Ok(Deleted { version: Some(id), delete_marker });
        }
        if self.versioning(bucket) == Versioning::Unset {
            self.remove(target.place, VersionId::Null);
            return Ok(Deleted::default());
        }
        // A transaction marks a key once.
        let is_marked = self
            .versions(target.place)
            .first()
            .is_some_and(|newest| newest.object.is_none() && newest.id() == VersionId::Stamp(moment.stamp));
        if is_marked {
            return Ok(Deleted { version: Some(VersionId::Stamp(moment.stamp)), delete_marker: true });
        }
        let marker = Version { listed: marker(owner, moment.now_ms), object: None };
        let is_null = self.versioning(bucket) == Versioning::Suspended;
        let listed = self.install(target.place, marker, if is_null { 0 } else { moment.stamp });
        Ok(Deleted { version: Some(VersionId::of(&listed)), delete_marker: true })
    }

    fn tag(&mut self, target: Target, tags: &Tags, moment: Moment) -> Answer {
        let versions = self.buckets[target.place.bucket].keys.get_mut(target.place.key);
        let versions = versions.map(Vec::as_mut_slice).unwrap_or_default();
        let found = versions.iter_mut().find(|version| target.version.is_none_or(|id| version.id() == id));
        match found {
            None => Answer::refused(TagRefusal::NoSuchVersion),
            Some(Version { object: Some(object), listed }) => {
                object.tags.clone_from(tags);
                if listed.stamp == 0 {
                    listed.stamp = moment.stamp;
                }
                Answer::Listed(listed.clone().into())
            }
            Some(marker) => Answer::Refused(format!("a marker {}", marker.id())),
        }
    }

    fn rename(
        &mut self,
        rename: &Rename,
        from: Place,
        to: Place,
        token: Option<&String>,
        moment: Moment,
    ) -> Result<(), RenameRefusal> {
        if self.versioning(from.bucket) != Versioning::Unset {
            return Err(RenameRefusal::Versioned);
        }
        let token = token.map(|token| (self.bucket(from).record.id, token.clone()));
        let asked = format!("{rename:?}");
        if let Some(known) = token.as_ref().and_then(|token| self.tokens.get(token))
            && known.due_ms > moment.now_ms
        {
            return if known.asked == asked { Ok(()) } else { Err(RenameRefusal::TokenMismatch) };
        }
        let source = self.current(from).cloned().ok_or(RenameRefusal::NoSuchKey)?;
        judge(&rename.of_source, Some(&source)).map_err(RenameRefusal::SourceCondition)?;
        judge(&rename.of_destination, self.current(to)).map_err(RenameRefusal::DestinationCondition)?;
        if from == to {
            return Err(RenameRefusal::OntoItself);
        }
        self.remove(from, VersionId::Null);
        self.install(to, source, 0);
        if let Some(token) = token {
            self.tokens.insert(token, Token { asked, due_ms: moment.now_ms + REMEMBERED_MS });
        }
        Ok(())
    }

    pub(super) fn upload_mut(&mut self, place: Place, id: UploadId) -> Option<&mut Upload> {
        self.uploads.get_mut(&id).filter(|upload| upload.place == place)
    }

    /// Ends an upload, which exists.
    pub(super) fn end(&mut self, place: Place, id: UploadId, completed: Option<super::state::Completed>) {
        self.uploads.remove(&id);
        self.ended.push(Ended { place, id, completed });
    }
}

/// The stamp of a transaction, where it shows.
fn stamp_of(deed: &Deed, answer: &Answer) -> Option<u64> {
    match (deed, answer) {
        // What is tagged stays what it was.
        (Deed::Tag(..), _) => None,
        (_, Answer::Listed(listed)) => Some(listed.stamp),
        (_, Answer::Begun(id)) => Some(id.stamp),
        (Deed::Delete { removals, .. }, Answer::Deleted(answers)) => {
            let made = removals.iter().zip(answers).filter(|(removal, _)| removal.target.version.is_none());
            made.into_iter().find_map(|(_, answer)| match answer {
                Ok(Deleted { version: Some(VersionId::Stamp(stamp)), .. }) => Some(*stamp),
                _ => None,
            })
        }
        _ => None,
    }
}

fn put_part(upload: &mut Upload, number: u16, part: &UploadedPart, moment: Moment) -> Answer {
    let part = UploadedPart { last_modified_ms: moment.now_ms, ..part.clone() };
    let listed = listed_part(&part);
    upload.parts.insert(number, part);
    Answer::Part(listed.into())
}

pub(super) fn listed_part(part: &UploadedPart) -> PartListed {
    PartListed {
        bytes: part.bytes.len(),
        md5: part.md5,
        checksum: Some(StoredChecksum::of(&part.digest, true)),
        last_modified_ms: part.last_modified_ms,
    }
}

pub(super) fn marker(owner: &Owner, now_ms: i64) -> Listed {
    Listed {
        delete_marker: true,
        null_version: false,
        size: 0,
        last_modified_ms: now_ms,
        stamp: 0,
        etag: ETag { md5: [0; 16], parts: None },
        checksum: None,
        owner: owner.clone(),
    }
}

fn holds(wanted: &WriteCondition, current: Option<&Listed>) -> bool {
    match wanted {
        WriteCondition::None => true,
        WriteCondition::Absent => current.is_none(),
        WriteCondition::Exists => current.is_some(),
        WriteCondition::ETagIs(etag) => current.is_some_and(|listed| listed.etag.to_string() == *etag),
    }
}

fn judge_deletion(condition: &DeleteCondition, target: Option<&Listed>) -> Result<(), WriteRefusal> {
    let DeleteCondition { etag, size, last_modified_s } = condition;
    let Some(target) = target else {
        return if holds(etag, None) { Ok(()) } else { Err(WriteRefusal::NoSuchKey) };
    };
    let is_met = holds(etag, Some(target))
        && size.is_none_or(|size| size == target.size)
        && last_modified_s.is_none_or(|second| second == target.last_modified_ms.div_euclid(1000));
    if is_met { Ok(()) } else { Err(WriteRefusal::ConditionFailed) }
}

/// Of the preconditions those on tags; no others are made here.
fn judge(conditions: &Preconditions, version: Option<&Version>) -> Result<(), Unmet> {
    let is_named = |etags: &ETags| match (etags, version) {
        (_, None) => false,
        (ETags::Any, Some(_)) => true,
        (ETags::Listed(etags), Some(version)) => etags.contains(&version.listed.etag.to_string()),
    };
    if conditions.is_one_of.as_ref().is_some_and(|etags| !is_named(etags)) {
        return Err(Unmet::IsOneOf);
    }
    if conditions.is_none_of.as_ref().is_some_and(is_named) {
        return Err(Unmet::IsNoneOf);
    }
    Ok(())
}
