//! Listings of a bucket: prefix, delimiter, marker, pages. Knows no XML and no tokens.
//!
//! A page is what a walk over the keys of the prefix shows, in the order of their UTF-8 bytes:
//! - a key that holds the delimiter after the prefix stands for its group, the key up to and with the first
//!   delimiter, and the walk goes on behind the group;
//! - every other key stands for itself;
//! - what is only a delete marker is not there, neither as a key nor for its group.
//!
//! A page costs its items, not the keys it passes over. It is never cut short: it ends when it is full or nothing
//! is left, and names a next marker only if at least one more item follows.

use std::ops::Bound;

use memchr::memmem::Finder;

use super::engine::{Engine, KeyRange, Step};
use super::error::IndexError;
use super::key_encoding::{self, OBJECT_HEADER_BYTES};
use super::record::{Listed, ObjectRecord};
use crate::config::limits::LIST_WALK_ENTRIES_MAX;

/// What to list.
#[derive(Clone, Debug)]
pub struct ListQuery<'a> {
    pub prefix: &'a str,
    /// An empty one is none.
    pub delimiter: Option<&'a str>,
    pub after: Marker,
    /// Items on the page, keys and groups alike.
    pub keys_max: usize,
}

/// Where a page starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Marker {
    #[default]
    Start,
    /// At the first key after this one, which need not exist. If it lies inside a group, the group is still listed
    /// for the keys that follow.
    AfterKey(String),
    /// Behind all keys with this prefix.
    AfterPrefix(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Object { key: String, listed: Listed },
    CommonPrefix(String),
}

/// Items in order, and where the next page starts. Without a next marker this is the last page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPage {
    pub items: Vec<Item>,
    pub next: Option<Marker>,
}

/// One page of a bucket's current objects.
pub fn list(engine: &Engine, bucket_id: u64, query: &ListQuery<'_>) -> Result<ListPage, IndexError> {
    if query.keys_max == 0 {
        return Ok(ListPage::default());
    }
    let (first, end) = key_encoding::object_range(bucket_id, query.prefix);
    let mut start = match &query.after {
        Marker::Start => Bound::Included(first),
        Marker::AfterKey(key) => later(Bound::Excluded(key_encoding::object_key(bucket_id, key)), first),
        Marker::AfterPrefix(prefix) => later(Bound::Included(behind(bucket_id, prefix)), first),
    };
    let mut page = PageBuilder {
        grouping: Grouping::new(query.prefix, query.delimiter),
        items_max: query.keys_max,
        items: Vec::new(),
        next: None,
    };
    loop {
        let range = KeyRange { start: start.as_ref().map(Vec::as_slice), end: Some(&end) };
        let mut visited = 0;
        let mut pause = None;
        engine.walk(range, &mut |key, _, value| {
            let step = page.visit(key, value)?;
            visited += 1;
            if visited < LIST_WALK_ENTRIES_MAX {
                return Ok(step);
            }
            pause = match step {
                Step::Next => Some(Bound::Excluded(key.to_vec())),
                Step::Seek(target) => Some(Bound::Included(target)),
                Step::Stop => None,
            };
            Ok(Step::Stop)
        })?;
        match pause {
            Some(resume) => start = resume,
            None => return Ok(ListPage { items: page.items, next: page.next }),
        }
    }
}

/// The marker's bound, unless it lies before the range.
pub(super) fn later(marker: Bound<Vec<u8>>, first: Vec<u8>) -> Bound<Vec<u8>> {
    match &marker {
        Bound::Included(key) | Bound::Excluded(key) if *key >= first => marker,
        _ => Bound::Included(first),
    }
}

/// The first place behind every key of the bucket with this prefix.
fn behind(bucket_id: u64, prefix: &str) -> Vec<u8> {
    let (_, end) = key_encoding::object_range(bucket_id, prefix);
    end
}

/// How keys fall into groups.
pub(super) struct Grouping {
    prefix_bytes: usize,
    /// Searches the keys as they stand in the index: one byte there is one byte of the key.
    delimiter: Option<Finder<'static>>,
}

impl Grouping {
    /// An empty delimiter is none.
    pub(super) fn new(prefix: &str, delimiter: Option<&str>) -> Self {
        let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty());
        let finder = |delimiter| Finder::new(&key_encoding::raised(delimiter)).into_owned();
        Self { prefix_bytes: prefix.len(), delimiter: delimiter.map(finder) }
    }

    /// Length of the group of a key with the prefix, if it has one.
    pub(super) fn group_bytes(&self, raised: &[u8]) -> Option<usize> {
        let delimiter = self.delimiter.as_ref()?;
        let after_prefix = raised.get(self.prefix_bytes..)?;
        Some(self.prefix_bytes + delimiter.find(after_prefix)? + delimiter.needle().len())
    }
}

/// A page while it fills.
struct PageBuilder {
    grouping: Grouping,
    items_max: usize,
    items: Vec<Item>,
    next: Option<Marker>,
}

impl PageBuilder {
    fn visit(&mut self, encoded: &[u8], value: &[u8]) -> Result<Step, IndexError> {
        let listed = ObjectRecord::decode_listed(value)
            .map_err(|source| IndexError::Record { key: encoded.to_vec(), source })?;
        if listed.delete_marker {
            return Ok(Step::Next);
        }
        if self.items.len() == self.items_max {
            self.next = self.items.last().map(Item::marker);
            return Ok(Step::Stop);
        }
        let damaged =
            || IndexError::Damaged { key: encoded.to_vec(), reason: "its key is not the key of an object" };
        let raised = encoded.get(OBJECT_HEADER_BYTES..).ok_or_else(damaged)?;
        if let Some(group_bytes) = self.grouping.group_bytes(raised) {
            let group = raised.get(..group_bytes).and_then(key_encoding::lowered).ok_or_else(damaged)?;
            self.items.push(Item::CommonPrefix(group));
            let behind = encoded.get(..OBJECT_HEADER_BYTES + group_bytes).and_then(key_encoding::successor);
            return behind.map(Step::Seek).ok_or_else(damaged);
        }
        let key = key_encoding::lowered(raised).ok_or_else(damaged)?;
        self.items.push(Item::Object { key, listed });
        Ok(Step::Next)
    }
}

impl Item {
    /// Where to go on after this item.
    fn marker(&self) -> Marker {
        match self {
            Self::Object { key, .. } => Marker::AfterKey(key.clone()),
            Self::CommonPrefix(prefix) => Marker::AfterPrefix(prefix.clone()),
        }
    }
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
