//! The lifecycle rules of a bucket: stored, shown, and ready to be asked.

use std::rc::Rc;

use super::rules::Rules;
use crate::commit::{Abort, Committed, Data};
use crate::index::key_encoding::{self, BUCKET_LIFECYCLE};
use crate::index::record::{BucketRecord, LifecycleRules, LifecycleSweep};
use crate::store::Store;
use crate::store::buckets::{self, BucketGone};
use crate::store::error::{Refusal, StoreError};

impl Store {
    /// The rules of a bucket, ready to be asked; `None` at once for a bucket without any.
    pub fn lifecycle(&self, bucket: &BucketRecord) -> Result<Option<Rc<Rules>>, StoreError> {
        let Some(stamp) = bucket.lifecycle else { return Ok(None) };
        let cached = self.lifecycle_rules.borrow().get(bucket.id, stamp);
        if cached.is_some() {
            return Ok(cached);
        }
        let Some(rules) = self.lifecycle_rules(bucket)? else { return Ok(None) };
        let rules = Rc::new(Rules::new(rules, self.calendar));
        self.lifecycle_rules.borrow_mut().insert(bucket.id, stamp, rules.clone());
        Ok(Some(rules))
    }

    /// The rules of a bucket as they were put.
    pub fn lifecycle_rules(&self, bucket: &BucketRecord) -> Result<Option<LifecycleRules>, StoreError> {
        if bucket.lifecycle.is_none() {
            return Ok(None);
        }
        let Some(value) = self.subresource(bucket, BUCKET_LIFECYCLE)? else { return Ok(None) };
        let rules = LifecycleRules::decode(&value)
            .map_err(|error| StoreError::Corrupt(format!("lifecycle rules: {error}")))?;
        Ok(Some(rules))
    }

    /// Replaces the rules of a bucket, or takes them away. Rules begin a sweep, so that they hold for what the bucket has
    /// already.
    pub async fn set_lifecycle(
        &self,
        bucket: &BucketRecord,
        rules: Option<LifecycleRules>,
    ) -> Result<Committed<()>, Refusal<BucketGone>> {
        if rules.is_some() && !self.space.is_accepting() {
            return Err(Refusal::Failed(StoreError::NoSpace));
        }
        let bucket = bucket.clone();
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                let record = buckets::still_there(transaction, &bucket, BucketGone)?;
                let rules_key = key_encoding::subresource_key(record.id, BUCKET_LIFECYCLE);
                let sweep_key = key_encoding::sweep_key(record.id);
                let stamp = transaction.stamp();
                if let Some(rules) = &rules {
                    transaction.put(rules_key, rules.encode());
                    transaction.put(sweep_key, LifecycleSweep::begin(&record.name, stamp).encode());
                } else {
                    transaction.delete(rules_key);
                    transaction.delete(sweep_key);
                }
                let record = BucketRecord { lifecycle: rules.as_ref().map(|_| stamp), ..record };
                transaction.put(key_encoding::bucket_key(&record.name), record.encode());
                Ok::<(), Abort<BucketGone>>(())
            })
            .await?;
        Ok(committed)
    }
}
