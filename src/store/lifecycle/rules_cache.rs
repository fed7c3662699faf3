//! Rules that were decoded, by bucket.

use std::collections::HashMap;
use std::rc::Rc;

use super::rules::Rules;
use crate::config::limits::{LIFECYCLE_CACHED_BUCKETS_MAX, LIFECYCLE_CACHED_RULES_MAX};

/// The rules of the buckets that were asked for. The stamp of the last change tells whether they still are.
#[derive(Debug, Default)]
pub(in crate::store) struct RulesCache {
    buckets: HashMap<u64, Cached>,
    rules: usize,
}

#[derive(Debug)]
struct Cached {
    stamp: u64,
    rules: Rc<Rules>,
}

impl RulesCache {
    pub(in crate::store) fn get(&self, bucket_id: u64, stamp: u64) -> Option<Rc<Rules>> {
        self.buckets.get(&bucket_id).filter(|cached| cached.stamp == stamp).map(|cached| cached.rules.clone())
    }

    pub(in crate::store) fn insert(&mut self, bucket_id: u64, stamp: u64, rules: Rc<Rules>) {
        let is_full = self.buckets.len() >= LIFECYCLE_CACHED_BUCKETS_MAX
            || self.rules + rules.count() > LIFECYCLE_CACHED_RULES_MAX;
        if is_full {
            // What is in use comes back.
            self.buckets.clear();
            self.rules = 0;
        }
        self.rules += rules.count();
        if let Some(old) = self.buckets.insert(bucket_id, Cached { stamp, rules }) {
            self.rules -= old.rules.count();
        }
    }
}
