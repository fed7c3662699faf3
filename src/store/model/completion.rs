//! What a completion must do, and why it may not.

use crate::checksum::{Digest, Md5, composite};
use crate::config::limits::{PART_BYTES_MIN, REMEMBERED_MS};
use crate::index::record::{ETag, Listed, Part, StoredChecksum};
use crate::store::complete::{CompleteRefusal, CompleteRequest, Expected, NamedPart};
use crate::store::upload_id::UploadId;
use crate::store::write_condition::{WriteCondition, WriteRefusal};

use super::account::Moment;
use super::bytes::{Bytes, SUMMED_BYTES_MAX};
use super::deed::{Answer, Condition};
use super::state::{Completed, Model, Object, Place, Upload, UploadedPart, Version, algorithm_of};

type Refused<T> = Result<T, CompleteRefusal>;

impl Model {
    pub(super) fn complete(
        &mut self,
        place: Place,
        id: UploadId,
        request: &CompleteRequest,
        moment: Moment,
    ) -> Answer {
        let made = match self.upload_mut(place, id) {
            None => return self.completed_before(place, id, request, moment),
            Some(upload) => made_of(upload, request),
        };
        let judged = made.and_then(|version| {
            self.judge_completion(place, request).map_err(CompleteRefusal::Write)?;
            Ok(version)
        });
        let mut version = match judged {
            Ok(version) => version,
            Err(refusal) => return Answer::refused(refusal),
        };
        version.listed.last_modified_ms = moment.now_ms;
        let listed = self.install(place, version, moment.stamp);
        let completed = Completed {
            bucket_id: self.bucket(place).record.id,
            parts: request.parts.clone(),
            listed: listed.clone(),
            due_ms: moment.now_ms + REMEMBERED_MS,
        };
        self.end(place, id, Some(completed));
        Answer::Listed(listed.into())
    }

    fn completed_before(
        &self,
        place: Place,
        id: UploadId,
        request: &CompleteRequest,
        moment: Moment,
    ) -> Answer {
        let ended = self.ended.iter().find(|ended| ended.id == id && ended.place == place);
        let completed = ended.and_then(|ended| ended.completed.as_ref()).filter(|completed| {
            completed.bucket_id == self.bucket(place).record.id
                && completed.parts == request.parts
                && completed.due_ms > moment.now_ms
        });
        match completed {
            Some(completed) => Answer::Listed(completed.listed.clone().into()),
            None => Answer::refused(CompleteRefusal::NoSuchUpload),
        }
    }

    fn judge_completion(&self, place: Place, request: &CompleteRequest) -> Result<(), WriteRefusal> {
        let condition = Condition { wanted: request.condition.clone(), is_admitted: true };
        match (self.judge_write(place, &condition), self.current(place)) {
            // Younger than the request.
            (Err(_), Some(current)) if current.listed.last_modified_ms > request.admitted_ms => {
                Err(WriteRefusal::Conflict)
            }
            (judged, _) => judged,
        }
    }
}

/// The object that the upload would become.
fn made_of(upload: &Upload, request: &CompleteRequest) -> Refused<Version> {
    let parts = named(upload, &request.parts)?;
    judge_checksums(upload, &request.parts, &parts)?;
    let size = parts.iter().map(|part| part.bytes.len()).sum();
    let Expected { checksum: _, full_object, size: expected_size } = &request.expected;
    if full_object.is_some_and(|expected| expected != upload.checksum.full_object) {
        return Err(CompleteRefusal::ChecksumType { full_object: upload.checksum.full_object });
    }
    if expected_size.is_some_and(|expected| expected != size) {
        return Err(CompleteRefusal::Size { bytes: size });
    }
    let mut bytes = Bytes::default();
    let mut md5 = Md5::new();
    for part in &parts {
        bytes.append(&part.bytes);
        md5.update(&part.md5);
    }
    let listed = Listed {
        delete_marker: false,
        null_version: false,
        size,
        last_modified_ms: 0,
        stamp: 0,
        etag: ETag { md5: md5.finish(), parts: Some(parts.len() as u16) },
        checksum: Some(StoredChecksum::of(&digest(upload, &parts, &bytes), upload.checksum.full_object)),
        owner: upload.owner.clone(),
    };
    let parts = request.parts.iter().zip(parts).map(|(named, part)| Part {
        number: named.number as u16,
        bytes: part.bytes.len(),
        checksum: Some(part.digest.bytes().to_vec()),
    });
    let object = Object {
        bytes,
        user: upload.user.clone(),
        tags: upload.tags.clone(),
        parts: parts.collect(),
        key: upload.key,
    };
    Ok(Version { listed, object: Some(object) })
}

fn named<'u>(upload: &'u Upload, named: &[NamedPart]) -> Refused<Vec<&'u UploadedPart>> {
    if let Some(part) = named.iter().find(|part| part.number == 0 || part.number > 10_000) {
        return Err(CompleteRefusal::PartNumber(part.number));
    }
    if !named.is_sorted_by(|one, next| one.number < next.number) {
        return Err(CompleteRefusal::PartOrder);
    }
    let mut parts = Vec::new();
    for name in named {
        match upload.parts.get(&(name.number as u16)).filter(|part| part.etag() == name.etag) {
            Some(part) => parts.push(part),
            None => return Err(missing(name)),
        }
    }
    for (name, part) in named.iter().zip(&parts).take(named.len().saturating_sub(1)) {
        let bytes = part.bytes.len();
        if bytes < PART_BYTES_MIN {
            let NamedPart { number, etag, .. } = name.clone();
            return Err(CompleteRefusal::PartTooSmall { number, etag, bytes });
        }
    }
    Ok(parts)
}

fn judge_checksums(upload: &Upload, named: &[NamedPart], parts: &[&UploadedPart]) -> Refused<()> {
    let algorithm = algorithm_of(upload.checksum);
    for (name, part) in named.iter().zip(parts) {
        match name.checksum {
            None if upload.checksum.full_object => {}
            None => return Err(CompleteRefusal::PartChecksumMissing { number: name.number, algorithm }),
            Some(sent) if sent == part.digest => {}
            Some(_) => return Err(missing(name)),
        }
    }
    Ok(())
}

fn missing(named: &NamedPart) -> CompleteRefusal {
    CompleteRefusal::Part { number: named.number, etag: named.etag.clone() }
}

fn digest(upload: &Upload, parts: &[&UploadedPart], bytes: &Bytes) -> Digest {
    let algorithm = algorithm_of(upload.checksum);
    if !upload.checksum.full_object {
        let digests: Vec<Digest> = parts.iter().map(|part| part.digest).collect();
        return composite(algorithm, &digests);
    }
    if bytes.len() <= SUMMED_BYTES_MAX {
        return bytes.digest(algorithm);
    }
    let nothing = Bytes::default().digest(algorithm);
    parts.iter().fold(nothing, |whole, part| {
        whole.combine(&part.digest, part.bytes.len()).expect("a checksum of whole objects")
    })
}

impl Condition {
    /// For what is judged by the transaction alone.
    pub(super) fn unadmitted(wanted: WriteCondition) -> Self {
        Self { wanted, is_admitted: false }
    }
}
