//! The credential of a signature: `AKID/20130524/us-east-1/s3/aws4_request`.

use crate::auth::error::CredentialFault;

const SERVICE: &str = "s3";
const TERMINAL: &str = "aws4_request";

/// A well-formed credential; service and terminal are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CredentialScope<'a> {
    /// The whole of it, which names a signing key uniquely.
    pub(super) text: &'a str,
    pub(super) access_key: &'a str,
    /// Eight digits.
    pub(super) day: &'a str,
    pub(super) region: &'a str,
}

impl<'a> CredentialScope<'a> {
    /// Read from the right: access keys may contain slashes.
    pub(super) fn parse(text: &'a str) -> Result<Self, CredentialFault> {
        let mut parts = text.rsplitn(5, '/');
        let (Some(terminal), Some(service), Some(region), Some(day), Some(access_key)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(CredentialFault::Shape);
        };
        // The region becomes a line of the string to sign: no control character may get there.
        if access_key.is_empty() || region.is_empty() || !region.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CredentialFault::Shape);
        }
        if terminal != TERMINAL {
            return Err(CredentialFault::Terminal(terminal.to_owned()));
        }
        if service != SERVICE {
            return Err(CredentialFault::Service(service.to_owned()));
        }
        if day.len() != 8 || !day.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CredentialFault::Day(day.to_owned()));
        }
        Ok(Self { text, access_key, day, region })
    }

    /// The credential without the access key, as the string to sign has it.
    pub(super) fn scope(&self) -> &'a str {
        &self.text[self.access_key.len() + 1..]
    }

    pub(super) fn check_day(&self, request_day: &str) -> Result<(), CredentialFault> {
        if self.day == request_day {
            return Ok(());
        }
        Err(CredentialFault::DayMismatch {
            credential_day: self.day.to_owned(),
            request_day: request_day.to_owned(),
        })
    }
}

#[cfg(test)]
#[path = "credential_scope_tests.rs"]
mod tests;
