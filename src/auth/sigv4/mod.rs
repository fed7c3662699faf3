//! AWS Signature Version 4: from a request head to an identity.
//!
//! Reads top to bottom in [`Authenticator::authenticate`]; the order of the checks is the order in which
//! faults are reported, and clients depend on it.

mod authorization_header;
mod canonical_request;
mod chunk_signature;
mod credential_scope;
mod presigned_url;
mod signing_key;
mod string_to_sign;

use core::cell::RefCell;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroize as _;

use self::authorization_header::AuthorizationHeader;
use self::canonical_request::{CanonicalQuery, Purpose, Target};
use self::credential_scope::CredentialScope;
use self::presigned_url::PresignedUrl;
use self::signing_key::{SigningKey, SigningKeys};
use super::clock_skew::RequestTime;
use super::credential::{Credential, KeyRing};
use super::error::{AuthError, HeaderFault, SignatureMismatch};
use super::payload_seal::{self, PayloadHash, PayloadSeal};
use super::{Authentication, Identity};
use crate::http::head::RequestHead;

pub use chunk_signature::ChunkSigner;

const SECURITY_TOKEN_HEADER: &str = "x-amz-security-token";
const SECURITY_TOKEN_PARAMETER: &str = "X-Amz-Security-Token";

/// Verifies requests on one core; owns that core's signing keys.
#[derive(Debug)]
pub struct Authenticator {
    keys: KeyRing,
    signing_keys: RefCell<SigningKeys>,
    /// Memory of the canonical request, used again for each request. Empty and wiped in between.
    canonical: RefCell<Vec<u8>>,
}

/// A request under judgement.
#[derive(Clone, Copy)]
struct Subject<'a> {
    head: &'a RequestHead,
    target: Target<'a>,
    query: &'a CanonicalQuery,
}

/// What a signature says of itself, from either place.
struct Claim<'a> {
    scope: CredentialScope<'a>,
    time: RequestTime,
    signed_headers: &'a str,
    signature: &'a str,
    payload_hash: &'a [u8],
    presigned: bool,
}

impl Authenticator {
    pub fn new(keys: KeyRing) -> Self {
        Self { keys, signing_keys: RefCell::default(), canonical: RefCell::default() }
    }

    /// Who sent this request, and what its signature says of the body.
    pub fn authenticate(&self, head: &RequestHead, now_unix_s: i64) -> Result<Authentication, AuthError> {
        let target = Target::split(head.target());
        let query = &CanonicalQuery::parse(target.query);
        let subject = Subject { head, target, query };
        let mut authorizations = head.headers_named("authorization");
        match (authorizations.next(), presigned_url::is_presigned(query)) {
            (Some(_), true) => Err(AuthError::TwoMechanisms),
            (Some(_), false) if authorizations.next().is_some() => {
                Err(AuthError::HeaderMalformed(HeaderFault::Repeated))
            }
            (Some(authorization), false) => self.authenticate_header(subject, authorization, now_unix_s),
            (None, true) => self.authenticate_presigned(subject, now_unix_s),
            (None, false) if presigned_url::is_version_2(query) => Err(AuthError::SignatureVersion2),
            (None, false) => Ok(Authentication::Anonymous),
        }
    }

    fn authenticate_header(
        &self,
        subject: Subject<'_>,
        authorization: &[u8],
        now_unix_s: i64,
    ) -> Result<Authentication, AuthError> {
        let AuthorizationHeader { scope, signed_headers, signature } =
            AuthorizationHeader::parse(authorization)?;
        let time = request_time(subject.head).ok_or(AuthError::DateInvalid)?;
        if time.is_skewed(now_unix_s) {
            return Err(AuthError::TimeTooSkewed {
                request_time: time.basic().to_owned(),
                server_time_unix_s: now_unix_s,
            });
        }
        let credential = self.find(&scope)?;
        scope
            .check_day(time.day())
            .map_err(|fault| AuthError::HeaderMalformed(HeaderFault::Credential(fault)))?;
        let payload_hash =
            payload_seal::content_sha256_header(subject.head)?.ok_or(AuthError::ContentSha256Missing)?;
        let claim = Claim { scope, time, signed_headers, signature, payload_hash, presigned: false };
        self.verify(subject, &claim, credential)
    }

    fn authenticate_presigned(
        &self,
        subject: Subject<'_>,
        now_unix_s: i64,
    ) -> Result<Authentication, AuthError> {
        let url = PresignedUrl::parse(subject.query, subject.head)?;
        url.check_validity(now_unix_s)?;
        let scope = url.credential_scope()?;
        let credential = self.find(&scope)?;
        let claim = Claim {
            scope,
            time: url.time,
            signed_headers: &url.signed_headers,
            signature: &url.signature,
            payload_hash: &url.payload_hash,
            presigned: true,
        };
        self.verify(subject, &claim, credential)
    }

