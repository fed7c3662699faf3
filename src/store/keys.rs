//! Access keys as the index keeps them, and the transactions that change them.
//!
//! Secrets come and go sealed: nothing here could open them.

use crate::commit::{Abort, Commit, Committed, Data, Transaction};
use crate::index::engine::{Engine, KeyRange, ScanLimits};
use crate::index::key_encoding;
use crate::index::record::KeyRecord;
use crate::seal::SealedSecret;
use crate::store::error::{Refusal, StoreError};

/// Entries of one page when all of a table is read.
const PAGE_ENTRIES: usize = 1000;

/// Access keys and policies of organisations in the index. Its calls block: not for a core.
#[derive(Clone)]
pub struct Accounts {
    pub(super) engine: Engine,
    pub(super) commit: Commit,
}

/// A key that is to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub user: String,
    pub display_name: String,
    pub org: String,
    pub secret: SealedSecret,
}

/// Why a key was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRefusal {
    Exists,
    Missing,
}

impl Accounts {
    /// Every stored access key with its record, by name.
    pub fn keys(&self) -> Result<Vec<(String, KeyRecord)>, StoreError> {
        self.table(&key_encoding::credential_range(), |key, value| {
            let name = key_encoding::decode_credential_key(key).ok_or("its name is no text".to_owned());
            Ok((name?.to_owned(), KeyRecord::decode(value).map_err(|error| error.to_string())?))
        })
    }

    /// Stores a new access key; refused where there is one of that name.
    pub fn create_key(
        &self,
        access_key: &str,
        new: NewKey,
    ) -> Result<Committed<KeyRecord>, Refusal<KeyRefusal>> {
        let key = key_encoding::credential_key(access_key);
        let committed = self.commit.run_blocking(Data::default(), move |transaction| {
            if transaction.get(&key)?.is_some() {
                return Err(Abort::Refused(KeyRefusal::Exists));
            }
            let NewKey { user, display_name, org, secret } = new.clone();
            let created_ms = transaction.now_ms();
            let record = KeyRecord { user, display_name, org, created_ms, disabled: false, secret };
            transaction.put(key.clone(), record.encode());
            Ok(record)
        })?;
        Ok(committed)
    }

    /// Disables an access key, or enables it again. The record as it is then.
    pub fn set_key_disabled(
        &self,
        access_key: &str,
        disabled: bool,
    ) -> Result<Committed<KeyRecord>, Refusal<KeyRefusal>> {
        let key = key_encoding::credential_key(access_key);
        let committed = self.commit.run_blocking(Data::default(), move |transaction| {
            let record = KeyRecord { disabled, ..existing(transaction, &key)? };
            transaction.put(key.clone(), record.encode());
            Ok(record)
        })?;
        Ok(committed)
    }

    /// Deletes an access key and its secret.
    pub fn delete_key(&self, access_key: &str) -> Result<Committed<()>, Refusal<KeyRefusal>> {
        let key = key_encoding::credential_key(access_key);
        let committed = self.commit.run_blocking(Data::default(), move |transaction| {
            existing(transaction, &key)?;
            transaction.delete(key.clone());
            Ok(())
        })?;
        Ok(committed)
    }

    /// All entries of a table, each read by `decode`.
    pub(super) fn table<T>(
        &self,
        (start, end): &(Vec<u8>, Vec<u8>),
        decode: impl Fn(&[u8], &[u8]) -> Result<T, String>,
    ) -> Result<Vec<T>, StoreError> {
        let limits =
            ScanLimits { entries_max: PAGE_ENTRIES, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
        let mut read = Vec::new();
        let mut seen: Option<Vec<u8>> = None;
        loop {
            let page = self.engine.scan(KeyRange::after(start, end, seen.as_deref()), limits)?;
            for (key, entry) in &page.entries {
                let decoded = decode(key, &entry.value).map_err(|reason| {
                    StoreError::Corrupt(format!("record {}: {reason}", key.escape_ascii()))
                })?;
                read.push(decoded);
            }
            match page.entries.into_iter().next_back() {
                Some((key, _)) if page.more => seen = Some(key),
                _ => return Ok(read),
            }
        }
    }
}

fn existing(transaction: &mut Transaction<'_>, key: &[u8]) -> Result<KeyRecord, Abort<KeyRefusal>> {
    let value = transaction.get(key)?.ok_or(Abort::Refused(KeyRefusal::Missing))?;
    KeyRecord::decode(&value).map_err(|error| Abort::Index(format!("access key record: {error}")))
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
