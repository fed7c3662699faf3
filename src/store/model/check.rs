//! What the store tells, compared with the model.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::rc::Rc;

use crate::index::engine::{Engine, KeyRange, ScanLimits};
use crate::index::key_encoding;
use crate::index::listing::{Item, ListQuery, Marker};
use crate::index::record::{Listed, Metadata, ObjectRecord, Remembered};
use crate::index::upload_listing::{UploadItem, UploadMarker, UploadQuery};
use crate::index::version_listing::{VersionItem, VersionMarker, VersionQuery};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::objects::Lookup;
use crate::store::test_node::{Dice, read_with};
use crate::store::upload_id::UploadId;

use super::account::listed_part;
use super::state::{BUCKETS, KEYS, Model, Object, Place, Target, Upload, Version, customer_key};

/// Up to here a body is read whole.
const WHOLE_BYTES_MAX: u64 = 300_000;
const RANGE_BYTES_MAX: u64 = 70_000;

/// A look at the store.
pub(super) struct Look<'l> {
    pub(super) store: &'l Store,
    pub(super) model: &'l Model,
    pub(super) dice: &'l mut Dice,
}

type Same = Result<(), String>;

fn same<T: PartialEq + Debug>(what: impl Debug, found: &T, expected: &T) -> Same {
    if found == expected { Ok(()) } else { Err(format!("{what:?} is\n{found:?}, not\n{expected:?}")) }
}

