//! `ringstone key`: the access keys of the running node.

use std::io::{self, Read};

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{CommandError, node, print, print_all, table};
use crate::config::Secret;
use crate::config::limits::SECRET_KEY_BYTES;
use crate::server::{self, Answer, KeyMade, KeyShown, KeySource, KeyState, Request, WireSecret};

pub(super) const NAME: &str = "key";

const CREATE: &str = "create";
const LIST: &str = "list";
const DISABLE: &str = "disable";
const ENABLE: &str = "enable";
const DELETE: &str = "delete";
const PURGE: &str = "purge";

const ACCESS_KEY: &str = "access-key";
const DISPLAY_NAME: &str = "display-name";
const JSON: &str = "json";
const ORG: &str = "org";
const SECRET_STDIN: &str = "secret-key-stdin";
const USER: &str = "user";
const YES: &str = "yes";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Make, list, disable and delete access keys of the running node")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(node::arguments())
        .subcommand(
            Command::new(CREATE)
                .about("Make an access key; its secret is printed once and never again")
                .arg(named(USER, "NAME", "Owner ID of what the key creates").required(true))
                .arg(named(ORG, "NAME", "Organisation that the user belongs to").required(true))
                .arg(named(DISPLAY_NAME, "NAME", "Name of the owner in responses [default: the user]"))
                .arg(named(ACCESS_KEY, "KEY", "The access key itself [default: a random one]"))
                .arg(
                    switch(SECRET_STDIN, "Take the secret from the first line of standard input")
                        .requires(ACCESS_KEY),
                )
                .arg(switch(JSON, "Print JSON")),
        )
        .subcommand(
            Command::new(LIST)
                .about("List access keys, without their secrets")
                .arg(named(ORG, "NAME", "Only those of this organisation"))
                .arg(switch(JSON, "Print JSON")),
        )
        .subcommand(about_one(DISABLE, "Refuse an access key from the next request on"))
        .subcommand(about_one(ENABLE, "Accept a disabled access key again"))
        .subcommand(about_one(DELETE, "Delete an access key and its secret"))
        .subcommand(
            Command::new(PURGE)
                .about("Delete all stored access keys of a node that is not running: its node key is lost")
                .arg(switch(YES, "Yes, all of them").required(true)),
        )
}

pub(super) fn run(matches: &ArgMatches) -> Result<(), CommandError> {
    match matches.subcommand() {
        Some((CREATE, matches)) => create(matches),
        Some((LIST, matches)) => list(matches),
        Some((PURGE, matches)) => {
            let purged = server::purge_keys(&node::configuration(matches)?)?;
            print(format!("deleted {purged} access keys\n").as_bytes())
        }
        Some((name, matches)) => change(name, matches),
        // clap asks for one.
        None => Ok(()),
    }
}

fn named(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn about_one(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).arg(Arg::new(ACCESS_KEY).value_name("ACCESS_KEY").required(true))
}

fn create(matches: &ArgMatches) -> Result<(), CommandError> {
    let text = |name| matches.get_one::<String>(name).cloned();
    let user = text(USER).unwrap_or_default();
    let request = Request::CreateKey {
        access_key: text(ACCESS_KEY),
        secret_key: if matches.get_flag(SECRET_STDIN) { Some(read_secret()?.into()) } else { None },
        display_name: text(DISPLAY_NAME).unwrap_or_else(|| user.clone()),
        user,
        org: text(ORG).unwrap_or_default(),
    };
    let Answer::KeyMade(made) = node::ask(matches, &request)? else { return Err(CommandError::Answer) };
    let printed = if matches.get_flag(JSON) { json(&MadeJson::of(&made)) } else { welcome(&made) };
    print_all(printed.as_bytes())
}

fn list(matches: &ArgMatches) -> Result<(), CommandError> {
    let request = Request::ListKeys { org: matches.get_one::<String>(ORG).cloned() };
    let Answer::Keys(keys) = node::ask(matches, &request)? else { return Err(CommandError::Answer) };
    if matches.get_flag(JSON) {
        let keys: Vec<ShownJson<'_>> = keys.iter().map(ShownJson::of).collect();
        return print(json(&keys).as_bytes());
    }
    let header = ["ACCESS KEY", "USER", "ORGANISATION", "CREATED", "STATE", "SOURCE"];
    let rows = keys.iter().map(|key| {
        let created = created(key).unwrap_or_else(|| "-".to_owned());
        let (access_key, user, org) = (key.access_key.clone(), key.user.clone(), key.org.clone());
        [access_key, user, org, created, state(key.state).to_owned(), source(key.source).to_owned()]
    });
    print(table(header, rows).as_bytes())
}

