//! The layers of policies put together.
//!
//! | layer | who is judged by it | what it needs |
//! |---|---|---|
//! | policies of the requester's organisation | its members | no Deny; where there is any policy, an Allow |
//! | policies of the bucket's organisation | everybody else | no Deny |
//! | the bucket's policy | everybody | no Deny; of everybody but the owning organisation's members, an Allow |
//!
//! `PutBucketPolicy`, `ListAllMyBuckets` and `CreateBucket` skip the last layer, and only members may do the first of
//! these. Nothing configured at all: members may do everything, others nothing.

use std::fmt;
use std::sync::Arc;

use super::action::ActionSet;
use super::context::Scene;
use super::document::{Question, StatementName, Verdict};
use super::{Action, Document, Facts, Principal, Request};

/// All the documents that have a say.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a> {
    /// Of the organisation that the requester belongs to.
    pub requester_org: &'a [Arc<Document>],
    /// Of the organisation that owns the bucket. Looked at only where the requester is no member of it.
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
    /// Nothing allows it.
    Denied,
}

impl Decision {
    fn new(effect: Effect, reason: Reason) -> Self {
        Self { effect, reason }
    }

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
    /// Neither a member, nor has the bucket a policy.
    NoBucketPolicy,
    /// A statement.
    Statement(DecidingStatement),
    /// A layer that must allow it and does not.
    NotAllowedBy(Layer),
}

/// A layer, for [`Reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    RequesterOrg,
    OwnerOrg,
    Bucket,
}

/// A statement that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidingStatement {
    layer: Layer,
    /// Which document of the layer.
    document: usize,
    is_deny: bool,
    statement: StatementName,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member => {
                formatter.write_str("member of the owning organisation, and no policy speaks against it")
            }
            Self::MembersOnly => formatter.write_str("not a member of the owning organisation"),
            Self::NoBucketPolicy => {
                formatter.write_str("not a member of the owning organisation, and the bucket has no policy")
            }
            Self::Statement(deciding) => write!(formatter, "{deciding}"),
            Self::NotAllowedBy(Layer::Bucket) => {
                formatter.write_str("no statement of the bucket policy allows it")
            }
            Self::NotAllowedBy(layer) => write!(formatter, "no policy of {layer} allows it"),
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::RequesterOrg => "the requester's organisation",
            Self::OwnerOrg => "the owning organisation",
            Self::Bucket => "the bucket",
        })
    }
}

impl fmt::Display for DecidingStatement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = if self.is_deny { "Deny" } else { "Allow" };
        write!(formatter, "{effect} by statement {}", self.statement.index)?;
        if let Some(sid) = &self.statement.sid {
            write!(formatter, " (Sid {sid})")?;
        }
        match self.layer {
            Layer::Bucket => formatter.write_str(" of the bucket policy"),
            layer => write!(formatter, " of policy {} of {layer}", self.document),
        }
    }
}

/// Judges a request by all layers.
pub fn decide(request: &Request<'_>, facts: &dyn Facts, layers: &Layers<'_>) -> Decision {
    // Who did not sign belongs nowhere, also where there is no bucket.
    let is_member = layers.is_member && request.principal != Principal::Anonymous;
    let bucket = layers.bucket.filter(|_| !request.action.skips_bucket_policy());
    if !is_member && request.action == Action::PutBucketPolicy {
        return Decision::new(Effect::Denied, Reason::MembersOnly);
    }
    if is_member && layers.requester_org.is_empty() && bucket.is_none() {
        return Decision::new(Effect::Allowed, Reason::Member);
    }
    let scene = Scene::new(request, facts);
    let names = ActionSet::names_of(request.action);
    let is_of_org = request.principal != Principal::Anonymous;
    let of_requester = Question { names, is_of_org, needs_allow: true };
    let org = match judge_all(layers.requester_org, Layer::RequesterOrg, &scene, of_requester) {
        Some(deciding) if deciding.is_deny => return deciding.denies(),
        None if !layers.requester_org.is_empty() => {
            return Decision::new(Effect::Denied, Reason::NotAllowedBy(Layer::RequesterOrg));
        }
        org => org,
    };
    if !is_member {
        let of_owner = Question { names, is_of_org: false, needs_allow: false };
        if let Some(deciding) = judge_all(layers.owner_org, Layer::OwnerOrg, &scene, of_owner) {
            return deciding.denies();
        }
    }
    let of_bucket = Question { names, is_of_org: is_member, needs_allow: !is_member };
    let verdict = bucket.map(|document| document.judge(&scene, of_bucket));
    match verdict.and_then(|verdict| DecidingStatement::of(verdict, Layer::Bucket, 0)) {
        Some(deciding) if deciding.is_deny => deciding.denies(),
        Some(deciding) => Decision::new(Effect::Allowed, Reason::Statement(deciding)),
        None if is_member => Decision::new(Effect::Allowed, org.map_or(Reason::Member, Reason::Statement)),
        None if bucket.is_some() => Decision::new(Effect::Denied, Reason::NotAllowedBy(Layer::Bucket)),
        None => Decision::new(Effect::Denied, Reason::NoBucketPolicy),
    }
}

impl DecidingStatement {
    fn of(verdict: Verdict, layer: Layer, document: usize) -> Option<Self> {
        let (is_deny, statement) = match verdict {
            Verdict::Silent => return None,
            Verdict::Allow(statement) => (false, statement),
            Verdict::Deny(statement) => (true, statement),
        };
        Some(Self { layer, document, is_deny, statement })
    }

    fn denies(self) -> Decision {
        Decision::new(Effect::DeniedExplicitly, Reason::Statement(self))
    }
}

/// The statement that decides for several documents: one that denies, wherever it stands, else one that allows.
fn judge_all(
    documents: &[Arc<Document>],
    layer: Layer,
    scene: &Scene<'_>,
    question: Question,
) -> Option<DecidingStatement> {
    let mut allowing = None;
    for (index, document) in documents.iter().enumerate() {
        let needs_allow = question.needs_allow && allowing.is_none();
        let verdict = document.judge(scene, Question { needs_allow, ..question });
        match DecidingStatement::of(verdict, layer, index) {
            Some(deciding) if deciding.is_deny => return Some(deciding),
            Some(deciding) => allowing = Some(deciding),
            None => {}
        }
    }
    allowing
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
