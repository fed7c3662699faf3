//! Subcommands of the binary, one file each: what a person types, and what is printed back.
//!
//! Standard output carries what was asked for (a configuration, the root key); everything else, the log
//! included, goes to standard error. Exit status 0 is success, 1 a failure while running, 2 a command line or
//! a configuration that is refused.

mod credentials;
mod logging;
mod print_config;
mod serve;

use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{ArgMatches, Command};

pub use credentials::{CredentialsError, load_or_create, print_welcome};

use crate::config::ConfigError;
use crate::server::ServerError;

/// Exit status of a refused command line (clap's own) or configuration.
const EXIT_USAGE: u8 = 2;

/// Why a subcommand failed.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("cannot write to standard output")]
    Output(#[source] std::io::Error),
}

/// Runs the command line of the process.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = command().try_get_matches_from(arguments).unwrap_or_else(|error| error.exit());
    let Err(error) = dispatch(&matches) else { return ExitCode::SUCCESS };
    eprintln!("ringstone: {}", with_causes(&error));
    match error {
        CommandError::Config(_) => ExitCode::from(EXIT_USAGE),
        _ => ExitCode::FAILURE,
    }
}

fn command() -> Command {
    Command::new("ringstone")
        .about("An S3-compatible object-storage node")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(serve::command())
        .subcommand(print_config::command())
}

fn dispatch(matches: &ArgMatches) -> Result<(), CommandError> {
    match matches.subcommand() {
        Some((serve::NAME, matches)) => serve::run(matches),
        Some((print_config::NAME, _)) => print_config::run(),
        // clap asks for a subcommand and knows no others.
        _ => Ok(()),
    }
}

/// The message with those of its causes that it does not already quote.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            let written = write!(text, ": {message}");
            debug_assert!(written.is_ok(), "a String takes every write");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
#[path = "cli_tests.rs"]
mod tests;
