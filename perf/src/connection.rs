//! One keep-alive connection: a request out, a response in, on a blocking socket.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// Room for any response head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;
/// One read of a body; large enough that reads are few, small enough to stay in the cache.
const READ_BYTES: usize = 256 * 1024;
/// Bodies up to this size are sent in one piece with the head.
const JOINED_BYTES_MAX: usize = 64 * 1024;

pub(crate) struct Connection {
    stream: TcpStream,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
}

/// Why a request did not end with a response.
#[derive(Debug)]
pub(crate) enum RequestFailed {
    Io(io::Error),
    Malformed(&'static str),
}

impl From<io::Error> for RequestFailed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for RequestFailed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(formatter, "connection: {error}"),
            Self::Malformed(what) => write!(formatter, "response: {what}"),
        }
    }
}

impl Connection {
    pub(crate) fn open(authority: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(authority)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, outgoing: Vec::new(), incoming: vec![0; READ_BYTES] })
    }

    /// Sends `head` and `body`, reads the response and hands every piece of its body to `take`.
    /// Returns the status and the body's length.
    pub(crate) fn request(
        &mut self,
        head: &[u8],
        body: &[u8],
        mut take: impl FnMut(&[u8]),
    ) -> Result<(u16, usize), RequestFailed> {
        self.send(head, body)?;
        let mut filled = 0;
        let (status, length, head_bytes) = loop {
            let received = self.stream.read(&mut self.incoming[filled..])?;
            if received == 0 {
                return Err(RequestFailed::Malformed("closed before a whole head"));
            }
            filled += received;
            if let Some(parsed) = parse_head(&self.incoming[..filled])? {
                break parsed;
            }
            if filled > HEAD_BYTES_MAX {
                return Err(RequestFailed::Malformed("the head is too long"));
            }
        };
        let mut missing = length
            .checked_sub(filled - head_bytes)
            .ok_or(RequestFailed::Malformed("bytes after the body"))?;
        take(&self.incoming[head_bytes..filled]);
        while missing > 0 {
            let wanted = missing.min(READ_BYTES);
            let received = self.stream.read(&mut self.incoming[..wanted])?;
            if received == 0 {
                return Err(RequestFailed::Malformed("closed inside the body"));
            }
            take(&self.incoming[..received]);
            missing -= received;
        }
        Ok((status, length))
    }

    fn send(&mut self, head: &[u8], body: &[u8]) -> io::Result<()> {
        if body.len() > JOINED_BYTES_MAX {
            self.stream.write_all(head)?;
            return self.stream.write_all(body);
        }
        self.outgoing.clear();
        self.outgoing.extend_from_slice(head);
        self.outgoing.extend_from_slice(body);
        self.stream.write_all(&self.outgoing)
    }
}

/// Status, body length and head length, once the head is whole.
fn parse_head(bytes: &[u8]) -> Result<Option<(u16, usize, usize)>, RequestFailed> {
    let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut fields);
    let head_bytes = match response.parse(bytes) {
        Ok(httparse::Status::Complete(head_bytes)) => head_bytes,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(RequestFailed::Malformed("not HTTP")),
    };
    let status = response.code.unwrap_or_default();
    let length = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"));
    let length = match length {
        Some(field) => std::str::from_utf8(field.value).ok().and_then(|text| text.parse().ok()),
        None if status == 204 => Some(0),
        None => None,
    };
    let length = length.ok_or(RequestFailed::Malformed("no content length"))?;
    Ok(Some((status, length, head_bytes)))
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
