//! Answers that outlive their request: a rename or a completion that is sent again acts once.
//!
//! An answer is remembered in the transaction that it answers, so it is as durable as what was done. Each new one
//! forgets a few that are due: nobody has to sweep, and there are never many more than were made within the time.

use crate::commit::{Abort, Transaction};
use crate::config::limits::{FORGOTTEN_AT_ONCE, REMEMBERED_MS};
use crate::index::key_encoding;
use crate::index::record::{Listed, Remembered};

/// What an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// A bucket's id and a client's token.
    Rename = b'r',
    /// An upload's id.
    Completion = b'c',
}

/// The answer to an earlier request of this id.
pub(super) fn recall<E>(
    transaction: &mut Transaction<'_>,
    kind: Kind,
    id: &[u8],
) -> Result<Option<Remembered>, Abort<E>> {
    let found = remembered(transaction, &key_encoding::remembered_key(kind as u8, id))?;
    Ok(found.filter(|remembered| remembered.due_ms > transaction.now_ms()))
}

/// Remembers what this transaction answers.
pub(super) fn remember<E>(
    transaction: &mut Transaction<'_>,
    kind: Kind,
    id: &[u8],
    fingerprint: [u8; 32],
    made: Option<Listed>,
) -> Result<(), Abort<E>> {
    forget(transaction)?;
    let due_ms = transaction.now_ms() + REMEMBERED_MS;
    let key = key_encoding::remembered_key(kind as u8, id);
    transaction.put(key_encoding::expiry_key(due_ms, &key), Vec::new());
    transaction.put(key, Remembered { fingerprint, made, due_ms }.encode());
    Ok(())
}

fn forget<E>(transaction: &mut Transaction<'_>) -> Result<(), Abort<E>> {
    let (start, end) = key_encoding::expiry_range(transaction.now_ms());
    for (expiry, _) in transaction.range(&start, &end, FORGOTTEN_AT_ONCE)? {
        if let Some(key) = key_encoding::decode_expiry_key(&expiry)
            // Not where the same id has been used again since.
            && remembered(transaction, key)?.is_some_and(|remembered| remembered.due_ms <= transaction.now_ms())
        {
            transaction.delete(key.to_vec());
        }
        transaction.delete(expiry);
    }
    Ok(())
}

fn remembered<E>(transaction: &mut Transaction<'_>, key: &[u8]) -> Result<Option<Remembered>, Abort<E>> {
    let Some(value) = transaction.get(key)? else { return Ok(None) };
    Remembered::decode(&value).map(Some).map_err(|error| Abort::Index(error.to_string()))
}

#[cfg(test)]
#[path = "remembered_tests.rs"]
mod tests;
