//! Conditional reads (RFC 9110 §13): decides, from validators alone, whether a request goes on.

use super::date::parse_http;
use super::head::RequestHead;

/// The four preconditions of one request. A date that cannot be read is as good as absent (RFC 9110 §13.1.3,
/// §13.1.4: "A recipient MUST ignore … if the received field value is not a valid HTTP-date").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Field value as sent; several fields joined by commas.
    pub if_match: Option<Vec<u8>>,
    pub if_none_match: Option<Vec<u8>>,
    pub if_modified_since: Option<i64>,
    pub if_unmodified_since: Option<i64>,
}

/// What the preconditions decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Proceed,
    /// 304 for a read.
    NotModified,
    /// 412; names the field that failed.
    Failed(&'static str),
}

impl Conditions {
    /// The preconditions in a head.
    pub fn from_head(head: &RequestHead) -> Self {
        Self::from_prefixed(head, "")
    }

    /// The preconditions in fields whose lower-case names start with `prefix`: a request that names a second
    /// representation carries that one's conditions so.
    pub fn from_prefixed(head: &RequestHead, prefix: &str) -> Self {
        let date = |name: &str| head.header(&format!("{prefix}{name}")).and_then(parse_http);
        Self {
            if_match: joined(head, &format!("{prefix}if-match")),
            if_none_match: joined(head, &format!("{prefix}if-none-match")),
            if_modified_since: date("if-modified-since"),
            if_unmodified_since: date("if-unmodified-since"),
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Evaluates in the order of RFC 9110 §13.2.2 against a representation with this strong entity tag (without
    /// quotes) and modification time.
    pub fn evaluate(&self, etag: &str, last_modified_s: i64, now_s: i64) -> Verdict {
        // Step 1, and step 2 only where If-Match is absent.
        if let Some(tags) = &self.if_match {
            if !lists_tag(tags, etag, Comparison::Strong) {
                return Verdict::Failed("If-Match");
            }
        } else if self.if_unmodified_since.is_some_and(|date| last_modified_s > date) {
            return Verdict::Failed("If-Unmodified-Since");
        }
        // Step 3, and step 4 only where If-None-Match is absent.
        if let Some(tags) = &self.if_none_match {
            if lists_tag(tags, etag, Comparison::Weak) {
                return Verdict::NotModified;
            }
        } else if self.if_modified_since.is_some_and(|date| date <= now_s && last_modified_s <= date) {
            // A date later than our clock is invalid and ignored: the client cannot have read us then.
            return Verdict::NotModified;
        }
        Verdict::Proceed
    }
}

/// Whether a Range may be honoured under this If-Range value (RFC 9110 §13.1.5): the entity tag by strong
/// comparison, or the modification time exactly.
pub fn if_range_holds(value: &[u8], etag: &str, last_modified_s: i64) -> bool {
    match parse_http(value) {
        Some(date) => date == last_modified_s,
        None => TagMember::read(value.trim_ascii()).matches(etag, Comparison::Strong),
    }
}

fn joined(head: &RequestHead, name: &str) -> Option<Vec<u8>> {
    // RFC 9110 §5.3: several fields of a list-based name mean the same as one list.
    let mut values = head.headers_named(name);
    let mut list = values.next()?.to_vec();
    for value in values {
        list.extend_from_slice(b", ");
        list.extend_from_slice(value);
    }
    Some(list)
}

/// RFC 9110 §8.8.3.2.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    /// A weak tag equals nothing.
    Strong,
    /// The `W/` does not count.
    Weak,
}

/// A member of a list of entity tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagMember<'a> {
    /// `*`.
    Any,
    /// Without quotes. Tags that never had any are taken too: S3 clients send them.
    Tag { opaque: &'a [u8], weak: bool },
}

impl<'a> TagMember<'a> {
    fn read(member: &'a [u8]) -> Self {
        if member == b"*" {
            return Self::Any;
        }
        let (tag, weak) = match member.strip_prefix(b"W/") {
            Some(tag) => (tag, true),
            None => (member, false),
        };
        let opaque = tag.strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\"")).unwrap_or(tag);
        Self::Tag { opaque, weak }
    }

    fn matches(self, etag: &str, comparison: Comparison) -> bool {
        match self {
            Self::Any => true,
            Self::Tag { weak: true, .. } if comparison == Comparison::Strong => false,
            Self::Tag { opaque, .. } => opaque == etag.as_bytes(),
        }
    }
}

/// The members of the list that an If-Match or If-None-Match holds.
pub fn tag_members(list: &[u8]) -> impl Iterator<Item = TagMember<'_>> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let start = rest.iter().position(|byte| !matches!(byte, b',' | b' ' | b'\t'))?;
        let (member, after) = rest[start..].split_at(tag_end(&rest[start..]));
        rest = after;
        Some(TagMember::read(member.trim_ascii()))
    })
}

/// Whether a list of entity tags, or `*`, names this one.
fn lists_tag(list: &[u8], etag: &str, comparison: Comparison) -> bool {
    tag_members(list).any(|member| member.matches(etag, comparison))
}

/// Length of the list member at the start of `list`: a comma inside quotes belongs to the tag.
fn tag_end(list: &[u8]) -> usize {
    let quote = if list.starts_with(b"W/") { 2 } else { 0 };
    let quoted_bytes = match list.get(quote) {
        Some(b'"') => memchr::memchr(b'"', &list[quote + 1..]).map_or(0, |close| quote + close + 2),
        _ => 0,
    };
    let after = &list[quoted_bytes..];
    quoted_bytes + memchr::memchr(b',', after).unwrap_or(after.len())
}

#[cfg(test)]
#[path = "conditional_tests.rs"]
mod tests;
