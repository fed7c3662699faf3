//! Lifecycle: objects, versions, markers and uploads that go when they are old enough.
//!
//! - [`rules`] decides, and is pure: what a bucket's rules want of a version, and when;
//! - [`configuration`] stores the rules of a bucket and hands them out, decoded once;
//! - [`hints`]: every change of a key in a bucket with rules notes, in its transaction, when something of the key may be
//!   due; [`sweep`] does the same for what was there before the rules;
//! - [`job`] takes what is due, in the order of time; [`look`] judges each key again, in the transaction that acts.

pub mod configuration;
pub(super) mod counts;
mod due;
pub(super) mod hints;
pub mod job;
mod look;
pub mod rules;
mod rules_cache;
mod sweep;

pub use look::Tally;
pub use rules::{Due, Rules};
pub(super) use rules_cache::RulesCache;
