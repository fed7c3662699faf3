//! One line of the audit log.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::config::limits::{AUDIT_TEXT_BYTES_MAX, AUDIT_USER_AGENT_BYTES_MAX, KEY_BYTES_MAX};

/// What a request was and became. Every line has all of these fields, in this order; `None` is `null`.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Entry<'a> {
    /// When the request's head was whole, Unix milliseconds.
    #[serde(serialize_with = "rfc3339")]
    pub time: i64,
    #[serde(serialize_with = "text")]
    pub request_id: &'a str,
    /// The client's address.
    pub client: Option<std::net::IpAddr>,
    /// Whether the client's connection was TLS, as a trusted proxy says.
    pub secure: bool,
    /// The access key whose signature was verified, with its user and organisation.
    #[serde(serialize_with = "optional_text")]
    pub access_key: Option<&'a str>,
    #[serde(serialize_with = "optional_text")]
    pub user: Option<&'a str>,
    #[serde(serialize_with = "optional_text")]
    pub org: Option<&'a str>,
    /// Where none was verified: the access key that the request claims to be signed with. Proves nothing.
    #[serde(serialize_with = "optional_text")]
    pub claimed_access_key: Option<&'a str>,
    #[serde(serialize_with = "optional_text")]
    pub method: Option<&'a str>,
    #[serde(serialize_with = "optional_text")]
    pub operation: Option<&'a str>,
    #[serde(serialize_with = "optional_text")]
    pub bucket: Option<&'a str>,
    #[serde(serialize_with = "optional_key")]
    pub key: Option<&'a str>,
    /// The version that the request names.
    #[serde(serialize_with = "optional_text")]
    pub version_id: Option<&'a str>,
    pub status: u16,
    /// The code of an error answer.
    #[serde(serialize_with = "optional_text")]
    pub error: Option<&'a str>,
    /// Why the request was allowed or denied, where that was judged.
    #[serde(serialize_with = "optional_text")]
    pub decision: Option<&'a str>,
    /// Bytes of body that the request announced; `None` where it announced no length.
    pub bytes_in: Option<u64>,
    /// Bytes of body that the answer announced.
    pub bytes_out: u64,
    /// From the whole head to the answer being ready to send.
    pub duration_us: u64,
    #[serde(serialize_with = "optional_user_agent")]
    pub user_agent: Option<&'a str>,
}

impl Entry<'_> {
    /// The entry as a line, its end included.
    pub(super) fn to_line(self) -> Vec<u8> {
        let mut line = Vec::with_capacity(LINE_BYTES_USUAL);
        // Numbers and texts into memory: nothing that could fail. If it did, half a line would be worse than none.
        if serde_json::to_writer(&mut line, &self).is_err() {
            line.clear();
        }
        line.push(b'\n');
        line
    }
}

/// Room for an ordinary line without growing.
const LINE_BYTES_USUAL: usize = 768;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn rfc3339<S: Serializer>(unix_ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    let time = Timestamp::from_millisecond(*unix_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    serializer.collect_str(&format_args!("{time:.3}"))
}

fn text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(clip(text, AUDIT_TEXT_BYTES_MAX))
}

fn clipped<S: Serializer>(text: Option<&str>, bytes_max: usize, serializer: S) -> Result<S::Ok, S::Error> {
    text.map(|text| clip(text, bytes_max)).serialize(serializer)
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn optional_text<S: Serializer>(text: &Option<&str>, serializer: S) -> Result<S::Ok, S::Error> {
    clipped(*text, AUDIT_TEXT_BYTES_MAX, serializer)
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn optional_key<S: Serializer>(text: &Option<&str>, serializer: S) -> Result<S::Ok, S::Error> {
    clipped(*text, KEY_BYTES_MAX, serializer)
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn optional_user_agent<S: Serializer>(text: &Option<&str>, serializer: S) -> Result<S::Ok, S::Error> {
    clipped(*text, AUDIT_USER_AGENT_BYTES_MAX, serializer)
}

/// The start of a text, as many whole characters as fit.
fn clip(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
