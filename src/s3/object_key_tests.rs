use super::*;

#[test]
fn accepts_any_text() {
    for key in ["a", "/", "//a/./../b", " ", "\n", "ключ", "a\u{0}b", "🦀", "."] {
        assert_eq!(validate(key.as_bytes()), Ok(key));
    }
    assert!(validate(&[b'k'; KEY_BYTES_MAX]).is_ok());
}

#[test]
fn counts_bytes_and_not_characters() {
    let key = "é".repeat(513);
    let error = validate(key.as_bytes()).unwrap_err();
    assert_eq!(error.code, ErrorCode::KeyTooLongError);
    assert_eq!(error.extra, [("Size", "1026".to_owned()), ("MaxSizeAllowed", "1024".to_owned())]);
}

#[test]
fn refuses_what_is_no_text() {
    for key in [&b""[..], b"\xff", b"a\xc3", b"\xed\xa0\x80"] {
        assert_eq!(validate(key).unwrap_err().code, ErrorCode::InvalidURI, "{key:?}");
    }
}
