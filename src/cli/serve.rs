//! `ringstone serve`: configuration, root key, then the server until it is told to stop.

use std::io;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::{CommandError, credentials, logging};
use crate::config::{self, Config, ConfigError, FILE_VARIABLE, KEYS, Key};
use crate::server;

pub(super) const NAME: &str = "serve";

const CONFIG: &str = "config";

/// One flag for each scalar key of the configuration, under the key's name.
pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Serve objects until told to stop (SIGTERM or SIGINT)")
        .arg(file_argument())
        .args(KEYS.iter().map(flag))
}

/// The flag that names the configuration file.
pub(super) fn file_argument() -> Arg {
    Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help(format!("Configuration file (TOML) [env: {FILE_VARIABLE}]"))
}

/// The flag of a key.
pub(super) fn flag(key: &Key) -> Arg {
    let flag = Arg::new(key.name).long(key.flag).value_name(key.value_name).help(format!(
        "{} [env: {}]",
        key.help,
        key.variable()
    ));
    if key.is_switch() { flag.num_args(0..=1).default_missing_value("true") } else { flag }
}

pub(super) fn run(matches: &ArgMatches) -> Result<(), CommandError> {
    let mut config = load(matches, KEYS)?;
    logging::start(&config.log);
    server::probe()?;
    if config.access_keys.is_empty() {
        let (key, created) = credentials::load_or_create(&config.data_dir)?;
        if created {
            credentials::print_welcome(&mut io::stdout().lock(), &config, &key)
                .map_err(CommandError::Output)?;
        }
        config.access_keys.push(key);
    }
    server::run(&config)?;
    Ok(())
}

/// The configuration, by the file, the environment and those flags that the command line has.
pub(super) fn load(
    matches: &ArgMatches,
    keys: impl IntoIterator<Item = &'static Key>,
) -> Result<Config, ConfigError> {
    let named = matches.get_one::<PathBuf>(CONFIG).cloned();
    let file = named.or_else(|| std::env::var_os(FILE_VARIABLE).map(PathBuf::from));
    config::load(file.as_deref(), std::env::vars_os(), flags(matches, keys))
}

/// Those of the keys that the command line sets, with their texts.
pub(super) fn flags(
    matches: &ArgMatches,
    keys: impl IntoIterator<Item = &'static Key>,
) -> impl Iterator<Item = (String, String)> {
    keys.into_iter().filter_map(|key| {
        let text = matches.get_one::<String>(key.name)?;
        Some((key.name.to_owned(), text.clone()))
    })
}
