//! A policy of an organisation as the configuration names it.

use std::path::PathBuf;

use toml::{Table, Value};

use super::ConfigError;
use super::access_key::check_org_name;

const FIELDS: [&str; 2] = ["org", "file"];

/// What members of an organisation may do, beyond what buckets say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgPolicyConfig {
    pub org: String,
    /// The policy document, JSON. Read at start.
    pub file: PathBuf,
}

impl OrgPolicyConfig {
    /// Reads one block; `place` is the start of every message.
    pub fn from_table(table: &Table, place: &str) -> Result<Self, ConfigError> {
        if let Some(unknown) = table.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            let known = FIELDS.join(", ");
            return Err(ConfigError::UnknownKey { place: place.to_owned(), key: unknown.clone(), known });
        }
        let fault = |field: &str, reason: String| ConfigError::Block {
            place: place.to_owned(),
            field: field.to_owned(),
            reason,
        };
        let text = |field: &'static str| match table.get(field) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            Some(_) => Err(fault(field, "must be a string".to_owned())),
            None => Err(fault(field, "is missing".to_owned())),
        };
        let org = text("org")?;
        check_org_name(&org).map_err(|reason| fault("org", reason))?;
        Ok(Self { org, file: text("file")?.into() })
    }
}
