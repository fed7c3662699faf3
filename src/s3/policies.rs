//! The bucket policies of one core, parsed once each.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::config::limits::{PARSED_POLICIES_BYTES_MAX, PARSED_POLICIES_MAX};
use crate::index::record::BucketRecord;
use crate::policy::{Document, Layer};
use crate::s3::error::S3Error;
use crate::store::Store;

/// Parsed policies by the id of their bucket, each with the stamp under which the bucket has it.
#[derive(Default)]
pub struct Policies {
    parsed: RefCell<Parsed>,
}

#[derive(Default)]
struct Parsed {
    by_bucket: HashMap<u64, (u64, Rc<Document>)>,
    /// Of the texts that these were read from, and of those that they replaced.
    text_bytes: usize,
}

impl Parsed {
    fn keep(&mut self, bucket_id: u64, stamp: u64, document: Rc<Document>, text_bytes: usize) {
        self.text_bytes += text_bytes;
        if self.by_bucket.len() >= PARSED_POLICIES_MAX || self.text_bytes > PARSED_POLICIES_BYTES_MAX {
            self.by_bucket.clear();
            self.text_bytes = text_bytes;
        }
        self.by_bucket.insert(bucket_id, (stamp, document));
    }
}

impl Policies {
    /// The policy of a bucket; `None` at once where it has none. What cannot be read allows nobody anything: 500.
    pub fn of(&self, store: &Store, bucket: &BucketRecord) -> Result<Option<Rc<Document>>, S3Error> {
        let Some(stamp) = bucket.policy else { return Ok(None) };
        if let Some((of, document)) = self.parsed.borrow().by_bucket.get(&bucket.id)
            && *of == stamp
        {
            return Ok(Some(document.clone()));
        }
        // Read after the record, so never older than it; a newer one is read again under its own stamp.
        let Some(bytes) = store.policy(bucket)? else {
            // Gone since: as if the request had come a moment later.
            let is_gone = store.bucket(&bucket.name)?.is_none_or(|now| now.policy != bucket.policy);
            return if is_gone { Ok(None) } else { Err(S3Error::internal()) };
        };
        let document = Document::parse(&bytes, Layer::Bucket(&bucket.name)).map_err(|error| {
            tracing::error!(bucket = bucket.name, %error, "a stored policy cannot be read");
            S3Error::internal()
        })?;
        let document = Rc::new(document);
        self.parsed.borrow_mut().keep(bucket.id, stamp, document.clone(), bytes.len());
        Ok(Some(document))
    }
}

#[cfg(test)]
#[path = "policies_tests.rs"]
mod tests;
