//! `ringstone policy`: the stored policies of organisations of the running node.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};

use super::{CommandError, node, print, table};
use crate::config::limits::POLICY_BYTES_MAX;
use crate::server::{Answer, Request};

pub(super) const NAME: &str = "policy";

const PUT: &str = "put";
const GET: &str = "get";
const DELETE: &str = "delete";
const LIST: &str = "list";

const FILE: &str = "file";
const ORG: &str = "org";

pub(super) fn command() -> Command {
    let org = || Arg::new(ORG).long(ORG).value_name("NAME").help("The organisation").required(true);
    let file = Arg::new(FILE)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("The policy, JSON; - is standard input")
        .required(true);
    Command::new(NAME)
        .about("Store, show and delete policies of organisations in the running node")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(node::arguments())
        .subcommand(
            Command::new(PUT)
                .about("Store the policy of an organisation, in place of the one stored before")
                .arg(org())
                .arg(file),
        )
        .subcommand(Command::new(GET).about("Print the stored policy of an organisation").arg(org()))
        .subcommand(Command::new(DELETE).about("Delete the stored policy of an organisation").arg(org()))
        .subcommand(
            Command::new(LIST).about("List organisations with a policy, stored or of the configuration"),
        )
}

pub(super) fn run(matches: &ArgMatches) -> Result<(), CommandError> {
    let Some((name, matches)) = matches.subcommand() else { return Ok(()) };
    if name == LIST {
        return list(matches);
    }
    let org = matches.get_one::<String>(ORG).cloned().unwrap_or_default();
    match name {
        PUT => {
            let document = read(matches.get_one::<PathBuf>(FILE).map_or(Path::new("-"), PathBuf::as_path))?;
            node::ask(matches, &Request::PutPolicy { org, document })?;
            Ok(())
        }
        GET => match node::ask(matches, &Request::GetPolicy { org })? {
            Answer::Policy { document } => print(document.as_bytes()),
            _ => Err(CommandError::Answer),
        },
        _ => node::ask(matches, &Request::DeletePolicy { org }).map(drop),
    }
}

fn list(matches: &ArgMatches) -> Result<(), CommandError> {
    let Answer::Policies(policies) = node::ask(matches, &Request::ListPolicies {})? else {
        return Err(CommandError::Answer);
    };
    let rows = policies.into_iter().map(|policy| {
        [policy.org, policy.bytes.to_string(), policy.file.unwrap_or_else(|| "stored".to_owned())]
    });
    print(table(["ORGANISATION", "BYTES", "SOURCE"], rows).as_bytes())
}

fn read(path: &Path) -> Result<String, CommandError> {
    let named = path.display();
    let failed = |reason: &dyn std::fmt::Display| CommandError::Input(format!("{named}: {reason}"));
    let file: io::Result<Box<dyn Read>> = if path == Path::new("-") {
        Ok(Box::new(io::stdin()))
    } else {
        File::open(path).map(|file| Box::new(file) as _)
    };
    let mut text = Vec::new();
    // One byte more than may be: the node says that it is too long.
    file.and_then(|file| file.take(POLICY_BYTES_MAX as u64 + 1).read_to_end(&mut text))
        .map_err(|error| failed(&error))?;
    String::from_utf8(text).map_err(|_| failed(&"a policy is a text of UTF-8"))
}
