//! Operations on the service as a whole.

pub mod list_buckets;
