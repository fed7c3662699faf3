//! One question and one answer, each an object of JSON on a line.
//!
//! Errors about a question never quote it: it may hold a secret.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::config::Secret;

/// Room for a line at first: a line with a secret in it fits, so that no copies of it are left behind.
const LINE_BYTES: usize = 4096;

/// What may be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    CreateKey {
        access_key: Option<String>,
        secret_key: Option<WireSecret>,
        user: String,
        display_name: String,
        org: String,
    },
    ListKeys {
        org: Option<String>,
    },
    DisableKey {
        access_key: String,
    },
    EnableKey {
        access_key: String,
    },
    DeleteKey {
        access_key: String,
    },
    PutPolicy {
        org: String,
        document: String,
    },
    GetPolicy {
        org: String,
    },
    DeletePolicy {
        org: String,
    },
    ListPolicies {},
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Done {},
    KeyMade(KeyMade),
    Keys(Vec<KeyShown>),
    Policy {
        document: String,
    },
    Policies(Vec<PolicyShown>),
    /// Nothing was changed.
    Refused {
        message: String,
    },
}

/// A new key, and its secret where the node made it up.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeyMade {
    pub(crate) key: KeyShown,
    pub(crate) secret_key: Option<WireSecret>,
}

/// An access key without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyShown {
    pub(crate) access_key: String,
    pub(crate) user: String,
    pub(crate) display_name: String,
    pub(crate) org: String,
    /// Unknown for keys of the configuration.
    pub(crate) created_ms: Option<i64>,
    pub(crate) state: KeyState,
    pub(crate) source: KeySource,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyState {
    Enabled,
    Disabled,
    /// Stored, but the configuration has a key of the same name.
    Hidden,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeySource {
    /// The configuration file, or the root key of `credentials`.
    File,
    Stored,
}

/// A policy of an organisation without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyShown {
    pub(crate) org: String,
    /// Where the configuration names it; `None`: stored.
    pub(crate) file: Option<String>,
    pub(crate) bytes: usize,
}

/// A secret on its way between the two processes.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct WireSecret(Zeroizing<String>);

impl WireSecret {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<Secret> for WireSecret {
    fn from(secret: Secret) -> Self {
        Self(Zeroizing::new(secret.expose().to_owned()))
    }
}

impl From<WireSecret> for Secret {
    fn from(mut secret: WireSecret) -> Self {
        Self::new(std::mem::take(&mut *secret.0))
    }
}

impl fmt::Debug for WireSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WireSecret(redacted)")
    }
}

impl Request {
    /// Its name, for the log.
    pub(crate) fn command(&self) -> &'static str {
        match self {
            Self::CreateKey { .. } => "create key",
            Self::ListKeys { .. } => "list keys",
            Self::DisableKey { .. } => "disable key",
            Self::EnableKey { .. } => "enable key",
            Self::DeleteKey { .. } => "delete key",
            Self::PutPolicy { .. } => "put policy",
            Self::GetPolicy { .. } => "get policy",
            Self::DeletePolicy { .. } => "delete policy",
            Self::ListPolicies {} => "list policies",
        }
    }

    /// The access key or the organisation that it is about, for the log.
    pub(crate) fn subject(&self) -> &str {
        match self {
            Self::CreateKey { access_key: subject, .. } | Self::ListKeys { org: subject } => {
                subject.as_deref().unwrap_or_default()
            }
            Self::DisableKey { access_key: subject }
            | Self::EnableKey { access_key: subject }
            | Self::DeleteKey { access_key: subject }
            | Self::PutPolicy { org: subject, .. }
            | Self::GetPolicy { org: subject }
            | Self::DeletePolicy { org: subject } => subject,
            Self::ListPolicies {} => "",
        }
    }
}

/// Why there is no message.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the other end closed the connection")]
    Closed,
    #[error("longer than {0} bytes")]
    TooLong(usize),
    #[error("not understood, from column {0} on")]
    Syntax(usize),
}

/// Reads one message, whole within a time.
pub(crate) fn receive<T: DeserializeOwned>(
    stream: &UnixStream,
    bytes_max: usize,
    within: Duration,
) -> Result<T, LineError> {
    let line = read_line(stream, bytes_max, Instant::now() + within)?;
    serde_json::from_slice(&line).map_err(|error| LineError::Syntax(error.column()))
}

/// Sends one message; all of it must be taken within a time.
pub(crate) fn send<T: Serialize>(stream: &UnixStream, message: &T, within: Duration) -> io::Result<()> {
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_BYTES));
    serde_json::to_writer(&mut *line, message)?;
    line.push(b'\n');
    let deadline = Instant::now() + within;
    let (mut stream, mut rest) = (stream, line.as_slice());
    while !rest.is_empty() {
        stream.set_write_timeout(Some(left_until(deadline)?))?;
        // The kernel waits as long for each page of a write. So only one.
        match stream.write(&rest[..rest.len().min(LINE_BYTES)]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Time that is left; an error where none is, which is no timeout to a socket.
fn left_until(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn read_line(
    mut stream: &UnixStream,
    bytes_max: usize,
    deadline: Instant,
) -> Result<Zeroizing<Vec<u8>>, LineError> {
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_BYTES));
    let mut piece = Zeroizing::new([0; LINE_BYTES]);
    loop {
        stream.set_read_timeout(Some(left_until(deadline)?))?;
        let read = match stream.read(piece.as_mut_slice()) {
            Ok(0) => return Err(LineError::Closed),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // What a timeout of a socket is called.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::Error::from(io::ErrorKind::TimedOut).into());
            }
            Err(error) => return Err(error.into()),
        };
        let end = piece[..read].iter().position(|byte| *byte == b'\n');
        line.extend_from_slice(&piece[..end.unwrap_or(read)]);
        if line.len() > bytes_max {
            return Err(LineError::TooLong(bytes_max));
        }
        if end.is_some() {
            return Ok(line);
        }
    }
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
