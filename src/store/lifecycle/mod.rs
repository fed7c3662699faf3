//! Lifecycle: objects, versions, markers and uploads that go when they are old enough.
//!
//! [`rules`] decides, and is pure: what a bucket's rules want of a version, and when. [`configuration`] stores the rules
//! of a bucket and hands them out, decoded once.

pub mod configuration;
pub mod rules;
mod rules_cache;

pub use rules::{Due, Rules};
pub(super) use rules_cache::RulesCache;
