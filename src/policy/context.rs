//! The names of condition keys, and where their values come from.

use std::borrow::Cow;
use std::cell::OnceCell;

use smallvec::smallvec;

use super::{ContextKey, Facts, Principal, Request, ResourceKind, Values};

/// Where the values of a condition key come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Facts(ContextKey),
    Principal(PrincipalKey),
    /// A key of AWS for something that this node does not have: always absent.
    Never,
}

/// What follows from the principal alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PrincipalKey {
    /// `aws:PrincipalType`.
    Kind,
    /// `aws:userid`.
    UserId,
    /// `aws:username`.
    UserName,
    /// `aws:PrincipalArn`, in the form `arn:aws:iam::ORG:coreweave/USER`.
    Arn,
    /// `cw:PrincipalOrgID`, `aws:PrincipalOrgID`, `aws:PrincipalAccount`.
    Org,
    /// `aws:PrincipalIsAWSService`, `aws:ViaAWSService`: no request here comes from a service of AWS.
    IsService,
}

/// Makes a source of the name at the end of a key.
type FamilyMember = fn(&str) -> Source;

/// Keys whose names begin like this and end with any name.
const FAMILIES: [(&str, FamilyMember); 6] = [
    ("s3:existingobjecttag/", |name| Source::Facts(ContextKey::ExistingObjectTag(name.into()))),
    ("s3:requestobjecttag/", |name| Source::Facts(ContextKey::RequestObjectTag(name.into()))),
    ("aws:principaltag/", |_| Source::Never),
    ("aws:requesttag/", |_| Source::Never),
    ("aws:resourcetag/", |_| Source::Never),
    ("s3:buckettag/", |_| Source::Never),
];

const FACTS: [(&str, ContextKey); 24] = [
    ("aws:sourceip", ContextKey::SourceIp),
    ("aws:securetransport", ContextKey::SecureTransport),
    ("aws:useragent", ContextKey::UserAgent),
    ("aws:referer", ContextKey::Referer),
    ("aws:currenttime", ContextKey::CurrentTime),
    ("aws:epochtime", ContextKey::EpochTime),
    ("aws:requestedregion", ContextKey::RequestedRegion),
    ("aws:resourceaccount", ContextKey::ResourceOrg),
    ("aws:resourceorgid", ContextKey::ResourceOrg),
    ("s3:resourceaccount", ContextKey::ResourceOrg),
    ("s3:prefix", ContextKey::Prefix),
    ("s3:delimiter", ContextKey::Delimiter),
    ("s3:max-keys", ContextKey::MaxKeys),
    ("s3:versionid", ContextKey::VersionId),
    ("s3:locationconstraint", ContextKey::LocationConstraint),
    ("s3:signatureversion", ContextKey::SignatureVersion),
    ("s3:signatureage", ContextKey::SignatureAge),
    ("s3:authtype", ContextKey::AuthType),
    ("s3:tlsversion", ContextKey::TlsVersion),
    ("s3:objectcreationoperation", ContextKey::ObjectCreationOperation),
    ("s3:requestobjecttagkeys", ContextKey::RequestObjectTagKeys),
    ("s3:if-match", ContextKey::Header("if-match")),
    ("s3:if-none-match", ContextKey::Header("if-none-match")),
    ("s3:x-amz-acl", ContextKey::Header("x-amz-acl")),
];

/// Header fields that have a condition key of their name, without the `s3:` before it.
const HEADERS: [&str; 15] = [
    "x-amz-bucket-namespace",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
    "x-amz-metadata-directive",
    "x-amz-object-ownership",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
];

const PRINCIPAL: [(&str, PrincipalKey); 9] = [
    ("aws:principaltype", PrincipalKey::Kind),
    ("aws:userid", PrincipalKey::UserId),
    ("aws:username", PrincipalKey::UserName),
    ("aws:principalarn", PrincipalKey::Arn),
    ("aws:principalaccount", PrincipalKey::Org),
    ("aws:principalorgid", PrincipalKey::Org),
    ("cw:principalorgid", PrincipalKey::Org),
    ("aws:principalisawsservice", PrincipalKey::IsService),
    ("aws:viaawsservice", PrincipalKey::IsService),
];

