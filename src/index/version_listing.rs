//! Listings of a bucket's versions, delete markers among them: by key and then newest first. Prefix, delimiter and pages
//! are those of [`listing`](super::listing), but a key or group with nothing but delete markers is shown.
//!
//! A key's newest version is in `O` or `V`, all others are in `V`, and any write may move one from table to table. So a
//! page is read from both as of one state, and its end is told by key and stamp, which a version keeps wherever it
//! stands: over all pages none that stays is lost or shown twice.
//!
//! A page costs its items, not what lies behind a group: each table is walked for at most one item more than the page
//! has room for.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::ops::Bound;

use super::engine::{Engine, KeyRange, Step};
use super::error::IndexError;
use super::key_encoding::{self, OBJECT_HEADER_BYTES};
use super::listing::{Grouping, later};
use super::record::{Listed, ObjectRecord};

/// What to list.
#[derive(Clone, Debug)]
pub struct VersionQuery<'a> {
    pub prefix: &'a str,
    /// An empty one is none.
    pub delimiter: Option<&'a str>,
    pub after: VersionMarker,
    /// Items on the page, versions and groups alike.
    pub items_max: usize,
}

/// Where a page starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VersionMarker {
    #[default]
    Start,
    /// Behind all versions of this key, which need not exist.
    AfterKey(String),
    /// Behind the version of this stamp, which need not exist any more, and all newer ones of its key.
    AfterVersion { key: String, stamp: u64 },
    /// Behind all keys with this prefix.
    AfterPrefix(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionItem {
    Version { key: String, listed: Listed, is_latest: bool },
    CommonPrefix(String),
}

/// Items in order, and where the next page starts. Without a next marker this is the last page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionPage {
    pub items: Vec<VersionItem>,
    pub next: Option<VersionMarker>,
}

/// One page of a bucket's versions.
pub fn list_versions(
    engine: &Engine,
    bucket_id: u64,
    query: &VersionQuery<'_>,
) -> Result<VersionPage, IndexError> {
    if query.items_max == 0 {
        return Ok(VersionPage::default());
    }
    let (objects_first, objects_end) = key_encoding::object_range(bucket_id, query.prefix);
    let (earlier_first, earlier_end) = key_encoding::versions_range(bucket_id, query.prefix);
    let (objects_start, earlier_start) = starts(bucket_id, &query.after);
    let objects_start = later(objects_start, objects_first);
    let earlier_start = later(earlier_start, earlier_first);
    let mut ranges = vec![
        KeyRange { start: objects_start.as_ref().map(Vec::as_slice), end: Some(&objects_end) },
        KeyRange { start: earlier_start.as_ref().map(Vec::as_slice), end: Some(&earlier_end) },
    ];
    let (newest_first, newest_end);
    let mut resumed = None;
    if let VersionMarker::AfterVersion { key, stamp } = &query.after {
        (newest_first, newest_end) = key_encoding::versions_of_key_range(bucket_id, key);
        ranges.push(KeyRange::between(&newest_first, &newest_end));
        resumed = Some(Resumed { key, raised: key_encoding::raised(key), stamp: *stamp, newest: None });
    }
    let mut walk = Walk {
        grouping: Grouping::new(query.prefix, query.delimiter),
        found_max: query.items_max.saturating_add(1),
        objects: Vec::new(),
        earlier: Vec::new(),
        resumed,
    };
    engine.walk_many(&ranges, &mut |place, key, _, value| match place {
        0 => walk.visit_object(key, value),
        1 => walk.visit_earlier(key, value),
        _ => walk.visit_newest_earlier(key),
    })?;
    Ok(walk.page(query.items_max))
}

/// Where the walks of `O` and `V` begin.
fn starts(bucket_id: u64, after: &VersionMarker) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    match after {
        VersionMarker::Start => (Bound::Unbounded, Bound::Unbounded),
        VersionMarker::AfterKey(key) => (
            Bound::Excluded(key_encoding::object_key(bucket_id, key)),
            Bound::Included(key_encoding::versions_of_key_range(bucket_id, key).1),
        ),
        // The key itself once more: what stood behind the marker in `V` may have come to `O` since.
        VersionMarker::AfterVersion { key, stamp } => (
            Bound::Included(key_encoding::object_key(bucket_id, key)),
            Bound::Excluded(key_encoding::version_key(bucket_id, key, *stamp)),
        ),
        VersionMarker::AfterPrefix(prefix) => (
            Bound::Included(key_encoding::object_range(bucket_id, prefix).1),
            Bound::Included(key_encoding::versions_range(bucket_id, prefix).1),
        ),
    }
}

/// What the walks have found.
struct Walk<'q> {
    grouping: Grouping,
    found_max: usize,
    objects: Vec<Found>,
    earlier: Vec<Found>,
    resumed: Option<Resumed<'q>>,
}

/// The key in whose versions the page begins.
struct Resumed<'q> {
    key: &'q str,
    /// The same as it stands in the index.
    raised: Vec<u8>,
    stamp: u64,
    /// Its newest version of all, also of those that earlier pages have shown.
    newest: Option<u64>,
}

/// An item, and its place in the order of both tables.
struct Found {
    /// A version's key in `V` without table and bucket; of a group, what all those of its versions begin with.
    place: Vec<u8>,
    item: VersionItem,
}

