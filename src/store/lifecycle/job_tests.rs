//! The job over a simulated node.

use super::*;
use crate::store::lifecycle::look::Budget;

impl LifecycleJob {
    /// With other limits of a transaction.
    pub(in crate::store) fn limited_to(mut self, keys_max: usize, records: usize) -> Self {
        self.limits = LookLimits { keys_max, budget: Budget { records, bytes: usize::MAX } };
        self
    }
}
