//! May the sender do this? The policies are asked, once for each action that a request needs.
//!
//! What a request needs of the bucket or object it is addressed to stands in its row of the table of operations and is
//! judged before the operation runs; what it needs of others that it names, the operation asks for itself. A refusal says
//! no more than that it is one; the reason goes to the log.

use std::cell::RefCell;
use std::rc::Rc;

use crate::auth::Identity;
use crate::http::client_address::Client;
use crate::http::head::{Method, RequestHead};
use crate::index::record::BucketRecord;
use crate::policy::{
    self, Action, Decision, Document, Effect, Layers, OrgDocuments, Principal, Reason, Request,
};
use crate::s3::address::Address;
use crate::s3::bucket_name;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::facts::{HeadFacts, RequestFacts};
use crate::s3::operation::{BodyKind, Context, Operation, Scope};
use crate::s3::tagging::Tags;
use crate::store::objects::Lookup;

/// Who sent a request.
#[derive(Debug)]
pub enum Sender {
    Anonymous,
    Signed {
        identity: Identity,
        presigned: bool,
        /// When it was signed.
        signed_unix_s: i64,
    },
}

/// A request, as far as policies ask about it.
pub struct Asking<'a> {
    pub context: &'a Context,
    /// `None` for what is refused by name.
    pub operation: Option<&'static Operation>,
    pub head: &'a RequestHead,
    pub address: &'a Address,
    pub sender: &'a Sender,
    pub client: Client,
    /// When the request came in, Unix milliseconds.
    pub admitted_ms: i64,
    pub(super) head_facts: HeadFacts,
    /// What the last judgement rests on.
    reason: RefCell<Option<Reason>>,
}

/// What something is to be done to.
#[derive(Clone, Copy, Default)]
pub struct Target<'a> {
    /// `None` where there is no bucket yet, or the whole service is meant.
    pub bucket: Option<&'a BucketRecord>,
    pub bucket_name: &'a str,
    pub key: Option<&'a str>,
    /// The version that is named.
    pub version: Option<&'a str>,
    /// What a listing is asked for; else the request's own prefix.
    pub prefix: Option<&'a str>,
    pub content: Content<'a>,
}

/// What is known of a body that policies can ask about.
#[derive(Clone, Copy, Default)]
pub enum Content<'a> {
    /// Nothing counts but the head.
    #[default]
    None,
    /// It has not been read: a judgement that asks for it is not the last.
    Unread,
    Tags(&'a Tags),
    Location(Option<&'a str>),
}

/// Proof that a request may run. Only this module can make it, and no `Call` is made without it.
pub struct Authorised {
    bucket: Option<BucketRecord>,
}

impl Authorised {
    /// The bucket that the request is about, where the operation needs it to exist.
    pub fn bucket(&self) -> Option<&BucketRecord> {
        self.bucket.as_ref()
    }
}

impl Sender {
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Anonymous => None,
            Self::Signed { identity, .. } => Some(identity),
        }
    }

    fn principal(&self) -> Principal<'_> {
        match self {
            Self::Anonymous => Principal::Anonymous,
            Self::Signed { identity, .. } => {
                Principal::User { org: &identity.org, user: &identity.user, access_key: &identity.access_key }
            }
        }
    }

    /// Whether the bucket belongs to the sender's organisation.
    fn is_member(&self, bucket: &BucketRecord) -> bool {
        self.identity().is_some_and(|identity| identity.org == bucket.org)
    }
}

impl<'a> Asking<'a> {
    pub fn new(
        context: &'a Context,
        operation: Option<&'static Operation>,
        head: &'a RequestHead,
        address: &'a Address,
        sender: &'a Sender,
        client: Client,
    ) -> Self {
        let admitted_ms = context.clock.unix_ms();
        let (head_facts, reason) = (HeadFacts::default(), RefCell::new(None));
        Self { context, operation, head, address, sender, client, admitted_ms, head_facts, reason }
    }

    /// What the last judgement rests on, for reports. Never for the client.
    pub fn reason(&self) -> Option<String> {
        self.reason.borrow().as_ref().map(ToString::to_string)
    }

