//! One line of the audit log.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

use crate::config::limits::{AUDIT_TEXT_BYTES_MAX, AUDIT_USER_AGENT_BYTES_MAX, KEY_BYTES_MAX};

/// What a request was and became. Every line has all of these fields, in this order; `None` is `null`.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Entry<'a> {
    /// When the request's head was whole.
    pub time: UnixMs,
    pub request_id: &'a str,
    /// The client's address.
    pub client: Option<std::net::IpAddr>,
    /// Whether the client's connection was TLS, as a trusted proxy says.
    pub secure: bool,
    /// The access key whose signature was verified, with its user and organisation.
    pub access_key: Option<&'a str>,
    pub user: Option<&'a str>,
    pub org: Option<&'a str>,
    /// Where none was verified: the access key that the request claims to be signed with. Proves nothing.
    pub claimed_access_key: Option<&'a str>,
    pub method: Option<&'a str>,
    pub operation: Option<&'a str>,
    pub bucket: Option<&'a str>,
    pub key: Option<&'a str>,
    /// The version that the request names.
    pub version_id: Option<&'a str>,
    pub status: u16,
    /// The code of an error answer.
    pub error: Option<&'a str>,
    /// Why the request was allowed or denied, where that was judged.
    pub decision: Option<&'a str>,
    /// Bytes of body that the request announced; `None` where it announced no length.
    pub bytes_in: Option<u64>,
    /// Bytes of body that the answer announced.
    pub bytes_out: u64,
    /// From the whole head to the answer being ready to send.
    pub duration_us: u64,
    pub user_agent: Option<&'a str>,
}

/// A time; written in UTC with milliseconds, as RFC 3339 has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnixMs(pub i64);

impl Serialize for UnixMs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        serializer.collect_str(&format_args!("{time:.3}"))
    }
}

impl Entry<'_> {
    /// The entry as a line, its end included.
    pub(super) fn line(&self) -> Vec<u8> {
        let entry = self.clipped();
        let mut line = Vec::with_capacity(LINE_BYTES_USUAL);
        // Numbers and texts into memory: nothing that could fail. If it did, half a line would be worse than none.
        if entry.serialize(&mut serde_json::Serializer::with_formatter(&mut line, Printable)).is_err() {
            line.clear();
        }
        line.push(b'\n');
        line
    }

    /// With every text as long as it may be.
    fn clipped(&self) -> Self {
        let text = |text| clip(text, AUDIT_TEXT_BYTES_MAX);
        Self {
            request_id: text(self.request_id),
            access_key: self.access_key.map(text),
            user: self.user.map(text),
            org: self.org.map(text),
            claimed_access_key: self.claimed_access_key.map(text),
            method: self.method.map(text),
            operation: self.operation.map(text),
            bucket: self.bucket.map(text),
            key: self.key.map(|key| clip(key, KEY_BYTES_MAX)),
            version_id: self.version_id.map(text),
            error: self.error.map(text),
            decision: self.decision.map(text),
            user_agent: self.user_agent.map(|agent| clip(agent, AUDIT_USER_AGENT_BYTES_MAX)),
            ..*self
        }
    }
}

/// Compact JSON that also escapes what is text to JSON and a command to a terminal, or a line end to some readers of
/// lines: DEL, the controls of ISO 6429 beyond ASCII, and Unicode's line and paragraph separators.
struct Printable;

impl Formatter for Printable {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // Most texts are plain ASCII, and looking at characters one by one costs more than all the rest of a line.
        if fragment.bytes().fold(0, u8::max) < 0x7f {
            return writer.write_all(fragment.as_bytes());
        }
        let is_odd = |character| matches!(character, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}');
        let mut rest = fragment;
        while let Some(at) = rest.find(is_odd) {
            let (plain, odd) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut characters = odd.chars();
            if let Some(character) = characters.next() {
                write!(writer, "\\u{:04x}", u32::from(character))?;
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// Room for an ordinary line without growing.
const LINE_BYTES_USUAL: usize = 768;

/// The start of a text, as many whole characters as fit.
fn clip(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
