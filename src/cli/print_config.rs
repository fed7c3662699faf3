//! `ringstone config`: prints the annotated default configuration.

use std::io::{self, Write};

use clap::Command;

use super::CommandError;
use crate::config::DEFAULT_TOML;

pub(super) const NAME: &str = "config";

pub(super) fn command() -> Command {
    Command::new(NAME).about("Print the annotated default configuration file")
}

pub(super) fn run() -> Result<(), CommandError> {
    match io::stdout().lock().write_all(DEFAULT_TOML.as_bytes()) {
        // `ringstone config | head` is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(CommandError::Output),
    }
}