fn change(name: &str, matches: &ArgMatches) -> Result<(), CommandError> {
    let access_key = matches.get_one::<String>(ACCESS_KEY).cloned().unwrap_or_default();
    let (request, done) = match name {
        DISABLE => (Request::DisableKey { access_key: access_key.clone() }, "disabled"),
        ENABLE => (Request::EnableKey { access_key: access_key.clone() }, "enabled"),
        _ => (Request::DeleteKey { access_key: access_key.clone() }, "deleted"),
    };
    node::ask(matches, &request)?;
    print(format!("{done} {access_key}\n").as_bytes())
}

/// The first line of standard input. What is no secret, the node refuses.
fn read_secret() -> Result<Secret, CommandError> {
    // Room for the longest, so that the vector never grows, and for a line break and more to be found out.
    let room = SECRET_KEY_BYTES.end() + 8;
    let mut line = Zeroizing::new(Vec::with_capacity(2 * room));
    let read = io::stdin().lock().take(room as u64).read_to_end(&mut line);
    read.map_err(|error| CommandError::Input(format!("cannot read the secret: {error}")))?;
    let end = line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len());
    line.truncate(end);
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    let secret = String::from_utf8(std::mem::take(&mut *line));
    secret.map(Secret::new).map_err(|_| CommandError::Input("the secret is no text".to_owned()))
}

/// What to paste, as after the first start of a node.
fn welcome(made: &KeyMade) -> Zeroizing<String> {
    let KeyShown { access_key, user, org, .. } = &made.key;
    let Some(secret_key) = &made.secret_key else { return Zeroizing::new(format!("created {access_key}\n")) };
    let access_key = quoted(access_key);
    Zeroizing::new(format!(
        "# An access key of the user {user:?} in the organisation {org:?}. Its secret is shown only now.\n\
         export AWS_ACCESS_KEY_ID={access_key}\n\
         export AWS_SECRET_ACCESS_KEY={}\n",
        secret_key.expose()
    ))
}

/// As a shell takes it. Only a chosen access key needs it; a secret that the node made up is letters and digits.
fn quoted(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A new key as JSON; without `secret_key` where the secret was brought along.
#[derive(Serialize)]
struct MadeJson<'a> {
    #[serde(flatten)]
    key: ShownJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<&'a str>,
}

#[derive(Serialize)]
struct ShownJson<'a> {
    access_key: &'a str,
    user: &'a str,
    display_name: &'a str,
    org: &'a str,
    created: Option<String>,
    state: &'static str,
    source: &'static str,
}

impl<'a> MadeJson<'a> {
    fn of(made: &'a KeyMade) -> Self {
        let secret_key = made.secret_key.as_ref().map(WireSecret::expose);
        Self { key: ShownJson::of(&made.key), secret_key }
    }
}

impl<'a> ShownJson<'a> {
    fn of(key: &'a KeyShown) -> Self {
        Self {
            access_key: &key.access_key,
            user: &key.user,
            display_name: &key.display_name,
            org: &key.org,
            created: created(key),
            state: state(key.state),
            source: source(key.source),
        }
    }
}

/// Indented, with a line break at the end. What is shown here can all be written.
fn json(value: &impl Serialize) -> Zeroizing<String> {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    Zeroizing::new(text)
}

fn created(key: &KeyShown) -> Option<String> {
    let time = jiff::Timestamp::from_millisecond(key.created_ms?).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn state(state: KeyState) -> &'static str {
    match state {
        KeyState::Enabled => "enabled",
        KeyState::Disabled => "disabled",
        KeyState::Hidden => "hidden",
    }
}

fn source(source: KeySource) -> &'static str {
    match source {
        KeySource::File => "file",
        KeySource::Stored => "stored",
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
