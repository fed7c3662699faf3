//! Responses: what a service returns, and its head as bytes.
//!
//! Only here are Content-Length, Transfer-Encoding and Connection written; fields of these names that a service
//! sets are dropped. Whatever a field value holds, it stays inside its line.

use std::borrow::Cow;
use std::future::Future;
use std::io::Write as _;
use std::pin::Pin;

use ringstone_io::net::Gather;

use super::chunked::is_token;

/// A response before it is framed.
pub struct Response {
    pub status: u16,
    pub headers: Vec<(Cow<'static, str>, Vec<u8>)>,
    pub body: ResponseBody,
    /// Close the connection after this response, whatever the client wishes.
    pub close: bool,
}

pub enum ResponseBody {
    Empty,
    Bytes(Vec<u8>),
    /// Exactly `length` bytes; a source that yields fewer or more has its connection cut.
    Stream {
        length: u64,
        source: Box<dyn ByteStream>,
    },
    /// For HEAD: announce what GET would send, send none of it.
    HeadOf {
        length: u64,
    },
}

/// What [`ByteStream::next`] returns.
pub type NextPiece<'a> = Pin<Box<dyn Future<Output = Result<Option<Gather>, StreamFailed>> + 'a>>;

/// A body in pieces, each in a buffer of its own. The buffer goes back to its pool when the piece is sent.
pub trait ByteStream {
    /// The next piece; `None` after the last. The head of the response goes out together with the first piece, so
    /// pieces should come without one of their own.
    fn next(&mut self) -> NextPiece<'_>;
}

/// The rest of a body cannot be had. The status has gone out, so all that is left is to cut the connection: the
/// client sees fewer bytes than were announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rest of the response body is not available")]
pub struct StreamFailed;

impl Response {
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: ResponseBody::Empty, close: false }
    }

    #[must_use]
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Vec<u8>>) -> Self {
        self.push_header(name, value);
        self
    }

    #[must_use]
    pub fn body(mut self, body: ResponseBody) -> Self {
        self.body = body;
        self
    }

    #[must_use]
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    pub fn push_header(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Vec<u8>>) {
        self.headers.push((name.into(), value.into()));
    }

    /// Splits the response into bytes that are ready now and what is streamed after them.
    pub(super) fn into_outgoing(self, to_head_request: bool, connection: ConnectionField) -> Outgoing {
        let status = if (200..=599).contains(&self.status) { self.status } else { 500 };
        let bodyless = to_head_request || matches!(status, 204 | 304);
        let ready_bytes = match &self.body {
            ResponseBody::Bytes(bytes) if !bodyless => bytes.len(),
            _ => 0,
        };
        let mut first = Vec::with_capacity(HEAD_BYTES_USUAL + ready_bytes);
        let _ = write!(first, "HTTP/1.1 {status} {}\r\n", reason(status));
        for (name, value) in &self.headers {
            append_field(&mut first, name, value);
        }
        // RFC 9110 §8.6: no Content-Length in a 204. In a 304 it would speak of the 200 response that we did not
        // work out.
        if !matches!(status, 204 | 304) {
            let _ = write!(first, "Content-Length: {}\r\n", self.body.length());
        }
        first.extend_from_slice(match connection {
            ConnectionField::Absent => b"",
            ConnectionField::KeepAlive => b"Connection: keep-alive\r\n",
            ConnectionField::Close => b"Connection: close\r\n",
        });
        first.extend_from_slice(b"\r\n");
        let stream = match self.body {
            _ if bodyless => None,
            ResponseBody::Bytes(bytes) => {
                first.extend_from_slice(&bytes);
                None
            }
            ResponseBody::Stream { length, source } => Some((length, source)),
            ResponseBody::Empty | ResponseBody::HeadOf { .. } => None,
        };
        Outgoing { first, stream }
    }
}

impl ResponseBody {
    /// Bytes that the response announces.
    pub fn length(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stream { length, .. } | Self::HeadOf { length } => *length,
        }
    }
}

/// What a response says about the connection (RFC 9112 §9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionField {
    Absent,
    KeepAlive,
    Close,
}

/// A response ready to be sent.
pub(super) struct Outgoing {
    /// The head, and the body too where it is in memory: one send.
    pub(super) first: Vec<u8>,
    /// Length and source of what follows.
    pub(super) stream: Option<(u64, Box<dyn ByteStream>)>,
}

/// Room for an ordinary head without growing.
const HEAD_BYTES_USUAL: usize = 512;

/// Fields that the framing owns.
const FRAMING_FIELDS: [&str; 4] = ["content-length", "transfer-encoding", "connection", "keep-alive"];

/// Appends one field line. A name that is no token, or that belongs to the framing, drops the line. In values,
/// control characters become blanks: RFC 9110 §5.5 asks for that on forwarding CR, LF and NUL, and it is what
/// keeps stored metadata from writing lines of its own.
fn append_field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    let is_framing = FRAMING_FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name));
    if name.is_empty() || !name.bytes().all(is_token) || is_framing {
        return;
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend(value.iter().map(|byte| if byte.is_ascii_control() && *byte != b'\t' { b' ' } else { *byte }));
    out.extend_from_slice(b"\r\n");
}

/// RFC 9110 §15; clients do not read it, people do.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        416 => "Range Not Satisfiable",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        // RFC 9112 §4: the reason may be empty, the blank before it may not be left out.
        _ => "",
    }
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
