use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn makes_a_key_once() {
    let parent = tempfile::tempdir().unwrap();
    let data_dir = parent.path().join("deep/data");
    let (key, created) = load_or_create(&data_dir).unwrap();
    assert!(created);
    assert_eq!(load_or_create(&data_dir).unwrap(), (key, false));
    let names: Vec<_> = fs::read_dir(&data_dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [FILE_NAME]);
    let mode = fs::metadata(data_dir.join(FILE_NAME)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn key_has_the_form_that_clients_know() {
    let key = generate().unwrap();
    assert_eq!(key.access_key.len(), 20);
    assert!(key.access_key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
    assert_eq!(key.secret_key.expose().len(), 40);
    assert!(key.secret_key.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!((&*key.user, &*key.display_name, &*key.org), ("main", "main", "org-main"));
    assert_ne!(key, generate().unwrap());
}

#[test]
fn leftovers_of_a_killed_process_do_not_matter() {
    let data_dir = tempfile::tempdir().unwrap();
    let leftover = data_dir.path().join(format!("credentials.{}.new", std::process::id()));
    fs::write(&leftover, "access_key = \"to").unwrap();
    assert!(load_or_create(data_dir.path()).unwrap().1);
    assert!(!leftover.exists());
}

#[test]
fn processes_that_start_at_once_agree() {
    let data_dir = tempfile::tempdir().unwrap();
    let path = data_dir.path().join(FILE_NAME);
    let (first, second) = (generate().unwrap(), generate().unwrap());
    assert!(create(&path, &first).unwrap());
    assert!(!create(&path, &second).unwrap());
    assert_eq!(load(&path).unwrap(), Some(first));
}

#[test]
fn broken_file_is_an_error_that_quotes_nothing() {
    let data_dir = tempfile::tempdir().unwrap();
    for text in ["secret_key = \"topsecret", "access_key = \"AKIA\"\nsecret_key = [\"topsecret\"]"] {
        fs::write(data_dir.path().join(FILE_NAME), text).unwrap();
        let error = load_or_create(data_dir.path()).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("credentials") && !message.contains("topsecret"), "{message}");
    }
}

#[test]
fn welcome_can_be_pasted() {
    let key = generate().unwrap();
    let config = Config { listen: "0.0.0.0:9000".parse().unwrap(), ..Config::default() };
    let mut out = Vec::new();
    print_welcome(&mut out, &config, &key).unwrap();
    let text = String::from_utf8(out).unwrap();
    for line in [
        format!("export AWS_ACCESS_KEY_ID={}", key.access_key),
        format!("export AWS_SECRET_ACCESS_KEY={}", key.secret_key.expose()),
        "export AWS_DEFAULT_REGION=local-1".to_owned(),
        "aws --endpoint-url http://127.0.0.1:9000 s3 mb s3://first-bucket".to_owned(),
        "s3 = boto3.client(\"s3\", endpoint_url=\"http://127.0.0.1:9000\")".to_owned(),
    ] {
        assert!(text.lines().any(|printed| printed == line), "{line} is not in:\n{text}");
    }
    assert!(text.contains("./data/credentials"));
    assert!(text.lines().any(|line| line.contains("s3 cp - s3://first-bucket/hello.txt")));
}

#[test]
fn listener_on_all_addresses_is_reached_over_loopback() {
    for (listen, expected) in
        [("[::]:80", "[::1]:80"), ("0.0.0.0:80", "127.0.0.1:80"), ("10.0.0.1:80", "10.0.0.1:80")]
    {
        assert_eq!(reachable(listen.parse().unwrap()).to_string(), expected);
    }
}
