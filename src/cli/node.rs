//! The running node as subcommands see it: how it is found and asked.

use clap::{Arg, ArgMatches};

use super::{CommandError, serve};
use crate::config::{Config, ConfigError, KEYS, Key};
use crate::server::{self, Answer, Request};

/// Flags that find the node, as `serve` has them. To be put before or after the name of what is asked.
pub(super) fn arguments() -> impl Iterator<Item = Arg> {
    std::iter::once(serve::file_argument())
        .chain(place().map(serve::flag))
        .map(|argument| argument.global(true))
}

/// The one key of the configuration that says where a node is.
fn place() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|key| key.name == "data_dir")
}

/// The configuration of the node, as far as the flags have a say.
pub(super) fn configuration(matches: &ArgMatches) -> Result<Config, ConfigError> {
    serve::load(matches, place())
}

/// Asks the node; a refusal is an error.
pub(super) fn ask(matches: &ArgMatches, request: &Request) -> Result<Answer, CommandError> {
    Ok(server::ask(&configuration(matches)?.data_dir, request)?)
}