fn failed(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Look<'_> {
    pub(super) async fn all(&mut self) -> Same {
        for bucket in 0..BUCKETS.len() {
            let newest = KEYS.iter().map(|key| Target { place: Place { bucket, key }, version: None });
            for target in self.model.all_in(bucket).into_iter().chain(newest) {
                self.version(target).await?;
            }
            self.lists(bucket)?;
        }
        tables(&self.store.engine, self.model)
    }

    pub(super) async fn version(&mut self, target: Target) -> Same {
        let record = &self.model.bucket(target.place).record;
        let lookup = self.store.open_object(record, target.place.key, target.version).map_err(failed)?;
        match (self.model.find(target), lookup) {
            (None, Lookup::Nothing) => Ok(()),
            (Some(version), Lookup::DeleteMarker(mut marker)) if version.object.is_none() => {
                if version.listed.stamp == 0 {
                    marker.stamp = 0;
                }
                same(target, &marker, &version.listed)
            }
            (Some(Version { listed, object: Some(object) }), Lookup::Object(found)) => {
                same(target, &found.record.listed, listed)?;
                Self::described(target, &found.record, object)?;
                drop(found);
                self.bytes(target, object).await
            }
            (expected, found) => {
                let found = match found {
                    Lookup::Object(object) => format!("an object {:?}", object.record.listed),
                    Lookup::DeleteMarker(marker) => format!("a marker {marker:?}"),
                    Lookup::Nothing => "nothing".to_owned(),
                };
                Err(format!("{target:?} is {found}, not {expected:?}"))
            }
        }
    }

    fn described(target: Target, found: &ObjectRecord, object: &Object) -> Same {
        let Metadata { system: _, user, tags } = &found.metadata;
        same(target, user, &object.user)?;
        same(target, tags, &object.tags)?;
        same(target, &found.content.parts, &object.parts)?;
        same(target, &found.content.segments.iter().map(|s| s.bytes(16)).sum(), &object.bytes.len())?;
        let fits = match (&found.content.encryption, object.key) {
            (None, None) => true,
            (Some(check), Some(key)) => customer_key(key).matches(check),
            _ => false,
        };
        same((target, "its key"), &fits, &true)
    }

    /// Reads ranges: all of a small object; one at random, and one around a part's border.
    async fn bytes(&mut self, target: Target, object: &Object) -> Same {
        let size = object.bytes.len();
        let Some(last) = size.checked_sub(1) else { return Ok(()) };
        let mut ranges = Vec::new();
        if size <= WHOLE_BYTES_MAX && (size < 10_000 || self.dice.below(3) == 0) {
            ranges.push(0..=last);
        }
        let first = self.dice.below(size);
        ranges.push(first..=(first + self.dice.below(RANGE_BYTES_MAX)).min(last));
        let mut parts = object.part_ranges();
        if !parts.is_empty() {
            let part = parts.swap_remove(self.dice.below(parts.len() as u64) as usize);
            let (first, end) = (*part.start(), *part.end());
            if end - first < WHOLE_BYTES_MAX {
                ranges.push(part);
            } else {
                ranges.push(first.saturating_sub(5)..=first + 5);
                ranges.push(end - 5..=(end + 5).min(last));
            }
        }
        for range in ranges {
            let found = self.read(target, range.clone(), object.key).await;
            let found = found.map_err(|error| format!("{target:?} {range:?}: {error}"))?;
            if found.as_ref() != Some(&object.bytes.cut(Some(&range)).make()) {
                return Err(format!("{target:?} has other bytes in {range:?}"));
            }
        }
        if let Some(key) = object.key.filter(|_| self.dice.below(8) == 0) {
            let other = self.read(target, 0..=0, Some(key + 1)).await;
            same((target, "opens to another key"), &matches!(other, Err(StoreError::Unsealed)), &true)?;
        }
        Ok(())
    }

    async fn read(
        &self,
        target: Target,
        range: RangeInclusive<u64>,
        key: Option<u8>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let record = &self.model.bucket(target.place).record;
        let Lookup::Object(object) = self.store.open_object(record, target.place.key, target.version)? else {
            return Ok(None);
        };
        let key = key.map(|key| Rc::new(customer_key(key)));
        read_with(self.store, object, range, key).await.map(Some)
    }

    /// Walks the pages of all listings.
    pub(super) fn lists(&mut self, bucket: usize) -> Same {
        let prefix = ["", "", "a", "a/", "b"][self.dice.below(5) as usize];
        let delimiter = [None, Some("/"), Some("/1")][self.dice.below(3) as usize];
        let page_max = [1, 2, 5, 1000][self.dice.below(4) as usize];
        self.objects(bucket, prefix, delimiter, page_max)?;
        self.versions(bucket, prefix, delimiter, page_max)?;
        self.uploads(bucket, prefix, delimiter, page_max)?;
        let uploads: Vec<_> = self.model.uploads_in(bucket).collect();
        uploads.into_iter().try_for_each(|(id, upload)| self.parts(id, upload, page_max))?;
        let ended = self.model.ended.iter().filter(|ended| ended.place.bucket == bucket);
        ended.into_iter().try_for_each(|ended| {
            let record = &self.model.buckets[bucket].record;
            let parts = self.store.list_parts(record, ended.place.key, ended.id, 0, 1).map_err(failed)?;
            same((ended, "still there"), &parts.is_some(), &false)
        })
    }

    fn objects(&self, bucket: usize, prefix: &str, delimiter: Option<&str>, keys_max: usize) -> Same {
        let mut names = Vec::new();
        let mut query = ListQuery { prefix, delimiter, after: Marker::Start, keys_max };
        loop {
            let page = self.store.list(&self.model.buckets[bucket].record, &query).map_err(failed)?;
            names.extend(page.items.into_iter().map(|item| match item {
                Item::Object { key, listed } => format!("{key} {listed:?}"),
                Item::CommonPrefix(group) => format!("{group}|"),
            }));
            let Some(next) = page.next else { break };
            query.after = next;
        }
        let keys = self.model.buckets[bucket].keys.iter();
        let expected = keys.filter_map(|(key, versions)| {
            versions[0].object.as_ref()?;
            Some((*key, format!("{key} {:?}", versions[0].listed)))
        });
        same(&query, &names, &grouped(expected, prefix, delimiter))
    }

    fn versions(&self, bucket: usize, prefix: &str, delimiter: Option<&str>, items_max: usize) -> Same {
        let mut names = Vec::new();
        let mut query = VersionQuery { prefix, delimiter, after: VersionMarker::Start, items_max };
        loop {
            let page =
                self.store.list_versions(&self.model.buckets[bucket].record, &query).map_err(failed)?;
            names.extend(page.items.into_iter().map(|item| match item {
                VersionItem::Version { key, mut listed, is_latest } => {
                    // The model does not know those of null markers.
                    if listed.delete_marker && listed.null_version {
                        listed.stamp = 0;
                    }
                    format!("{key} {is_latest} {listed:?}")
                }
                VersionItem::CommonPrefix(group) => format!("{group}|"),
            }));
            let Some(next) = page.next else { break };
            query.after = next;
        }
        let expected = self.model.buckets[bucket].keys.iter().flat_map(|(key, versions)| {
            let name = |index, version: &Version| format!("{key} {} {:?}", index == 0, version.listed);
            let names: Vec<_> =
                versions.iter().enumerate().map(|(index, version)| (*key, name(index, version))).collect();
            names
        });
        same(&query, &names, &grouped(expected, prefix, delimiter))
    }

    fn uploads(&self, bucket: usize, prefix: &str, delimiter: Option<&str>, uploads_max: usize) -> Same {
        let mut names = Vec::new();
        let mut query = UploadQuery { prefix, delimiter, after: UploadMarker::Start, uploads_max };
        loop {
            let page = self.store.list_uploads(&self.model.buckets[bucket].record, &query).map_err(failed)?;
            for item in page.items {
                let (name, after) = match item {
                    UploadItem::Upload { key, stamp, record } => {
                        let id = UploadId { stamp, tag: record.tag };
                        (format!("{key} {id}"), UploadMarker::AfterUpload { key, stamp })
                    }
                    UploadItem::CommonPrefix(group) => {
                        (format!("{group}|"), UploadMarker::AfterPrefix(group))
                    }
                };
                names.push(name);
                query.after = after;
            }
            if !page.more {
                break;
            }
        }
        let mut expected: Vec<_> =
            self.model.uploads_in(bucket).map(|(id, upload)| (upload.place.key, id)).collect();
        expected.sort();
        let expected = expected.into_iter().map(|(key, id)| (key, format!("{key} {id}")));
        same(&query, &names, &grouped(expected, prefix, delimiter))
    }

    fn parts(&self, id: UploadId, upload: &Upload, parts_max: usize) -> Same {
        let record = &self.model.bucket(upload.place).record;
        let (mut after, mut found) = (0, Vec::new());
        loop {
            let page =
                self.store.list_parts(record, upload.place.key, id, after, parts_max).map_err(failed)?;
            let page = page.ok_or_else(|| format!("{id} is not there"))?;
            same((id, "its owner"), &page.upload.owner, &upload.owner)?;
            same((id, "its checksum"), &page.upload.checksum, &upload.checksum)?;
            after = page.parts.last().map_or(after, |(number, _)| *number);
            found.extend(page.parts);
            if !page.more {
                break;
            }
        }
        let expected: Vec<_> =
            upload.parts.iter().map(|(number, part)| (*number, listed_part(part))).collect();
        same(id, &found, &expected)
    }
}

