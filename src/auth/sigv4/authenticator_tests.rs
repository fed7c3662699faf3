use core::fmt::Write as _;

use proptest::prelude::*;

use super::oracle::{self, MAY_24, Signed, Unsigned, encode_path, encode_query};
use super::*;

const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn is_accepted(signed: &Signed, now: i64) -> Result<bool, TestCaseError> {
    match oracle::authenticator().authenticate(&signed.head(), now) {
        Ok(Authentication::Signed { identity, presigned, .. }) => {
            prop_assert_eq!(&identity.user, "alice");
            Ok(presigned)
        }
        other => Err(TestCaseError::fail(format!("{other:?} for {}", signed.bytes().escape_ascii()))),
    }
}

/// Text with every byte that has a meaning somewhere in a URL.
fn odd_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9._~-]{1,6}",
        2 => proptest::sample::select(vec![
            " ", "+", "%", "~", "@", ":", ",", ";", "=", "&", "?", "#", "/", "//", "..", "/./", "(", ")", "'", "\"",
            "*", "!", "$", "%41", "%2F", "é", "日本", "\u{1F980}", "\t", "\u{1}", "\\", "[", "]", "{", "|", "^", "`",
            "<", ">",
        ]).prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn query_pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::vec((odd_text(), odd_text()), 0..6)
}

fn canonical_query(pairs: &[(String, String)]) -> String {
    let encoded: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("q{}={}", encode_query(name.as_bytes()), encode_query(value.as_bytes())))
        .collect();
    encoded.join("&")
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = proptest::sample::select(vec![
        "x-amz-meta-a",
        "X-Amz-Meta-B",
        "x-amz-acl",
        "range",
        "Content-Type",
        "content-length",
        "accept-encoding",
        "if-match",
        "x-custom",
    ]);
    // Inner runs of blanks, none around: the wire would not keep those.
    let value = "([!-~]{1,5}( {1,3}[!-~]{1,5}){0,3})?";
    proptest::collection::vec((name.prop_map(str::to_owned), value), 0..6)
}

fn payload() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "UNSIGNED-PAYLOAD",
        EMPTY_SHA256,
        "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    ])
}

