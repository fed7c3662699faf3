//! What must hold of the current object for a write to happen.
//!
//! A condition is judged twice: when the request comes in, which spares an upload that cannot succeed, and in the
//! write's own transaction, which decides. Whoever passed the first and fails the second lost a race.

use crate::index::record::{Listed, ObjectRecord};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WriteCondition {
    /// Anything.
    #[default]
    None,
    /// No object (`If-None-Match: *`).
    Absent,
    /// Any object (`If-Match: *`).
    Exists,
    /// An object with this ETag, without quotes.
    ETagIs(String),
}

/// Why a write was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteRefusal {
    NoSuchBucket,
    /// The condition needs an object and there is none.
    NoSuchKey,
    /// The condition did not hold when the request came in.
    ConditionFailed,
    /// Another write that came in meanwhile broke the condition.
    Conflict,
}

impl WriteCondition {
    /// Judges against the current object when the request has come in. An object newer than the request is the work
    /// of one that ran beside it: the client is told to try again rather than that it was wrong.
    pub fn judge_at_admission(
        &self,
        current: Option<&ObjectRecord>,
        admitted_ms: i64,
    ) -> Result<(), WriteRefusal> {
        if self.holds(current.map(|record| &record.listed)) {
            return Ok(());
        }
        match current {
            None => Err(WriteRefusal::NoSuchKey),
            Some(current) if current.listed.last_modified_ms > admitted_ms => Err(WriteRefusal::Conflict),
            Some(_) => Err(WriteRefusal::ConditionFailed),
        }
    }

    /// Judges in the transaction of a write that was admitted before: the condition held then, so what broke it
    /// came in meanwhile.
    pub fn judge_at_commit(&self, current: Option<&ObjectRecord>) -> Result<(), WriteRefusal> {
        if self.holds(current.map(|record| &record.listed)) { Ok(()) } else { Err(WriteRefusal::Conflict) }
    }

    fn holds(&self, current: Option<&Listed>) -> bool {
        match (self, current) {
            (Self::None, _) | (Self::Absent, None) | (Self::Exists, Some(_)) => true,
            (Self::ETagIs(etag), Some(current)) => *etag == current.etag.to_string(),
            (Self::Absent, Some(_)) | (Self::Exists | Self::ETagIs(_), None) => false,
        }
    }
}

#[cfg(test)]
#[path = "write_condition_tests.rs"]
mod tests;
