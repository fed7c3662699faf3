//! The end of a multipart upload: its parts become one object, in one transaction and without a byte being read.
//!
//! The object takes over the bytes of the parts that were named, in their order; those of the others are freed. Nothing
//! changes where the request is refused: the upload stays as it was. What was made is remembered, so that the same
//! request sent again, or at the same time, gets the same answer.

use crate::checksum::{Algorithm, Digest, Hasher, Md5, composite};
use crate::commit::{Abort, Committed, Data, Transaction};
use crate::config::limits::{OBJECT_BYTES_MAX, PART_BYTES_MIN, PARTS_MAX};
use crate::index::key_encoding;
use crate::index::record::{
    BucketRecord, Content, ETag, Listed, ObjectRecord, Part, PartRecord, StoredChecksum, UploadChecksum,
    UploadRecord,
};
use crate::store::Store;
use crate::store::buckets;
use crate::store::error::Refusal;
use crate::store::multipart::{find, release, take_parts};
use crate::store::remembered::{self, Kind};
use crate::store::upload_id::UploadId;
use crate::store::versions::History;
use crate::store::write_condition::{WriteCondition, WriteRefusal};

/// A part as the client names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPart {
    /// As sent: no part's number if it is not one of those that parts may have.
    pub number: u32,
    /// Without quotes.
    pub etag: String,
    pub checksum: Option<Digest>,
}

/// What an object is to be made of, and what must be true of it.
#[derive(Clone, Debug)]
pub struct CompleteRequest {
    pub parts: Vec<NamedPart>,
    pub expected: Expected,
    pub condition: WriteCondition,
    /// When the request came in, Unix milliseconds.
    pub admitted_ms: i64,
}

/// What the client expects of the object as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    pub checksum: Option<StatedChecksum>,
    /// Whether that sums the bytes, not the parts' checksums.
    pub full_object: Option<bool>,
    pub size: Option<u64>,
}

/// A checksum of the object as the client states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatedChecksum {
    pub digest: Digest,
    /// Of how many parts' checksums it is one, where that is said.
    pub parts: Option<u32>,
}

impl StatedChecksum {
    /// Compares it with what is true; `composite_of` is the number of parts whose checksums were summed, `None` where
    /// the bytes were.
    pub fn is(&self, computed: &Digest, composite_of: Option<u32>) -> bool {
        self.digest == *computed && (self.parts.is_none() || self.parts == composite_of)
    }
}

/// Why no object was made. The first reason in this order is the one given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompleteRefusal {
    NoSuchUpload,
    /// No part can have this number.
    PartNumber(u32),
    /// The numbers do not ascend.
    PartOrder,
    /// The part was not received, or is another than the one named.
    Part {
        number: u32,
        etag: String,
    },
    /// A part that is not the last has too few bytes.
    PartTooSmall {
        number: u32,
        etag: String,
        bytes: u64,
    },
    TooLarge {
        bytes: u64,
    },
    /// The checksum of each part is needed, and that of this one was not sent.
    PartChecksumMissing {
        number: u32,
        algorithm: Algorithm,
    },
    /// The checksum of this part is of another algorithm than the upload's.
    PartChecksumAlgorithm {
        number: u32,
        sent: Algorithm,
    },
    /// The upload's checksum is of the other kind.
    ChecksumType {
        full_object: bool,
    },
    Checksum {
        sent: Algorithm,
    },
    Size {
        bytes: u64,
    },
    Write(WriteRefusal),
}

type Refused<T> = Result<T, CompleteRefusal>;

/// A request as the transaction has it, which may run more than once.
struct Completion {
    key: String,
    id: UploadId,
    parts: Vec<NamedPart>,
    /// What the tags of the parts stand for, in their order; `None` for what can be no part's tag.
    tags: Vec<Option<[u8; 16]>>,
    fingerprint: [u8; 32],
    expected: Expected,
    condition: WriteCondition,
    admitted: Result<(), WriteRefusal>,
}

/// The parts of an upload, told apart.
struct Sorted {
    /// In the order of the object.
    named: Vec<PartRecord>,
    unnamed: Vec<PartRecord>,
}

impl Store {
    /// Makes the named parts of an upload the current object of its key and ends the upload. Returns what is listed of
    /// the object.
    pub async fn complete_upload(
        &self,
        bucket: &BucketRecord,
        key: &str,
        id: UploadId,
        request: CompleteRequest,
    ) -> Result<Committed<Listed>, Refusal<CompleteRefusal>> {
        let CompleteRequest { parts, expected, condition, admitted_ms } = request;
        // Judged now, for what happens to the key meanwhile is a conflict; told last, for that is its place.
        let admitted = match self.admit(bucket, key, &condition, admitted_ms) {
            Ok(()) => Ok(()),
            Err(Refusal::Refused(refusal)) => Err(refusal),
            Err(Refusal::Failed(error)) => return Err(Refusal::Failed(error)),
        };
        let completion = Completion {
            key: key.to_owned(),
            id,
            fingerprint: fingerprint(bucket.id, key, &parts),
            tags: parts.iter().map(|part| tag(&part.etag)).collect(),
            parts,
            expected,
            condition,
            admitted,
        };
        let bucket = bucket.clone();
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                let gone = CompleteRefusal::Write(WriteRefusal::NoSuchBucket);
                let bucket = buckets::still_there(transaction, &bucket, gone)?;
                completion.run(transaction, &bucket)
            })
            .await?;
        Ok(committed)
    }
}

