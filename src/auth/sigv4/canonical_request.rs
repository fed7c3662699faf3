//! The canonical request: the text that both sides hash. Whatever spelling a client chose on the wire, path
//! and query are decoded once and encoded again in the one canonical way.

use core::ops::Range;

use smallvec::SmallVec;

use crate::http::head::RequestHead;

/// Headers and query parameters whose values never leave the node in an error.
const SECRET_NAMES: [&str; 3] = [
    "x-amz-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-security-token",
];
const REDACTED: &[u8] = b"REDACTED";

/// Whether the text is hashed or shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Hash,
    /// Secret values are replaced.
    Show,
}

/// Path and query of a request target as sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub(super) path: &'a [u8],
    pub(super) query: &'a [u8],
}

impl<'a> Target<'a> {
    /// Of the origin form and the absolute form alike.
    pub(super) fn split(target: &'a [u8]) -> Self {
        let origin = if target.first() == Some(&b'/') {
            target
        } else {
            // `http://host/path`: the path starts behind the authority.
            let authority = memchr::memmem::find(target, b"://").map_or(target, |at| &target[at + 3..]);
            let end = authority.iter().position(|byte| matches!(byte, b'/' | b'?'));
            end.map_or(&[][..], |end| &authority[end..])
        };
        match memchr::memchr(b'?', origin) {
            Some(mark) => Self { path: &origin[..mark], query: &origin[mark + 1..] },
            None => Self { path: origin, query: &[] },
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `/` stays, `+` is a plus.
    Path,
    /// `/` is encoded, `+` is a blank.
    Query,
}

fn encode_canonically(raw: &[u8], place: Place, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let byte = match (byte, after) {
            (b'%', [high, low, after @ ..]) => match (hex_value(*high), hex_value(*low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    high << 4 | low
                }
                _ => byte,
            },
            (b'+', _) if place == Place::Query => b' ',
            _ => byte,
        };
        let kept = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~')
            || (byte == b'/' && place == Place::Path);
        if kept {
            out.push(byte);
        } else {
            out.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    // A hexadecimal digit fits a byte.
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// A query in canonical form: encoded, sorted, able to name its parameters.
#[derive(Debug)]
pub(super) struct CanonicalQuery {
    text: Vec<u8>,
    /// Sorted by name, then value, as encoded.
    pairs: SmallVec<[Pair; 12]>,
}

#[derive(Clone, Debug)]
struct Pair {
    name: Range<usize>,
    value: Range<usize>,
}

/// A parameter that must stand alone was given more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Repeated;

impl CanonicalQuery {
    pub(super) fn parse(raw: &[u8]) -> Self {
        let mut text = Vec::with_capacity(raw.len() + raw.len() / 4);
        let mut pairs = SmallVec::new();
        for segment in raw.split(|byte| *byte == b'&').filter(|segment| !segment.is_empty()) {
            let (name, value) = match memchr::memchr(b'=', segment) {
                Some(mark) => (&segment[..mark], &segment[mark + 1..]),
                None => (segment, &[][..]),
            };
            let start = text.len();
            encode_canonically(name, Place::Query, &mut text);
            let middle = text.len();
            encode_canonically(value, Place::Query, &mut text);
            pairs.push(Pair { name: start..middle, value: middle..text.len() });
        }
        let key = |pair: &Pair| (&text[pair.name.clone()], &text[pair.value.clone()]);
        pairs.sort_unstable_by(|left, right| key(left).cmp(&key(right)));
        Self { text, pairs }
    }

    /// Name and value as encoded.
    fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pairs.iter().map(|pair| (&self.text[pair.name.clone()], &self.text[pair.value.clone()]))
    }

    /// `name` is of unreserved characters, so that it is spelled the same when encoded.
    pub(super) fn has(&self, name: &str) -> bool {
        self.pairs().any(|(have, _)| have == name.as_bytes())
    }

    /// Decoded value of a parameter that may be given once.
    pub(super) fn single(&self, name: &str) -> Result<Option<Vec<u8>>, Repeated> {
        let mut values = self.pairs().filter(|(have, _)| *have == name.as_bytes());
        let Some((_, value)) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Repeated);
        }
        Ok(Some(percent_encoding::percent_decode(value).collect()))
    }

    fn write(&self, purpose: Purpose, out: &mut Vec<u8>) {
        let mut first = true;
        for (name, value) in self.pairs().filter(|(name, _)| *name != b"X-Amz-Signature") {
            if !first {
                out.push(b'&');
            }
            first = false;
            out.extend_from_slice(name);
            out.push(b'=');
            out.extend_from_slice(if purpose == Purpose::Show && is_secret(name) { REDACTED } else { value });
        }
    }
}

fn is_secret(name: &[u8]) -> bool {
    SECRET_NAMES.iter().any(|secret| secret.as_bytes().eq_ignore_ascii_case(name))
}

/// Appends the canonical request to `out`. A signed header that is absent leaves out its line, so that an
/// absent header and an empty one never look alike.
pub(super) fn write(
    head: &RequestHead,
    target: Target<'_>,
    query: &CanonicalQuery,
    signed_headers: &str,
    payload_hash: &[u8],
    purpose: Purpose,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(head.method_token());
    out.push(b'\n');
    if target.path.is_empty() {
        out.push(b'/');
    }
    encode_canonically(target.path, Place::Path, out);
    out.push(b'\n');
    query.write(purpose, out);
    out.push(b'\n');
    for name in signed_headers.split(';') {
        for (index, value) in head.headers_named(name).enumerate() {
            if index == 0 {
                out.extend_from_slice(name.as_bytes());
                out.push(b':');
            } else {
                out.push(b',');
            }
            if purpose == Purpose::Show && is_secret(name.as_bytes()) {
                out.extend_from_slice(REDACTED);
            } else {
                write_collapsed(value, out);
            }
        }
        if head.header(name).is_some() {
            out.push(b'\n');
        }
    }
    out.push(b'\n');
    out.extend_from_slice(signed_headers.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(payload_hash);
}

/// Runs of spaces become one; the head holds values without blanks around them.
fn write_collapsed(value: &[u8], out: &mut Vec<u8>) {
    let mut previous = 0;
    for &byte in value {
        if byte != b' ' || previous != b' ' {
            out.push(byte);
        }
        previous = byte;
    }
}

/// Names that the signature had to cover and does not: `host` and each `x-amz-*` header present.
/// `exempt`: bound by other means.
pub(super) fn headers_not_signed(
    head: &RequestHead,
    signed_headers: &str,
    exempt: Option<&str>,
) -> Vec<String> {
    let is_signed = |name: &[u8]| signed_headers.split(';').any(|signed| signed.as_bytes() == name);
    let mut names = Vec::new();
    if !is_signed(b"host") {
        names.push("host".to_owned());
    }
    for (name, _) in head.headers() {
        let covered = !name.starts_with(b"x-amz-")
            || exempt.is_some_and(|exempt| exempt.as_bytes() == name)
            || is_signed(name);
        if !covered {
            names.push(String::from_utf8_lossy(name).into_owned());
        }
    }
    names
}

#[cfg(test)]
#[path = "canonical_request_tests.rs"]
mod tests;
