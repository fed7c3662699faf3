//! Listings of a bucket's open multipart uploads: by key, and of one key the oldest first. Groups and pages are as in
//! [`listing`](super::listing), except that a key may have several uploads.
//!
//! A page costs its items: every upload that the walk meets becomes one, or stands for a group that is then passed
//! over as a whole.

use std::ops::Bound;

use super::engine::{Engine, KeyRange, Step};
use super::error::IndexError;
use super::key_encoding::{self, OBJECT_HEADER_BYTES};
use super::listing::{Grouping, later};
use super::record::UploadRecord;

/// Zero and stamp behind the object's key.
const TAIL_BYTES: usize = 1 + size_of::<u64>();

/// What to list.
#[derive(Clone, Debug)]
pub struct UploadQuery<'a> {
    pub prefix: &'a str,
    /// An empty one is none.
    pub delimiter: Option<&'a str>,
    pub after: UploadMarker,
    /// Items on the page, uploads and groups alike.
    pub uploads_max: usize,
}

/// Where a page starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum UploadMarker {
    #[default]
    Start,
    /// Behind all uploads of this key, which need not have any.
    AfterKey(String),
    /// Behind the upload of this key and stamp, which need not exist.
    AfterUpload { key: String, stamp: u64 },
    /// Behind all uploads of keys with this prefix.
    AfterPrefix(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadItem {
    Upload { key: String, stamp: u64, record: Box<UploadRecord> },
    CommonPrefix(String),
}

/// Items in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadPage {
    pub items: Vec<UploadItem>,
    /// At least one more item follows.
    pub more: bool,
}

/// One page of a bucket's uploads.
pub fn list(engine: &Engine, bucket_id: u64, query: &UploadQuery<'_>) -> Result<UploadPage, IndexError> {
    if query.uploads_max == 0 {
        return Ok(UploadPage::default());
    }
    let (first, end) = key_encoding::uploads_range(bucket_id, query.prefix);
    let start = later(start(bucket_id, &query.after), first);
    let mut page = PageBuilder {
        grouping: Grouping::new(query.prefix, query.delimiter),
        items_max: query.uploads_max,
        page: UploadPage::default(),
    };
    let range = KeyRange { start: start.as_ref().map(Vec::as_slice), end: Some(&end) };
    engine.walk(range, &mut |key, _, value| page.visit(key, value))?;
    Ok(page.page)
}

fn start(bucket_id: u64, after: &UploadMarker) -> Bound<Vec<u8>> {
    match after {
        UploadMarker::Start => Bound::Included(Vec::new()),
        UploadMarker::AfterKey(key) => Bound::Included(key_encoding::uploads_of_key_range(bucket_id, key).1),
        UploadMarker::AfterUpload { key, stamp } => {
            Bound::Excluded(key_encoding::upload_key(bucket_id, key, *stamp))
        }
        UploadMarker::AfterPrefix(prefix) => {
            Bound::Included(key_encoding::uploads_range(bucket_id, prefix).1)
        }
    }
}

/// A page while it fills.
struct PageBuilder {
    grouping: Grouping,
    items_max: usize,
    page: UploadPage,
}

impl PageBuilder {
    fn visit(&mut self, encoded: &[u8], value: &[u8]) -> Result<Step, IndexError> {
        let UploadPage { items, more } = &mut self.page;
        if items.len() == self.items_max {
            *more = true;
            return Ok(Step::Stop);
        }
        let damaged =
            || IndexError::Damaged { key: encoded.to_vec(), reason: "its key is not the key of an upload" };
        let key_end = encoded.len().checked_sub(TAIL_BYTES).ok_or_else(damaged)?;
        let raised = encoded.get(OBJECT_HEADER_BYTES..key_end).ok_or_else(damaged)?;
        if let Some(group_bytes) = self.grouping.group_bytes(raised) {
            let group = raised.get(..group_bytes).and_then(key_encoding::lowered).ok_or_else(damaged)?;
            items.push(UploadItem::CommonPrefix(group));
            let behind = encoded.get(..OBJECT_HEADER_BYTES + group_bytes).and_then(key_encoding::successor);
            return behind.map(Step::Seek).ok_or_else(damaged);
        }
        let (key, stamp) = key_encoding::decode_upload_key(encoded).ok_or_else(damaged)?;
        let record = UploadRecord::decode(value)
            .map_err(|source| IndexError::Record { key: encoded.to_vec(), source })?;
        items.push(UploadItem::Upload { key, stamp, record: Box::new(record) });
        Ok(Step::Next)
    }
}

#[cfg(test)]
#[path = "upload_listing_tests.rs"]
mod tests;
