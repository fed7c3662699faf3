//! What S3 has and this node refuses by name: 501, a 405 where only the method is wrong, or the 404 that clients expect
//! when they read a configuration that does not exist. Nothing here may fall through to a plain operation:
//! `PUT /b/k?acl` is not an upload.

use crate::http::head::Method;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::operation::{Scope, Selector};

/// One refusal.
pub struct Refused {
    pub selector: Selector,
    pub scopes: &'static [Scope],
    /// Empty: every method.
    pub methods: &'static [Method],
    /// A sub-resource that is served, but not with this method.
    pub is_misplaced: bool,
    /// Beside this header the operation itself has the answer.
    pub unless: Option<&'static str>,
    /// What a GET answers, where clients expect a 404 of a configuration that was never set, or where it can only be a
    /// mistake.
    pub read: Option<ErrorCode>,
}

impl Refused {
    /// Whether the answer is about the bucket, which must then exist and be the sender's.
    pub fn is_about_bucket(&self, method: Method) -> bool {
        matches!(method, Method::Get | Method::Head) && self.read.is_some()
    }

    /// The answer.
    pub fn error(&self, method: Method) -> S3Error {
        if let (Method::Get | Method::Head, Some(code)) = (method, self.read) {
            return S3Error::new(code);
        }
        if self.is_misplaced {
            return S3Error::new(ErrorCode::MethodNotAllowed);
        }
        match self.selector {
            Selector::Header(name) => S3Error::not_implemented_header(name),
            Selector::Query(name) | Selector::QueryIs(name, _) => {
                S3Error::not_implemented(&format!("?{name}"))
            }
            Selector::Plain | Selector::All(_) | Selector::Any(_) => S3Error::new(ErrorCode::NotImplemented),
        }
    }
}

const BUCKET: &[Scope] = &[Scope::Bucket];
const OBJECT: &[Scope] = &[Scope::Object];
const BOTH: &[Scope] = &[Scope::Bucket, Scope::Object];

const fn query(name: &'static str, scopes: &'static [Scope], read: Option<ErrorCode>) -> Refused {
    Refused { selector: Selector::Query(name), scopes, methods: ANY, is_misplaced: false, unless: None, read }
}

/// What only buckets have.
const fn not_of_objects(name: &'static str) -> Refused {
    query(name, OBJECT, Some(ErrorCode::InvalidRequest))
}

const fn header(name: &'static str, methods: &'static [Method]) -> Refused {
    Refused {
        selector: Selector::Header(name),
        scopes: BOTH,
        methods,
        is_misplaced: false,
        unless: None,
        read: None,
    }
}

/// Encryption under keys of the node; together with a customer's key it is a contradiction.
const fn node_encryption(name: &'static str) -> Refused {
    let unless = Some("x-amz-server-side-encryption-customer-algorithm");
    Refused { unless, ..header(name, WRITES) }
}

/// Selects what no operation of the same sub-resource does.
const fn misplaced(name: &'static str, scopes: &'static [Scope]) -> Refused {
    Refused {
        selector: Selector::Query(name),
        scopes,
        methods: ANY,
        is_misplaced: true,
        unless: None,
        read: None,
    }
}

const WRITES: &[Method] = &[Method::Put, Method::Post];
const NO_PUT: &[Method] = &[Method::Get, Method::Head, Method::Post, Method::Delete];
const ANY: &[Method] = &[];

/// Every refusal. What is served by some methods stands here for the others: a DELETE of a bucket's versioning must not
/// delete the bucket. Sub-resources first, then headers that change what a plain operation means.
pub const REFUSED: &[Refused] = &[
    query("abac", BUCKET, None),
    query("accelerate", BUCKET, None),
    query("acl", BOTH, None),
    query("analytics", BUCKET, None),
    query("attributes", OBJECT, None),
    query("cors", BUCKET, Some(ErrorCode::NoSuchCORSConfiguration)),
    query("delete", BUCKET, None),
    query("encryption", BOTH, Some(ErrorCode::ServerSideEncryptionConfigurationNotFoundError)),
    query("intelligent-tiering", BUCKET, None),
    query("inventory", BUCKET, None),
    query("legal-hold", OBJECT, None),
    query("lifecycle", BUCKET, None),
    query("location", BUCKET, None),
    query("logging", BUCKET, None),
    query("metadataTable", BUCKET, None),
    query("metadataConfiguration", BUCKET, None),
    query("metadataInventoryTable", BUCKET, None),
    query("metadataJournalTable", BUCKET, None),
    query("metrics", BUCKET, None),
    query("notification", BUCKET, None),
    query("object-lock", BUCKET, Some(ErrorCode::ObjectLockConfigurationNotFoundError)),
    query("ownershipControls", BUCKET, None),
    query("policy", BUCKET, None),
    query("policyStatus", BUCKET, None),
    query("publicAccessBlock", BUCKET, Some(ErrorCode::NoSuchPublicAccessBlockConfiguration)),
    Refused { methods: NO_PUT, ..misplaced("renameObject", OBJECT) },
    query("replication", BUCKET, Some(ErrorCode::ReplicationConfigurationNotFoundError)),
    query("requestPayment", BUCKET, None),
    query("restore", OBJECT, None),
    query("retention", OBJECT, None),
    query("select", OBJECT, None),
    query("session", BUCKET, None),
    query("tagging", BOTH, None),
    query("torrent", OBJECT, None),
    misplaced("uploadId", OBJECT),
    misplaced("uploads", BUCKET),
    not_of_objects("uploads"),
    query("versioning", BUCKET, None),
    query("versions", BUCKET, None),
    not_of_objects("versions"),
    query("website", BUCKET, Some(ErrorCode::NoSuchWebsiteConfiguration)),
    node_encryption("x-amz-server-side-encryption"),
    node_encryption("x-amz-server-side-encryption-aws-kms-key-id"),
    header("x-amz-website-redirect-location", WRITES),
    header("x-amz-object-lock-mode", WRITES),
    header("x-amz-object-lock-retain-until-date", WRITES),
    header("x-amz-object-lock-legal-hold", WRITES),
    header("x-amz-bucket-object-lock-enabled", WRITES),
    header("x-amz-write-offset-bytes", WRITES),
    header("x-amz-grant-full-control", WRITES),
    header("x-amz-grant-read", WRITES),
    header("x-amz-grant-read-acp", WRITES),
    header("x-amz-grant-write", WRITES),
    header("x-amz-grant-write-acp", WRITES),
];
