use super::*;

const GOOD: &str = r#"
access_key = "AKIA+/(X)"
secret_key = "wJalrXUtnFEMI"
user = "main"
display_name = "Main user"
org = "org-main"
"#;

fn read(text: &str) -> Result<AccessKeyConfig, ConfigError> {
    AccessKeyConfig::from_table(&text.parse().unwrap(), "access_keys[0]")
}

fn message(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn reads_a_key() {
    let key = read(GOOD).unwrap();
    assert_eq!(key.access_key, "AKIA+/(X)");
    assert_eq!(key.secret_key.expose(), "wJalrXUtnFEMI");
    assert_eq!((&*key.user, &*key.display_name, &*key.org), ("main", "Main user", "org-main"));
}

#[test]
fn never_prints_the_secret() {
    assert!(!format!("{:?}", read(GOOD).unwrap()).contains("wJalr"));
    let broken = [
        GOOD.replace("wJalrXUtnFEMI", "wJalr X"),
        GOOD.replace("wJalrXUtnFEMI", "wJalr"),
        GOOD.replace("\"wJalrXUtnFEMI\"", "['wJalr']"),
    ];
    for text in broken {
        let message = message(&text);
        assert!(message.contains("secret_key") && !message.contains("wJalr"), "{message}");
    }
}

#[test]
fn names_the_field_and_what_is_allowed() {
    assert_eq!(
        message(&GOOD.replace("user =", "owner =")),
        "access_keys[0]: unknown key `owner`; known are \
        access_key, secret_key, user, display_name, org"
    );
    assert_eq!(message(&GOOD.replace("org = \"org-main\"", "")), "access_keys[0]: org is missing");
    assert_eq!(message(&GOOD.replace("\"main\"", "7")), "access_keys[0]: user must be a string");
    let expected =
        "access_keys[0]: access_key must be 3 to 128 printable ASCII characters without space and comma";
    assert_eq!(message(&GOOD.replace("AKIA+/(X)", "a,b")), expected);
    assert_eq!(message(&GOOD.replace("AKIA+/(X)", "ab")), expected);
}

#[test]
fn an_organisation_has_no_colon() {
    let message = message(&GOOD.replace("org-main", "org-main:coreweave/x"));
    assert!(message.contains("org") && message.contains("colon"), "{message}");
    assert_eq!(read(&GOOD.replace("\"main\"", "\"a:main\"")).unwrap().user, "a:main");
}
