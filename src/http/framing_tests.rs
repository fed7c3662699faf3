use proptest::prelude::*;

use super::*;

fn head_of(version: &str, fields: &str) -> Option<RequestHead> {
    let input = format!("PUT /b/k HTTP/{version}\r\n{fields}\r\n");
    RequestHead::parse(input.as_bytes()).ok().flatten().map(|(head, _)| head)
}

/// The framing of an HTTP/1.1 head with these fields; `None` where already the head is refused.
fn judge(fields: &str) -> Option<Result<Framing, FramingError>> {
    head_of("1.1", fields).map(|head| framing(&head))
}

#[test]
fn plain_framing() {
    assert_eq!(judge(""), Some(Ok(Framing::None)));
    assert_eq!(judge("Content-Length: 0\r\n"), Some(Ok(Framing::Length(0))));
    assert_eq!(judge("content-length:5\r\n"), Some(Ok(Framing::Length(5))));
    assert_eq!(judge("Content-Length: 18446744073709551615\r\n"), Some(Ok(Framing::Length(u64::MAX))));
    assert_eq!(judge("Transfer-Encoding: chunked\r\n"), Some(Ok(Framing::Chunked)));
    assert_eq!(judge("TRANSFER-ENCODING: Chunked\r\n"), Some(Ok(Framing::Chunked)));
}

#[test]
fn blanks_around_a_value_are_no_part_of_it() {
    // RFC 9112 §5: field-line = field-name ":" OWS field-value OWS, and HTAB is OWS.
    assert_eq!(judge("Transfer-Encoding:\tchunked\t \r\n"), Some(Ok(Framing::Chunked)));
    assert_eq!(judge("Content-Length: \t5 \r\n"), Some(Ok(Framing::Length(5))));
}

#[test]
fn smuggling_attempts_are_refused() {
    use FramingError::{BadLength, LengthAndCoding, SeveralLengths, UnknownCoding};
    let corpus = [
        // Both, in either order and in every spelling.
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", LengthAndCoding),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", LengthAndCoding),
        ("Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n", LengthAndCoding),
        ("transfer-ENCODING: identity\r\nContent-Length: 5\r\n", LengthAndCoding),
        ("Transfer-Encoding:\r\nContent-Length: 5\r\n", LengthAndCoding),
        ("Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n", LengthAndCoding),
        // Several lengths, differing, equal and as a list.
        ("Content-Length: 5\r\nContent-Length: 6\r\n", SeveralLengths),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", SeveralLengths),
        ("Content-Length: 5\r\nA: b\r\ncontent-length:\r\n", SeveralLengths),
        ("Content-Length: 5, 5\r\n", BadLength),
        ("Content-Length: 5,6\r\n", BadLength),
        // Lengths that some readers take for numbers.
        ("Content-Length: +5\r\n", BadLength),
        ("Content-Length: -5\r\n", BadLength),
        ("Content-Length: 0x5\r\n", BadLength),
        ("Content-Length: 5 5\r\n", BadLength),
        ("Content-Length: 5\t5\r\n", BadLength),
        ("Content-Length: 5.0\r\n", BadLength),
        ("Content-Length: 5e1\r\n", BadLength),
        ("Content-Length: 1_000\r\n", BadLength),
        ("Content-Length: \"5\"\r\n", BadLength),
        ("Content-Length: five\r\n", BadLength),
        ("Content-Length: ٥\r\n", BadLength),
        ("Content-Length:\r\n", BadLength),
        ("Content-Length: 18446744073709551616\r\n", BadLength),
        ("Content-Length: 99999999999999999999999999\r\n", BadLength),
        // Codings that some readers take for chunked.
        ("Transfer-Encoding: xchunked\r\n", UnknownCoding),
        ("Transfer-Encoding: chunked, chunked\r\n", UnknownCoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", UnknownCoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", UnknownCoding),
        ("Transfer-Encoding: identity, chunked\r\n", UnknownCoding),
        ("Transfer-Encoding: gzip, chunked\r\n", UnknownCoding),
        ("Transfer-Encoding: chunked, gzip\r\n", UnknownCoding),
        ("Transfer-Encoding: identity\r\n", UnknownCoding),
        ("Transfer-Encoding: chunked;q=1\r\n", UnknownCoding),
        ("Transfer-Encoding: \"chunked\"\r\n", UnknownCoding),
        ("Transfer-Encoding: ,chunked\r\n", UnknownCoding),
        ("Transfer-Encoding: chunked,\r\n", UnknownCoding),
        ("Transfer-Encoding: chunk ed\r\n", UnknownCoding),
        ("Transfer-Encoding: \u{a0}chunked\r\n", UnknownCoding),
        ("Transfer-Encoding:\r\n", UnknownCoding),
    ];
    for (fields, error) in corpus {
        assert_eq!(judge(fields), Some(Err(error)), "{fields:?}");
    }
}

