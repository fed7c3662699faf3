//! The head of a request: request line and header fields, parsed once and owned.
//!
//! Stricter than `httparse` alone: every line must end in CRLF. What passes here has no folded field, no blank
//! before a colon, no control character but HTAB in a value, so that no two readers of the same bytes can
//! disagree about where a field ends.
//!
//! Owned, because the head outlives every await of its request; one copy of about a kilobyte buys a type
//! without lifetimes. All offsets point into `bytes` and are checked when the head is made.

use core::fmt;
use core::ops::Range;

use zeroize::Zeroize as _;

use crate::config::limits::{HEAD_BYTES_MAX, HEADER_SECTION_BYTES_MAX, HEADERS_MAX};

/// Request methods that S3 uses; any other token is kept as `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Head,
    Put,
    Post,
    Delete,
    Other,
}

/// Why a head was refused. Each of these ends the connection: what follows cannot be framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    #[error("the request line or a header field is malformed")]
    Malformed,
    #[error("the request line and headers exceed {HEAD_BYTES_MAX} bytes")]
    HeadTooLarge,
    #[error("the header section exceeds {HEADER_SECTION_BYTES_MAX} bytes or {HEADERS_MAX} fields")]
    HeaderSectionTooLarge,
    #[error("only HTTP/1.0 and HTTP/1.1 are served")]
    Version,
}

#[derive(Clone, Debug)]
struct Field {
    /// Lower-cased where it stands.
    name: Range<usize>,
    value: Range<usize>,
}

/// One parsed request head.
#[derive(Clone)]
pub struct RequestHead {
    bytes: Vec<u8>,
    method: Method,
    method_token: Range<usize>,
    target: Range<usize>,
    http_minor: u8,
    fields: Vec<Field>,
    is_secret: bool,
}

impl RequestHead {
    /// Parses the head at the start of `input`. `Ok(None)`: more bytes are needed. Otherwise the head and
    /// its length in bytes, the empty line included.
    pub fn parse(input: &[u8]) -> Result<Option<(Self, usize)>, HeadError> {
        let mut storage = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut storage);
        let length = match request.parse(input) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return incomplete(input, request.path),
            Err(httparse::Error::TooManyHeaders) => return Err(HeadError::HeaderSectionTooLarge),
            Err(httparse::Error::Version) => return Err(HeadError::Version),
            Err(_) => return Err(HeadError::Malformed),
        };
        if length > HEAD_BYTES_MAX {
            return Err(HeadError::HeadTooLarge);
        }
        if has_bare_line_feed(&input[..length]) {
            return Err(HeadError::Malformed);
        }
        let (Some(method), Some(target), Some(http_minor)) = (request.method, request.path, request.version)
        else {
            return Err(HeadError::Malformed);
        };
        let place = |part: &[u8]| place_in(input, part);
        let target = place(target.as_bytes());
        if length - target.end > HEADER_SECTION_BYTES_MAX {
            return Err(HeadError::HeaderSectionTooLarge);
        }
        let fields: Vec<Field> = request
            .headers
            .iter()
            .map(|header| Field {
                name: place(header.name.as_bytes()),
                // httparse hands out an empty slice of its own for an empty value.
                value: if header.value.is_empty() { 0..0 } else { place(header.value) },
            })
            .collect();
        let mut bytes = input[..length].to_vec();
        for field in &fields {
            bytes[field.name.clone()].make_ascii_lowercase();
        }
        let head = Self {
            method: method_of(method),
            method_token: place(method.as_bytes()),
            target,
            http_minor,
            fields,
            bytes,
            is_secret: false,
        };
        Ok(Some((head, length)))
    }

    /// Has the bytes wiped when the head is dropped. For whoever finds a secret in it.
    pub fn mark_secret(&mut self) {
        self.is_secret = true;
    }

    pub fn method(&self) -> Method {
        self.method
    }

    /// The method as sent.
    pub fn method_token(&self) -> &[u8] {
        &self.bytes[self.method_token.clone()]
    }

    /// The request target as sent: `/bucket/key?query` or the absolute form.
    pub fn target(&self) -> &[u8] {
        &self.bytes[self.target.clone()]
    }

    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    pub fn http_minor(&self) -> u8 {
        self.http_minor
    }

    /// Value of the first field with this lower-case name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers().find(|(have, _)| *have == name.as_bytes()).map(|(_, value)| value)
    }

    /// Values of all fields with this lower-case name, in order.
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers().filter(move |(have, _)| *have == name.as_bytes()).map(|(_, value)| value)
    }

    /// All fields in order: lower-case name, value without surrounding blanks.
    pub fn headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|field| (&self.bytes[field.name.clone()], &self.bytes[field.value.clone()]))
    }
}

impl Drop for RequestHead {
    fn drop(&mut self) {
        if self.is_secret {
            self.bytes.zeroize();
        }
    }
}

/// Values may be secret, and a presigned target is a right to act: this shows neither.
impl fmt::Debug for RequestHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = String::from_utf8_lossy(self.method_token());
        formatter
            .debug_struct("RequestHead")
            .field("method", &method)
            .field("fields", &self.fields.len())
            .finish_non_exhaustive()
    }
}

/// The verdict on a head whose end has not arrived: wait for more, or refuse what can no longer become one.
fn incomplete(input: &[u8], target: Option<&str>) -> Result<Option<(RequestHead, usize)>, HeadError> {
    if has_bare_line_feed(input) {
        return Err(HeadError::Malformed);
    }
    let after_target = target.map_or(0, |target| input.len() - place_in(input, target.as_bytes()).end);
    if after_target > HEADER_SECTION_BYTES_MAX {
        return Err(HeadError::HeaderSectionTooLarge);
    }
    if input.len() >= HEAD_BYTES_MAX {
        return Err(HeadError::HeadTooLarge);
    }
    Ok(None)
}

/// Where `part`, a slice of `whole`, stands in it.
fn place_in(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr() as usize - whole.as_ptr() as usize;
    start..start + part.len()
}

/// RFC 9112 §2.2 lets a recipient take a lone LF for a line end. We do not: a peer in front of us that does not
/// either would see other fields than we do. (A lone CR never passes `httparse`.)
fn has_bare_line_feed(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', bytes).any(|at| at == 0 || bytes[at - 1] != b'\r')
}

fn method_of(token: &str) -> Method {
    match token {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "PUT" => Method::Put,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        _ => Method::Other,
    }
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