impl Completion {
    fn run(
        &self,
        transaction: &mut Transaction<'_>,
        bucket: &BucketRecord,
    ) -> Result<Listed, Abort<CompleteRefusal>> {
        let Some(upload) = find(transaction, bucket.id, &self.key, self.id)? else {
            return self.recall(transaction);
        };
        self.judge_numbers().map_err(Abort::Refused)?;
        let parts = self.sort(take_parts(transaction, self.id)?).map_err(Abort::Refused)?;
        let mut record =
            self.judged_record(transaction.now_ms(), upload, parts.named).map_err(Abort::Refused)?;

        let mut history = History::new(transaction, bucket, &self.key);
        let judged = match self.admitted {
            Ok(()) => history.judge(&self.condition)?,
            refused => refused,
        };
        judged.map_err(|refusal| Abort::Refused(CompleteRefusal::Write(refusal)))?;
        let listed = history.install(&mut record)?;
        for part in &parts.unnamed {
            release(transaction, part)?;
        }
        transaction.delete(key_encoding::upload_key(bucket.id, &self.key, self.id.stamp));
        let id = self.id.bytes();
        remembered::remember(transaction, Kind::Completion, &id, self.fingerprint, Some(listed.clone()))?;
        Ok(listed)
    }

    /// The answer to the same request, where it was made before.
    fn recall(&self, transaction: &mut Transaction<'_>) -> Result<Listed, Abort<CompleteRefusal>> {
        remembered::recall(transaction, Kind::Completion, &self.id.bytes())?
            .filter(|remembered| remembered.fingerprint == self.fingerprint)
            .and_then(|remembered| remembered.made)
            .ok_or(Abort::Refused(CompleteRefusal::NoSuchUpload))
    }

    fn judge_numbers(&self) -> Refused<()> {
        let is_number = |number: &u32| (1..=u32::from(PARTS_MAX)).contains(number);
        if let Some(number) = self.parts.iter().map(|part| part.number).find(|number| !is_number(number)) {
            return Err(CompleteRefusal::PartNumber(number));
        }
        let ascends = self.parts.windows(2).all(|pair| pair[0].number < pair[1].number);
        if ascends { Ok(()) } else { Err(CompleteRefusal::PartOrder) }
    }

    /// Finds each named part among the parts of the upload. Both ascend.
    fn sort(&self, parts: Vec<(u16, PartRecord)>) -> Refused<Sorted> {
        let mut sorted = Sorted { named: Vec::with_capacity(self.parts.len()), unnamed: Vec::new() };
        let mut parts = parts.into_iter().peekable();
        for (named, tag) in self.parts.iter().zip(&self.tags) {
            while let Some((_, part)) = parts.next_if(|(number, _)| u32::from(*number) < named.number) {
                sorted.unnamed.push(part);
            }
            match parts.next_if(|(number, part)| u32::from(*number) == named.number && Some(part.md5) == *tag)
            {
                Some((_, part)) => sorted.named.push(part),
                None => return Err(named.is_not_there()),
            }
        }
        sorted.unnamed.extend(parts.map(|(_, part)| part));
        Ok(sorted)
    }

    /// The object, if everything that was said of it is true.
    fn judged_record(
        &self,
        now_ms: i64,
        upload: UploadRecord,
        parts: Vec<PartRecord>,
    ) -> Refused<ObjectRecord> {
        self.judge_sizes(&parts)?;
        self.judge_checksums(upload.checksum, &parts)?;
        let UploadChecksum { full_object, .. } = upload.checksum;
        let digest = digest_of_whole(upload.checksum, &parts);
        let size = parts.iter().map(|part| part.bytes).sum();
        self.judge_expected(full_object, digest.as_ref(), size)?;

        let checksum = digest.map(|digest| StoredChecksum::of(&digest, full_object));
        let etag = etag(&parts);
        let UploadRecord { owner, metadata, encryption, .. } = upload;
        let mut content =
            Content { segments: Vec::new(), parts: Vec::with_capacity(parts.len()), encryption };
        for (named, part) in self.parts.iter().zip(parts) {
            content.segments.extend(part.segments);
            let checksum = part.checksum.map(|checksum| checksum.bytes);
            content.parts.push(Part { number: named.number as u16, bytes: part.bytes, checksum });
        }
        let listed = Listed {
            delete_marker: false,
            null_version: false,
            size,
            last_modified_ms: now_ms,
            stamp: 0,
            etag,
            checksum,
            owner,
        };
        Ok(ObjectRecord { listed, metadata, content })
    }

