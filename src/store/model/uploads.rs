//! What comes next of deeds on multipart uploads.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::checksum::Algorithm;
use crate::config::limits::{FRAME_PAYLOAD_BYTES, PART_BYTES_MIN};
use crate::index::record::{BucketRecord, Metadata, PartListed, PartRecord, StoredChecksum, UploadChecksum};
use crate::store::Store;
use crate::store::body_writer::BodyWritten;
use crate::store::complete::{CompleteRequest, Expected, NamedPart};
use crate::store::copy::NewPartCopy;
use crate::store::error::StoreError;
use crate::store::multipart::{NewPart, NewUpload};
use crate::store::upload_id::UploadId;
use crate::store::write_condition::WriteCondition;

use super::bytes::{Bytes, SUMMED_BYTES_MAX};
use super::deed::{Answer, Deed, Prepared};
use super::history::History;
use super::state::{Place, Target, Upload, UploadedPart, algorithm_of, customer_key};

const CHECKSUMS: [(Algorithm, bool, bool); 4] = [
    (Algorithm::Crc64Nvme, true, false),
    (Algorithm::Crc32c, true, true),
    (Algorithm::Crc32, false, true),
    (Algorithm::Sha256, false, true),
];
const NUMBERS: [u16; 6] = [1, 2, 3, 7, 9_999, 10_000];
const FRAME: u64 = FRAME_PAYLOAD_BYTES as u64;

type Next = Result<Option<Prepared>, StoreError>;

impl History {
    pub(super) fn begin(&mut self, store: &Store) -> Prepared {
        let place = self.place();
        let (algorithm, full_object, declared) = CHECKSUMS[self.below(4)];
        let upload = Upload {
            place,
            owner: self.owner(),
            user: self.user(),
            tags: self.tags(),
            checksum: UploadChecksum { algorithm: algorithm.id(), full_object, declared },
            key: self.sealing_key(),
            initiated_ms: 0,
            parts: BTreeMap::new(),
        };
        let new = NewUpload {
            key: place.key.into(),
            metadata: Metadata {
                user: upload.user.clone(),
                tags: upload.tags.clone(),
                ..Metadata::default()
            },
            owner: upload.owner.clone(),
            checksum: upload.checksum,
            encryption: upload.key.map(|key| customer_key(key).new_check().expect("random numbers")),
        };
        let (store, record) = (store.clone(), self.model.bucket(place).record.clone());
        let work = Box::pin(async move {
            let begun = store.create_upload(&record, new).await;
            Answer::of(begun.map(|committed| Answer::Begun(*committed.value())))
        });
        Prepared { deed: Deed::Begin(upload.into()), work }
    }

    /// An upload that is open or, once in `ended_in` times, was; of such a one what it perhaps was.
    fn upload(&mut self, ended_in: u64) -> Option<(UploadId, Upload)> {
        if let (0, false) = (self.below(ended_in), self.model.ended.is_empty()) {
            let place = self.below(self.model.ended.len() as u64);
            let ended = &self.model.ended[place];
            let (algorithm, full_object, declared) = CHECKSUMS[0];
            let upload = Upload {
                place: ended.place,
                owner: crate::index::record::Owner::default(),
                user: Vec::new(),
                tags: Vec::new(),
                checksum: UploadChecksum { algorithm: algorithm.id(), full_object, declared },
                key: None,
                initiated_ms: 0,
                parts: BTreeMap::new(),
            };
            return Some((ended.id, upload));
        }
        let count = self.model.uploads.len() as u64;
        let place = self.below(count.max(1));
        self.model.uploads.iter().nth(place).map(|(id, upload)| (*id, upload.clone()))
    }

    pub(super) async fn put_part(&mut self, store: &Store) -> Next {
        let Some((id, upload)) = self.upload(24) else { return Ok(None) };
        let content = self.content();
        let body = self.write(store, content, algorithm_of(upload.checksum), upload.key).await?;
        let bytes = Bytes::of(content);
        let md5 = bytes.md5();
        Ok(Some(self.part_prepared(store, (id, &upload), bytes, md5, body)))
    }

