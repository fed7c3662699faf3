use super::*;
use crate::config;

fn flags_of(arguments: &[&str]) -> Result<Vec<(String, String)>, clap::Error> {
    let arguments = ["ringstone", "serve"].iter().chain(arguments);
    let matches = command().try_get_matches_from(arguments)?;
    let (_, matches) = matches.subcommand().unwrap();
    Ok(serve::flags(matches, config::KEYS).collect())
}

#[test]
fn command_is_consistent() {
    command().debug_assert();
}

#[test]
fn every_scalar_key_is_a_flag() {
    for key in config::KEYS {
        let flags = flags_of(&[&format!("--{}", key.flag), "text"]).unwrap();
        assert_eq!(flags, [(key.name.to_owned(), "text".to_owned())]);
    }
}

#[test]
fn switches_may_stand_alone() {
    let flags = flags_of(&["--path-style", "--require-location-constraint", "false"]).unwrap();
    let expected = [("path_style", "true"), ("require_location_constraint", "false")];
    assert_eq!(flags, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert!(flags_of(&[]).unwrap().is_empty());
}

#[test]
fn unknown_flags_are_refused() {
    assert!(flags_of(&["--regoin", "a"]).unwrap_err().to_string().contains("--regoin"));
}

#[test]
fn causes_follow_the_message() {
    let error = CommandError::Output(io::Error::other("pipe is gone"));
    assert_eq!(with_causes(&error), "cannot write to standard output: pipe is gone");
}