fn request() -> impl Strategy<Value = Unsigned> {
    let method = proptest::sample::select(vec!["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]);
    (method, odd_text(), query_pairs(), headers(), payload()).prop_map(
        |(method, path, pairs, headers, payload)| Unsigned {
            method: method.to_owned(),
            path: format!("/{}", encode_path(path.as_bytes())),
            query: canonical_query(&pairs),
            headers,
            payload_hash: Some(payload.to_owned()),
        },
    )
}

/// Another spelling of the same path: raw where a raw byte is legal and keeps its meaning, hex in either
/// case, unreserved bytes encoded.
fn respell(canonical: &str, choices: &[u8], is_query: bool) -> String {
    let decoded: Vec<u8> = percent_encoding::percent_decode_str(canonical).collect();
    let mut out = String::new();
    for (index, &byte) in decoded.iter().enumerate() {
        let choice = choices.get(index % choices.len().max(1)).copied().unwrap_or(0) % 4;
        let raw = byte.is_ascii_alphanumeric()
            || b"-._~@:,()!$'*;".contains(&byte)
            || (!is_query && b"+/&=".contains(&byte));
        match choice {
            0 | 1 if raw => out.push(char::from(byte)),
            1 if is_query && byte == b' ' => out.push('+'),
            2 => write!(out, "%{byte:02x}").unwrap(),
            _ => write!(out, "%{byte:02X}").unwrap(),
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_the_public_signer_signs_is_accepted(request in request(), skew in -900i64..=900) {
        let signed = oracle::sign_header(&request, MAY_24);
        prop_assert!(!is_accepted(&signed, MAY_24 + skew)?);
    }

    #[test]
    fn presigned_urls_of_the_public_signer_are_accepted(request in request(), expires in 1u64..=604_800) {
        let signed = oracle::presign(&request, MAY_24, expires);
        prop_assert!(is_accepted(&signed, MAY_24)?);
    }

    #[test]
    fn spelling_on_the_wire_does_not_matter(
        path in odd_text(),
        pairs in query_pairs(),
        choices in proptest::collection::vec(any::<u8>(), 1..32),
        absolute in any::<bool>(),
    ) {
        let mut request = Unsigned::new("GET", &format!("/{}", encode_path(path.as_bytes())));
        request.query = canonical_query(&pairs);
        let mut signed = oracle::sign_header(&request, MAY_24);
        signed.path = format!("/{}", respell(&request.path[1..], &choices, false));
        if absolute {
            signed.path.insert_str(0, "http://node.example:9000");
        }
        let mut respelled: Vec<String> = pairs.iter().map(|(name, value)| {
            let name = respell(&encode_query(name.as_bytes()), &choices, true);
            let value = respell(&encode_query(value.as_bytes()), &choices, true);
            // A parameter without a value may leave out the mark.
            if value.is_empty() { format!("q{name}") } else { format!("q{name}={value}") }
        }).collect();
        respelled.reverse();
        signed.query = respelled.join("&");
        is_accepted(&signed, MAY_24)?;
    }

    #[test]
    fn arbitrary_authorization_never_panics(text in "[ -~]{0,200}", query in "[!-~]{0,200}") {
        let mut signed = oracle::sign_header(&Unsigned::new("GET", "/b/k"), MAY_24);
        for value in [text.clone(), format!("AWS4-HMAC-SHA256 {text}")] {
            signed.set("authorization", &value);
            prop_assert!(oracle::authenticator().authenticate(&signed.head(), MAY_24).is_err());
        }
        signed.remove("authorization");
        signed.query = format!("X-Amz-Algorithm=AWS4-HMAC-SHA256&{query}");
        if let Some(head) = oracle::parse(&signed.bytes()) {
            prop_assert!(oracle::authenticator().authenticate(&head, MAY_24).is_err());
        }
    }
}

fn seal_of(payload_hash: &str) -> PayloadSeal {
    let signed = oracle::sign_header(&Unsigned::new("PUT", "/b/k").payload_hash(payload_hash), MAY_24);
    match oracle::authenticator().authenticate(&signed.head(), MAY_24) {
        Ok(Authentication::Signed { seal, .. }) => seal,
        other => panic!("{payload_hash}: {other:?}"),
    }
}

#[test]
fn seals() {
    assert!(matches!(seal_of("UNSIGNED-PAYLOAD"), PayloadSeal::Unsigned));
    assert!(matches!(seal_of(EMPTY_SHA256), PayloadSeal::Sha256([0xe3, 0xb0, ..])));
    assert!(matches!(seal_of("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), PayloadSeal::UnsignedTrailer));
    assert!(matches!(seal_of("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), PayloadSeal::Signed(_)));
    assert!(matches!(seal_of("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"), PayloadSeal::SignedTrailer(_)));
    assert!(seal_of("STREAMING-AWS4-HMAC-SHA256-PAYLOAD").is_streaming());
    assert!(!seal_of("UNSIGNED-PAYLOAD").is_streaming());
}

#[test]
fn anonymous_seals() {
    let with = |values: &[&str]| {
        let mut text = "PUT /b/k HTTP/1.1\r\nhost: h\r\n".to_owned();
        for value in values {
            write!(text, "x-amz-content-sha256: {value}\r\n").unwrap();
        }
        let head = oracle::parse(format!("{text}\r\n").as_bytes()).unwrap();
        assert!(matches!(oracle::authenticator().authenticate(&head, MAY_24), Ok(Authentication::Anonymous)));
        PayloadSeal::anonymous(&head)
    };
    assert!(matches!(with(&[]), Ok(PayloadSeal::Unsigned)));
    assert!(matches!(with(&["UNSIGNED-PAYLOAD"]), Ok(PayloadSeal::Unsigned)));
    assert!(matches!(with(&[EMPTY_SHA256]), Ok(PayloadSeal::Sha256(_))));
    assert!(matches!(with(&["STREAMING-UNSIGNED-PAYLOAD-TRAILER"]), Ok(PayloadSeal::UnsignedTrailer)));
    for refused in
        ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "", "00"]
    {
        assert!(matches!(with(&[refused]), Err(AuthError::ContentSha256Invalid { .. })), "{refused}");
    }
    assert!(with(&["UNSIGNED-PAYLOAD", EMPTY_SHA256]).is_err());
}

#[test]
fn presigned_life() {
    let verdict = |expires_s: u64, now: i64| {
        let signed = oracle::presign(&Unsigned::new("GET", "/b/k"), MAY_24, expires_s);
        oracle::authenticator().authenticate(&signed.head(), now)
    };
    for (expires_s, late, accepted) in [
        (1, 0, true),
        (1, 1, false),
        (60, 59, true),
        (60, 60, false),
        (604_800, 604_799, true),
        (604_800, 604_800, false),
        (0, 0, false),
        (0, -5, false),
        (60, -900, true),
    ] {
        let result = verdict(expires_s, MAY_24 + late);
        assert_eq!(result.is_ok(), accepted, "{expires_s} {late}: {result:?}");
        if let Err(error) = result {
            assert!(matches!(error, AuthError::Expired { .. }), "{error:?}");
        }
    }
    assert!(matches!(verdict(60, MAY_24 - 901), Err(AuthError::NotValidYet { .. })));
    let too_long = verdict(604_801, MAY_24);
    assert!(
        matches!(&too_long, Err(AuthError::QueryMalformed(fault)) if fault.to_string().contains("604800")),
        "{too_long:?}"
    );
}

#[test]
fn access_keys_and_regions_of_any_spelling() {
    for access_key in ["with/slash", "with+plus", "(round)", "a=b", "dots.and-dashes_"] {
        let authenticator = Authenticator::new(KeyRing::from(vec![Credential {
            access_key: access_key.to_owned(),
            secret_key: oracle::SECRET_KEY.into(),
            user: "u".to_owned(),
            display_name: "U".to_owned(),
            org: "o".to_owned(),
        }]));
        let mut signed = oracle::sign_header(&Unsigned::new("GET", "/"), MAY_24);
        let renamed = signed.get("authorization").replace(oracle::ACCESS_KEY, access_key);
        signed.set("authorization", &renamed);
        let result = authenticator.authenticate(&signed.head(), MAY_24);
        assert!(matches!(result, Ok(Authentication::Signed { .. })), "{access_key}: {result:?}");
    }
}

#[test]
fn kept_signing_keys_give_the_same_answers() {
    let authenticator = oracle::authenticator();
    let signed = oracle::sign_header(&Unsigned::new("GET", "/b/k"), MAY_24);
    let mut forged = signed.clone();
    forged.path.push('x');
    for _ in 0..3 {
        assert!(authenticator.authenticate(&forged.head(), MAY_24).is_err());
        assert!(authenticator.authenticate(&signed.head(), MAY_24).is_ok());
    }
    let tomorrow = oracle::sign_header(&Unsigned::new("GET", "/b/k"), MAY_24 + 86_400);
    assert!(authenticator.authenticate(&tomorrow.head(), MAY_24 + 86_400).is_ok());
}

#[test]
fn signature_mismatch_shows_its_texts_without_secrets() {
    let request = Unsigned::new("GET", "/b/k")
        .header("x-amz-server-side-encryption-customer-key", "c2VjcmV0")
        .header("x-amz-copy-source-server-side-encryption-customer-key", "b3RoZXI=")
        .header("x-amz-meta-a", "shown  once");
    let mut signed = oracle::sign_header(&request, MAY_24);
    assert!(oracle::authenticator().authenticate(&signed.head(), MAY_24).is_ok());
    signed.path.push('x');
    let Err(error) = oracle::authenticator().authenticate(&signed.head(), MAY_24) else { panic!("accepted") };
    let AuthError::SignatureMismatch(mismatch) = &error else { panic!("{error:?}") };
    assert!(mismatch.canonical_request.contains("GET\n/b/kx\n\nhost:node.example:9000\n"), "{mismatch:?}");
    assert!(mismatch.canonical_request.contains("x-amz-meta-a:shown once\n"));
    assert!(mismatch.canonical_request.contains("customer-key:REDACTED\n"));
    assert!(
        mismatch
            .string_to_sign
            .starts_with("AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n")
    );
    let shown = format!("{error:?} {error} {:?}", error.fields());
    for secret in ["c2VjcmV0", "b3RoZXI=", oracle::SECRET_KEY] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let fields = error.fields();
    let bytes = &fields.iter().find(|(name, _)| *name == "StringToSignBytes").unwrap().1;
    assert!(bytes.starts_with("41 57 53 34 2d 48"), "{bytes}");
}
