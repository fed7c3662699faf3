use std::time::Duration;

use super::*;
use crate::config::{ByteSize, DEFAULT_TOML};

const ACCESS_KEYS: &str = r#"
[[access_keys]]
access_key = "AKIAONE"
secret_key = "secret-one"
user = "main"
display_name = "main"
org = "org-main"

[[access_keys]]
access_key = "AKIATWO"
secret_key = "secret-two"
user = "other"
display_name = "other"
org = "org-other"
"#;

fn pairs<T: From<&'static str>>(pairs: &[(&'static str, &'static str)]) -> Vec<(T, T)> {
    pairs.iter().map(|(name, text)| (T::from(*name), T::from(*text))).collect()
}

fn load_all(
    file: &str,
    environment: &[(&'static str, &'static str)],
    flags: &[(&'static str, &'static str)],
) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ringstone.toml");
    std::fs::write(&path, file).unwrap();
    load(Some(&path), pairs(environment), pairs(flags))
}

fn message(
    file: &str,
    environment: &[(&'static str, &'static str)],
    flags: &[(&'static str, &'static str)],
) -> String {
    load_all(file, environment, flags).unwrap_err().to_string()
}

#[test]
fn default_file_says_what_the_code_does() {
    assert_eq!(load_all(DEFAULT_TOML, &[], &[]).unwrap(), Config::default());
}

#[test]
fn default_file_holds_every_key() {
    for key in KEYS {
        let line = format!("{} = ", key.name.rsplit('.').next().unwrap());
        let commented = format!("# {line}");
        let found = DEFAULT_TOML.lines().any(|text| text.starts_with(&line) || text.starts_with(&commented));
        assert!(found, "{} is missing in default.toml", key.name);
    }
}

#[test]
fn default_file_is_whole_when_uncommented() {
    let text = DEFAULT_TOML.replace("# cores", "cores").replace("# [[", "[[");
    let uncommented = ["access_key", "secret_key", "user", "display_name", "org", "file", "audit_log"]
        .iter()
        .fold(text, |text, field| text.replace(&format!("# {field} ="), &format!("{field} =")));
    let config = load_all(&uncommented.replace('…', "some-text"), &[], &[]).unwrap();
    assert_eq!(config.cores, Some(2));
    assert_eq!(config.access_keys.len(), 1);
    assert_eq!(config.org_policies.len(), 1);
    assert!(config.audit_log.is_some());
}

#[test]
fn file_is_below_environment_is_below_flags() {
    let file = "region = \"file\"\ndomain = \"file\"\nlog = \"error\"";
    let environment =
        [("RINGSTONE_REGION", "environment"), ("RINGSTONE_DOMAIN", "environment"), ("HOME", "/")];
    let config = load_all(file, &environment, &[("region", "flag")]).unwrap();
    assert_eq!((&*config.region, &*config.domain, &*config.log), ("flag", "environment", "error"));
}

#[test]
fn every_key_can_be_set_everywhere() {
    for (key, text) in [
        ("data_dir", "/srv/ring"),
        ("listen", "[::]:80"),
        ("admin_listen", "127.0.0.1:0"),
        ("region", "US-EAST-04A"),
        ("domain", "s3.example.com"),
        ("path_style", "false"),
        ("require_location_constraint", "false"),
        ("extent_size", "64MiB"),
        ("cores", "3"),
        ("buffer_pool", "8MiB"),
        ("free_space_reserve", "1GiB"),
        ("drain_timeout", "5s"),
        ("log", "info,ringstone::store=debug"),
        ("trusted_proxies", "10.0.0.0/8"),
        ("node_key_file", "/etc/node.key"),
        ("audit_log", "/var/log/audit.log"),
        ("audit_log_size", "1MiB"),
        ("audit_log_files", "3"),
        ("allow_test_clock", "true"),
        ("lifecycle.rule_prefix", "false"),
    ] {
        let by_flag = load_all("", &[], &[(key, text)]).unwrap();
        assert_ne!(by_flag, Config::default(), "{key}");
        let variable = KEYS.iter().find(|known| known.name == key).unwrap().variable();
        let by_variable = load(None, [(variable.into(), text.into())], []).unwrap();
        assert_eq!(by_variable, by_flag, "{key}");
        let quoted = format!("{key} = \"{text}\"");
        let bare = format!("{key} = {text}");
        let list = format!("{key} = [\"{text}\"]");
        let taken = |file: &String| load_all(file, &[], &[]).is_ok();
        let file = [quoted, bare, list].into_iter().find(taken).expect("one form is the file's");
        assert_eq!(load_all(&file, &[], &[]).unwrap(), by_flag, "{key}");
    }
}

