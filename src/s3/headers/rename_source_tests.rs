use super::*;
use crate::config::limits::KEY_BYTES_MAX;
use crate::s3::error::ErrorCode;

fn source(value: impl AsRef<[u8]>) -> Result<String, ErrorCode> {
    let text = [b"PUT /k HTTP/1.1\r\nHost: h\r\nx-amz-rename-source: ", value.as_ref(), b"\r\n\r\n"].concat();
    let (head, _) = RequestHead::parse(&text).expect("well-formed").expect("whole");
    from_head(&head).map_err(|error| error.code)
}

#[test]
fn keys_as_clients_write_them() {
    for (value, key) in [
        ("key", "key"),
        ("/key", "key"),
        ("//key", "/key"),
        ("%2Fkey", "/key"),
        ("/bucket/key", "bucket/key"),
        ("src dir/é.txt", "src dir/é.txt"),
        ("src%20dir/%C3%A9.txt", "src dir/é.txt"),
        ("a+b", "a+b"),
        ("%41", "A"),
        ("%2541", "%41"),
        // None of these can be decoded whole.
        ("100%", "100%"),
        ("100% of%20it", "100% of%20it"),
        ("%zz%41", "%zz%41"),
        ("%ff", "%ff"),
        ("é%ff", "é%ff"),
    ] {
        assert_eq!(source(value).as_deref(), Ok(key), "{value}");
    }
}

#[test]
fn keys_that_are_none() {
    for value in [&b""[..], b"/", b"\xff", b"a%zz\xff"] {
        assert_eq!(source(value), Err(ErrorCode::InvalidArgument), "{value:?}");
    }
    assert!(source("k".repeat(KEY_BYTES_MAX)).is_ok());
    assert_eq!(source("k".repeat(KEY_BYTES_MAX + 1)), Err(ErrorCode::KeyTooLongError));
    assert!(source("%41".repeat(KEY_BYTES_MAX)).is_ok());
}