    fn part_prepared(
        &mut self,
        store: &Store,
        (id, upload): (UploadId, &Upload),
        bytes: Bytes,
        md5: [u8; 16],
        body: BodyWritten,
    ) -> Prepared {
        let md5 = if upload.key.is_some() { body.etag_md5 } else { md5 };
        let digest = self.digest(&bytes, algorithm_of(upload.checksum));
        let (place, number) = (upload.place, self.number(bytes.len()));
        let part = UploadedPart { bytes, md5, digest, last_modified_ms: 0 };
        let (store, record) = (store.clone(), self.model.bucket(place).record.clone());
        let work = Box::pin(async move {
            let new = NewPart {
                bytes: body.size_bytes,
                md5: body.etag_md5,
                checksum: body.checksums.first().map(|digest| StoredChecksum::of(digest, true)),
                segments: body.segment.into_iter().collect(),
                data: body.data,
            };
            let put = store.put_part(&record, place.key, id, number, new).await;
            Answer::of(put.map(|committed| part_answer(committed.value())))
        });
        Prepared { deed: Deed::PutPart { place, id, number, part }, work }
    }

    /// Low for large parts, so that several of them can be completed.
    fn number(&mut self, bytes: u64) -> u16 {
        NUMBERS[self.below(4) + if bytes < PART_BYTES_MIN { 2 } else { 0 }]
    }

    pub(super) async fn copy_part(&mut self, store: &Store) -> Next {
        let Some((id, upload)) = self.upload(24) else { return Ok(None) };
        let target = if self.below(3) == 0 { Target::stock() } else { self.source_target() };
        let Some((from, object, known)) = self.open_source(store, target)? else { return Ok(None) };
        let algorithm = algorithm_of(upload.checksum);
        let is_shared = known.key.is_none() && upload.key.is_none();
        let range = self.range(known.bytes.len(), is_shared);
        let bytes = known.bytes.cut(range.as_ref());
        if !is_shared {
            let body = self.rewrite(store, (object, known.key), range, algorithm, upload.key).await?;
            let md5 = self.md5(&bytes);
            return Ok(Some(self.part_prepared(store, (id, &upload), bytes, md5, body)));
        }
        let part = UploadedPart {
            md5: self.md5(&bytes),
            digest: self.digest(&bytes, algorithm),
            last_modified_ms: 0,
            bytes,
        };
        let (source, deed_source) = self.source_of(from, &object);
        if part.bytes.len() <= SUMMED_BYTES_MAX {
            let sums = store.sums(object, range.clone(), Some(algorithm)).await?;
            assert_eq!((sums.md5, sums.checksum), (part.md5, Some(part.digest)), "sums of {range:?}");
        }
        let (place, number) = (upload.place, self.number(part.bytes.len()));
        let new = NewPartCopy { md5: part.md5, checksum: Some(StoredChecksum::of(&part.digest, true)) };
        let (store, record) = (store.clone(), self.model.bucket(place).record.clone());
        let deed = Deed::CopyPart { from: deed_source, place, id, number, part };
        let work = Box::pin(async move {
            let copied = store.copy_part(source, range, (&record, place.key, id, number), new).await;
            Answer::of(copied.map(|committed| part_answer(committed.value())))
        });
        Ok(Some(Prepared { deed, work }))
    }

    /// A range of a source: of a large one mostly enough for any part, from and to borders of frames and parts.
    fn range(&mut self, size: u64, is_shared: bool) -> Option<RangeInclusive<u64>> {
        let last = size.checked_sub(1)?;
        if size > PART_BYTES_MIN && is_shared && self.below(4) != 0 {
            // Few of them, for they are summed once each.
            let bytes = PART_BYTES_MIN + [0, 1, FRAME][self.below(3)];
            let start = [0, 1, FRAME - 1, FRAME, PART_BYTES_MIN, size.saturating_sub(bytes)][self.below(6)];
            return Some(start.min(last)..=(start + bytes - 1).min(last));
        }
        if size < 100_000 && self.below(3) == 0 {
            return Some(0..=last);
        }
        let near = [0, FRAME, 2 * FRAME, 4 * FRAME, PART_BYTES_MIN, last][self.below(6)];
        let start = match self.below(2) {
            0 => (near + self.below(3) as u64).saturating_sub(1).min(last),
            _ => self.dice.below(size),
        };
        let bytes = [1, 2, 100, FRAME - 1, FRAME, 70_000][self.below(6)];
        Some(start..=(start + bytes - 1).min(last))
    }

