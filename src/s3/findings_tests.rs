use super::*;
use crate::s3::address::{Addressing, address};

fn claimed(target: &str, fields: &str) -> Option<String> {
    let bytes = format!("GET {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
    let (head, _) = RequestHead::parse(bytes.as_bytes()).unwrap().unwrap();
    let addressing = Addressing { domain: "localhost".to_owned(), path_style: true };
    claimed_access_key(&head, address(&head, &addressing).ok().as_ref()).map(str::to_owned)
}

fn authorization(value: &str) -> Option<String> {
    claimed("/b/k", &format!("Authorization: {value}\r\n"))
}

#[test]
fn the_claimed_access_key_is_read_from_either_place() {
    let claim = |key: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential={key}/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=ab"
        )
    };
    assert_eq!(authorization(&claim("AKID")).as_deref(), Some("AKID"));
    assert_eq!(authorization(&claim("AK/ID+1")).as_deref(), Some("AK/ID+1"));
    let query = "/b/k?X-Amz-Credential=AKID%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=ab";
    assert_eq!(claimed(query, "").as_deref(), Some("AKID"));
    assert_eq!(claimed("/b/k", ""), None);
}

#[test]
fn what_is_no_credential_is_not_repeated() {
    for value in [
        "",
        "Bearer c2VjcmV0",
        "Basic c2VjcmV0OnNlY3JldA==",
        "AWS AKID:signature",
        "AWS4-HMAC-SHA256 Credential=secret",
        "AWS4-HMAC-SHA256 Credential=, SignedHeaders=host",
        "AWS4-HMAC-SHA256 Credential=secret/20130524/us-east-1/ec2/aws4_request",
        "AWS4-HMAC-SHA256 Credential=secret/20130524/us-east-1/s3/aws4_other",
        "AWS4-HMAC-SHA256 Credential=secret/s3/aws4_request",
        "AWS4-HMAC-SHA256 Credential=/20130524/us-east-1/s3/aws4_request",
        "AWS4-HMAC-SHA256 Credential=ab/20130524/us-east-1/s3/aws4_request",
    ] {
        assert_eq!(authorization(value), None, "{value}");
    }
    let long = "k".repeat(129);
    assert_eq!(
        authorization(&format!("AWS4-HMAC-SHA256 Credential={long}/20130524/r/s3/aws4_request")),
        None
    );
    // A header that is there counts, whatever the query says.
    let query = "/b/k?X-Amz-Credential=AKID%2F20130524%2Fus-east-1%2Fs3%2Faws4_request";
    assert_eq!(claimed(query, "Authorization: Bearer x\r\n"), None);
    assert_eq!(claimed("/b/k?X-Amz-Credential=secret", ""), None);
}
