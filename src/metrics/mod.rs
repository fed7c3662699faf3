//! Counters of the node, and their text form for Prometheus.
//!
//! Each core counts into its own [`CoreMetrics`], so that counting costs a few relaxed additions on cache lines
//! that no other core writes; a scrape adds the cores up. What somebody else already counts (free bytes,
//! extents, index size) is asked for on each scrape through a callback. Operations and error codes are small
//! indexes into tables of names given at creation: this module knows no S3.

mod core_metrics;
mod registry;

pub use core_metrics::{CoreMetrics, RequestSample};
pub use registry::{CONTENT_TYPE, Registry};
