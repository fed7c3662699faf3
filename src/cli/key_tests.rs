use super::*;
use crate::cli::{command as whole, node};

fn shown(access_key: &str) -> KeyShown {
    KeyShown {
        access_key: access_key.to_owned(),
        user: "ann".to_owned(),
        display_name: "Ann".to_owned(),
        org: "org one".to_owned(),
        created_ms: Some(1_369_353_600_123),
        state: KeyState::Enabled,
        source: KeySource::Stored,
    }
}

fn made(access_key: &str, secret: Option<&str>) -> KeyMade {
    let secret_key = secret.map(|secret| Secret::new(secret.to_owned()).into());
    KeyMade { key: shown(access_key), secret_key }
}

#[test]
fn a_new_key_can_be_pasted() {
    let text = welcome(&made("AKID", Some("wJalrXUt")));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with('#') && lines[0].contains("ann") && lines[0].contains("only now"));
    assert_eq!(lines[1..], ["export AWS_ACCESS_KEY_ID=AKID", "export AWS_SECRET_ACCESS_KEY=wJalrXUt"]);
    let text = welcome(&made("a'b;$(c)", Some("wJalrXUt")));
    assert!(text.contains(r"AWS_ACCESS_KEY_ID='a'\''b;$(c)'"), "{}", *text);
    assert_eq!(*welcome(&made("AKID", None)), "created AKID\n");
}

#[test]
fn as_json() {
    let text = json(&MadeJson::of(&made("AKID", Some("wJalrXUt"))));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expected = serde_json::json!({
        "access_key": "AKID", "user": "ann", "display_name": "Ann", "org": "org one",
        "created": "2013-05-24T00:00:00Z", "state": "enabled", "source": "stored", "secret_key": "wJalrXUt",
    });
    assert_eq!(value, expected);
    assert!(!json(&MadeJson::of(&made("AKID", None))).contains("secret_key"));
    let file = KeyShown { created_ms: None, source: KeySource::File, ..shown("AKID") };
    assert!(json(&[ShownJson::of(&file)]).contains("\"created\": null"));
}

#[test]
fn columns_line_up() {
    let rows = [["a", "bb"], ["ééé", ""]].map(|row| row.map(str::to_owned));
    assert_eq!(table(["X", "Y"], rows.into_iter()), "X    Y\na    bb\nééé\n");
}

fn parse(line: &str) -> Result<ArgMatches, clap::Error> {
    whole().try_get_matches_from(line.split(' '))
}

#[test]
fn the_node_is_found_by_flags_before_or_after() {
    for line in [
        "ringstone key --data-dir d list",
        "ringstone key list --data-dir d",
        "ringstone policy list --data-dir d",
        "ringstone policy get --org o --data-dir d --config c",
        "ringstone key create --user u --org o --access-key a --secret-key-stdin --json --data-dir d",
        "ringstone key disable AK --data-dir d",
    ] {
        let matches = parse(line).unwrap();
        let (_, matches) = matches.subcommand().unwrap();
        let (_, matches) = matches.subcommand().unwrap();
        assert_eq!(matches.get_one::<String>("data_dir").unwrap(), "d", "{line}");
    }
    assert_eq!(node::arguments().count(), 2);
}

#[test]
fn what_is_missing_is_asked_for() {
    for line in [
        "ringstone key",
        "ringstone key create --user u",
        "ringstone key create --org o",
        "ringstone key create --user u --org o --secret-key-stdin",
        "ringstone key create --user u --org o --secret-key s",
        "ringstone key disable",
        "ringstone policy put --org o",
        "ringstone policy put file",
        "ringstone policy get",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}