#[test]
fn values_are_taken_as_written() {
    let file = "extent_size = 16777216\ndrain_timeout = \"2m\"\ndomain = \"S3.Example.COM\"";
    let config = load_all(file, &[], &[]).unwrap();
    assert_eq!(config.extent_size, ByteSize::from_mib(16));
    assert_eq!(config.drain_timeout, Duration::from_mins(2));
    assert_eq!(config.domain, "s3.example.com");
}

#[test]
fn unknown_names_are_named() {
    let in_file = message("region = \"a\"\nregoin = \"b\"", &[], &[]);
    assert!(in_file.contains("ringstone.toml line 2: unknown key `regoin`"), "{in_file}");
    let in_table = message("[lifecycle]\nprefix = true", &[], &[]);
    assert!(in_table.contains("unknown key `lifecycle.prefix`"), "{in_table}");
    let section = message("[s3]\nregion = \"a\"", &[], &[]);
    assert!(section.contains("unknown key `s3.region`"), "{section}");
    let empty = message("[nonsense]", &[], &[]);
    assert!(empty.contains("unknown key `nonsense`"), "{empty}");
    let in_environment = message("", &[("RINGSTONE_REGOIN", "b")], &[]);
    assert!(in_environment.contains("unknown environment variable RINGSTONE_REGOIN"), "{in_environment}");
    let in_flags = message("", &[], &[("regoin", "b")]);
    assert!(in_flags.contains("unknown key `regoin`"), "{in_flags}");
}

#[test]
fn file_variable_is_no_key() {
    assert!(load_all("", &[(FILE_VARIABLE, "somewhere.toml")], &[]).is_ok());
}

#[test]
fn refusals_name_key_value_place_and_range() {
    let file = message("# first\nextent_size = \"10MiB\"", &[], &[]);
    assert!(
        file.starts_with("extent_size = \"10MiB\" (")
            && file.ends_with("ringstone.toml line 2): must be a multiple of 4MiB from 16MiB to 16GiB"),
        "{file}"
    );
    assert_eq!(
        message("", &[("RINGSTONE_CORES", "0")], &[]),
        "cores = \"0\" (environment RINGSTONE_CORES): must be a number from 1 to 1024"
    );
    assert_eq!(
        message("", &[], &[("drain_timeout", "2h")]),
        "drain_timeout = \"2h\" (flag --drain-timeout): must be a duration from 0s to 1h"
    );
}

#[test]
fn refuses_values_out_of_range() {
    for (key, text) in [
        ("data_dir", ""),
        ("listen", "localhost:9000"),
        ("listen", "127.0.0.1"),
        ("region", ""),
        ("region", "a b"),
        ("domain", ""),
        ("domain", "localhost:9000"),
        ("domain", ".example.com"),
        ("domain", "exa mple"),
        ("path_style", "yes"),
        ("extent_size", "12MiB"),
        ("extent_size", "18MiB"),
        ("extent_size", "32GiB"),
        ("cores", "1025"),
        ("cores", "-1"),
        ("buffer_pool", "2MiB"),
        ("buffer_pool", "4100KiB"),
        ("free_space_reserve", "0B"),
        ("drain_timeout", "30"),
        ("log", ""),
        ("log", "ringstone=loud"),
        ("trusted_proxies", "example.com"),
        ("trusted_proxies", "10.0.0.0/33"),
        ("audit_log_size", "1KiB"),
        ("audit_log_files", "0"),
        ("lifecycle.test_day_s", "0"),
        ("lifecycle.test_day_s", "86401"),
    ] {
        let message = message("", &[], &[(key, text)]);
        assert!(message.starts_with(&format!("{key} = {text:?} (flag --")), "{message}");
    }
}

