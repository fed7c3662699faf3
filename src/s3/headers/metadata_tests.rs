use super::*;

fn metadata(fields: &[u8]) -> Result<Metadata, ErrorCode> {
    let text = [b"PUT /b/k HTTP/1.1\r\nHost: h\r\n", fields, b"\r\n"].concat();
    let (head, _) = RequestHead::parse(&text).expect("well-formed").expect("whole");
    from_head(&head).map_err(|error| error.code)
}

fn system_of(fields: &[u8], header: SystemHeader) -> Option<String> {
    let metadata = metadata(fields).expect("valid");
    metadata.system.into_iter().find(|(have, _)| *have == header).map(|(_, value)| value)
}

#[test]
fn system_headers_are_kept_word_for_word() {
    assert_eq!(system_of(b"", SystemHeader::ContentType).as_deref(), Some("binary/octet-stream"));
    assert_eq!(system_of(b"Expires: not a date\r\n", SystemHeader::Expires).as_deref(), Some("not a date"));
    assert_eq!(system_of(b"Expires: x\r\n", SystemHeader::CacheControl), None);
}

#[test]
fn aws_chunked_is_not_part_of_the_object() {
    let encoding = |value: &str| {
        system_of(format!("Content-Encoding: {value}\r\n").as_bytes(), SystemHeader::ContentEncoding)
    };
    assert_eq!(encoding("aws-chunked"), None);
    assert_eq!(encoding("aws-chunked,gzip").as_deref(), Some("gzip"));
    assert_eq!(encoding("gzip, AWS-Chunked").as_deref(), Some("gzip"));
    assert_eq!(encoding("gzip").as_deref(), Some("gzip"));
    assert_eq!(encoding("deflate, gzip").as_deref(), Some("deflate, gzip"));
    assert_eq!(encoding("aws-chunked, deflate, gzip").as_deref(), Some("deflate, gzip"));
}

#[test]
fn user_metadata_is_lower_cased_joined_and_bounded() {
    let kept = metadata(b"X-Amz-Meta-A: 1\r\nx-amz-meta-b: \xc3\xa9\r\nx-amz-meta-a: 2\r\n").expect("valid");
    assert_eq!(kept.user, vec![("a".into(), "1,2".into()), ("b".into(), "\u{e9}".into())]);
    let fields = |size: usize| format!("x-amz-meta-k: {}\r\n", "v".repeat(size - 1)).into_bytes();
    assert!(metadata(&fields(METADATA_BYTES_MAX)).is_ok());
    assert_eq!(metadata(&fields(METADATA_BYTES_MAX + 1)).err(), Some(ErrorCode::MetadataTooLarge));
}

#[test]
fn storage_classes_and_acls_that_mean_something_are_refused() {
    assert!(metadata(b"x-amz-storage-class: STANDARD\r\nx-amz-acl: private\r\n").is_ok());
    assert_eq!(metadata(b"x-amz-storage-class: GLACIER\r\n").err(), Some(ErrorCode::InvalidStorageClass));
    assert_eq!(metadata(b"x-amz-acl: public-read\r\n").err(), Some(ErrorCode::AccessControlListNotSupported));
}

#[test]
fn tags_come_along_and_bad_ones_stop_the_upload() {
    let tags = metadata(b"x-amz-tagging: b=2&a=1\r\n").expect("valid").tags;
    assert_eq!(tags, [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
    assert_eq!(metadata(b"x-amz-tagging: a=1&a=2\r\n").err(), Some(ErrorCode::InvalidArgument));
}