    fn judge_sizes(&self, parts: &[PartRecord]) -> Refused<()> {
        let all_but_last = parts.len().saturating_sub(1);
        for (named, part) in self.parts.iter().zip(parts).take(all_but_last) {
            if part.bytes < PART_BYTES_MIN {
                let NamedPart { number, etag, .. } = named.clone();
                return Err(CompleteRefusal::PartTooSmall { number, etag, bytes: part.bytes });
            }
        }
        let bytes = parts.iter().map(|part| part.bytes).sum();
        if bytes > OBJECT_BYTES_MAX { Err(CompleteRefusal::TooLarge { bytes }) } else { Ok(()) }
    }

    fn judge_checksums(&self, of_upload: UploadChecksum, parts: &[PartRecord]) -> Refused<()> {
        let UploadChecksum { algorithm, full_object, declared } = of_upload;
        let algorithm = Algorithm::from_id(algorithm).unwrap_or(Algorithm::Crc64Nvme);
        for (named, part) in self.parts.iter().zip(parts) {
            let number = named.number;
            match &named.checksum {
                None if full_object => {}
                None => return Err(CompleteRefusal::PartChecksumMissing { number, algorithm }),
                Some(sent) if sent.algorithm() == algorithm => {
                    if digest_of(part, algorithm).as_ref() != Some(sent) {
                        return Err(named.is_not_there());
                    }
                }
                Some(sent) if declared => {
                    let sent = sent.algorithm();
                    return Err(CompleteRefusal::PartChecksumAlgorithm { number, sent });
                }
                // It was verified when the part came in; what is kept is the node's own.
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn judge_expected(&self, full_object: bool, digest: Option<&Digest>, size: u64) -> Refused<()> {
        let Expected { checksum, full_object: expects_full_object, size: expected_size } = &self.expected;
        if expects_full_object.is_some_and(|expected| expected != full_object) {
            return Err(CompleteRefusal::ChecksumType { full_object });
        }
        let composite_of = (!full_object).then_some(self.parts.len() as u32);
        if let Some(stated) = checksum
            && !digest.is_some_and(|digest| stated.is(digest, composite_of))
        {
            return Err(CompleteRefusal::Checksum { sent: stated.digest.algorithm() });
        }
        if expected_size.is_some_and(|expected| expected != size) {
            return Err(CompleteRefusal::Size { bytes: size });
        }
        Ok(())
    }
}

impl NamedPart {
    fn is_not_there(&self) -> CompleteRefusal {
        CompleteRefusal::Part { number: self.number, etag: self.etag.clone() }
    }
}

/// MD5 of the parts' MD5s, and how many they are.
fn etag(parts: &[PartRecord]) -> ETag {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(&part.md5);
    }
    ETag { md5: md5.finish(), parts: Some(parts.len() as u16) }
}

/// `None` where a part has none that could be used.
fn digest_of_whole(checksum: UploadChecksum, parts: &[PartRecord]) -> Option<Digest> {
    let algorithm = Algorithm::from_id(checksum.algorithm)?;
    let digests: Vec<Digest> =
        parts.iter().map(|part| digest_of(part, algorithm)).collect::<Option<Vec<_>>>()?;
    if !checksum.full_object {
        return Some(composite(algorithm, &digests));
    }
    let mut following = digests.iter().zip(parts);
    let (first, _) = following.next()?;
    following.try_fold(*first, |whole, (digest, part)| whole.combine(digest, part.bytes))
}

fn digest_of(part: &PartRecord, algorithm: Algorithm) -> Option<Digest> {
    let stored = part.checksum.as_ref().filter(|stored| stored.algorithm == algorithm.id())?;
    Digest::from_bytes(algorithm, &stored.bytes)
}

/// What a tag of a part stands for: 32 lower-case hexadecimal digits.
fn tag(text: &str) -> Option<[u8; 16]> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 32 || !text.bytes().all(is_digit) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

/// SHA-256 of everything that tells one completion of an upload from another.
fn fingerprint(bucket_id: u64, key: &str, parts: &[NamedPart]) -> [u8; 32] {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut text = |text: &str| {
        hasher.update(&(text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    };
    text(&bucket_id.to_string());
    text(key);
    for part in parts {
        text(&part.number.to_string());
        text(&part.etag);
        text(part.checksum.map_or("", |digest| digest.algorithm().name()));
        text(&part.checksum.map(|digest| digest.base64()).unwrap_or_default());
    }
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(hasher.finish().bytes());
    fingerprint
}

#[cfg(test)]
#[path = "complete_tests.rs"]
mod tests;