#[test]
fn file_values_have_their_type() {
    for (line, allowed) in [
        ("region = 5", "a string"),
        ("cores = \"2\"", "a number"),
        ("path_style = \"true\"", "true or false"),
        ("trusted_proxies = \"::1\"", "a list of strings"),
        ("trusted_proxies = [1]", "a list of strings"),
        ("extent_size = true", "a string with a unit, or a number of bytes"),
    ] {
        let message = message(line, &[], &[]);
        assert!(message.ends_with(&format!("must be {allowed}")), "{message}");
    }
}

#[test]
fn addresses_differ() {
    let same = message("", &[], &[("listen", "127.0.0.1:9001")]);
    assert_eq!(same, "listen and admin_listen are both 127.0.0.1:9001: they must differ");
    assert!(load_all("", &[], &[("listen", "127.0.0.1:0"), ("admin_listen", "127.0.0.1:0")]).is_ok());
}

#[test]
fn access_keys_are_read_and_distinct() {
    let config = load_all(ACCESS_KEYS, &[], &[]).unwrap();
    let names: Vec<_> = config.access_keys.iter().map(|key| key.access_key.as_str()).collect();
    assert_eq!(names, ["AKIAONE", "AKIATWO"]);
    let twice = message(&ACCESS_KEYS.replace("AKIATWO", "AKIAONE"), &[], &[]);
    assert_eq!(twice, "access_keys: the access key AKIAONE stands there twice");
    let flat = message("access_keys = \"AKIAONE\"", &[], &[]);
    assert!(flat.contains("[[access_keys]]"), "{flat}");
}

#[test]
fn no_message_quotes_a_secret() {
    let open_string = ACCESS_KEYS.replace("\"secret-two\"", "\"secret-two");
    let unknown = ACCESS_KEYS.replace("org = \"org-other\"", "orgs = \"org-other\"");
    let typed = ACCESS_KEYS.replace("\"secret-two\"", "[\"secret-two\"]");
    for file in [open_string, unknown, typed] {
        let message = message(&file, &[], &[]);
        assert!(!message.contains("secret-"), "{message}");
    }
    assert!(!format!("{:?}", load_all(ACCESS_KEYS, &[], &[]).unwrap()).contains("secret-"));
}

#[test]
fn missing_file_is_named() {
    let message = load(Some(Path::new("no/such/file.toml")), [], []).unwrap_err().to_string();
    assert!(message.contains("no/such/file.toml"), "{message}");
}

#[test]
fn short_days_need_the_switch() {
    let short = "[lifecycle]\ntest_day_s = 2";
    assert_eq!(
        message(short, &[], &[]),
        "lifecycle.test_day_s is for tests alone: it needs allow_test_clock = true"
    );
    let config = load_all(&format!("allow_test_clock = true\n{short}"), &[], &[]).unwrap();
    assert_eq!(config.calendar.day_ms(), 2000);
}

#[test]
fn proxies_are_networks_or_addresses() {
    let config = load_all("trusted_proxies = [\"10.0.0.0/8\", \"::1\"]", &[], &[]).unwrap();
    let texts: Vec<String> = config.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["10.0.0.0/8", "::1/128"]);
}

#[test]
fn org_policies_are_read() {
    let config = load_all("[[org_policies]]\norg = \"org-main\"\nfile = \"p.json\"", &[], &[]).unwrap();
    assert_eq!(config.org_policies[0].org, "org-main");
    let message = message("[[org_policies]]\norg = \"org-main\"", &[], &[]);
    assert!(message.ends_with("org_policies[0]: file is missing"), "{message}");
}
