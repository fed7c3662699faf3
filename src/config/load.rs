//! Builds the configuration: defaults < file < environment < flags.
//!
//! Each source is a list of texts for the keys of [`KEYS`]; all go through the same setter, so a value is
//! judged alike wherever it comes from. Whatever is not in the table is an error that names it.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::Path;

use toml::{Spanned, Table, Value};

use super::keys::Form;
use super::{AccessKeyConfig, Config, ConfigError, KEYS, Key, OrgPolicyConfig};

/// Variable that names the configuration file, where `--config` does not.
pub const FILE_VARIABLE: &str = "RINGSTONE_CONFIG";

const VARIABLE_PREFIX: &str = "RINGSTONE_";

/// Builds the configuration from a file, the process environment and flags, given as pairs of a key's name
/// and a text.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    flags: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut config = Config::default();
    if let Some(path) = file {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        apply_file(&mut config, &text, &path.display().to_string())?;
    }
    apply_environment(&mut config, environment)?;
    for (name, text) in flags {
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            return Err(ConfigError::UnknownKey {
                place: "flags".to_owned(),
                key: name,
                known: known_keys(),
            });
        };
        set(&mut config, key, &text, format!("flag --{}", key.flag))?;
    }
    check(config)
}

fn apply_file(config: &mut Config, text: &str, path: &str) -> Result<(), ConfigError> {
    let place_of = |offset: usize| {
        let line = text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
        format!("{path} line {}", line.saturating_add(1))
    };
    let entries: BTreeMap<String, Spanned<Value>> = toml::from_str(text).map_err(|error| {
        let place = error.span().map_or_else(|| path.to_owned(), |span| place_of(span.start));
        ConfigError::Syntax { place, message: error.message().to_owned() }
    })?;
    for (name, value) in entries {
        let place = place_of(value.span().start);
        if name == "access_keys" {
            config.access_keys =
                read_blocks("access_keys", value.get_ref(), &place, AccessKeyConfig::from_table)?;
        } else if name == "org_policies" {
            config.org_policies =
                read_blocks("org_policies", value.get_ref(), &place, OrgPolicyConfig::from_table)?;
        } else if let Some(table) =
            value.get_ref().as_table().filter(|table| !table.is_empty() || is_table(&name))
        {
            apply_table(config, &name, table, &place)?;
        } else if let Some(key) = KEYS.iter().find(|key| key.name == name) {
            set(config, key, &text_of(key, value.get_ref(), &place)?, place)?;
        } else {
            return Err(ConfigError::UnknownKey { place, key: name, known: known_keys() });
        }
    }
    Ok(())
}

/// The text of a value, if the file may write this key so.
fn text_of(key: &Key, value: &Value, place: &str) -> Result<String, ConfigError> {
    let allowed = match (key.form, value) {
        (Form::Text | Form::Quantity, Value::String(text)) => return Ok(text.clone()),
        (Form::Number | Form::Quantity, Value::Integer(number)) => return Ok(number.to_string()),
        (Form::Switch, Value::Boolean(on)) => return Ok(on.to_string()),
        (Form::List, Value::Array(items)) if items.iter().all(Value::is_str) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            return Ok(texts.join(","));
        }
        (Form::Text, _) => "a string",
        (Form::Quantity, _) => "a string with a unit, or a number of bytes",
        (Form::Number, _) => "a number",
        (Form::List, _) => "a list of strings",
        (Form::Switch, _) => "true or false",
    };
    Err(ConfigError::Value {
        key: key.name.to_owned(),
        value: value.to_string(),
        place: place.to_owned(),
        allowed: allowed.to_owned(),
    })
}

/// Whether some keys stand in a table of this name. Of a table without any, its keys are named, or itself where it is
/// empty.
fn is_table(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.split_once('.').is_some_and(|(table, _)| table == name))
}

/// The keys of a table: `day = 1` in `[name]` is the key `name.day`.
fn apply_table(config: &mut Config, name: &str, table: &Table, place: &str) -> Result<(), ConfigError> {
    for (field, value) in table {
        let full = format!("{name}.{field}");
        let Some(key) = KEYS.iter().find(|key| key.name == full) else {
            return Err(ConfigError::UnknownKey { place: place.to_owned(), key: full, known: known_keys() });
        };
        set(config, key, &text_of(key, value, place)?, place.to_owned())?;
    }
    Ok(())
}

/// The blocks `[[name]]`.
fn read_blocks<T>(
    name: &str,
    value: &Value,
    place: &str,
    read: fn(&Table, &str) -> Result<T, ConfigError>,
) -> Result<Vec<T>, ConfigError> {
    let fault = |index: usize| ConfigError::Block {
        place: place.to_owned(),
        field: format!("{name}[{index}]"),
        reason: format!("must be a table: write [[{name}]] above its keys"),
    };
    let blocks = value.as_array().ok_or_else(|| fault(0))?;
    let read = |(index, block): (usize, &Value)| {
        let table = block.as_table().ok_or_else(|| fault(index))?;
        read(table, &format!("{place}: {name}[{index}]"))
    };
    blocks.iter().enumerate().map(read).collect()
}

fn apply_environment(
    config: &mut Config,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(), ConfigError> {
    // Sorted, so that of several faults the same one is reported each time.
    let ours: BTreeMap<OsString, OsString> =
        environment.into_iter().filter(|(name, _)| is_ours(name) && name != FILE_VARIABLE).collect();
    for (name, value) in ours {
        let Some(key) = KEYS.iter().find(|key| name == *key.variable()) else {
            let known: Vec<String> = KEYS.iter().map(Key::variable).collect();
            return Err(ConfigError::UnknownVariable {
                name: name.to_string_lossy().into_owned(),
                known: known.join(", "),
            });
        };
        let place = format!("environment {}", key.variable());
        match value.to_str() {
            Some(text) => set(config, key, text, place)?,
            None => return Err(refusal(key, &value.to_string_lossy(), place, "UTF-8".to_owned())),
        }
    }
    Ok(())
}

fn is_ours(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(VARIABLE_PREFIX.as_bytes())
}

fn set(config: &mut Config, key: &Key, text: &str, place: String) -> Result<(), ConfigError> {
    (key.set)(config, text).map_err(|allowed| refusal(key, text, place, allowed))
}

fn refusal(key: &Key, text: &str, place: String, allowed: String) -> ConfigError {
    ConfigError::Value { key: key.name.to_owned(), value: format!("{text:?}"), place, allowed }
}

/// What no key can judge alone.
fn check(config: Config) -> Result<Config, ConfigError> {
    if config.listen == config.admin_listen && config.listen.port() != 0 {
        return Err(ConfigError::SameAddress { address: config.listen });
    }
    if !config.calendar.is_true() && !config.allow_test_clock {
        return Err(ConfigError::TestClock { key: "lifecycle.test_day_s" });
    }
    let mut seen = HashSet::new();
    if let Some(twice) = config.access_keys.iter().find(|key| !seen.insert(&key.access_key)) {
        return Err(ConfigError::DuplicateAccessKey { access_key: twice.access_key.clone() });
    }
    Ok(config)
}

fn known_keys() -> String {
    let mut names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    names.extend(["access_keys", "org_policies"]);
    names.join(", ")
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
