//! What a head says about the bytes after it: where the body ends and whether the connection goes on.
//!
//! The only place where Content-Length and Transfer-Encoding meet. Every combination on which two readers could
//! disagree is refused, for a disagreement is a smuggled request (RFC 9112 §11.2).

use super::head::RequestHead;

/// How the body of a request is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body (RFC 9112 §6.3, rule 7).
    None,
    Length(u64),
    Chunked,
}

/// Why a body cannot be delimited. Each ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    #[error("Content-Length and Transfer-Encoding exclude each other")]
    LengthAndCoding,
    #[error("more than one Content-Length")]
    SeveralLengths,
    #[error("Content-Length is not a decimal number of bytes")]
    BadLength,
    #[error("only one transfer coding, chunked, is served")]
    UnknownCoding,
    #[error("HTTP/1.0 has no transfer codings")]
    CodingInOldVersion,
}

/// Decides how the body is delimited, by RFC 9112 §6.3.
pub fn framing(head: &RequestHead) -> Result<Framing, FramingError> {
    let mut codings = head.headers_named("transfer-encoding");
    let mut lengths = head.headers_named("content-length");
    let coding = codings.next();
    let length = lengths.next();
    if let Some(coding) = coding {
        // RFC 9112 §6.1: "A server MAY reject a request that contains both".
        if length.is_some() {
            return Err(FramingError::LengthAndCoding);
        }
        // RFC 9112 §6.1: with HTTP/1.0, "treat the message as if the framing is faulty".
        if head.http_minor() == 0 {
            return Err(FramingError::CodingInOldVersion);
        }
        // RFC 9112 §6.1: "SHOULD respond with 501" to a coding not understood. A list, a second field and a
        // coding with parameters are all refused, `chunked, chunked` included; names are case-insensitive (§7).
        if codings.next().is_some() || !coding.eq_ignore_ascii_case(b"chunked") {
            return Err(FramingError::UnknownCoding);
        }
        return Ok(Framing::Chunked);
    }
    let Some(length) = length else { return Ok(Framing::None) };
    // RFC 9110 §8.6: duplicates, equal ones too, may be rejected. Nobody sends them in good faith.
    if lengths.next().is_some() {
        return Err(FramingError::SeveralLengths);
    }
    decimal(length).map(Framing::Length).ok_or(FramingError::BadLength)
}

/// RFC 9110 §8.6: Content-Length = 1*DIGIT. No sign, no blank, no list, no overflow.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// RFC 9112 §3.2: a request of HTTP/1.1 has exactly one Host field; one of HTTP/1.0 has at most one.
pub fn host_is_valid(head: &RequestHead) -> bool {
    let mut hosts = head.headers_named("host");
    let first = hosts.next();
    hosts.next().is_none() && (first.is_some() || head.http_minor() == 0)
}

/// What the client wishes for the connection after this request (RFC 9112 §9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// HTTP/1.1 without `close`.
    Keep,
    /// HTTP/1.0 with `keep-alive`: the response has to say it too.
    KeepIfSaid,
    Close,
}

/// Reads the Connection fields (RFC 9110 §7.6.1).
pub fn persistence(head: &RequestHead) -> Persistence {
    if lists_token(head, "connection", b"close") {
        Persistence::Close
    } else if head.http_minor() >= 1 {
        Persistence::Keep
    } else if lists_token(head, "connection", b"keep-alive") {
        Persistence::KeepIfSaid
    } else {
        Persistence::Close
    }
}

/// Whether the client waits for `100 Continue` before it sends the body. RFC 9110 §10.1.1: to be ignored in
/// HTTP/1.0. Other expectations are ignored: a 417 helps nobody.
pub fn expects_continue(head: &RequestHead) -> bool {
    head.http_minor() >= 1 && lists_token(head, "expect", b"100-continue")
}

fn lists_token(head: &RequestHead, field: &str, token: &[u8]) -> bool {
    head.headers_named(field)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(token))
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
