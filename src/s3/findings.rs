//! What is learnt of a request on its way, for whoever reports on it afterwards.

use std::borrow::Cow;

use crate::audit::{AuditLog, Entry, UnixMs};
use crate::auth::Identity;
use crate::config::limits::{ACCESS_KEY_BYTES, AUDIT_USER_AGENT_BYTES_MAX};
use crate::http::client_address::Client;
use crate::http::head::{Method, RequestHead};
use crate::http::response::{Response, ResponseBody};
use crate::s3::address::Address;
use crate::s3::error::ErrorCode;
use crate::s3::operation::Operation;

/// Filled step by step; what a request did not get to stays empty.
pub(super) struct Findings {
    pub(super) client: Client,
    /// Whether an audit log wants them: what costs anything to find out is left out otherwise.
    pub(super) is_audited: bool,
    pub(super) operation: Option<&'static Operation>,
    pub(super) address: Option<Address>,
    /// The sender, once verified.
    pub(super) identity: Option<Identity>,
    /// Why the request was allowed or denied.
    pub(super) decision: Option<String>,
    pub(super) request_id: String,
    pub(super) error: Option<ErrorCode>,
}

/// Figures of a request that is answered.
#[derive(Clone, Copy, Default)]
pub(super) struct Figures {
    pub(super) answered_unix_ms: i64,
    pub(super) duration_us: u64,
    pub(super) bytes_in: Option<u64>,
}

impl Findings {
    pub(super) fn new(client: Client, is_audited: bool) -> Self {
        Self {
            client,
            is_audited,
            operation: None,
            address: None,
            identity: None,
            decision: None,
            request_id: String::new(),
            error: None,
        }
    }

    /// Tells the audit log. Of the head it takes method and user agent, and nothing of the query but the version.
    pub(super) fn record(
        &self,
        log: &AuditLog,
        head: Option<&RequestHead>,
        response: &Response,
        figures: Figures,
    ) {
        let address = self.address.as_ref();
        let identity = self.identity.as_ref();
        let user_agent = head.and_then(user_agent);
        let is_head = head.is_some_and(|head| head.method() == Method::Head);
        log.record(&Entry {
            time: UnixMs(figures.answered_unix_ms.saturating_sub_unsigned(figures.duration_us / 1000)),
            request_id: &self.request_id,
            client: Some(self.client.address),
            secure: self.client.is_secure,
            access_key: identity.map(|identity| identity.access_key.as_str()),
            user: identity.map(|identity| identity.user.as_str()),
            org: identity.map(|identity| identity.org.as_str()),
            claimed_access_key: match (identity, head) {
                (None, Some(head)) => claimed_access_key(head, address),
                _ => None,
            },
            method: head.and_then(|head| std::str::from_utf8(head.method_token()).ok()),
            operation: self.operation.map(|operation| operation.name),
            bucket: address.and_then(|address| address.bucket.as_deref()),
            key: address.and_then(|address| address.key.as_deref()),
            version_id: address.and_then(|address| address.query.get("versionId")),
            status: response.status,
            error: self.error.map(ErrorCode::name),
            decision: self.decision.as_deref(),
            bytes_in: figures.bytes_in,
            bytes_out: match response.body {
                ResponseBody::HeadOf { .. } => 0,
                _ if is_head => 0,
                _ => response.body.length(),
            },
            duration_us: figures.duration_us,
            user_agent: user_agent.as_deref(),
        });
    }
}

fn user_agent(head: &RequestHead) -> Option<Cow<'_, str>> {
    let sent = head.header("user-agent")?;
    Some(String::from_utf8_lossy(&sent[..sent.len().min(AUDIT_USER_AGENT_BYTES_MAX)]))
}

/// The access key that a request without a verified signature names. Whatever is not formed as a credential stays out:
/// it may be anything, a secret among others.
fn claimed_access_key<'a>(head: &'a RequestHead, address: Option<&'a Address>) -> Option<&'a str> {
    let credential = match head.header("authorization") {
        Some(value) => {
            let (_, value) = std::str::from_utf8(value).ok()?.split_once("Credential=")?;
            value.split([',', ' ']).next()?
        }
        None => address?.query.get("X-Amz-Credential")?,
    };
    // From the right: access keys may hold slashes.
    let mut parts = credential.rsplitn(5, '/');
    let is_scope = parts.next() == Some("aws4_request") && parts.next() == Some("s3");
    let access_key = parts.nth(2)?;
    (is_scope && ACCESS_KEY_BYTES.contains(&access_key.len())).then_some(access_key)
}

#[cfg(test)]
#[path = "findings_tests.rs"]
mod tests;
