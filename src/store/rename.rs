//! Moving an object to another key of its bucket: one record, one transaction, no byte.
//!
//! Buckets that keep versions, or ever did, take no part: a move would have to leave something behind in the history of
//! one key and to appear from nowhere in that of another.

use serde::Serialize;

use crate::checksum::{Algorithm, Hasher};
use crate::commit::{Abort, Committed, Data, Transaction};
use crate::index::record::{BucketRecord, ObjectRecord, Versioning};
use crate::store::Store;
use crate::store::buckets;
use crate::store::error::Refusal;
use crate::store::preconditions::{Preconditions, Unmet};
use crate::store::remembered::{self, Kind};
use crate::store::versions::History;

/// What is to be moved, and what must hold for it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rename {
    pub source: String,
    pub destination: String,
    pub of_source: Preconditions,
    pub of_destination: Preconditions,
}

/// Why nothing was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenameRefusal {
    NoSuchBucket,
    /// The bucket keeps versions or did.
    Versioned,
    /// The token belongs to another rename.
    TokenMismatch,
    NoSuchKey,
    SourceCondition(Unmet),
    DestinationCondition(Unmet),
    OntoItself,
}

impl Store {
    /// Moves an object. With a token, a rename that has succeeded once succeeds again without doing anything; the
    /// tokens of a bucket are its own.
    pub async fn rename_object(
        &self,
        bucket: &BucketRecord,
        rename: Rename,
        token: Option<String>,
    ) -> Result<Committed<()>, Refusal<RenameRefusal>> {
        let bucket = bucket.clone();
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                let bucket = buckets::still_there(transaction, &bucket, RenameRefusal::NoSuchBucket)?;
                if bucket.versioning != Versioning::Unset {
                    return Err(Abort::Refused(RenameRefusal::Versioned));
                }
                let Some(token) = &token else { return run(transaction, &bucket, &rename) };
                let id = [&bucket.id.to_be_bytes()[..], token.as_bytes()].concat();
                let fingerprint = rename.fingerprint();
                match remembered::recall(transaction, Kind::Rename, &id)? {
                    Some(earlier) if earlier.fingerprint == fingerprint => Ok(()),
                    Some(_) => Err(Abort::Refused(RenameRefusal::TokenMismatch)),
                    None => {
                        run(transaction, &bucket, &rename)?;
                        remembered::remember(transaction, Kind::Rename, &id, fingerprint, None)
                    }
                }
            })
            .await?;
        Ok(committed)
    }
}

fn run(
    transaction: &mut Transaction<'_>,
    bucket: &BucketRecord,
    rename: &Rename,
) -> Result<(), Abort<RenameRefusal>> {
    let now_s = transaction.now_ms().div_euclid(1000);
    let source = History::new(transaction, bucket, &rename.source).current()?;
    let mut source = source.ok_or(Abort::Refused(RenameRefusal::NoSuchKey))?;
    let judged = judge(&rename.of_source, Some(&source), now_s);
    judged.map_err(|unmet| Abort::Refused(RenameRefusal::SourceCondition(unmet)))?;

    let replaced = History::new(transaction, bucket, &rename.destination).current()?;
    let judged = judge(&rename.of_destination, replaced.as_ref(), now_s);
    judged.map_err(|unmet| Abort::Refused(RenameRefusal::DestinationCondition(unmet)))?;
    if rename.source == rename.destination {
        return Err(Abort::Refused(RenameRefusal::OntoItself));
    }
    History::new(transaction, bucket, &rename.source).give_away(&source)?;
    History::new(transaction, bucket, &rename.destination).install(&mut source)?;
    Ok(())
}

fn judge(conditions: &Preconditions, record: Option<&ObjectRecord>, now_s: i64) -> Result<(), Unmet> {
    let found = record
        .map(|record| (record.listed.etag.to_string(), record.listed.last_modified_ms.div_euclid(1000)));
    conditions.judge(found.as_ref().map(|(etag, modified_s)| (etag.as_str(), *modified_s)), now_s)
}

impl Rename {
    /// SHA-256 of everything that the client asked for.
    fn fingerprint(&self) -> [u8; 32] {
        let encoded =
            postcard::to_extend(self, Vec::new()).expect("every field is of a kind that postcard can write");
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(&encoded);
        hasher.finish().bytes().try_into().expect("a SHA-256 has 32 bytes")
    }
}

#[cfg(test)]
#[path = "rename_tests.rs"]
mod tests;
