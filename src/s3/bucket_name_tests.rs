use super::*;
use crate::s3::error::ErrorCode;

#[test]
fn accepts_dns_labels() {
    for name in ["abc", "a-b", "0-9", "first-bucket", "vip", "integer", "a--b", "my-cw-logs"] {
        assert_eq!(validate(name), Ok(()), "{name}");
    }
    assert_eq!(validate(&"a".repeat(63)), Ok(()));
}

#[test]
fn refuses_everything_else() {
    let long = "a".repeat(64);
    for name in [
        "",
        "ab",
        &long,
        "-ab",
        "ab-",
        "Abc",
        "a.b",
        "a_b",
        "a b",
        "abc\n",
        "bücket",
        "xn--abc",
        "cw-abc",
        "vip-abc",
        "log-stitcher-ch-abc",
        "int",
        "../..",
    ] {
        let error = validate(name).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidBucketName, "{name:?}");
        assert_eq!(error.extra, [("BucketName", name.to_owned())]);
    }
}
