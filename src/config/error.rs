//! Why a configuration is refused. Every message names the key, where it was set and what is allowed; none
//! quotes a secret, and so none quotes a line of the file.

use std::path::PathBuf;

/// A configuration that the node does not start with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },

    #[error("{place}: not TOML: {message}")]
    Syntax { place: String, message: String },

    #[error("{place}: unknown key `{key}`; known are {known}")]
    UnknownKey { place: String, key: String, known: String },

    #[error("unknown environment variable {name}; known are {known}")]
    UnknownVariable { name: String, known: String },

    #[error("{key} = {value} ({place}): must be {allowed}")]
    Value { key: String, value: String, place: String, allowed: String },

    #[error("listen and admin_listen are both {address}: they must differ")]
    SameAddress { address: std::net::SocketAddr },

    #[error("{place}: {field} {reason}")]
    Block { place: String, field: String, reason: String },

    #[error("{key} is for tests alone: it needs allow_test_clock = true")]
    TestClock { key: &'static str },

    #[error("access_keys: the access key {access_key} stands there twice")]
    DuplicateAccessKey { access_key: String },
}
