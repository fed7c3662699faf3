//! The signature in an `Authorization` header.

use super::credential_scope::CredentialScope;
use crate::auth::error::{AuthError, HeaderFault};
use crate::config::limits::HEADERS_MAX;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The three components of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AuthorizationHeader<'a> {
    pub(super) scope: CredentialScope<'a>,
    pub(super) signed_headers: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> AuthorizationHeader<'a> {
    pub(super) fn parse(value: &'a [u8]) -> Result<Self, AuthError> {
        let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
        let (scheme, components) = value.split_at(end);
        if scheme == b"AWS" {
            return Err(AuthError::SignatureVersion2);
        }
        if scheme != ALGORITHM.as_bytes() {
            let scheme = String::from_utf8_lossy(scheme).into_owned();
            return Err(AuthError::UnsupportedScheme { scheme });
        }
        Self::components(components).map_err(AuthError::HeaderMalformed)
    }

    fn components(text: &'a [u8]) -> Result<Self, HeaderFault> {
        let text = core::str::from_utf8(text).map_err(|_| HeaderFault::Components)?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for component in text.split(',') {
            let (name, value) = component.trim().split_once('=').ok_or(HeaderFault::Components)?;
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(HeaderFault::Components),
            };
            if value.is_empty() || slot.replace(value).is_some() {
                return Err(HeaderFault::Components);
            }
        }
        let (Some(credential), Some(signed_headers), Some(signature)) =
            (credential, signed_headers, signature)
        else {
            return Err(HeaderFault::Components);
        };
        let scope = CredentialScope::parse(credential).map_err(HeaderFault::Credential)?;
        // More names than a request may have headers: only meant to make us search for them.
        if signed_headers.split(';').count() > HEADERS_MAX {
            return Err(HeaderFault::Components);
        }
        Ok(Self { scope, signed_headers, signature })
    }
}
