//! The index: every bucket, object and space record of the node in one ordered key space.
//!
//! It owns the meaning of the keys ([`key_encoding`]), the stored form of the records ([`record`]), listings
//! ([`listing`], [`upload_listing`], [`version_listing`]) and the engine that keeps the bytes ([`engine`]). It knows no
//! S3 words, and it decides nothing: `commit` alone writes, everyone else reads.
//!
//! Invariants:
//! - Keys compare as bytes, and the order of two object keys in the index is the order of their UTF-8 bytes.
//! - A commit is one durable transaction; its batches apply whole or not at all.
//! - The revision of an entry is the number of the commit that wrote it. It rises with every commit that changes
//!   something, over restarts too.
//! - A read sees one committed state, and no read transaction outlives the call that opened it: a pinned reader
//!   would keep every freed page of the file from being used again.

pub mod engine;
pub mod error;
pub mod key_encoding;
pub mod listing;
pub mod record;
pub mod upload_listing;
pub mod version_listing;

pub use engine::{
    Batch, Check, CommitFailure, Engine, EngineLimits, Entry, KeyRange, LmdbEngine, MemoryEngine, Outcome,
    Page, ScanLimits, Statistics, Step, Write,
};
pub use error::{IndexError, RecordError};
pub use listing::{Item, ListPage, ListQuery, Marker, list};
