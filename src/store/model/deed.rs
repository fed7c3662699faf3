//! What is done to the buckets, with everything decided, and what the store answers.

use std::future::Future;
use std::pin::Pin;

use crate::index::record::{LifecycleRules, Listed, Owner, PartListed, Versioning};
use crate::store::complete::CompleteRequest;
use crate::store::copy::Description;
use crate::store::delete::DeleteCondition;
use crate::store::error::Refusal;
use crate::store::rename::Rename;
use crate::store::upload_id::UploadId;
use crate::store::version_id::VersionId;
use crate::store::versions::Deleted;
use crate::store::write_condition::{WriteCondition, WriteRefusal};

use super::state::{Place, Tags, Target, Upload, UploadedPart, Version};

#[derive(Clone, Debug)]
pub(super) enum Deed {
    Put {
        place: Place,
        bucket_id: u64,
        version: Box<Version>,
        condition: Condition,
    },
    Copy {
        from: Source,
        place: Place,
        owner: Owner,
        description: Description,
        condition: Condition,
    },
    /// In one transaction, possibly with repetitions.
    Delete {
        bucket: usize,
        removals: Vec<Removal>,
        owner: Owner,
    },
    Tag(Target, Tags),
    SetVersioning(usize, Versioning),
    SetLifecycle(usize, Option<LifecycleRules>),
    /// Makes it anew, if it is empty.
    DeleteBucket(usize),
    Rename {
        bucket: usize,
        rename: Rename,
        from: &'static str,
        to: &'static str,
        token: Option<String>,
    },
    Begin(Box<Upload>),
    PutPart {
        place: Place,
        id: UploadId,
        number: u16,
        part: UploadedPart,
    },
    CopyPart {
        from: Source,
        place: Place,
        id: UploadId,
        number: u16,
        part: UploadedPart,
    },
    Complete {
        place: Place,
        id: UploadId,
        request: Box<CompleteRequest>,
    },
    Abort {
        place: Place,
        id: UploadId,
    },
}

/// A version as it was when the copy began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) place: Place,
    pub(super) bucket_id: u64,
    pub(super) id: VersionId,
    pub(super) stamp: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Removal {
    pub(super) target: Target,
    pub(super) condition: DeleteCondition,
}

impl Removal {
    /// Without a condition.
    pub(super) fn of(target: Target) -> Self {
        Self { target, condition: DeleteCondition::default() }
    }
}

/// What a write asks of the current object, and whether that is judged before the write too.
#[derive(Clone, Debug, Default)]
pub(super) struct Condition {
    pub(super) wanted: WriteCondition,
    pub(super) is_admitted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Listed(Box<Listed>),
    Part(Box<PartListed>),
    Deleted(Vec<Result<Deleted, WriteRefusal>>),
    Begun(UploadId),
    Done,
    /// As it is printed.
    Refused(String),
    /// Whether it was done is not known.
    Failed(String),
}

impl Answer {
    pub(super) fn refused(refusal: impl std::fmt::Debug) -> Self {
        Self::Refused(format!("{refusal:?}"))
    }

    /// `done`, or why not.
    pub(super) fn of<E: std::fmt::Debug>(outcome: Result<Self, Refusal<E>>) -> Self {
        match outcome {
            Ok(done) => done,
            Err(Refusal::Refused(refusal)) => Self::refused(refusal),
            Err(Refusal::Failed(error)) => Self::Failed(error.to_string()),
        }
    }
}

/// A deed that waits for its transaction.
pub(super) struct Prepared {
    pub(super) deed: Deed,
    pub(super) work: Work,
}

pub(super) type Work = Pin<Box<dyn Future<Output = Answer>>>;

/// Does all at once, queued in their order.
pub(super) async fn run_all(works: Vec<Work>) -> Vec<Answer> {
    let mut running: Vec<(Work, Option<Answer>)> = works.into_iter().map(|work| (work, None)).collect();
    std::future::poll_fn(|context| {
        let mut all = true;
        for (work, answer) in running.iter_mut().filter(|(_, answer)| answer.is_none()) {
            match work.as_mut().poll(context) {
                std::task::Poll::Ready(done) => *answer = Some(done),
                std::task::Poll::Pending => all = false,
            }
        }
        if all { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, answer)| answer).collect()
}
