use super::*;

fn addressed(host: &str, target: &str) -> Result<Address, ErrorCode> {
    addressed_as(host, target, true)
}

fn addressed_as(host: &str, target: &str, path_style: bool) -> Result<Address, ErrorCode> {
    let text = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let (head, _) = RequestHead::parse(text.as_bytes()).expect("well-formed").expect("whole");
    let addressing = Addressing { domain: "s3.example".into(), path_style };
    address(&head, &addressing).map_err(|error| error.code)
}

fn names(host: &str, target: &str) -> (Option<String>, Option<String>) {
    let address = addressed(host, target).expect("valid");
    (address.bucket, address.key)
}

fn some(bucket: &str, key: &str) -> (Option<String>, Option<String>) {
    (Some(bucket.into()), Some(key.into()))
}

#[test]
fn path_style_splits_at_the_first_slash_and_keeps_every_other() {
    assert_eq!(names("127.0.0.1:9000", "/"), (None, None));
    assert_eq!(names("127.0.0.1:9000", "/b"), (Some("b".into()), None));
    assert_eq!(names("127.0.0.1:9000", "/b/"), (Some("b".into()), None));
    assert_eq!(names("s3.example", "/b/k/x"), some("b", "k/x"));
    assert_eq!(names("[::1]:9000", "/b//x/../y/"), some("b", "/x/../y/"));
    assert_eq!(names("h", "/b/a+b%2Bc%20d%2Fe"), some("b", "a+b+c d/e"));
}

#[test]
fn virtual_hosts_name_the_bucket_under_our_domain_only() {
    assert_eq!(names("b.s3.example", "/k/x?acl"), some("b", "k/x"));
    assert_eq!(names("B.S3.Example:9000", "/k"), some("b", "k"));
    assert_eq!(names("b.s3.example", "/"), (Some("b".into()), None));
    assert_eq!(names("bs3.example", "/c/k"), some("c", "k"));
    assert_eq!(names("other.example", "/c/k"), some("c", "k"));
}

#[test]
fn what_is_no_text_or_too_long_is_refused() {
    assert_eq!(addressed("h", "/b/%ff").err(), Some(ErrorCode::InvalidURI));
    assert_eq!(addressed("h", "/b/%2").err(), Some(ErrorCode::InvalidURI));
    assert_eq!(addressed("h", &format!("/b/{}", "x".repeat(1025))).err(), Some(ErrorCode::KeyTooLongError));
    assert!(addressed("h", &format!("/b/{}", "x".repeat(1024))).is_ok());
}

#[test]
fn path_style_can_be_switched_off() {
    assert_eq!(addressed_as("h", "/b/k", false).err(), Some(ErrorCode::InvalidRequest));
    assert!(addressed_as("h", "/", false).is_ok());
    assert!(addressed_as("b.s3.example", "/k", false).is_ok());
}