/// Of roles, services, private networks, access points, batch jobs, replication and object lock.
const NEVER: [&str; 46] = [
    "aws:assumedroot",
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:chatbotsourcearn",
    "aws:ec2instancesourceprivateipv4",
    "aws:ec2instancesourcevpc",
    "aws:federatedprovider",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:resourceorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceidentity",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:tagkeys",
    "aws:tokenissuetime",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:vpcsourceip",
    "s3:accessgrantsinstancearn",
    "s3:accessgrantscope",
    "s3:accessgrantslocationscope",
    "s3:accesspointnetworkorigin",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:destinationregion",
    "s3:existingjoboperation",
    "s3:existingjobpriority",
    "s3:inventoryaccessibleoptionalfields",
    "s3:isreplicationpauserequest",
    "s3:jobsuspendedcause",
    "s3:object-lock-legal-hold",
    "s3:object-lock-mode",
    "s3:object-lock-remaining-retention-days",
    "s3:object-lock-retain-until-date",
    "s3:requestjoboperation",
    "s3:requestjobpriority",
];

impl Source {
    /// By the name that a policy writes; `None` where no such key exists. Names are taken in any case, but the name of
    /// a tag is a name of its owner's and taken as it stands.
    pub(super) fn named(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let lower = lower.as_str();
        if let Some((start, of)) = FAMILIES.iter().find(|(start, _)| lower.starts_with(start)) {
            let rest = &name[start.len()..];
            return (!rest.is_empty()).then(|| of(rest));
        }
        if let Some((_, key)) = FACTS.iter().find(|(known, _)| *known == lower) {
            return Some(Self::Facts(key.clone()));
        }
        if let Some((_, key)) = PRINCIPAL.iter().find(|(known, _)| *known == lower) {
            return Some(Self::Principal(*key));
        }
        let header = HEADERS.iter().find(|header| lower.strip_prefix("s3:") == Some(**header));
        if let Some(header) = header {
            return Some(Self::Facts(ContextKey::Header(header)));
        }
        NEVER.contains(&lower).then_some(Self::Never)
    }

    /// Whether a request may have several values of this.
    pub(super) fn is_list(&self) -> bool {
        matches!(self, Self::Facts(ContextKey::RequestObjectTagKeys))
    }
}

/// A request while it is judged.
pub(super) struct Scene<'a> {
    pub(super) request: &'a Request<'a>,
    facts: &'a dyn Facts,
    resource: OnceCell<Cow<'a, str>>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(request: &'a Request<'a>, facts: &'a dyn Facts) -> Self {
        Self { request, facts, resource: OnceCell::new() }
    }

    /// What is acted on, as patterns see it: `bucket` or `bucket/key`, or nothing.
    pub(super) fn resource(&self) -> &str {
        let Request { action, bucket, key, .. } = *self.request;
        self.resource.get_or_init(|| match action.resource() {
            ResourceKind::Service => "".into(),
            ResourceKind::Bucket => bucket.into(),
            ResourceKind::Object => format!("{bucket}/{}", key.unwrap_or_default()).into(),
        })
    }

    /// The values of a key. Never none: a key without values is no key.
    pub(super) fn values(&self, source: &Source) -> Option<Values<'a>> {
        let values = match source {
            Source::Facts(key) => self.facts.values(key),
            Source::Principal(key) => self.principal(*key).map(|value| smallvec![value]),
            Source::Never => None,
        };
        values.filter(|values| !values.is_empty())
    }

    fn principal(&self, key: PrincipalKey) -> Option<Cow<'a, str>> {
        let Principal::User { org, user, .. } = self.request.principal else {
            return match key {
                PrincipalKey::Kind => Some("Anonymous".into()),
                PrincipalKey::UserId => Some("anonymous".into()),
                _ => None,
            };
        };
        Some(match key {
            PrincipalKey::Kind => "User".into(),
            PrincipalKey::UserId | PrincipalKey::UserName => user.into(),
            PrincipalKey::Arn => format!("arn:aws:iam::{org}:coreweave/{user}").into(),
            PrincipalKey::Org => org.into(),
            PrincipalKey::IsService => "false".into(),
        })
    }
}

#[cfg(test)]
#[path = "context_tests.rs"]
mod tests;
