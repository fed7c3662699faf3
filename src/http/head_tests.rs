use proptest::prelude::*;

use super::*;

fn parse(input: &[u8]) -> Result<Option<(RequestHead, usize)>, HeadError> {
    RequestHead::parse(input)
}

fn refusal(input: &[u8]) -> HeadError {
    match parse(input) {
        Err(error) => error,
        Ok(parsed) => panic!("{:?} was not refused: {parsed:?}", String::from_utf8_lossy(input)),
    }
}

#[test]
fn a_head_is_parsed_and_what_follows_is_left() {
    let input = b"PUT /b/k?acl HTTP/1.1\r\nHost: h:9000\r\nX-Amz-Meta-A:  one two \r\nEmpty:\r\n\r\nbody";
    let (head, length) = parse(input).unwrap().unwrap();
    assert_eq!(&input[length..], b"body");
    assert_eq!(head.method(), Method::Put);
    assert_eq!(head.method_token(), b"PUT");
    assert_eq!(head.target(), b"/b/k?acl");
    assert_eq!(head.http_minor(), 1);
    assert_eq!(head.header("host"), Some(&b"h:9000"[..]));
    assert_eq!(head.header("x-amz-meta-a"), Some(&b"one two"[..]));
    assert_eq!(head.header("empty"), Some(&b""[..]));
    assert_eq!(head.header("absent"), None);
    assert_eq!(head.headers().count(), 3);
}

#[test]
fn debug_text_shows_no_values() {
    let (head, _) = parse(b"GET /b/k?X-Amz-Signature=ab HTTP/1.1\r\nKey: c2VjcmV0\r\n\r\n").unwrap().unwrap();
    assert_eq!(format!("{head:?}"), "RequestHead { method: \"GET\", fields: 1, .. }");
}

#[test]
fn repeated_fields_keep_their_order() {
    let (head, _) = parse(b"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\na: 3\r\n\r\n").unwrap().unwrap();
    let values: Vec<&[u8]> = head.headers_named("a").collect();
    assert_eq!(values, [b"1", b"3"]);
}

#[test]
fn values_may_hold_bytes_beyond_ascii() {
    let (head, _) = parse(b"GET / HTTP/1.1\r\nx-amz-meta-a: \xc3\xa4\xff\r\n\r\n").unwrap().unwrap();
    assert_eq!(head.header("x-amz-meta-a"), Some(&b"\xc3\xa4\xff"[..]));
}

#[test]
fn an_empty_line_before_the_request_line_is_skipped() {
    let (head, length) = parse(b"\r\nGET /a HTTP/1.1\r\n\r\nrest").unwrap().unwrap();
    assert_eq!((head.target(), length), (&b"/a"[..], 21));
}

#[test]
fn other_methods_keep_their_token() {
    let (head, _) = parse(b"OPTIONS / HTTP/1.0\r\n\r\n").unwrap().unwrap();
    assert_eq!((head.method(), head.method_token(), head.http_minor()), (Method::Other, &b"OPTIONS"[..], 0));
}

#[test]
fn every_proper_prefix_asks_for_more() {
    let input = b"GET /bucket/key HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\n\r\n";
    for end in 0..input.len() {
        assert!(matches!(parse(&input[..end]), Ok(None)), "prefix of {end} bytes");
    }
    assert!(parse(input).unwrap().is_some());
}

#[test]
fn ambiguous_lines_are_refused() {
    for input in [
        // Blank before the colon (RFC 9112 §5.1) and folded fields (§5.2).
        &b"GET / HTTP/1.1\r\nContent-Length : 5\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nTransfer-Encoding\t: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n",
        b"GET / HTTP/1.1\r\n A: b\r\n\r\n",
        // Lone LF and lone CR (§2.2).
        b"GET / HTTP/1.1\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\n",
        b"\nGET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\rHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\rC: d\r\n\r\n",
        // Control characters (RFC 9110 §5.5).
        b"GET / HTTP/1.1\r\nA: b\0c\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: \x0bchunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nA\0: b\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\x7f\r\n\r\n",
        // Names that are no tokens, lines without a colon, broken request lines.
        b"GET / HTTP/1.1\r\n: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nA b: c\r\n\r\n",
        b"GET / HTTP/1.1\r\nA\r\n\r\n",
        b"GET / HTTP/1.1\r\nA(: c\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1 \r\n\r\n",
        b"GET /\r\n\r\n",
        b" GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        assert_eq!(refusal(input), HeadError::Malformed, "{:?}", String::from_utf8_lossy(input));
    }
}

#[test]
fn a_lone_line_feed_is_refused_before_the_head_is_complete() {
    assert_eq!(refusal(b"GET / HTTP/1.1\r\nA: b\n"), HeadError::Malformed);
}

#[test]
fn other_versions_are_refused() {
    // A blank in the target: its rest stands where the version should.
    assert_eq!(refusal(b"GET /a b HTTP/1.1\r\n\r\n"), HeadError::Version);
    for line in ["GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.2\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        assert_eq!(refusal(line.as_bytes()), HeadError::Version);
    }
}

#[test]
fn oversized_heads_are_refused_complete_or_not() {
    let target = "a".repeat(HEAD_BYTES_MAX);
    assert_eq!(refusal(format!("GET /{target}").as_bytes()), HeadError::HeadTooLarge);
    assert_eq!(refusal(format!("GET /{target} HTTP/1.1\r\n\r\n").as_bytes()), HeadError::HeadTooLarge);

    let value = "v".repeat(HEADER_SECTION_BYTES_MAX);
    let section = format!("GET / HTTP/1.1\r\nA: {value}");
    assert_eq!(refusal(section.as_bytes()), HeadError::HeaderSectionTooLarge);
    assert_eq!(refusal(format!("{section}\r\n\r\n").as_bytes()), HeadError::HeaderSectionTooLarge);

    let many = "a: b\r\n".repeat(HEADERS_MAX + 1);
    assert_eq!(refusal(format!("GET / HTTP/1.1\r\n{many}").as_bytes()), HeadError::HeaderSectionTooLarge);

    // Nothing but empty lines is no way around the bound.
    assert_eq!(refusal("\r\n".repeat(HEAD_BYTES_MAX / 2).as_bytes()), HeadError::HeadTooLarge);
}

#[test]
fn the_largest_allowed_head_passes() {
    let fields = "a: b\r\n".repeat(HEADERS_MAX);
    assert!(parse(format!("GET / HTTP/1.1\r\n{fields}\r\n").as_bytes()).unwrap().is_some());
}

proptest! {
    #[test]
    fn random_bytes_never_panic(input in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&input);
    }

    /// Bytes that look like a head reach deeper than pure noise.
    #[test]
    fn head_like_bytes_never_panic(input in "(\r\n)?[A-Z]{1,7} /[ -~]{0,20} HTTP/1\\.[0-3]\r?\n([A-Za-z \t]{0,9}:?[ -~\t\r\n]{0,20}\r?\n){0,6}\r?\n?") {
        if let Ok(Some((head, length))) = parse(input.as_bytes()) {
            prop_assert!(length <= input.len());
            for (name, value) in head.headers() {
                prop_assert!(!name.is_empty() && !name.iter().any(u8::is_ascii_uppercase));
                prop_assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
            }
        }
    }
}