    pub(super) fn complete(&mut self, store: &Store) -> Option<Prepared> {
        let (id, upload) = self.upload(8)?;
        let record = self.model.bucket(upload.place).record.clone();
        if let Some(parts) = self.completed_parts(id) {
            return Some(complete_prepared(store, record, upload.place, id, self.request(parts)));
        }
        let mut named: Vec<NamedPart> = Vec::new();
        let keeps_all = self.below(2) == 0;
        for (number, part) in &upload.parts {
            if keeps_all || self.dice.below(4) != 0 {
                // In full where it must be, otherwise now and then.
                let is_told = !upload.checksum.full_object || self.dice.below(2) == 0;
                let checksum = Some(part.digest).filter(|_| is_told);
                named.push(NamedPart { number: u32::from(*number), etag: part.etag(), checksum });
            }
        }
        // What is too small for its place, mostly.
        let last = named.last().map_or(0, |part| part.number);
        let is_large = |part: &NamedPart| upload.parts[&(part.number as u16)].bytes.len() >= PART_BYTES_MIN;
        if self.below(8) != 0 {
            named.retain(|part| part.number == last || is_large(part));
        }
        let size = named.iter().map(|part| upload.parts[&(part.number as u16)].bytes.len()).sum();
        let mut request = self.request(named);
        request.expected.size = (self.below(8) == 0).then_some(size);
        request.expected.full_object = (self.below(8) == 0).then_some(upload.checksum.full_object);
        self.spoil(&mut request);
        if request.parts.is_empty() {
            return None;
        }
        if self.is_alone && self.below(5) == 0 {
            let current = self.model.current(upload.place).map(|version| version.listed.clone());
            request.condition = self.wanted(current.as_ref());
        }
        Some(complete_prepared(store, record, upload.place, id, request))
    }

    /// What an ended upload was completed with.
    fn completed_parts(&mut self, id: UploadId) -> Option<Vec<NamedPart>> {
        let ended = self.model.ended.iter().find(|ended| ended.id == id)?;
        let mut parts = ended.completed.as_ref()?.parts.clone();
        if self.dice.below(4) == 0 {
            parts[0].checksum = None;
        }
        Some(parts)
    }

    fn request(&mut self, parts: Vec<NamedPart>) -> CompleteRequest {
        let admitted_ms = if self.below(8) == 0 { 0 } else { i64::MAX };
        CompleteRequest { parts, expected: Expected::default(), condition: WriteCondition::None, admitted_ms }
    }

    /// Makes a request wrong in one way, now and then.
    fn spoil(&mut self, request: &mut CompleteRequest) {
        let parts = &mut request.parts;
        let Some(last) = parts.len().checked_sub(1) else { return };
        match self.below(40) {
            0 => parts[last].etag = "0".repeat(32),
            1 => parts[last].etag = parts[0].etag.to_uppercase(),
            2 => parts.reverse(),
            3 => parts.push(parts[last].clone()),
            4 => parts[0].number = 0,
            5 => parts[last].number += 1,
            6 => parts.iter_mut().for_each(|part| part.checksum = None),
            7 => {
                let algorithm = parts[last].checksum.map(|digest| digest.algorithm());
                parts[last].checksum = algorithm.map(|algorithm| Bytes::default().digest(algorithm));
            }
            8 => request.expected.size = Some(1),
            9 => request.expected.full_object = Some(self.dice.below(2) == 0),
            _ => {}
        }
    }

    pub(super) fn abort(&mut self, store: &Store, of: Option<(UploadId, Place)>) -> Option<Prepared> {
        let (id, place) = match of {
            Some(of) => of,
            None => self.upload(8).map(|(id, upload)| (id, upload.place))?,
        };
        let (store, record) = (store.clone(), self.model.bucket(place).record.clone());
        let work = Box::pin(async move {
            let aborted = store.abort_upload(&record, place.key, id).await;
            Answer::of(aborted.map(|_committed| Answer::Done))
        });
        Some(Prepared { deed: Deed::Abort { place, id }, work })
    }
}

fn part_answer(part: &PartRecord) -> Answer {
    let PartRecord { bytes, md5, checksum, last_modified_ms, segments: _ } = part.clone();
    Answer::Part(PartListed { bytes, md5, checksum, last_modified_ms }.into())
}

fn complete_prepared(
    store: &Store,
    record: BucketRecord,
    place: Place,
    id: UploadId,
    request: CompleteRequest,
) -> Prepared {
    let store = store.clone();
    let deed = Deed::Complete { place, id, request: request.clone().into() };
    let work = Box::pin(async move {
        let completed = store.complete_upload(&record, place.key, id, request).await;
        Answer::of(completed.map(|committed| Answer::Listed(committed.value().clone().into())))
    });
    Prepared { deed, work }
}
