//! The signature in the query of a presigned URL.

use super::authorization_header::ALGORITHM;
use super::canonical_request::{CanonicalQuery, Repeated};
use super::credential_scope::CredentialScope;
use crate::auth::clock_skew::RequestTime;
use crate::auth::error::{AuthError, QueryFault};
use crate::auth::payload_seal::{self, CONTENT_SHA256, UNSIGNED_PAYLOAD};
use crate::config::limits::{HEADERS_MAX, PRESIGNED_S_MAX};
use crate::http::head::RequestHead;

/// The parameters of a presigned URL, decoded; not yet judged against the clock.
#[derive(Debug)]
pub(super) struct PresignedUrl {
    credential: String,
    pub(super) time: RequestTime,
    expires_s: u64,
    pub(super) signed_headers: String,
    pub(super) signature: String,
    pub(super) payload_hash: Vec<u8>,
}

/// Any one parameter shows the intent; a URL that lost the others must not count as anonymous.
pub(super) fn is_presigned(query: &CanonicalQuery) -> bool {
    [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
        "X-Amz-Date",
        "X-Amz-Expires",
    ]
    .into_iter()
    .any(|name| query.has(name))
}

/// The query form of the retired Signature Version 2.
pub(super) fn is_version_2(query: &CanonicalQuery) -> bool {
    query.has("AWSAccessKeyId") && query.has("Signature")
}

impl PresignedUrl {
    pub(super) fn parse(query: &CanonicalQuery, head: &RequestHead) -> Result<Self, AuthError> {
        let mut url = Self::parameters(query).map_err(AuthError::QueryMalformed)?;
        url.credential_scope().and_then(|scope| {
            scope
                .check_day(url.time.day())
                .map_err(|fault| AuthError::QueryMalformed(QueryFault::Credential(fault)))
        })?;
        let in_query = query
            .single("X-Amz-Content-Sha256")
            .map_err(|Repeated| AuthError::QueryMalformed(QueryFault::Repeated))?;
        if let Some(hash) = in_query {
            url.payload_hash = hash;
        } else if let Some(hash) = payload_seal::content_sha256_header(head)? {
            url.payload_hash = hash.to_vec();
        }
        Ok(url)
    }

    fn parameters(query: &CanonicalQuery) -> Result<Self, QueryFault> {
        let required = |name| match query.single(name) {
            Ok(Some(value)) if !value.is_empty() => Ok(value),
            Ok(_) => Err(QueryFault::Missing),
            Err(Repeated) => Err(QueryFault::Repeated),
        };
        // A text that is not UTF-8 matches nothing that we could name: the fault of its parameter.
        let text = |value, fault| String::from_utf8(value).map_err(|_| fault);
        let algorithm = required("X-Amz-Algorithm")?;
        let credential = required("X-Amz-Credential")?;
        let date = required("X-Amz-Date")?;
        let expires = required("X-Amz-Expires")?;
        let signed_headers = required("X-Amz-SignedHeaders")?;
        let signature = required("X-Amz-Signature")?;
        if algorithm != ALGORITHM.as_bytes() {
            return Err(QueryFault::Algorithm);
        }
        let credential = String::from_utf8_lossy(&credential).into_owned();
        CredentialScope::parse(&credential).map_err(QueryFault::Credential)?;
        let signed_headers = text(signed_headers, QueryFault::SignedHeaders)?;
        if signed_headers.split(';').count() > HEADERS_MAX
            || !signed_headers.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(QueryFault::SignedHeaders);
        }
        Ok(Self {
            time: RequestTime::parse_basic(&date).ok_or(QueryFault::Date)?,
            expires_s: parse_expires(&expires)?,
            credential,
            signed_headers,
            signature: String::from_utf8_lossy(&signature).into_owned(),
            payload_hash: UNSIGNED_PAYLOAD.to_vec(),
        })
    }

    pub(super) fn credential_scope(&self) -> Result<CredentialScope<'_>, AuthError> {
        CredentialScope::parse(&self.credential)
            .map_err(|fault| AuthError::QueryMalformed(QueryFault::Credential(fault)))
    }

    /// Valid from its date, give or take the clocks' difference, until the end of its life.
    pub(super) fn check_validity(&self, now_unix_s: i64) -> Result<(), AuthError> {
        if self.time.is_in_the_future(now_unix_s) {
            return Err(AuthError::NotValidYet {
                request_time: self.time.basic().to_owned(),
                expires_s: self.expires_s,
                server_time_unix_s: now_unix_s,
            });
        }
        let expired_unix_s = self.time.unix_s().saturating_add_unsigned(self.expires_s);
        // A life of no seconds is over before it starts, whatever the clocks say.
        if self.expires_s == 0 || now_unix_s >= expired_unix_s {
            return Err(AuthError::Expired {
                expires_s: self.expires_s,
                expired_unix_s,
                server_time_unix_s: now_unix_s,
            });
        }
        Ok(())
    }

    /// The header that may be present without being signed: its value is in the canonical request anyway.
    pub(super) fn exempt_header() -> &'static str {
        CONTENT_SHA256
    }
}

fn parse_expires(text: &[u8]) -> Result<u64, QueryFault> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(QueryFault::ExpiresNotANumber);
    }
    if digits.len() != text.len() {
        return Err(QueryFault::ExpiresNegative);
    }
    // More digits than fit are a number still, and too large a one.
    let seconds =
        digits.iter().fold(0u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    if seconds > PRESIGNED_S_MAX {
        return Err(QueryFault::ExpiresTooLong);
    }
    Ok(seconds)
}
