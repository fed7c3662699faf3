//! Objects as readers find them: by key or version, listed in pages, read in ranges.

use std::ops::RangeInclusive;
use std::rc::Rc;

use crate::index::engine::{KeyRange, ScanLimits};
use crate::index::key_encoding;
use crate::index::listing::{self, ListPage, ListQuery};
use crate::index::record::body::runs_of;
use crate::index::record::{BucketRecord, Listed, ObjectRecord, Segment, Versioning};
use crate::index::version_listing::{self, VersionPage, VersionQuery};
use crate::seal::CustomerKey;
use crate::store::Store;
use crate::store::body_reader::{self, BodyReader};
use crate::store::error::StoreError;
use crate::store::pins::PinnedRuns;
use crate::store::version_id::VersionId;
use crate::store::versions;

/// How often a lookup that the versions moved away from is made again.
const LOOKUPS_MAX: u32 = 8;

/// What a key or version turned out to be.
pub enum Lookup {
    Object(OpenObject),
    /// A delete marker: the newest version of its key, or the version asked for.
    DeleteMarker(Listed),
    Nothing,
}

/// An object found, its runs pinned.
pub struct OpenObject {
    pub record: ObjectRecord,
    pub(super) pins: PinnedRuns,
}

/// The bytes of a range.
pub enum Body {
    Inline(Vec<u8>),
    Extents(Box<BodyReader>),
}

impl Store {
    /// Finds an object and pins its bytes: the version named, or the current one.
    pub fn open_object(
        &self,
        bucket: &BucketRecord,
        key: &str,
        version: Option<VersionId>,
    ) -> Result<Lookup, StoreError> {
        let lookup = || match version {
            None => self.record_at(&key_encoding::object_key(bucket.id, key)),
            Some(id) => self.version_record(bucket, key, id),
        };
        let found = self.pins.pin(lookup, |record, pin| runs_of(&record.content.segments).for_each(pin))?;
        match found {
            Some((record, _)) if record.listed.delete_marker => Ok(Lookup::DeleteMarker(record.listed)),
            Some((record, pins)) => Ok(Lookup::Object(OpenObject { record, pins })),
            None if version.is_none() && bucket.versioning != Versioning::Unset => {
                Ok(self.newest_marker(bucket, key)?.map_or(Lookup::Nothing, Lookup::DeleteMarker))
            }
            None => Ok(Lookup::Nothing),
        }
    }

    /// The bytes of an open object in `wanted`, which must lie within it. A sealed object needs its key, known to be
    /// the right one.
    pub fn read(
        &self,
        object: OpenObject,
        wanted: RangeInclusive<u64>,
        key: Option<Rc<CustomerKey>>,
    ) -> Result<Body, StoreError> {
        let OpenObject { record, pins } = object;
        let mut segments = record.content.segments;
        if let (Some(Segment::Inline(_)), 1) = (segments.first(), segments.len())
            && let Some(Segment::Inline(inline)) = segments.pop()
        {
            let mut bytes = body_reader::inline_bytes(inline, key.as_deref())?;
            bytes.truncate(*wanted.end() as usize + 1);
            bytes.drain(..*wanted.start() as usize);
            return Ok(Body::Inline(bytes));
        }
        Ok(Body::Extents(Box::new(BodyReader::new(self, segments, wanted, key, pins))))
    }

    /// One page of a listing.
    pub fn list(&self, bucket: &BucketRecord, query: &ListQuery<'_>) -> Result<ListPage, StoreError> {
        Ok(listing::list(&self.engine, bucket.id, query)?)
    }

    /// One page of a listing of versions.
    pub fn list_versions(
        &self,
        bucket: &BucketRecord,
        query: &VersionQuery<'_>,
    ) -> Result<VersionPage, StoreError> {
        Ok(version_listing::list_versions(&self.engine, bucket.id, query)?)
    }

    /// The stamp that gives a version its place among those of its key. Its name may tell it; otherwise `None` if there
    /// is no such version.
    pub fn stamp_of(
        &self,
        bucket: &BucketRecord,
        key: &str,
        version: VersionId,
    ) -> Result<Option<u64>, StoreError> {
        match version {
            VersionId::Stamp(stamp) => Ok(Some(stamp)),
            VersionId::Null => {
                Ok(self.version_record(bucket, key, version)?.map(|record| record.listed.stamp))
            }
        }
    }

    pub(super) fn record_at(&self, index_key: &[u8]) -> Result<Option<ObjectRecord>, StoreError> {
        self.engine.get(index_key)?.map(|entry| decode(&entry.value)).transpose()
    }

    /// The record of one version, wherever it stands.
    fn version_record(
        &self,
        bucket: &BucketRecord,
        key: &str,
        id: VersionId,
    ) -> Result<Option<ObjectRecord>, StoreError> {
        let is_it = |record: &ObjectRecord| VersionId::of(&record.listed) == id;
        let object_key = key_encoding::object_key(bucket.id, key);
        if let VersionId::Stamp(stamp) = id {
            let version_key = key_encoding::version_key(bucket.id, key, stamp);
            for entry in self.engine.get_many(&[&object_key, &version_key])?.into_iter().flatten() {
                let record = decode(&entry.value)?;
                if is_it(&record) {
                    return Ok(Some(record));
                }
            }
            return Ok(None);
        }
        let pointer_key = key_encoding::null_version_key(bucket.id, key);
        for _ in 0..LOOKUPS_MAX {
            let mut entries = self.engine.get_many(&[&object_key, &pointer_key])?;
            let pointer = entries.pop().flatten();
            let current = entries.pop().flatten().map(|entry| decode(&entry.value)).transpose()?;
            if let Some(current) = current.filter(is_it) {
                return Ok(Some(current));
            }
            let Some(pointer) = pointer else { return Ok(None) };
            let stamp = versions::decode_null_pointer(&pointer.value)
                .ok_or_else(|| StoreError::Corrupt("a pointer to a null version".into()))?;
            let found = self.record_at(&key_encoding::version_key(bucket.id, key, stamp))?;
            if let Some(record) = found.filter(is_it) {
                return Ok(Some(record));
            }
            // It has moved since the pointer was read.
        }
        Err(StoreError::Overloaded)
    }

    /// The delete marker that is the newest version of a key without a current object.
    fn newest_marker(&self, bucket: &BucketRecord, key: &str) -> Result<Option<Listed>, StoreError> {
        let (start, end) = key_encoding::versions_of_key_range(bucket.id, key);
        let limits = ScanLimits { entries_max: 1, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
        let page = self.engine.scan(KeyRange::between(&start, &end), limits)?;
        let Some((_, entry)) = page.entries.first() else { return Ok(None) };
        Ok(Some(decode(&entry.value)?.listed).filter(|listed| listed.delete_marker))
    }
}

pub(super) fn decode(value: &[u8]) -> Result<ObjectRecord, StoreError> {
    ObjectRecord::decode(value).map_err(|error| StoreError::Corrupt(format!("object record: {error}")))
}
