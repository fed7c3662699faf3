//! Composition of the node. Placeholder for the binary to link against; `src/server` is written elsewhere.

use crate::config::Config;

/// Why the node stopped.
#[derive(Debug, thiserror::Error)]
#[error("the server is not part of this build")]
pub struct ServerError;

/// Runs the node until it is told to stop.
pub fn run(config: Config) -> Result<(), ServerError> {
    drop(config);
    Err(ServerError)
}
