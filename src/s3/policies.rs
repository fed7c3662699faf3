//! The bucket policies of one core, parsed once each.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::config::limits::PARSED_POLICIES_MAX;
use crate::index::record::BucketRecord;
use crate::policy::{Document, Layer};
use crate::s3::error::S3Error;
use crate::store::Store;

/// Parsed policies by the id of their bucket, each with the stamp under which the bucket has it.
#[derive(Default)]
pub struct Policies {
    parsed: RefCell<HashMap<u64, (u64, Rc<Document>)>>,
}

impl Policies {
    /// The policy of a bucket; `None` at once where it has none. What cannot be read allows nobody anything: 500.
    pub fn of(&self, store: &Store, bucket: &BucketRecord) -> Result<Option<Rc<Document>>, S3Error> {
        let Some(stamp) = bucket.policy else { return Ok(None) };
        if let Some((of, document)) = self.parsed.borrow().get(&bucket.id)
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
        let mut parsed = self.parsed.borrow_mut();
        if parsed.len() >= PARSED_POLICIES_MAX {
            parsed.clear();
        }
        parsed.insert(bucket.id, (stamp, document.clone()));
        Ok(Some(document))
    }
}
