//! The layers of policies put together.

use std::fmt;
use std::sync::Arc;

use super::{Action, Document, Facts, Principal, Request};

/// All the documents that have a say.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a> {
    /// Of the organisation that the requester belongs to.
    pub requester_org: &'a [Arc<Document>],
    /// Of the organisation that owns the bucket. Looked at only where that is another one.
    pub owner_org: &'a [Arc<Document>],
    pub bucket: Option<&'a Document>,
    /// Whether the requester belongs to the organisation that owns the bucket, or there is no bucket.
    pub is_member: bool,
}

/// What the policies say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub effect: Effect,
    pub reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Allowed,
    /// A statement denies it: nothing else could allow it.
    DeniedExplicitly,
    /// No statement allows it.
    Denied,
}

impl Decision {
    pub fn is_allowed(&self) -> bool {
        self.effect == Effect::Allowed
    }
}

/// What a decision rests on. For logs: clients are not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A member of the owning organisation, and no policy speaks against it.
    Member,
    /// Only members of the owning organisation may do this, whatever policies say.
    MembersOnly,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Member => "a member of the owning organisation, and no policy speaks against it",
            Self::MembersOnly => "only members of the owning organisation may do this",
        })
    }
}

/// Judges a request by all layers.
pub fn decide(request: &Request<'_>, facts: &dyn Facts, layers: &Layers<'_>) -> Decision {
    let _ = facts;
    let is_member = layers.is_member && request.principal != Principal::Anonymous;
    if !is_member && request.action == Action::PutBucketPolicy {
        return Decision { effect: Effect::Denied, reason: Reason::MembersOnly };
    }
    Decision { effect: Effect::Allowed, reason: Reason::Member }
}
