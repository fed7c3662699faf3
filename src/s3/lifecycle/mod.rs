//! Lifecycle rules as S3 speaks of them: the document, read and written, and what responses tell of them.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>
//!
//! Whatever the node could not keep to the letter is refused when the document comes: a rule that is stored is a rule
//! that is applied.

mod document;
mod elements;
mod filter;
mod headers;
mod writer;

pub use document::{RulePrefix, name_rules, parse};
pub use headers::{Expiring, tell_of_found, tell_of_upload};
pub use writer::write;

#[cfg(test)]
#[path = "round_trip_tests.rs"]
mod round_trip_tests;