/// The names of what has the prefix, in groups.
fn grouped(
    items: impl Iterator<Item = (&'static str, String)>,
    prefix: &str,
    delimiter: Option<&str>,
) -> Vec<String> {
    let mut names = Vec::new();
    for (key, name) in items {
        let Some(rest) = key.strip_prefix(prefix) else { continue };
        let group = delimiter.and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len()));
        let name = group.map_or(name, |bytes| format!("{}|", &key[..prefix.len() + bytes]));
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    names
}

/// Compares how much stands in each table, and what is remembered with when that ends.
pub(super) fn tables(engine: &Engine, model: &Model) -> Same {
    let versions = || model.buckets.iter().flat_map(|bucket| bucket.keys.values());
    let objects = versions().filter(|versions| versions[0].object.is_some()).count();
    let all: usize = versions().map(Vec::len).sum();
    let nulls = versions()
        .filter(|versions| {
            let place = versions.iter().position(|version| version.listed.null_version);
            place.is_some_and(|place| place > 0 || versions[0].object.is_none())
        })
        .count();
    let parts: usize = model.uploads.values().map(|upload| upload.parts.len()).sum();
    let expected = [objects, all - objects, nulls, model.uploads.len(), parts];
    let found = ["O", "V", "N", "U", "P"].map(|table| table_entries(engine, table).len());
    same("O, V, N, U, P", &found, &expected)?;
    order(engine, model)?;
    for (key, value) in table_entries(engine, "R") {
        let due_ms = Remembered::decode(&value).map_err(failed)?.due_ms;
        let expiry = engine.get(&key_encoding::expiry_key(due_ms, &key)).map_err(failed)?;
        same("a memory with an end", &expiry.is_some(), &true)?;
    }
    Ok(())
}

/// What [`versions`](crate::store::versions) promises of the tables: markers are never current, what is current is the
/// newest, and `N` points at the null versions in `V`.
fn order(engine: &Engine, model: &Model) -> Same {
    let mut null_versions = BTreeMap::new();
    let mut newest: BTreeMap<(usize, String), Listed> = BTreeMap::new();
    for (number, bucket) in model.buckets.iter().enumerate() {
        let (start, end) = key_encoding::object_range(bucket.record.id, "");
        for (key, value) in entries(engine, &start, &end) {
            let (_, key) = key_encoding::decode_object_key(&key).ok_or("no key of an object")?;
            let listed = ObjectRecord::decode_listed(&value).map_err(failed)?;
            same((&key, "a current marker"), &listed.delete_marker, &false)?;
            newest.insert((number, key), listed);
        }
        let (start, end) = key_encoding::versions_range(bucket.record.id, "");
        for (encoded, value) in entries(engine, &start, &end) {
            let (key, stamp) = key_encoding::decode_version_key(&encoded).ok_or("no key of a version")?;
            let listed = ObjectRecord::decode_listed(&value).map_err(failed)?;
            same((&key, "the stamp of a version"), &listed.stamp, &stamp)?;
            if listed.null_version {
                let pointer = key_encoding::null_version_key(bucket.record.id, &key);
                null_versions.insert(pointer, stamp.to_be_bytes().to_vec());
            }
            let newest = newest.entry((number, key)).or_insert_with(|| listed.clone());
            if newest.stamp <= stamp && (*newest != listed || !listed.delete_marker) {
                return Err(format!("{listed:?} is out of place"));
            }
        }
    }
    same("N", &table_entries(engine, "N").into_iter().collect(), &null_versions)
}

/// All of one table.
pub(super) fn table_entries(engine: &Engine, table: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let end = key_encoding::successor(table.as_bytes()).expect("a table behind");
    entries(engine, table.as_bytes(), &end)
}

pub(super) fn entries(engine: &Engine, start: &[u8], end: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let limits = ScanLimits { entries_max: usize::MAX, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
    let page = engine.scan(KeyRange::between(start, end), limits).expect("readable");
    page.entries.into_iter().map(|(key, entry)| (key, entry.value)).collect()
}
