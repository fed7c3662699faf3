use super::*;

fn promise(fields: &str) -> Result<Promise, ErrorCode> {
    let text = format!("PUT /b/k HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
    let (head, _) = RequestHead::parse(text.as_bytes()).expect("well-formed").expect("whole");
    Promise::from_head(&head).map_err(|error| error.code)
}

fn verified(fields: &str, trailers: &[(String, String)]) -> Result<(), ErrorCode> {
    promise(fields)?.verify_bytes(b"hello", trailers).map_err(|error| error.code)
}

#[test]
fn right_and_wrong_values() {
    assert_eq!(verified("Content-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\n", &[]), Ok(()));
    assert_eq!(verified("Content-MD5: XUFAKrxLKna5cZ2REBfFkA==\r\n", &[]), Err(ErrorCode::BadDigest));
    assert_eq!(verified("x-amz-checksum-crc32: NhCmhg==\r\n", &[]), Ok(()));
    assert_eq!(verified("x-amz-checksum-crc32c: mnG7TA==\r\n", &[]), Ok(()));
    assert_eq!(verified("x-amz-checksum-crc64nvme: M3eFcAZSQlc=\r\n", &[]), Ok(()));
    assert_eq!(verified("x-amz-checksum-crc64nvme: M3eFcAZSQlg=\r\n", &[]), Err(ErrorCode::BadDigest));
    assert_eq!(verified("", &[]), Ok(()));
}

#[test]
fn trailers_are_required_once_announced() {
    let fields = "x-amz-trailer: x-amz-checksum-crc32\r\n";
    let trailer = |value: &str| vec![("x-amz-checksum-crc32".to_owned(), value.to_owned())];
    assert_eq!(verified(fields, &trailer("NhCmhg==")), Ok(()));
    assert_eq!(verified(fields, &trailer("NhCmhw==")), Err(ErrorCode::BadDigest));
    assert_eq!(verified(fields, &trailer("zz")), Err(ErrorCode::InvalidRequest));
    assert_eq!(verified(fields, &[]), Err(ErrorCode::MalformedTrailerError));
    assert_eq!(promise("x-amz-trailer: x-amz-meta-a\r\n").err(), Some(ErrorCode::InvalidRequest));
}

#[test]
fn malformed_and_contradictory_promises() {
    for md5 in ["", "zz", "NhCmhg=="] {
        assert_eq!(
            promise(&format!("Content-MD5: {md5}\r\n")).err(),
            Some(ErrorCode::InvalidDigest),
            "{md5}"
        );
    }
    for fields in [
        "x-amz-checksum-crc32: zz\r\n",
        "x-amz-checksum-crc32: M3eFcAZSQlc=\r\n",
        "x-amz-checksum-sha512: NhCmhg==\r\n",
        "x-amz-checksum-crc32: NhCmhg==\r\nx-amz-checksum-crc32c: mnG7TA==\r\n",
        "x-amz-checksum-crc32: NhCmhg==\r\nx-amz-trailer: x-amz-checksum-crc32\r\n",
        "x-amz-sdk-checksum-algorithm: CRC32\r\n",
        "x-amz-sdk-checksum-algorithm: SHA1\r\nx-amz-checksum-crc32: NhCmhg==\r\n",
        "x-amz-sdk-checksum-algorithm: XX\r\nx-amz-checksum-crc32: NhCmhg==\r\n",
    ] {
        assert_eq!(promise(fields).err(), Some(ErrorCode::InvalidRequest), "{fields}");
    }
    assert!(promise("x-amz-sdk-checksum-algorithm: crc32\r\nx-amz-checksum-crc32: NhCmhg==\r\n").is_ok());
}
