use proptest::prelude::*;

use super::*;

#[test]
fn origin_form_splits_at_the_first_question_mark() {
    assert_eq!(split(b"/"), Ok((&b"/"[..], None, None)));
    assert_eq!(split(b"/b/k?a=b?c"), Ok((&b"/b/k"[..], Some(&b"a=b?c"[..]), None)));
    assert_eq!(split(b"/b?"), Ok((&b"/b"[..], Some(&b""[..]), None)));
    // Not normalised: these are keys.
    assert_eq!(split(b"//a/../b//"), Ok((&b"//a/../b//"[..], None, None)));
}

#[test]
fn absolute_form_gives_the_authority() {
    let expected = (&b"/k"[..], Some(&b"q"[..]), Some(&b"h:9000"[..]));
    assert_eq!(split(b"http://h:9000/k?q"), Ok(expected));
    assert_eq!(split(b"HTTPS://h:9000/k?q"), Ok(expected));
    assert_eq!(split(b"http://h"), Ok((&b"/"[..], None, Some(&b"h"[..]))));
    assert_eq!(split(b"http://[::1]:80?q"), Ok((&b"/"[..], Some(&b"q"[..]), Some(&b"[::1]:80"[..]))));
}

#[test]
fn other_forms_are_refused() {
    for target in [
        &b""[..],
        b"*",
        b"host:443",
        b"bucket/key",
        b"ftp://h/k",
        b"http:///k",
        b"http://:80/k",
        b"http://user@h/k",
        b"http:/k",
        b"/a#b",
        b"?a",
    ] {
        assert_eq!(split(target), Err(BadTarget), "{:?}", String::from_utf8_lossy(target));
    }
}

#[test]
fn paths_decode_without_touching_plus() {
    assert_eq!(percent_decode(b"/a+b%20c%2Fd%c3%A4"), Ok(b"/a+b c/d\xc3\xa4".to_vec()));
    assert_eq!(percent_decode(b"%00"), Ok(vec![0]));
    assert_eq!(percent_decode("ä".as_bytes()), Ok("ä".as_bytes().to_vec()));
}

#[test]
fn stray_percent_signs_are_errors() {
    for encoded in ["%", "%4", "a%zz", "%+1", "% 1", "%%41", "%4%41"] {
        assert_eq!(percent_decode(encoded.as_bytes()), Err(BadEncoding), "{encoded}");
        assert_eq!(Query::parse(encoded.as_bytes()), Err(BadEncoding), "{encoded}");
    }
}

#[test]
fn a_query_decodes_into_ordered_pairs() {
    let query = Query::parse(b"uploads&prefix=a+b%2Bc&x=1&x=2&&empty=&e=f=g").unwrap();
    let pairs: Vec<_> = query.pairs().collect();
    assert_eq!(
        pairs,
        [("uploads", ""), ("prefix", "a b+c"), ("x", "1"), ("x", "2"), ("empty", ""), ("e", "f=g")]
    );
    assert_eq!(query.get("x"), Some("1"));
    assert_eq!(query.get("uploads"), Some(""));
    assert!(query.has("empty") && !query.has("Prefix"));
    assert!(Query::parse(b"").unwrap().is_empty());
}

#[test]
fn a_query_must_be_utf8() {
    assert_eq!(Query::parse(b"prefix=%ff"), Err(BadEncoding));
    assert_eq!(Query::parse(b"%ff"), Err(BadEncoding));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(input in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = split(&input);
        let _ = percent_decode(&input);
        let _ = Query::parse(&input);
    }

    #[test]
    fn decoding_reverses_encoding(plain in proptest::collection::vec(any::<u8>(), 0..100)) {
        let encoded = percent_encoding::percent_encode(&plain, percent_encoding::NON_ALPHANUMERIC).to_string();
        prop_assert_eq!(percent_decode(encoded.as_bytes()), Ok(plain));
    }

    #[test]
    fn a_query_round_trips(pairs in proptest::collection::vec((".{1,9}", ".{0,9}"), 0..6)) {
        let encode = |text: &str| {
            percent_encoding::percent_encode(text.as_bytes(), percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let raw: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let query = Query::parse(raw.join("&").as_bytes()).unwrap();
        let decoded: Vec<(String, String)> = query.pairs().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        prop_assert_eq!(decoded, pairs);
    }
}