    /// Judges everything that the row of the operation asks for.
    pub fn authorise(&self) -> Result<Authorised, S3Error> {
        let operation = self.operation.ok_or_else(S3Error::internal)?;
        let Some(name) = self.address.bucket.as_deref() else {
            for action in operation.permissions {
                self.require(*action, &Target::default())?;
            }
            return Ok(Authorised { bucket: None });
        };
        bucket_name::validate(name)?;
        let content = if operation.body == BodyKind::Judged { Content::Unread } else { Content::None };
        let target = Target { bucket_name: name, content, ..Target::default() };
        if operation.permissions.contains(&Action::CreateBucket) {
            self.require(Action::CreateBucket, &target)?;
            return Ok(Authorised { bucket: None });
        }
        let bucket = self.bucket(name)?;
        let target = Target {
            bucket: Some(&bucket),
            key: self.address.key.as_deref(),
            version: self.address.query.get("versionId").filter(|_| operation.scope == Scope::Object),
            ..target
        };
        if operation.permissions.is_empty() {
            self.require_any_say(&bucket)?;
        }
        for action in operation.permissions {
            self.require_of_version(*action, &target).map_err(|denial| self.tell_absence(denial, &target))?;
        }
        if operation.permissions.contains(&Action::PutObject) && self.head.header("x-amz-tagging").is_some() {
            self.require_no_denial(Action::PutObjectTagging, &Target { version: None, ..target })?;
        }
        Ok(Authorised { bucket: Some(bucket) })
    }

    /// What a refusal that tells of the bucket needs: that it exists and is of the sender's organisation.
    pub fn authorise_refusal(&self) -> Result<(), S3Error> {
        let Some(name) = self.address.bucket.as_deref() else { return Ok(()) };
        bucket_name::validate(name)?;
        if self.sender.is_member(&self.bucket(name)?) {
            return Ok(());
        }
        Err(S3Error::new(ErrorCode::AccessDenied))
    }

