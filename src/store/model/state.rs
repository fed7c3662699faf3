//! The buckets as they must be.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::checksum::{Algorithm, Digest};
use crate::index::record::{
    BucketRecord, ETag, LifecycleRules, Listed, Owner, Part, UploadChecksum, Versioning,
};
use crate::seal::CustomerKey;
use crate::store::complete::NamedPart;
use crate::store::upload_id::UploadId;
use crate::store::version_id::VersionId;

use super::bytes::Bytes;

/// Some begin with others, and all fall into few groups.
pub(super) const KEYS: &[&str] = &["a", "a/", "a/1", "a/1/x", "a/2", "b", "b\u{1}", "\u{e9}/1"];

/// Buckets whose versioning changes.
pub(super) const VERSIONED: usize = 2;
/// Never keeps versions.
pub(super) const PLAIN: usize = 2;
/// Has one large object, which stays; parts are copied from it.
pub(super) const STOCK: usize = 3;
pub(super) const STOCK_KEY: &str = "stock";
pub(super) const BUCKETS: [&str; 4] = ["v0", "v1", "plain", "stock"];

pub(super) type Tags = Vec<(String, String)>;

/// A key of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) bucket: usize,
    pub(super) key: &'static str,
}

/// A version, or whatever is the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) place: Place,
    pub(super) version: Option<VersionId>,
}

impl Target {
    /// The large object.
    pub(super) fn stock() -> Self {
        Self { place: Place { bucket: STOCK, key: STOCK_KEY }, version: None }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Version {
    /// A stamp of zero is not known.
    pub(super) listed: Listed,
    /// `None` for a delete marker.
    pub(super) object: Option<Object>,
}

impl Version {
    pub(super) fn id(&self) -> VersionId {
        VersionId::of(&self.listed)
    }
}

/// What an object is, beside what is listed of it.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) bytes: Bytes,
    pub(super) user: Tags,
    pub(super) tags: Tags,
    pub(super) parts: Vec<Part>,
    /// Names the customer's key that seals it.
    pub(super) key: Option<u8>,
}

impl Object {
    /// Where the bytes of each part are. An empty part is nowhere.
    pub(super) fn part_ranges(&self) -> Vec<RangeInclusive<u64>> {
        let mut first = 0;
        let mut ranges = Vec::new();
        for part in &self.parts {
            if part.bytes > 0 {
                ranges.push(first..=first + part.bytes - 1);
            }
            first += part.bytes;
        }
        ranges
    }
}

#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) record: BucketRecord,
    /// The versions of every key that has any, newest first.
    pub(super) keys: BTreeMap<&'static str, Vec<Version>>,
    /// The lifecycle.
    pub(super) rules: Option<LifecycleRules>,
}

#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub(super) place: Place,
    pub(super) owner: Owner,
    pub(super) user: Tags,
    pub(super) tags: Tags,
    pub(super) checksum: UploadChecksum,
    pub(super) key: Option<u8>,
    pub(super) initiated_ms: i64,
    pub(super) parts: BTreeMap<u16, UploadedPart>,
}

#[derive(Clone, Debug)]
pub(super) struct UploadedPart {
    pub(super) bytes: Bytes,
    pub(super) md5: [u8; 16],
    pub(super) digest: Digest,
    pub(super) last_modified_ms: i64,
}

impl UploadedPart {
    pub(super) fn etag(&self) -> String {
        ETag { md5: self.md5, parts: None }.to_string()
    }
}

/// An upload that is no more.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) place: Place,
    pub(super) id: UploadId,
    pub(super) completed: Option<Completed>,
}

#[derive(Clone, Debug)]
pub(super) struct Completed {
    pub(super) bucket_id: u64,
    pub(super) parts: Vec<NamedPart>,
    pub(super) listed: Listed,
    pub(super) due_ms: i64,
}

/// A rename that is remembered.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// All that was asked for.
    pub(super) asked: String,
    pub(super) due_ms: i64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) buckets: Vec<Bucket>,
    pub(super) uploads: BTreeMap<UploadId, Upload>,
    /// The latest.
    pub(super) ended: Vec<Ended>,
    /// By bucket's id and token.
    pub(super) tokens: BTreeMap<(u64, String), Token>,
    /// The greatest stamp that was given.
    pub(super) last_stamp: u64,
}

impl Model {
    pub(super) fn bucket(&self, place: Place) -> &Bucket {
        &self.buckets[place.bucket]
    }

    pub(super) fn versioning(&self, bucket: usize) -> Versioning {
        self.buckets[bucket].record.versioning
    }

    pub(super) fn versions(&self, place: Place) -> &[Version] {
        self.bucket(place).keys.get(place.key).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn find(&self, target: Target) -> Option<&Version> {
        let mut versions = self.versions(target.place).iter();
        match target.version {
            None => versions.next(),
            Some(id) => versions.find(|version| version.id() == id),
        }
    }

    /// The newest version, if it is an object.
    pub(super) fn current(&self, place: Place) -> Option<&Version> {
        self.versions(place).first().filter(|version| version.object.is_some())
    }

    /// Puts a version on top, which gets its name here; a new null version replaces the old one.
    pub(super) fn install(&mut self, place: Place, mut version: Version, stamp: u64) -> Listed {
        let null_version = self.versioning(place.bucket) != Versioning::Enabled;
        version.listed.null_version = null_version;
        version.listed.stamp = stamp;
        let listed = version.listed.clone();
        let versions = self.buckets[place.bucket].keys.entry(place.key).or_default();
        versions.retain(|old| !null_version || !old.listed.null_version);
        versions.insert(0, version);
        listed
    }

    pub(super) fn remove(&mut self, place: Place, id: VersionId) {
        let keys = &mut self.buckets[place.bucket].keys;
        let Some(versions) = keys.get_mut(place.key) else { return };
        versions.retain(|version| version.id() != id);
        if versions.is_empty() {
            keys.remove(place.key);
        }
    }

    /// All versions of a bucket.
    pub(super) fn all_in(&self, bucket: usize) -> Vec<Target> {
        let of_key = |(key, versions): (&&'static str, &Vec<Version>)| -> Vec<Target> {
            let place = Place { bucket, key };
            versions.iter().map(|version| Target { place, version: Some(version.id()) }).collect()
        };
        self.buckets[bucket].keys.iter().flat_map(of_key).collect()
    }

    pub(super) fn uploads_in(&self, bucket: usize) -> impl Iterator<Item = (UploadId, &Upload)> {
        let is_there = move |upload: &&Upload| upload.place.bucket == bucket;
        self.uploads.iter().map(|(id, upload)| (*id, upload)).filter(move |(_, upload)| is_there(upload))
    }
}

pub(super) fn customer_key(name: u8) -> CustomerKey {
    CustomerKey::new(&[name; 32])
}

pub(super) fn algorithm_of(checksum: UploadChecksum) -> Algorithm {
    Algorithm::from_id(checksum.algorithm).expect("an algorithm")
}
