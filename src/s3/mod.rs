//! The S3 API over the wire and the store.
//!
//! A request goes one way, through [`pipeline`]: address, route, authenticate, authorise, operate, respond. An
//! operation is one file under [`ops`] that exports its row of the table; nothing else knows of it.

pub mod acl;
pub mod address;
#[cfg(test)]
mod authorisation_tests;
pub mod authorise;
pub mod body;
pub mod bucket_name;
pub mod compatibility;
pub mod copying;
pub mod error;
mod facts;
pub mod failure;
mod findings;
pub mod headers;
pub mod lifecycle;
pub mod listing;
pub mod not_implemented;
pub mod object_key;
pub mod operation;
pub mod ops;
pub mod pipeline;
pub mod policies;
pub mod reading;
pub mod request_id;
pub mod route;
pub mod stored_tags;
pub mod tagging;
pub mod timestamp;
pub mod uploads;
pub mod xml;