    fn find(&self, scope: &CredentialScope<'_>) -> Result<Arc<Credential>, AuthError> {
        self.keys
            .find(scope.access_key)
            .ok_or_else(|| AuthError::UnknownAccessKey { access_key: scope.access_key.to_owned() })
    }

    fn verify(
        &self,
        subject: Subject<'_>,
        claim: &Claim<'_>,
        credential: Arc<Credential>,
    ) -> Result<Authentication, AuthError> {
        let payload_hash = PayloadHash::parse(claim.payload_hash)?;
        let exempt = claim.presigned.then(PresignedUrl::exempt_header);
        let names = canonical_request::headers_not_signed(subject.head, claim.signed_headers, exempt);
        if !names.is_empty() {
            return Err(AuthError::HeadersNotSigned { names });
        }
        let string_to_sign = self.string_to_sign(subject, claim);
        let kept = self.signing_keys.borrow().find(&claim.scope, &credential);
        let is_new = kept.is_none();
        let key = kept.unwrap_or_else(|| SigningKey::derive(&credential, &claim.time, claim.scope.region));
        let (signature, equal) = key.verify(&string_to_sign, claim.signature.as_bytes());
        if !equal {
            return Err(mismatch(subject, claim, string_to_sign));
        }
        if is_new {
            self.signing_keys.borrow_mut().keep(&claim.scope, &credential, key.clone());
        }
        if subject.head.header(SECURITY_TOKEN_HEADER).is_some() || subject.query.has(SECURITY_TOKEN_PARAMETER)
        {
            return Err(AuthError::SecurityToken);
        }
        let signer = || ChunkSigner::new(key, claim.time.basic(), claim.scope.scope(), signature);
        let seal = match payload_hash {
            PayloadHash::Unsigned => PayloadSeal::Unsigned,
            PayloadHash::Sha256(sha256) => PayloadSeal::Sha256(sha256),
            PayloadHash::UnsignedTrailer => PayloadSeal::UnsignedTrailer,
            PayloadHash::Signed => PayloadSeal::Signed(signer()),
            PayloadHash::SignedTrailer => PayloadSeal::SignedTrailer(signer()),
        };
        Ok(Authentication::Signed {
            identity: Identity(credential),
            seal,
            presigned: claim.presigned,
            signed_unix_s: claim.time.unix_s(),
        })
    }

    fn string_to_sign(&self, subject: Subject<'_>, claim: &Claim<'_>) -> String {
        let mut canonical = self.canonical.borrow_mut();
        write_canonical(subject, claim, Purpose::Hash, &mut canonical);
        let hash = Sha256::digest(canonical.as_slice()).into();
        // The text holds every signed header, a customer's key among them.
        canonical.as_mut_slice().zeroize();
        canonical.clear();
        string_to_sign::of_request(&claim.time, &claim.scope, &hash)
    }
}

fn write_canonical(subject: Subject<'_>, claim: &Claim<'_>, purpose: Purpose, out: &mut Vec<u8>) {
    let Subject { head, target, query } = subject;
    canonical_request::write(head, target, query, claim.signed_headers, claim.payload_hash, purpose, out);
}

fn mismatch(subject: Subject<'_>, claim: &Claim<'_>, string_to_sign: String) -> AuthError {
    let mut canonical = Vec::new();
    write_canonical(subject, claim, Purpose::Show, &mut canonical);
    AuthError::SignatureMismatch(Box::new(SignatureMismatch {
        access_key: claim.scope.access_key.to_owned(),
        string_to_sign,
        signature_provided: claim.signature.to_owned(),
        canonical_request: String::from_utf8_lossy(&canonical).into_owned(),
    }))
}

/// `x-amz-date`, or `Date` where that is absent. Two of the one that counts are as bad as none.
fn request_time(head: &RequestHead) -> Option<RequestTime> {
    let single = |name| {
        let mut values = head.headers_named(name);
        values.next().filter(|_| values.next().is_none())
    };
    if head.header("x-amz-date").is_some() {
        return RequestTime::parse_date_header(single("x-amz-date")?);
    }
    RequestTime::parse_date_header(single("date")?)
}

#[cfg(test)]
pub(crate) mod oracle;

#[cfg(test)]
#[path = "authenticator_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "tampering_tests.rs"]
mod tampering_tests;

#[cfg(test)]
#[path = "documented_examples_tests.rs"]
mod documented_examples_tests;

#[cfg(test)]
#[path = "fault_order_tests.rs"]
mod fault_order_tests;