impl Walk<'_> {
    fn visit_object(&mut self, encoded: &[u8], value: &[u8]) -> Result<Step, IndexError> {
        let listed = listed(encoded, value)?;
        let raised = encoded.get(OBJECT_HEADER_BYTES..).ok_or_else(|| damaged(encoded))?;
        if let Some(resumed) = self.resumed.as_mut().filter(|resumed| resumed.raised == raised) {
            resumed.newest = Some(listed.stamp);
            if listed.stamp >= resumed.stamp {
                return Ok(Step::Next);
            }
        }
        if let Some(group_bytes) = self.grouping.group_bytes(raised) {
            return take_group(&mut self.objects, self.found_max, encoded, group_bytes);
        }
        let key = key_encoding::lowered(raised).ok_or_else(|| damaged(encoded))?;
        let place = [raised, &[0], &(u64::MAX - listed.stamp).to_be_bytes()].concat();
        let item = VersionItem::Version { key, listed, is_latest: true };
        Ok(take(&mut self.objects, self.found_max, Found { place, item }, Step::Next))
    }

    fn visit_earlier(&mut self, encoded: &[u8], value: &[u8]) -> Result<Step, IndexError> {
        let listed = listed(encoded, value)?;
        let (key, _) = key_encoding::decode_version_key(encoded).ok_or_else(|| damaged(encoded))?;
        let place = encoded.get(OBJECT_HEADER_BYTES..).ok_or_else(|| damaged(encoded))?;
        let raised = place.get(..key.len()).ok_or_else(|| damaged(encoded))?;
        if let Some(group_bytes) = self.grouping.group_bytes(raised) {
            return take_group(&mut self.earlier, self.found_max, encoded, group_bytes);
        }
        let item = VersionItem::Version { key, listed, is_latest: false };
        Ok(take(&mut self.earlier, self.found_max, Found { place: place.to_vec(), item }, Step::Next))
    }

    fn visit_newest_earlier(&mut self, encoded: &[u8]) -> Result<Step, IndexError> {
        let (_, stamp) = key_encoding::decode_version_key(encoded).ok_or_else(|| damaged(encoded))?;
        if let Some(resumed) = &mut self.resumed {
            resumed.newest = resumed.newest.or(Some(stamp));
        }
        Ok(Step::Stop)
    }

    /// Merges what was found. Neither table was left before it had more than the page has room for, so what is merged
    /// into the page has no gaps.
    fn page(self, items_max: usize) -> VersionPage {
        let mut objects = self.objects.into_iter().peekable();
        let mut earlier = self.earlier.into_iter().peekable();
        let mut items: Vec<VersionItem> = Vec::new();
        while let Some(mut item) = first_of(&mut objects, &mut earlier) {
            if items.len() == items_max {
                let next = items.last().map(VersionItem::marker);
                return VersionPage { items, next };
            }
            if let VersionItem::Version { key, listed, is_latest } = &mut item {
                *is_latest = match &self.resumed {
                    Some(resumed) if resumed.key == key => resumed.newest == Some(listed.stamp),
                    _ => !matches!(items.last(), Some(VersionItem::Version { key: last, .. }) if last == key),
                };
            }
            items.push(item);
        }
        VersionPage { items, next: None }
    }
}

/// The next item of both tables. What stands at the same place in both is a group.
fn first_of(
    objects: &mut Peekable<impl Iterator<Item = Found>>,
    earlier: &mut Peekable<impl Iterator<Item = Found>>,
) -> Option<VersionItem> {
    let order = match (objects.peek(), earlier.peek()) {
        (Some(object), Some(version)) => object.place.cmp(&version.place),
        (Some(_), None) => Ordering::Less,
        (None, _) => Ordering::Greater,
    };
    let found = match order {
        Ordering::Less => objects.next(),
        Ordering::Greater => earlier.next(),
        Ordering::Equal => objects.next().and(earlier.next()),
    };
    found.map(|found| found.item)
}

/// Notes an item; the walk ends with the first that can have no room on the page.
fn take(into: &mut Vec<Found>, found_max: usize, found: Found, step: Step) -> Step {
    into.push(found);
    if into.len() < found_max { step } else { Step::Stop }
}

fn take_group(
    into: &mut Vec<Found>,
    found_max: usize,
    encoded: &[u8],
    group_bytes: usize,
) -> Result<Step, IndexError> {
    let start = encoded.get(..OBJECT_HEADER_BYTES + group_bytes).ok_or_else(|| damaged(encoded))?;
    let place = start.get(OBJECT_HEADER_BYTES..).unwrap_or_default().to_vec();
    let group = key_encoding::lowered(&place).ok_or_else(|| damaged(encoded))?;
    let behind = key_encoding::successor(start).ok_or_else(|| damaged(encoded))?;
    let found = Found { place, item: VersionItem::CommonPrefix(group) };
    Ok(take(into, found_max, found, Step::Seek(behind)))
}

fn listed(encoded: &[u8], value: &[u8]) -> Result<Listed, IndexError> {
    ObjectRecord::decode_listed(value).map_err(|source| IndexError::Record { key: encoded.to_vec(), source })
}

fn damaged(encoded: &[u8]) -> IndexError {
    IndexError::Damaged { key: encoded.to_vec(), reason: "its key is not the key of a version" }
}

impl VersionItem {
    /// Where to go on after this item.
    fn marker(&self) -> VersionMarker {
        match self {
            Self::Version { key, listed, .. } => {
                VersionMarker::AfterVersion { key: key.clone(), stamp: listed.stamp }
            }
            Self::CommonPrefix(prefix) => VersionMarker::AfterPrefix(prefix.clone()),
        }
    }
}

#[cfg(test)]
#[path = "version_listing_tests.rs"]
mod tests;
