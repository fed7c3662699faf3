//! The audit log: one line of JSON for each request that the S3 port answered.
//!
//! A core makes the line of an [`Entry`] and leaves it in a bounded queue ([`AuditLog`]); one thread ([`AuditThread`])
//! collects what is there, writes it in as few calls as it can, and rotates the file. No request ever waits for it: what
//! does not fit into the queue, or could not be written, is lost and counted.
//!
//! Knows no S3: what the texts of an entry mean is its maker's. What must never stand in the log (secrets, signatures,
//! customers' keys, queries) has no field here.

mod entry;
mod queue;
mod rotation;
mod writer;

pub use entry::{Entry, UnixMs};
pub use queue::AuditLog;
pub use writer::{AuditError, AuditThread};
