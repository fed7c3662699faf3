//! Making a written body an object.

use crate::commit::{Abort, Committed};
use crate::index::key_encoding;
use crate::index::record::body::runs_of;
use crate::index::record::{
    BucketRecord, Content, ETag, Listed, Metadata, ObjectRecord, Owner, Run, StoredChecksum,
};
use crate::seal::KeyCheck;
use crate::store::Store;
use crate::store::body_writer::BodyWritten;
use crate::store::buckets;
use crate::store::error::Refusal;
use crate::store::versions::History;
use crate::store::write_condition::{WriteCondition, WriteRefusal};

/// What a new object is, beside its body.
#[derive(Clone, Debug, Default)]
pub struct NewObject {
    pub key: String,
    pub metadata: Metadata,
    pub owner: Owner,
    /// Set where the body is sealed.
    pub encryption: Option<KeyCheck>,
}

impl Store {
    /// Makes a written body the current object of its key. Returns what is listed of it as committed. The condition
    /// must have been admitted before the body was received ([`Store::admit`]).
    pub async fn put_object(
        &self,
        bucket: &BucketRecord,
        new: NewObject,
        body: BodyWritten,
        condition: WriteCondition,
    ) -> Result<Committed<Listed>, Refusal<WriteRefusal>> {
        let bucket = bucket.clone();
        let NewObject { key, metadata, owner, encryption } = new;
        let checksum = body.checksums.first().map(|digest| StoredChecksum::of(digest, true));
        let mut record = ObjectRecord {
            listed: Listed {
                delete_marker: false,
                null_version: false,
                size: body.size_bytes,
                last_modified_ms: 0,
                stamp: 0,
                etag: ETag { md5: body.etag_md5, parts: None },
                checksum,
                owner,
            },
            metadata,
            content: Content { segments: body.segment.into_iter().collect(), parts: Vec::new(), encryption },
        };
        let runs: Vec<Run> = runs_of(&record.content.segments).copied().collect();
        let committed = self
            .commit
            .run(body.data, move |transaction| {
                let bucket = buckets::still_there(transaction, &bucket, WriteRefusal::NoSuchBucket)?;
                transaction.occupy(&runs)?;
                record.listed.last_modified_ms = transaction.now_ms();
                let mut history = History::new(transaction, &bucket, &key);
                history.judge(&condition)?.map_err(Abort::Refused)?;
                history.install(&mut record)
            })
            .await?;
        Ok(committed)
    }

    /// Judges a condition when a request has come in, before its body. Never the last word: the transaction judges
    /// again.
    pub fn admit(
        &self,
        bucket: &BucketRecord,
        key: &str,
        condition: &WriteCondition,
        admitted_ms: i64,
    ) -> Result<(), Refusal<WriteRefusal>> {
        if *condition == WriteCondition::None {
            return Ok(());
        }
        let current = self.record_at(&key_encoding::object_key(bucket.id, key)).map_err(Refusal::Failed)?;
        condition.judge_at_admission(current.as_ref(), admitted_ms).map_err(Refusal::Refused)
    }
}
