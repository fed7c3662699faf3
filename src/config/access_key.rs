//! One access key as the configuration and the credentials file hold it.
//!
//! Read field by field rather than by serde: serde's messages quote the value that they refuse, and here that
//! may be a secret.

use std::ops::RangeInclusive;

use toml::{Table, Value};

use super::limits::{ACCESS_KEY_BYTES, OWNER_NAME_BYTES_MAX, SECRET_KEY_BYTES};
use super::{ConfigError, Secret};

const FIELDS: [&str; 5] = ["access_key", "secret_key", "user", "display_name", "org"];

/// An access key, its secret and whom it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKeyConfig {
    pub access_key: String,
    pub secret_key: Secret,
    /// Owner ID in responses.
    pub user: String,
    pub display_name: String,
    /// Organisation that owns the buckets which this key creates.
    pub org: String,
}

impl AccessKeyConfig {
    /// Reads one key; `place` is the start of every message.
    pub fn from_table(table: &Table, place: &str) -> Result<Self, ConfigError> {
        let fault = |field: &str, reason: String| ConfigError::Block {
            place: place.to_owned(),
            field: field.to_owned(),
            reason,
        };
        if let Some(unknown) = table.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            let known = FIELDS.join(", ");
            return Err(ConfigError::UnknownKey { place: place.to_owned(), key: unknown.clone(), known });
        }
        let text = |field: &'static str| match table.get(field) {
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(fault(field, "must be a string".to_owned())),
            None => Err(fault(field, "is missing".to_owned())),
        };
        let checked = |field: &'static str, check: fn(&str) -> Result<(), String>| {
            let text = text(field)?;
            check(text).map(|()| text.to_owned()).map_err(|reason| fault(field, reason))
        };
        Ok(Self {
            access_key: checked("access_key", check_access_key)?,
            secret_key: Secret::new(checked("secret_key", check_secret_key)?),
            user: checked("user", check_owner_name)?,
            display_name: checked("display_name", check_owner_name)?,
            org: checked("org", check_org_name)?,
        })
    }
}

/// Whether this may be an access key; a refusal says what may. A comma would end the credential in an Authorization
/// header.
pub fn check_access_key(text: &str) -> Result<(), String> {
    check_signs(text, ACCESS_KEY_BYTES, |byte| byte.is_ascii_graphic() && byte != b',')
        .map_err(|range| format!("must be {range} printable ASCII characters without space and comma"))
}

/// Whether this may be a secret; a refusal says what may, and not what it was.
pub fn check_secret_key(text: &str) -> Result<(), String> {
    check_signs(text, SECRET_KEY_BYTES, |byte| byte.is_ascii_graphic())
        .map_err(|range| format!("must be {range} printable ASCII characters without space"))
}

/// Whether this may name an organisation. Names of users stand behind it in the ARN of a principal, so that with a colon
/// in it the members of one could pass for users of another.
pub fn check_org_name(text: &str) -> Result<(), String> {
    check_owner_name(text)?;
    if text.contains(':') { Err("must have no colon".to_owned()) } else { Ok(()) }
}

/// Whether this may name a user or an organisation: such names stand in XML and in records.
pub fn check_owner_name(text: &str) -> Result<(), String> {
    if (1..=OWNER_NAME_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(format!("must be 1 to {OWNER_NAME_BYTES_MAX} bytes of text without control characters"))
}

fn check_signs(text: &str, bytes: RangeInclusive<usize>, is_allowed: fn(u8) -> bool) -> Result<(), String> {
    if bytes.contains(&text.len()) && text.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(format!("{} to {}", bytes.start(), bytes.end()))
}

#[cfg(test)]
#[path = "access_key_tests.rs"]
mod tests;
