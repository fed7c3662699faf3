//! `ringstone config`: prints the annotated default configuration.

use clap::Command;

use super::{CommandError, print};
use crate::config::DEFAULT_TOML;

pub(super) const NAME: &str = "config";

pub(super) fn command() -> Command {
    Command::new(NAME).about("Print the annotated default configuration file")
}

pub(super) fn run() -> Result<(), CommandError> {
    print(DEFAULT_TOML.as_bytes())
}
