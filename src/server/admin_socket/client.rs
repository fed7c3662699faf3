//! The side of the command line: finds the running node and asks it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::place;
use super::protocol::{self, Answer, LineError, Request};
use crate::config::limits::{ADMIN_ANSWER_BYTES_MAX, ADMIN_ANSWER_DEADLINE_S, ADMIN_DEADLINE_S};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("no node is running on the data directory {}", data_dir.display())]
    NoNode { data_dir: PathBuf },
    #[error("the node on {} cannot be reached as this user: use that of the node, or root", data_dir.display())]
    Forbidden { data_dir: PathBuf },
    #[error("cannot reach the node on {}: {source}", data_dir.display())]
    Connect { data_dir: PathBuf, source: io::Error },
    #[error("no answer from the node, which may have done it nevertheless: {0}")]
    Answer(LineError),
    #[error("{0}")]
    Refused(String),
}

/// Asks the node that runs on a data directory.
pub(crate) fn ask(data_dir: &Path, request: &Request) -> Result<Answer, AskError> {
    let stream = place::connect(data_dir).map_err(|source| {
        let data_dir = data_dir.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => AskError::NoNode { data_dir },
            io::ErrorKind::PermissionDenied => AskError::Forbidden { data_dir },
            _ => AskError::Connect { data_dir, source },
        }
    })?;
    // A node that refuses early closes before all of it was taken; what it said can still be read.
    let sent = protocol::send(&stream, request, Duration::from_secs(ADMIN_DEADLINE_S));
    let within = Duration::from_secs(ADMIN_ANSWER_DEADLINE_S);
    match (protocol::receive(&stream, ADMIN_ANSWER_BYTES_MAX, within), sent) {
        (Ok(Answer::Refused { message }), _) => Err(AskError::Refused(message)),
        (Ok(answer), _) => Ok(answer),
        (Err(_), Err(error)) => Err(AskError::Answer(error.into())),
        (Err(error), Ok(())) => Err(AskError::Answer(error)),
    }
}
