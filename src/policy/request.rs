//! What is judged: who wants to do what to which bucket or object, and the facts that conditions ask for.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::Action;

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal<'a> {
    Anonymous,
    User { org: &'a str, user: &'a str, access_key: &'a str },
}

/// One question to the policies.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The finest name that applies: for a read of a named version `GetObjectVersion`, not `GetObject`. Statements
    /// about the coarser action ([`Action::coarse`]) are about it too.
    pub action: Action,
    /// Empty where the action has no bucket.
    pub bucket: &'a str,
    /// The object, for actions on objects.
    pub key: Option<&'a str>,
    pub principal: Principal<'a>,
}

/// A condition key that is answered by [`Facts`]. Keys that follow from the principal are none of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ContextKey {
    /// `aws:SourceIp`: the client's address.
    SourceIp,
    /// `aws:SecureTransport`: `true` or `false`.
    SecureTransport,
    /// `aws:UserAgent`.
    UserAgent,
    /// `aws:Referer`.
    Referer,
    /// `aws:CurrentTime`: ISO 8601.
    CurrentTime,
    /// `aws:EpochTime`: Unix seconds.
    EpochTime,
    /// `aws:RequestedRegion`.
    RequestedRegion,
    /// `aws:ResourceAccount`, `s3:ResourceAccount`, `aws:ResourceOrgID`: the organisation that owns the bucket.
    ResourceOrg,
    /// `s3:prefix` of a listing; absent where the request has no such parameter.
    Prefix,
    /// `s3:delimiter` of a listing.
    Delimiter,
    /// `s3:max-keys` of a listing.
    MaxKeys,
    /// `s3:VersionId` that the request names.
    VersionId,
    /// `s3:LocationConstraint` of CreateBucket.
    LocationConstraint,
    /// `s3:signatureversion`: `AWS4-HMAC-SHA256`.
    SignatureVersion,
    /// `s3:signatureAge`: milliseconds since a request was signed.
    SignatureAge,
    /// `s3:authType`: `REST-HEADER` or `REST-QUERY-STRING`.
    AuthType,
    /// `s3:TlsVersion`.
    TlsVersion,
    /// `s3:x-amz-…`, `s3:if-match`, `s3:if-none-match`: a header field, by its lower-case name.
    Header(&'static str),
    /// `s3:ObjectCreationOperation` of a write: `false` for the steps of an upload in parts that make no object yet.
    ObjectCreationOperation,
    /// `s3:ExistingObjectTag/NAME`: the value of a tag that the object has.
    ExistingObjectTag(Box<str>),
    /// `s3:RequestObjectTag/NAME`: the value of a tag that the request brings.
    RequestObjectTag(Box<str>),
    /// `s3:RequestObjectTagKeys`: the names of the tags that the request brings.
    RequestObjectTagKeys,
}

/// The values of a condition key. Nearly always one.
pub type Values<'a> = SmallVec<[Cow<'a, str>; 1]>;

/// What is known of a request. Asked only where a statement that fits otherwise depends on it, and again for each such
/// statement: what is dear to find should be kept.
pub trait Facts {
    /// `None` where the request has no such key.
    fn values(&self, key: &ContextKey) -> Option<Values<'_>>;
}
