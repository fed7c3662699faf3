use super::*;
use crate::config::limits::KEY_BYTES_MAX;
use crate::s3::error::ErrorCode;

fn head(name: &str, value: &[u8]) -> RequestHead {
    let text = [b"PUT /b/k HTTP/1.1\r\nHost: h\r\n", name.as_bytes(), b": ", value, b"\r\n\r\n"].concat();
    RequestHead::parse(&text).expect("well-formed").expect("whole").0
}

fn source(value: impl AsRef<[u8]>) -> Result<(String, String, Option<String>), S3Error> {
    let source = CopySource::from_head(&head(SOURCE, value.as_ref()))?;
    Ok((source.bucket, source.key, source.version_id))
}

fn range(value: &str) -> Result<Option<RangeInclusive<u64>>, S3Error> {
    range_from_head(&head(RANGE, value.as_bytes()))
}

#[test]
fn sources_as_clients_write_them() {
    for (value, key, version_id) in [
        ("bucket/key", "key", None),
        ("/bucket/key", "key", None),
        ("bucket/a%20%2B%C3%A9%3F?versionId=v1", "a +é?", Some("v1")),
        ("/bucket/a+b", "a+b", None),
        ("bucket/a%2Fb/c", "a/b/c", None),
        ("%2Fbucket%2Fa%2Fb", "a/b", None),
        ("bucket/%3FversionId", "?versionId", None),
        ("bucket/%3FversionId%3Dx?versionId=v1", "?versionId=x", Some("v1")),
        ("bucket/?versionId", "?versionId", None),
        ("bucket/k?versionId=a?versionId=b", "k", Some("a?versionId=b")),
        ("bucket/k?versionId=", "k", Some("")),
        ("bucket/k?versionId=%6eull", "k", Some("null")),
        ("bucket/anyfilename%25.txt", "anyfilename%.txt", None),
        ("bucket/anyfilename%2525.txt", "anyfilename%25.txt", None),
        ("bucket//k", "/k", None),
        ("bucket/k/", "k/", None),
        ("bucket/../k", "../k", None),
        ("bucket/é", "é", None),
    ] {
        let expected = ("bucket".to_owned(), key.to_owned(), version_id.map(str::to_owned));
        assert_eq!(source(value), Ok(expected), "{value}");
    }
}

#[test]
fn sources_that_name_nothing() {
    for (value, message) in [
        (&b"bucket/%"[..], "Invalid copy source encoding"),
        (b"bucket/%4", "Invalid copy source encoding"),
        (b"bucket/%zz", "Invalid copy source encoding"),
        (b"bucket/%ff", "Invalid copy source encoding"),
        (b"bucket/\xff", "Invalid copy source encoding"),
        (b"bucket/k?versionId=%ff", "Invalid copy source encoding"),
        (b"", "Invalid copy source bucket name"),
        (b"/", "Invalid copy source bucket name"),
        (b"//bucket/key", "Invalid copy source bucket name"),
        (b"Bucket/key", "Invalid copy source bucket name"),
        (b"?versionId=v1", "Invalid copy source bucket name"),
        (b"bucket", "Invalid copy source object key"),
        (b"/bucket/", "Invalid copy source object key"),
        (b"bucket/?versionId=v1", "Invalid copy source object key"),
    ] {
        let error = source(value).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (ErrorCode::InvalidArgument, message), "{value:?}");
        let value = String::from_utf8_lossy(value).into_owned();
        assert_eq!(error.extra, [("ArgumentName", SOURCE.to_owned()), ("ArgumentValue", value)]);
    }
    assert!(source(format!("bucket/{}", "k".repeat(KEY_BYTES_MAX))).is_ok());
    let error = source(format!("bucket/{}", "k".repeat(KEY_BYTES_MAX + 1))).unwrap_err();
    assert_eq!(error.code, ErrorCode::KeyTooLongError);
    let absent = CopySource::from_head(&head("x-amz-other", b"bucket/key")).unwrap_err();
    assert_eq!(absent.message, "Invalid copy source bucket name");
}

#[test]
fn ranges() {
    assert_eq!(range("bytes=0-0"), Ok(Some(0..=0)));
    assert_eq!(range("bytes=5-21"), Ok(Some(5..=21)));
    assert_eq!(range("bytes=0-18446744073709551615"), Ok(Some(0..=u64::MAX)));
    assert_eq!(range_from_head(&head("range", b"bytes=0-0")), Ok(None));
    for value in [
        "",
        "0-2",
        "bytes",
        "bytes=",
        "bytes=0",
        "bytes=-",
        "bytes=0-",
        "bytes=-5",
        "bytes=hello-world",
        "bytes=0-bar",
        "bytes=hello-",
        "bytes=0-2,3-5",
        "bytes=2-1",
        "bytes=+0-2",
        "bytes=0-+2",
        "bytes=0--2",
        "bytes=0 - 2",
        "Bytes=0-2",
        "bytes=0-18446744073709551616",
    ] {
        let error = range(value).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{value}");
        assert!(error.message.contains("bytes=first-last"), "{}", error.message);
        assert_eq!(error.extra[0].1, RANGE);
    }
}

#[test]
fn ranges_lie_within_the_source() {
    assert_eq!(check_range(&(0..=4), 5), Ok(()));
    for (range, size) in [(0..=5, 5), (5..=5, 5), (0..=0, 0), (0..=u64::MAX, u64::MAX)] {
        let error = check_range(&range, size).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument);
        let message = format!("Range specified is not valid for source object of size: {size}");
        assert_eq!(error.message, message);
        let requested = format!("bytes={}-{}", range.start(), range.end());
        assert_eq!(error.extra[1], ("ArgumentValue", requested));
    }
}

#[test]
fn directives() {
    let metadata = |value: &str| Directive::of_metadata(&head("x-amz-metadata-directive", value.as_bytes()));
    let tagging = |value: &str| Directive::of_tagging(&head("x-amz-tagging-directive", value.as_bytes()));
    let neither = head("x-amz-other", b"REPLACE");
    assert_eq!(Directive::of_metadata(&neither), Ok(Directive::Copy));
    assert_eq!(Directive::of_tagging(&neither), Ok(Directive::Copy));
    assert_eq!((metadata("COPY"), tagging("COPY")), (Ok(Directive::Copy), Ok(Directive::Copy)));
    assert_eq!((metadata("REPLACE"), tagging("REPLACE")), (Ok(Directive::Replace), Ok(Directive::Replace)));
    assert_eq!(Directive::of_tagging(&head("x-amz-metadata-directive", b"REPLACE")), Ok(Directive::Copy));
    for value in ["", "copy", "Replace", "REPLACE_ALL"] {
        let (metadata, tagging) = (metadata(value).unwrap_err(), tagging(value).unwrap_err());
        assert_eq!((metadata.code, tagging.code), (ErrorCode::InvalidArgument, ErrorCode::InvalidArgument));
        assert_eq!(metadata.message, "Unknown metadata directive.");
        assert_eq!(tagging.message, "Unknown tagging directive.");
    }
}
