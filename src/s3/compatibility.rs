//! The compatibility table of the README: the calls of the API reference beside what the table of operations serves.
//!
//! The list of calls is the reference's. What becomes of each is not written down here: it is read from
//! [`OPERATIONS`] and, for the calls that are not served yet, from the refusals that the router would give, so that the
//! README cannot claim what the node does not do.

use std::fmt::Write as _;

use crate::http::head::Method;
use crate::s3::not_implemented::REFUSED;
use crate::s3::operation::{Scope, Selector};
use crate::s3::ops::{self, OPERATIONS};

/// One call of the reference and how a request for it is told from others.
struct ReferenceCall {
    /// The AWS API name.
    name: &'static str,
    method: Method,
    scope: Scope,
    selector: Selector,
}

const fn call(name: &'static str, method: Method, scope: Scope, selector: Selector) -> ReferenceCall {
    ReferenceCall { name, method, scope, selector }
}

const fn on_bucket(name: &'static str, method: Method, query: &'static str) -> ReferenceCall {
    call(name, method, Scope::Bucket, Selector::Query(query))
}

const fn on_object(name: &'static str, method: Method, query: &'static str) -> ReferenceCall {
    call(name, method, Scope::Object, Selector::Query(query))
}

/// Every call of the reference, in its order.
const REFERENCE: &[ReferenceCall] = &[
    on_object("AbortMultipartUpload", Method::Delete, "uploadId"),
    on_object("CompleteMultipartUpload", Method::Post, "uploadId"),
    call("CopyObject", Method::Put, Scope::Object, Selector::Header("x-amz-copy-source")),
    call("CreateBucket", Method::Put, Scope::Bucket, Selector::Plain),
    on_object("CreateMultipartUpload", Method::Post, "uploads"),
    call("DeleteBucket", Method::Delete, Scope::Bucket, Selector::Plain),
    on_bucket("DeleteBucketLifecycle", Method::Delete, "lifecycle"),
    on_bucket("DeleteBucketPolicy", Method::Delete, "policy"),
    on_bucket("DeleteBucketTagging", Method::Delete, "tagging"),
    call("DeleteObject", Method::Delete, Scope::Object, Selector::Plain),
    on_bucket("DeleteObjects", Method::Post, "delete"),
    on_object("DeleteObjectTagging", Method::Delete, "tagging"),
    on_bucket("GetBucketAcl", Method::Get, "acl"),
    on_bucket("GetBucketLifecycleConfiguration", Method::Get, "lifecycle"),
    on_bucket("GetBucketLocation", Method::Get, "location"),
    on_bucket("GetBucketPolicy", Method::Get, "policy"),
    on_bucket("GetBucketTagging", Method::Get, "tagging"),
    on_bucket("GetBucketVersioning", Method::Get, "versioning"),
    call("GetObject", Method::Get, Scope::Object, Selector::Plain),
    on_object("GetObjectAcl", Method::Get, "acl"),
    on_object("GetObjectAttributes", Method::Get, "attributes"),
    on_object("GetObjectTagging", Method::Get, "tagging"),
    call("HeadBucket", Method::Head, Scope::Bucket, Selector::Plain),
    call("HeadObject", Method::Head, Scope::Object, Selector::Plain),
    call("ListBuckets", Method::Get, Scope::Service, Selector::Plain),
    call("ListObjectsV2", Method::Get, Scope::Bucket, Selector::QueryIs("list-type", "2")),
    on_bucket("ListObjectVersions", Method::Get, "versions"),
    on_object("ListParts", Method::Get, "uploadId"),
    on_bucket("ListMultipartUploads", Method::Get, "uploads"),
    on_bucket("PutBucketLifecycleConfiguration", Method::Put, "lifecycle"),
    on_bucket("PutBucketPolicy", Method::Put, "policy"),
    on_bucket("PutBucketTagging", Method::Put, "tagging"),
    on_bucket("PutBucketVersioning", Method::Put, "versioning"),
    call("PutObject", Method::Put, Scope::Object, Selector::Plain),
    on_object("PutObjectTagging", Method::Put, "tagging"),
    call("RenameObject", Method::Put, Scope::Object, Selector::Header("x-amz-rename-source")),
    on_object("UploadPart", Method::Put, "partNumber"),
    call("UploadPartCopy", Method::Put, Scope::Object, Selector::Header("x-amz-copy-source")),
];

/// The table in Markdown: the calls of the reference in its order, then what is served beyond them.
pub fn markdown_table() -> String {
    let mut table = String::from("| call | status |\n|---|---|\n");
    let beyond = ops::names().into_iter().filter(|name| REFERENCE.iter().all(|call| call.name != *name));
    let rows = REFERENCE.iter().map(|call| (call.name, status(call)));
    for (name, status) in rows.chain(beyond.map(|name| (name, "yes (beyond the reference)".to_owned()))) {
        // A String takes every write.
        let _ = writeln!(table, "| {name} | {status} |");
    }
    table
}

fn status(call: &ReferenceCall) -> String {
    if OPERATIONS.iter().any(|row| row.name == call.name) {
        return "yes".to_owned();
    }
    let refused = REFUSED.iter().find(|refused| {
        refused.selector == call.selector
            && refused.scopes.contains(&call.scope)
            && (refused.methods.is_empty() || refused.methods.contains(&call.method))
    });
    match refused.map(|refused| refused.error(call.method)) {
        Some(error) => format!("not yet ({} {})", error.status(), error.code.name()),
        None => "not yet".to_owned(),
    }
}

#[cfg(test)]
#[path = "compatibility_tests.rs"]
mod tests;
