//! The request target (RFC 9112 §3.2): split into path and query, percent-decoded.
//!
//! The raw bytes are what a signature covers; the decoded ones are what an operation works with. Both are
//! offered, and neither is normalised: `.`, `..` and empty segments are ordinary parts of a key.

/// A request target that is neither origin-form nor absolute-form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request target is neither a path nor an absolute http URI")]
pub struct BadTarget;

/// Percent-encoding that cannot be decoded, or a query that is not UTF-8 once decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the percent-encoding is broken")]
pub struct BadEncoding;

/// Path, query (without `?`) and, of an absolute-form, authority.
pub type TargetParts<'a> = (&'a [u8], Option<&'a [u8]>, Option<&'a [u8]>);

/// Splits a request target.
///
/// Asterisk-form and authority-form (RFC 9112 §3.2.3, §3.2.4) belong to `OPTIONS *` and CONNECT, which nothing
/// here serves.
pub fn split(target: &[u8]) -> Result<TargetParts<'_>, BadTarget> {
    // RFC 9110 §7.1: a target URI excludes the fragment; a client that sends one is confused about more.
    if target.contains(&b'#') {
        return Err(BadTarget);
    }
    // RFC 9112 §3.2.1, origin-form = absolute-path [ "?" query ].
    if target.first() == Some(&b'/') {
        let (path, query) = split_query(target);
        return Ok((path, query, None));
    }
    // RFC 9112 §3.2.2: a server MUST accept the absolute-form.
    let rest = strip_scheme(target).ok_or(BadTarget)?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    // RFC 9110 §4.2.1: an empty host is invalid; §4.2.4: user information here is an attempt to mislead.
    if authority.is_empty() || authority.first() == Some(&b':') || authority.contains(&b'@') {
        return Err(BadTarget);
    }
    let (path, query) = split_query(rest);
    // RFC 9110 §4.2.3: an empty path is the same as "/".
    let path = if path.is_empty() { b"/" } else { path };
    Ok((path, query, Some(authority)))
}

fn split_query(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'?', target) {
        Some(at) => (&target[..at], Some(&target[at + 1..])),
        None => (target, None),
    }
}

fn strip_scheme(target: &[u8]) -> Option<&[u8]> {
    // RFC 3986 §3.1: schemes are case-insensitive.
    [&b"http://"[..], b"https://"].into_iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

/// Decodes `%XX` (RFC 3986 §2.1). `+` is itself; a `%` without two hexadecimal digits is an error, for a guess
/// about what was meant would store a key under another name.
pub fn percent_decode(encoded: &[u8]) -> Result<Vec<u8>, BadEncoding> {
    decode(encoded, false)
}

fn decode(encoded: &[u8], plus_is_space: bool) -> Result<Vec<u8>, BadEncoding> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded.iter();
    while let Some(&byte) = rest.next() {
        decoded.push(match byte {
            b'%' => hex_digit(rest.next())? << 4 | hex_digit(rest.next())?,
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    Ok(decoded)
}

fn hex_digit(byte: Option<&u8>) -> Result<u8, BadEncoding> {
    match byte {
        Some(digit @ b'0'..=b'9') => Ok(digit - b'0'),
        Some(letter @ b'a'..=b'f') => Ok(letter - b'a' + 10),
        Some(letter @ b'A'..=b'F') => Ok(letter - b'A' + 10),
        _ => Err(BadEncoding),
    }
}

/// The decoded query: pairs in the order sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Decodes the part after `?`. `+` is a space, as in forms; a name without `=` has the value "". Empty
    /// pairs (`&&`) are dropped.
    pub fn parse(raw: &[u8]) -> Result<Self, BadEncoding> {
        let text = |part: &[u8]| {
            decode(part, true).and_then(|bytes| String::from_utf8(bytes).map_err(|_| BadEncoding))
        };
        let mut pairs = Vec::new();
        for pair in raw.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = match memchr::memchr(b'=', pair) {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &b""[..]),
            };
            pairs.push((text(name)?, text(value)?));
        }
        Ok(Self { pairs })
    }

    /// Value of the first pair of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs().find(|(have, _)| *have == name).map(|(_, value)| value)
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
