//! XML as S3 speaks it: an escaping writer for responses and a bounded reader for request bodies.
//!
//! Neither knows an operation: the elements of each request and response stand in the operation's own file.
//! The reader meets bytes of strangers, hence the lints below.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod reader;
mod writer;

pub use reader::{Element, XmlError, parse};
pub use writer::Writer;

/// The namespace of every S3 document but `<Error>`.
pub const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
