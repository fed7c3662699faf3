//! Deleting objects and versions.

use crate::commit::{Abort, Committed, Data, Transaction};
use crate::index::record::{BucketRecord, ObjectRecord, Owner};
use crate::store::Store;
use crate::store::buckets;
use crate::store::error::Refusal;
use crate::store::version_id::VersionId;
use crate::store::versions::{Deleted, History};
use crate::store::write_condition::{WriteCondition, WriteRefusal};

/// One deletion.
#[derive(Clone, Debug, Default)]
pub struct DeleteRequest {
    pub key: String,
    pub version: Option<VersionId>,
    pub condition: DeleteCondition,
    /// Whose the delete marker will be.
    pub owner: Owner,
}

/// What must hold of the version that is to be deleted, or of the current object where none is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteCondition {
    pub etag: WriteCondition,
    pub size: Option<u64>,
    pub last_modified_s: Option<i64>,
}

impl Store {
    /// Deletes an object, or one version of it; a missing one is no fault.
    pub async fn delete_object(
        &self,
        bucket: &BucketRecord,
        request: DeleteRequest,
    ) -> Result<Committed<Deleted>, Refusal<WriteRefusal>> {
        let bucket = bucket.clone();
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                let bucket = buckets::still_there(transaction, &bucket, WriteRefusal::NoSuchBucket)?;
                delete(transaction, &bucket, &request)?.map_err(Abort::Refused)
            })
            .await?;
        Ok(committed)
    }

    /// Deletes several objects in one transaction; each answer is that of its key.
    pub async fn delete_objects(
        &self,
        bucket: &BucketRecord,
        requests: Vec<DeleteRequest>,
    ) -> Result<Committed<Vec<Result<Deleted, WriteRefusal>>>, Refusal<WriteRefusal>> {
        let bucket = bucket.clone();
        let committed = self
            .commit
            .run(Data::default(), move |transaction| {
                let bucket = buckets::still_there(transaction, &bucket, WriteRefusal::NoSuchBucket)?;
                requests
                    .iter()
                    .map(|request| delete(transaction, &bucket, request))
                    .collect::<Result<Vec<_>, Abort<WriteRefusal>>>()
            })
            .await?;
        Ok(committed)
    }
}

impl DeleteCondition {
    /// Nothing happens between admission and commit of a deletion that the client could not have seen, so there is
    /// one judgement, in the transaction.
    fn judge(&self, target: Option<&ObjectRecord>) -> Result<(), WriteRefusal> {
        self.etag.judge_at_admission(target, i64::MAX)?;
        let Some(target) = target else { return Ok(()) };
        let size_is = self.size.is_none_or(|size| size == target.listed.size);
        let last_modified_s = target.listed.last_modified_ms.div_euclid(1000);
        let time_is = self.last_modified_s.is_none_or(|time| time == last_modified_s);
        if size_is && time_is { Ok(()) } else { Err(WriteRefusal::ConditionFailed) }
    }
}

/// One deletion; the inner error is its own refusal.
fn delete(
    transaction: &mut Transaction<'_>,
    bucket: &BucketRecord,
    request: &DeleteRequest,
) -> Result<Result<Deleted, WriteRefusal>, Abort<WriteRefusal>> {
    let mut history = History::new(transaction, bucket, &request.key);
    if request.condition != DeleteCondition::default() {
        let target = history.find(request.version)?;
        if let Err(refusal) = request.condition.judge(target.as_ref()) {
            return Ok(Err(refusal));
        }
    }
    Ok(Ok(match request.version {
        None => history.delete(request.owner.clone())?,
        // A version that is not there is deleted already.
        Some(id) => {
            history.delete_version(id)?.unwrap_or(Deleted { version: Some(id), delete_marker: false })
        }
    }))
}
