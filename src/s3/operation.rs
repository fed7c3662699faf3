//! What an operation is: one row of the table, and what its function is given.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use ringstone_io::runtime::Clock;

use crate::auth::{Authenticator, Identity};
use crate::http::head::{Method, RequestHead};
use crate::http::response::Response;
use crate::index::record::{BucketRecord, Owner};
use crate::metrics::CoreMetrics;
use crate::policy::{Action, OrgPolicies};
use crate::s3::address::{Address, Addressing};
use crate::s3::authorise::{Asking, Authorised, Content, Target};
use crate::s3::body::Payload;
use crate::s3::error::S3Error;
use crate::s3::lifecycle::RulePrefix;
use crate::s3::policies::Policies;
use crate::store::Store;

/// What a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    Service,
    Bucket,
    Object,
}

/// What tells an operation from others of the same method and scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// No sub-resource at all.
    Plain,
    /// The query has this key, with any value or none.
    Query(&'static str),
    /// The query has this key with this value.
    QueryIs(&'static str, &'static str),
    /// A header field of this lower-case name is present.
    Header(&'static str),
    /// All of these.
    All(&'static [Selector]),
    /// One of these, or more.
    Any(&'static [Selector]),
}

impl Selector {
    /// Weight of a sub-resource: more than that of a header, which only changes what an operation means.
    pub const QUERY_WEIGHT: usize = 2;

    /// How much a row says of the requests it wants: of several that match, the heaviest is meant.
    pub fn weight(self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Header(_) => 1,
            Self::Query(_) | Self::QueryIs(..) => Self::QUERY_WEIGHT,
            Self::All(selectors) => selectors.iter().map(|selector| selector.weight()).sum(),
            Self::Any(selectors) => selectors.iter().map(|selector| selector.weight()).min().unwrap_or(0),
        }
    }

    /// Whether this header has a say in it.
    pub fn mentions(self, header: &str) -> bool {
        match self {
            Self::Header(name) => name == header,
            Self::All(selectors) | Self::Any(selectors) => {
                selectors.iter().any(|selector| selector.mentions(header))
            }
            Self::Plain | Self::Query(_) | Self::QueryIs(..) => false,
        }
    }
}

/// What a request body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// Ignored if sent.
    None,
    /// A small document.
    Document,
    /// A small document about which policies can ask: the operation judges its permissions again when it has read it.
    Judged,
    /// The bytes of an object: streamed, and the only kind that may come in signed chunks.
    Object,
}

/// One operation of the S3 API. The table of them is `ops::OPERATIONS`.
pub struct Operation {
    /// The AWS API name.
    pub name: &'static str,
    pub method: Method,
    pub scope: Scope,
    pub selector: Selector,
    /// What the sender must be allowed to do to what the request is addressed to, all of it, by the finest name that
    /// policies have for it.
    pub permissions: &'static [Action],
    /// The same of others that the request names: the source of a copy, the keys in a body. The operation judges it
    /// when it knows them.
    pub named: &'static [Action],
    /// Whether it is served without a signature, where a policy allows that.
    pub anonymous: bool,
    pub body: BodyKind,
    pub run: for<'a, 'b> fn(Call<'a, 'b>) -> Run<'a>,
}

/// The future of an operation. Boxed, so that an idle connection is not as large as the largest operation.
pub type Run<'a> = Pin<Box<dyn Future<Output = Result<Response, S3Error>> + 'a>>;

/// What every operation of a core shares.
pub struct Context {
    pub store: Store,
    pub clock: Clock,
    pub authenticator: Authenticator,
    /// The policies of all organisations, as they are in force.
    pub org_policies: OrgPolicies,
    pub policies: Policies,
    pub addressing: Addressing,
    pub region: String,
    pub require_location_constraint: bool,
    pub lifecycle_rule_prefix: RulePrefix,
    pub metrics: Arc<CoreMetrics>,
}

/// One authorised request. It takes an [`Authorised`], which authorisation alone can make, so no operation can run
/// without authorisation.
pub struct Call<'a, 'b> {
    pub context: &'a Rc<Context>,
    pub head: &'a RequestHead,
    pub address: &'a Address,
    /// For what the request names beside what it is addressed to.
    pub asking: &'a Asking<'a>,
    pub authorised: &'a Authorised,
    pub payload: Payload<'a, 'b>,
    /// When the request came in, Unix milliseconds.
    pub admitted_ms: i64,
}

impl Call<'_, '_> {
    /// The existing bucket. Operations whose scope is an existing bucket or object always have one.
    pub fn bucket(&self) -> Result<&BucketRecord, S3Error> {
        self.authorised.bucket().ok_or_else(S3Error::internal)
    }

    /// The bucket's name as addressed, which may not exist.
    pub fn bucket_name(&self) -> &str {
        self.address.bucket.as_deref().unwrap_or_default()
    }

    /// The object's key. Operations with object scope always have one.
    pub fn key(&self) -> &str {
        self.address.key.as_deref().unwrap_or_default()
    }

    /// The sender. Operations that are not served without a signature always have one.
    pub fn identity(&self) -> Result<&Identity, S3Error> {
        self.asking.sender.identity().ok_or_else(S3Error::internal)
    }

    /// The owner of what the request makes: its sender, or the bucket's owner where that is nobody of the owning
    /// organisation. What others may write into a bucket is not theirs.
    pub fn owner(&self) -> Owner {
        let bucket = self.authorised.bucket();
        let sender = self.asking.sender.identity();
        let member = sender.filter(|sender| bucket.is_none_or(|bucket| bucket.org == sender.org));
        match (member, bucket) {
            (Some(member), _) => {
                Owner { user: member.user.clone(), display_name: member.display_name.clone() }
            }
            (None, Some(bucket)) => {
                Owner { user: bucket.user.clone(), display_name: bucket.display_name.clone() }
            }
            (None, None) => Owner::default(),
        }
    }

    /// Judges the permissions of the row again, by what the body has turned out to hold.
    pub fn require_with(&self, permissions: &[Action], content: Content<'_>) -> Result<(), S3Error> {
        let target = Target { content, version: self.query("versionId"), ..self.target() };
        permissions.iter().try_for_each(|action| self.asking.require_of_version(*action, &target))
    }

    /// Judges what is to be done to another key of the request's bucket.
    pub fn require_of_key(&self, action: Action, key: &str, version: Option<&str>) -> Result<(), S3Error> {
        let target = Target { key: Some(key), version, ..self.target() };
        self.asking.require_of_version(action, &target)
    }

    /// Refuses what is denied to be done to the request's object.
    pub fn require_no_denial(&self, action: Action, content: Content<'_>) -> Result<(), S3Error> {
        self.asking.require_no_denial(action, &Target { content, ..self.target() })
    }

    /// Whether something may be done to the version that the request names.
    pub fn may(&self, action: Action) -> bool {
        self.asking.allows(action, &Target { version: self.query("versionId"), ..self.target() })
    }

    fn target(&self) -> Target<'_> {
        Target {
            bucket: self.authorised.bucket(),
            bucket_name: self.bucket_name(),
            key: self.address.key.as_deref(),
            ..Target::default()
        }
    }

    /// Length of the payload, which an upload must say: no length at all is not an empty object.
    pub fn payload_length(&self) -> Result<u64, S3Error> {
        let is_framed =
            ["content-length", "transfer-encoding"].iter().any(|name| self.head.header(name).is_some());
        self.payload.length().filter(|_| is_framed).ok_or_else(S3Error::missing_content_length)
    }

    /// A header's value as text; what is not UTF-8 counts as absent text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// A query parameter's value.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.address.query.get(name)
    }
}
