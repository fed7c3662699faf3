//! The commit contract: what is durable when a client sees a 2xx.
//!
//! One thread, the committer, is the only writer of the index. A request that wants to change anything hands it a
//! *transaction*: a pure function that reads what it depends on, decides, and writes. The committer takes all that
//! has queued as one group and does, in this order:
//!
//! 1. **data**: one `fdatasync` for each extent file that the group's bodies were written to;
//! 2. **plan**: run the transactions one after the other; each sees what the ones before it wrote, keys and ranges
//!    alike. One that refuses (a failed precondition, say), or wants what the engine cannot store, changes nothing and
//!    fails alone;
//! 3. **index**: one LMDB transaction for the group, synced;
//! 4. **release**: space that the group freed goes to the release queue, space that it used is kept;
//! 5. **answer**: every member learns its result. [`Committed`] can be made nowhere else.
//!
//! Invariants:
//! - Nothing is answered before step 3 has returned, refusals included: a refusal may rest on a member of the
//!   same group that is not durable yet.
//! - A failed sync is never retried. Its outcome is unknown, so the node is [poisoned](poison): nothing is
//!   acknowledged any more, the process exits, and recovery reads what the disk really holds.
//! - A transaction may be run more than once (an engine that is shared may answer with a conflict), so it must be
//!   a function of what it reads and nothing else.

mod committer;
mod overlay;
pub mod poison;
mod range_read;
mod stamps;
mod transaction;

pub use committer::{Commit, CommitOptions, Committed, Committer, Data, SpaceHold, SpaceRelease, StartError};
pub use range_read::KeyValue;
pub use transaction::{Abort, Transaction};

/// Why a transaction has no `Committed` to show.
#[derive(Debug, thiserror::Error)]
pub enum CommitError<E> {
    /// The transaction itself refused; nothing was changed.
    #[error("refused")]
    Refused(E),
    /// Too many requests wait already.
    #[error("the commit queue is full")]
    Overloaded,
    /// The index has no room; nothing was changed.
    #[error("no space left for the index")]
    NoSpace,
    /// The index could not be read, or says something impossible.
    #[error("the index failed: {0}")]
    Index(String),
    /// A sync failed earlier; nothing is acknowledged any more.
    #[error("the node has stopped accepting writes: {0}")]
    Poisoned(String),
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