#[test]
fn disguised_field_names_never_pass_the_head() {
    for fields in [
        "Transfer-Encoding : chunked\r\n",
        "Content-Length : 5\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: a\r\n Transfer-Encoding: chunked\r\n",
        "X: a\nTransfer-Encoding: chunked\r\n",
        "X: a\rTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: \u{b}chunked\r\n",
        "Transfer-Encoding\u{0}: chunked\r\n",
        "Transfer\u{b}Encoding: chunked\r\n",
        "Content-Length:\r\n 5\r\n",
    ] {
        assert_eq!(judge(fields), None, "{fields:?}");
    }
}

#[test]
fn names_that_only_resemble_the_framing_fields_do_not_frame() {
    assert_eq!(judge("Transfer_Encoding: chunked\r\n"), Some(Ok(Framing::None)));
    assert_eq!(judge("X-Content-Length: 5\r\n"), Some(Ok(Framing::None)));
}

#[test]
fn old_clients_have_no_transfer_codings() {
    let head = head_of("1.0", "Transfer-Encoding: chunked\r\n").unwrap();
    assert_eq!(framing(&head), Err(FramingError::CodingInOldVersion));
    let head = head_of("1.0", "Content-Length: 3\r\n").unwrap();
    assert_eq!(framing(&head), Ok(Framing::Length(3)));
}

#[test]
fn host_must_be_there_once() {
    let valid = |version, fields| host_is_valid(&head_of(version, fields).unwrap());
    assert!(valid("1.1", "Host: a\r\n"));
    assert!(valid("1.1", "Host:\r\n"));
    assert!(valid("1.0", ""));
    assert!(!valid("1.1", ""));
    assert!(!valid("1.1", "Host: a\r\nHost: a\r\n"));
    assert!(!valid("1.0", "Host: a\r\nhost: b\r\n"));
}

#[test]
fn persistence_follows_version_and_connection() {
    let wish = |version, fields| persistence(&head_of(version, fields).unwrap());
    assert_eq!(wish("1.1", ""), Persistence::Keep);
    assert_eq!(wish("1.1", "Connection: keep-alive\r\n"), Persistence::Keep);
    assert_eq!(wish("1.1", "Connection: Close\r\n"), Persistence::Close);
    assert_eq!(wish("1.1", "Connection: foo\r\nConnection: keep-alive , close\r\n"), Persistence::Close);
    assert_eq!(wish("1.1", "Connection: closed\r\n"), Persistence::Keep);
    assert_eq!(wish("1.0", ""), Persistence::Close);
    assert_eq!(wish("1.0", "Connection: Keep-Alive\r\n"), Persistence::KeepIfSaid);
    assert_eq!(wish("1.0", "Connection: keep-alive, close\r\n"), Persistence::Close);
}

#[test]
fn expectations() {
    let expects = |version, fields| expects_continue(&head_of(version, fields).unwrap());
    assert!(expects("1.1", "Expect: 100-Continue\r\n"));
    assert!(!expects("1.1", "Expect: 101-dance\r\n"));
    assert!(!expects("1.1", ""));
    assert!(!expects("1.0", "Expect: 100-continue\r\n"));
}

proptest! {
    /// Whatever the two fields hold, a body is framed by one of them alone and exactly as written.
    #[test]
    fn nothing_but_digits_or_chunked_frames(length in "[0-9a-fx+\\-, \t]{0,6}", coding in "[chunked,; \tgzip]{0,10}") {
        match judge(&format!("Content-Length: {length}\r\n")) {
            Some(Ok(Framing::Length(bytes))) => {
                let digits = length.trim_matches([' ', '\t']);
                prop_assert!(digits.bytes().all(|digit| digit.is_ascii_digit()));
                prop_assert_eq!(digits.parse::<u64>(), Ok(bytes));
            }
            Some(Ok(other)) => prop_assert!(false, "{:?}", other),
            _ => {}
        }
        let coded = judge(&format!("Transfer-Encoding: {coding}\r\n"));
        prop_assert_eq!(coded == Some(Ok(Framing::Chunked)), coding.trim_matches([' ', '\t']) == "chunked");
        let both = judge(&format!("Transfer-Encoding: {coding}\r\nContent-Length: {length}\r\n"));
        prop_assert_eq!(both, Some(Err(FramingError::LengthAndCoding)));
    }
}
