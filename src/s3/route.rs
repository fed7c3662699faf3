//! From address to operation: a search of the table, most specific row first.

use crate::http::head::{Method, RequestHead};
use crate::s3::address::Address;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::not_implemented::{self, Refused};
use crate::s3::operation::{Operation, Scope, Selector};
use crate::s3::ops;

/// Headers that make another operation of the one that they come with.
const SOURCES: &[&str] = &["x-amz-copy-source", "x-amz-rename-source"];

/// What a request turned out to be.
pub enum Routed {
    Operation(&'static Operation),
    /// Known to S3, not served here.
    Refused(&'static Refused),
}

/// Finds the operation of a request: of the rows that select it the most specific one. A sub-resource that is known but
/// not served gets its own answer and never falls through to a plain operation on the object or bucket.
pub fn route(head: &RequestHead, address: &Address) -> Result<Routed, S3Error> {
    let scope = match (&address.bucket, &address.key) {
        (None, _) => Scope::Service,
        (Some(_), None) => Scope::Bucket,
        (Some(_), Some(_)) => Scope::Object,
    };
    let row = ops::OPERATIONS
        .iter()
        .copied()
        .filter(|row| row.method == head.method() && row.scope == scope)
        .filter(|row| selects(row.selector, head, address))
        .max_by_key(|row| row.selector.weight());
    let is_sub_resource = row.is_some_and(|row| row.selector.weight() >= Selector::QUERY_WEIGHT);
    let refused = not_implemented::REFUSED
        .iter()
        .filter(|refused| !is_sub_resource || matches!(refused.selector, Selector::Header(_)))
        .find(|refused| refuses(refused, scope, head, address));
    match (refused, row) {
        (Some(refused), _) => Ok(Routed::Refused(refused)),
        (None, Some(row)) => match source_out_of_place(row, head) {
            Some(name) => Err(takes_no_source(name, head)),
            None => Ok(Routed::Operation(row)),
        },
        (None, None) => Err(method_not_allowed(head, scope)),
    }
}

/// A header that names a source, on an operation that takes nothing from there: the client means another operation.
fn source_out_of_place(row: &Operation, head: &RequestHead) -> Option<&'static str> {
    SOURCES.iter().copied().find(|name| head.header(name).is_some() && !row.selector.mentions(name))
}

fn takes_no_source(name: &str, head: &RequestHead) -> S3Error {
    let sent = String::from_utf8_lossy(head.header(name).unwrap_or_default());
    S3Error::invalid_argument(name, &sent, format!("This operation does not accept the header {name}."))
}

fn selects(selector: Selector, head: &RequestHead, address: &Address) -> bool {
    match selector {
        Selector::Plain => true,
        Selector::Query(name) => address.query.has(name),
        Selector::QueryIs(name, value) => address.query.get(name) == Some(value),
        Selector::Header(name) => head.header(name).is_some(),
        Selector::All(selectors) => selectors.iter().all(|selector| selects(*selector, head, address)),
        Selector::Any(selectors) => selectors.iter().any(|selector| selects(*selector, head, address)),
    }
}

fn refuses(refused: &Refused, scope: Scope, head: &RequestHead, address: &Address) -> bool {
    refused.scopes.contains(&scope)
        && (refused.methods.is_empty() || refused.methods.contains(&head.method()))
        && selects(refused.selector, head, address)
        && refused.unless.is_none_or(|name| head.header(name).is_none())
}

fn method_not_allowed(head: &RequestHead, scope: Scope) -> S3Error {
    let resource = match scope {
        Scope::Service => "SERVICE",
        Scope::Bucket => "BUCKET",
        Scope::Object => "OBJECT",
    };
    if head.method() == Method::Other {
        // OPTIONS and whatever else S3 or HTTP may define.
        return S3Error::new(ErrorCode::NotImplemented);
    }
    S3Error::method_not_allowed(&String::from_utf8_lossy(head.method_token()), resource, "")
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
