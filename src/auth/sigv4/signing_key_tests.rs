use super::*;

fn credential(secret: &str) -> Arc<Credential> {
    Arc::new(Credential {
        access_key: "AKID".to_owned(),
        secret_key: secret.into(),
        user: "user".to_owned(),
        display_name: "User".to_owned(),
        org: "org".to_owned(),
    })
}

fn keep(keys: &mut SigningKeys, owner: &Arc<Credential>, text: &str) {
    let scope = CredentialScope::parse(text).unwrap();
    let time = RequestTime::parse_basic(format!("{}T120000Z", scope.day).as_bytes()).unwrap();
    keys.keep(&scope, owner, SigningKey::derive(owner, &time, scope.region));
}

fn has(keys: &SigningKeys, owner: &Arc<Credential>, text: &str) -> bool {
    keys.find(&CredentialScope::parse(text).unwrap(), owner).is_some()
}

#[test]
fn secrets_are_not_shown() {
    let owner = credential("wJalrXUtnFEMI");
    let time = RequestTime::parse_basic(b"20130524T000000Z").unwrap();
    let shown = format!("{owner:?} {:?}", SigningKey::derive(&owner, &time, "us-east-1"));
    assert!(!shown.contains("wJalr"), "{shown}");
    assert!(shown.contains("redacted"));
}

#[test]
fn kept_for_its_credential_alone() {
    let mut keys = SigningKeys::default();
    let (owner, rotated) = (credential("old"), credential("new"));
    let text = "AKID/20130524/us-east-1/s3/aws4_request";
    keep(&mut keys, &owner, text);
    assert!(has(&keys, &owner, text));
    assert!(!has(&keys, &rotated, text));
    assert!(!has(&keys, &owner, "AKID/20130524/us-east-2/s3/aws4_request"));
    assert!(!has(&keys, &owner, "AKID/20130525/us-east-1/s3/aws4_request"));
}

#[test]
fn bounded_and_drops_other_days_first() {
    let mut keys = SigningKeys::default();
    let owner = credential("secret");
    for region in 0..SIGNING_KEYS_MAX - 1 {
        keep(&mut keys, &owner, &format!("AKID/20130524/r{region}/s3/aws4_request"));
    }
    keep(&mut keys, &owner, "AKID/20130525/first/s3/aws4_request");
    assert_eq!(keys.by_credential.len(), SIGNING_KEYS_MAX);
    keep(&mut keys, &owner, "AKID/20130525/second/s3/aws4_request");
    assert_eq!(keys.by_credential.len(), 2);
    assert!(has(&keys, &owner, "AKID/20130525/first/s3/aws4_request"));
    for region in 0..2 * SIGNING_KEYS_MAX {
        keep(&mut keys, &owner, &format!("AKID/20130525/r{region}/s3/aws4_request"));
        assert!(keys.by_credential.len() <= SIGNING_KEYS_MAX);
    }
    let long = format!("AKID/20130525/{}/s3/aws4_request", "r".repeat(CREDENTIAL_SCOPE_BYTES_MAX));
    keep(&mut keys, &owner, &long);
    assert!(!has(&keys, &owner, &long));
}