    /// Judges an action on an object of another bucket than the one that the request is addressed to, or of the same.
    /// There is no other way to the record of such a bucket.
    pub fn authorise_named(
        &self,
        action: Action,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<Authorised, S3Error> {
        bucket_name::validate(bucket)?;
        let bucket = self.bucket(bucket)?;
        let target = Target {
            bucket: Some(&bucket),
            bucket_name: &bucket.name,
            key: Some(key),
            version,
            ..Target::default()
        };
        self.require_of_version(action, &target)?;
        Ok(Authorised { bucket: Some(bucket) })
    }

    /// Refuses what is not allowed. With an unread body the word is not the last where the policies asked for it.
    pub fn require(&self, action: Action, target: &Target<'_>) -> Result<(), S3Error> {
        let (decision, is_final) = self.judge(action, target)?;
        if decision.is_allowed() || !is_final { Ok(()) } else { Err(denied(action, &decision)) }
    }

    /// The same, where a version may be named: its action has a name of its own. To an action that knows no versions the
    /// name is nothing, and so it is to the policies.
    pub fn require_of_version(&self, action: Action, target: &Target<'_>) -> Result<(), S3Error> {
        match (action, target.version) {
            (_, None) => self.require(action, target),
            (Action::DeleteObject, Some(_)) => {
                self.require(Action::DeleteObject, target)?;
                self.require(Action::DeleteObjectVersion, target)
            }
            (action, Some(_)) => match of_version(action) {
                Some(action) => self.require(action, target),
                None => self.require(action, &Target { version: None, ..*target }),
            },
        }
    }

    /// Whether something would be allowed that the request can do without. What it rests on is no reason for anything.
    pub fn allows(&self, action: Action, target: &Target<'_>) -> bool {
        let reason = self.reason.borrow().clone();
        let action = finest(action, target);
        let is_allowed = self.judge(action, target).is_ok_and(|(decision, _)| decision.is_allowed());
        *self.reason.borrow_mut() = reason;
        is_allowed
    }

    /// Refuses what a statement denies; none need allow it.
    pub fn require_no_denial(&self, action: Action, target: &Target<'_>) -> Result<(), S3Error> {
        let action = finest(action, target);
        match self.judge(action, target)? {
            (decision, true) if decision.effect == Effect::DeniedExplicitly => Err(denied(action, &decision)),
            _ => Ok(()),
        }
    }

    /// For operations that judge what their body names: somebody whom no policy can allow anything is refused before it
    /// is read.
    fn require_any_say(&self, bucket: &BucketRecord) -> Result<(), S3Error> {
        if self.sender.is_member(bucket) || bucket.policy.is_some() {
            return Ok(());
        }
        Err(S3Error::new(ErrorCode::AccessDenied))
    }

    /// The answer to a read of what is not there: whoever may not list the key is not told whether it exists, or did.
    pub fn hide_absence(&self, error: S3Error, bucket: &BucketRecord, key: &str) -> S3Error {
        // Of the reads only those of a delete marker are no such method.
        let is_absence = matches!(
            error.code,
            ErrorCode::NoSuchKey | ErrorCode::NoSuchVersion | ErrorCode::MethodNotAllowed
        );
        if !is_absence {
            return error;
        }
        let target = Target {
            bucket: Some(bucket),
            bucket_name: &bucket.name,
            prefix: Some(key),
            ..Target::default()
        };
        match self.require(Action::ListBucket, &target) {
            Ok(()) => error,
            Err(refusal) => refusal,
        }
    }

    /// The answer to a read that is denied: whoever may list the key is told that nothing is there.
    fn tell_absence(&self, denial: S3Error, target: &Target<'_>) -> S3Error {
        let is_read = matches!(self.head.method(), Method::Get | Method::Head);
        let is_of_object = target.version.is_none() && self.address.query.get("uploadId").is_none();
        let (Some(bucket), Some(key), true) = (target.bucket, target.key, is_read && is_of_object) else {
            return denial;
        };
        match self.context.store.open_object(bucket, key, None) {
            Ok(Lookup::Nothing | Lookup::DeleteMarker(_)) if denial.code == ErrorCode::AccessDenied => {
                self.hide_absence(S3Error::no_such_key(key), bucket, key)
            }
            _ => denial,
        }
    }

    /// As [`Self::hide_absence`], at the end of an operation. Tags are written to what is there, which tells as much as
    /// a read.
    pub fn hide_absence_from_reader(&self, error: S3Error, authorised: &Authorised) -> S3Error {
        let is_read = matches!(self.head.method(), Method::Get | Method::Head);
        let is_of_tags = self.address.query.get("tagging").is_some();
        match (authorised.bucket(), self.address.key.as_deref()) {
            (Some(bucket), Some(key)) if is_read || is_of_tags => self.hide_absence(error, bucket, key),
            _ => error,
        }
    }

    fn bucket(&self, name: &str) -> Result<BucketRecord, S3Error> {
        self.context.store.bucket(name)?.ok_or_else(|| S3Error::no_such_bucket(name))
    }

    /// The decision, and whether reading the body could not change it.
    fn judge(&self, action: Action, target: &Target<'_>) -> Result<(Decision, bool), S3Error> {
        let policy: Option<Rc<Document>> = match target.bucket {
            // Not even read where it has no say, lest one that cannot be read could not be replaced.
            Some(bucket) if !action.skips_bucket_policy() => {
                self.context.policies.of(&self.context.store, bucket)?
            }
            _ => None,
        };
        let is_member = target.bucket.is_none_or(|bucket| self.sender.is_member(bucket));
        let policies_of = |org: Option<&str>| {
            org.map_or_else(OrgDocuments::default, |org| self.context.org_policies.of(org))
        };
        let requester_org = policies_of(self.sender.identity().map(|identity| identity.org.as_str()));
        let owner_org = policies_of(target.bucket.filter(|_| !is_member).map(|bucket| bucket.org.as_str()));
        let layers = Layers {
            requester_org: &requester_org,
            owner_org: &owner_org,
            bucket: policy.as_deref(),
            is_member,
        };
        let request = Request {
            action,
            bucket: target.bucket_name,
            key: target.key,
            principal: self.sender.principal(),
        };
        let facts = RequestFacts::new(self, target);
        let decision = policy::decide(&request, &facts, &layers);
        *self.reason.borrow_mut() = Some(decision.reason.clone());
        // A decision without a fact that it asked for is none.
        if facts.has_failed() { Err(S3Error::internal()) } else { Ok((decision, !facts.asked_of_unread())) }
    }
}

/// The name of an action on this target.
fn finest(action: Action, target: &Target<'_>) -> Action {
    target.version.and_then(|_version| of_version(action)).unwrap_or(action)
}

/// The name of an action where it is about a version that the request names; `None` where it never is.
fn of_version(action: Action) -> Option<Action> {
    Some(match action {
        Action::GetObject => Action::GetObjectVersion,
        Action::GetObjectAcl => Action::GetObjectVersionAcl,
        Action::GetObjectAttributes => Action::GetObjectVersionAttributes,
        Action::GetObjectTagging => Action::GetObjectVersionTagging,
        Action::PutObjectTagging => Action::PutObjectVersionTagging,
        Action::DeleteObjectTagging => Action::DeleteObjectVersionTagging,
        _ => return None,
    })
}

fn denied(action: Action, decision: &Decision) -> S3Error {
    tracing::debug!(action = action.name(), reason = %decision.reason, "denied");
    S3Error::new(ErrorCode::AccessDenied)
}
