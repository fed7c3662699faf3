//! Subcommands of the binary, one file each: what a person types, and what is printed back.
//!
//! Standard output carries what was asked for (a configuration, the root key); everything else, the log
//! included, goes to standard error. Exit status 0 is success, 1 a failure while running, 2 a command line or
//! a configuration that is refused.

mod credentials;
mod key;
mod logging;
mod node;
mod policy;
mod print_config;
mod serve;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{ArgMatches, Command};

pub use credentials::{CredentialsError, load_or_create, print_welcome};

use crate::config::ConfigError;
use crate::server::{AskError, ServerError, with_causes};

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
    #[error(transparent)]
    Node(#[from] AskError),
    #[error("the node answered something else than was asked: is it of another version?")]
    Answer,
    #[error("{0}")]
    Input(String),
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
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
        .subcommand(key::command())
        .subcommand(policy::command())
        .subcommand(print_config::command())
}

fn dispatch(matches: &ArgMatches) -> Result<(), CommandError> {
    match matches.subcommand() {
        Some((serve::NAME, matches)) => serve::run(matches),
        Some((key::NAME, matches)) => key::run(matches),
        Some((policy::NAME, matches)) => policy::run(matches),
        Some((print_config::NAME, _)) => print_config::run(),
        // clap asks for a subcommand and knows no others.
        _ => Ok(()),
    }
}

/// Writes what was asked for to standard output. A reader that has seen enough is no failure.
fn print(bytes: &[u8]) -> Result<(), CommandError> {
    match print_all(bytes) {
        Err(CommandError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// Writes what cannot be asked for again.
fn print_all(bytes: &[u8]) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(CommandError::Output)
}

/// Columns as wide as their widest cell, apart by two spaces.
fn table<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = std::iter::once(header.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    });
    lines.collect()
}

#[cfg(test)]
#[path = "cli_tests.rs"]
mod tests;
