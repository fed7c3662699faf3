//! Requests with every fault at once, mended one by one: each step must uncover the next fault of the list.

use core::fmt::Write as _;

use super::oracle::{self, MAY_24, Signed, Unsigned};
use super::*;
use crate::auth::error::{CredentialFault, QueryFault};

const UNKNOWN: &str = "AKIAUNKNOWN";

fn fault(signed: &Signed) -> Option<AuthError> {
    oracle::authenticator().authenticate(&signed.head(), MAY_24).err()
}

fn header_fault(fault: CredentialFault) -> AuthError {
    AuthError::HeaderMalformed(HeaderFault::Credential(fault))
}

/// The good request with its `Authorization` rewritten.
fn authorization(good: &Signed, from: &[&str], to: &[&str]) -> String {
    from.iter().zip(to).fold(good.get("authorization").to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Values of `Authorization` that are refused before anything else of the request is looked at.
fn unreadable_headers() -> Vec<(&'static str, AuthError)> {
    vec![
        ("AWS AKID:c2ln", AuthError::SignatureVersion2),
        ("Bearer secret", AuthError::UnsupportedScheme { scheme: "Bearer".to_owned() }),
        ("", AuthError::UnsupportedScheme { scheme: String::new() }),
        ("AWS4-HMAC-SHA256", AuthError::HeaderMalformed(HeaderFault::Components)),
        ("AWS4-HMAC-SHA256 Credential=a/b", AuthError::HeaderMalformed(HeaderFault::Components)),
        (
            "AWS4-HMAC-SHA256 Credential=a/b,SignedHeaders=host,Signature=",
            AuthError::HeaderMalformed(HeaderFault::Components),
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b,SignedHeaders=host,Signature=0",
            header_fault(CredentialFault::Shape),
        ),
    ]
}

#[test]
fn header_form() {
    let good = oracle::sign_header(&Unsigned::new("GET", "/b/k").header("x-amz-meta-a", "1"), MAY_24);
    let signature = good.get("authorization").rsplit('=').next().unwrap().to_owned();
    let whole = [oracle::ACCESS_KEY, "/20130524/", "/s3/", "aws4_request", ";x-amz-meta-a", &signature];
    let bad_signature = "0".repeat(64);
    let bad = [UNKNOWN, "/20130523/", "/ec2/", "aws3_request", "", &bad_signature];
    let mut now = good.clone();
    let now_is = |now: &Signed, expected: AuthError| assert_eq!(fault(now), Some(expected));

    now.remove("x-amz-content-sha256").remove("x-amz-date");
    now.query = "X-Amz-Expires=5".to_owned();
    now_is(&now, AuthError::TwoMechanisms);
    now.query.clear();
    for (value, expected) in unreadable_headers() {
        now.set("authorization", value);
        now_is(&now, expected);
    }
    // Mended from the right: terminal, service; then date, skew, key, day, hash, headers, signature.
    now.set("authorization", &authorization(&good, &whole, &bad));
    now_is(&now, header_fault(CredentialFault::Terminal("aws3_request".to_owned())));
    let bad = [UNKNOWN, "/20130523/", "/ec2/", "aws4_request", "", &bad_signature];
    now.set("authorization", &authorization(&good, &whole, &bad));
    now_is(&now, header_fault(CredentialFault::Service("ec2".to_owned())));
    let bad = [UNKNOWN, "/20130523/", "/s3/", "aws4_request", "", &bad_signature];
    now.set("authorization", &authorization(&good, &whole, &bad));
    now_is(&now, AuthError::DateInvalid);
    now.set("x-amz-date", "yesterday");
    now_is(&now, AuthError::DateInvalid);
    now.set("x-amz-date", "20130524T001501Z");
    now_is(
        &now,
        AuthError::TimeTooSkewed { request_time: "20130524T001501Z".to_owned(), server_time_unix_s: MAY_24 },
    );
    now.set("x-amz-date", "20130524T000000Z");
    now_is(&now, AuthError::UnknownAccessKey { access_key: UNKNOWN.to_owned() });
    let bad = [oracle::ACCESS_KEY, "/20130523/", "/s3/", "aws4_request", "", &bad_signature];
    now.set("authorization", &authorization(&good, &whole, &bad));
    now_is(
        &now,
        header_fault(CredentialFault::DayMismatch {
            credential_day: "20130523".to_owned(),
            request_day: "20130524".to_owned(),
        }),
    );
    let bad = [oracle::ACCESS_KEY, "/20130524/", "/s3/", "aws4_request", "", &bad_signature];
    now.set("authorization", &authorization(&good, &whole, &bad));
    now_is(&now, AuthError::ContentSha256Missing);
    now.set("x-amz-content-sha256", "nonsense");
    now_is(&now, AuthError::ContentSha256Invalid { value: "nonsense".to_owned() });
    now.set("x-amz-content-sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD");
    now_is(&now, AuthError::SignatureVersion4a);
    now.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    now_is(&now, AuthError::HeadersNotSigned { names: vec!["x-amz-meta-a".to_owned()] });
    let bad = [oracle::ACCESS_KEY, "/20130524/", "/s3/", "aws4_request", ";x-amz-meta-a", &bad_signature];
    now.set("authorization", &authorization(&good, &whole, &bad));
    assert!(matches!(fault(&now), Some(AuthError::SignatureMismatch(_))));
    now.set("authorization", good.get("authorization"));
    assert_eq!(fault(&now), None);
}

#[test]
fn host_must_be_signed() {
    let good = oracle::sign_header(&Unsigned::new("GET", "/b/k"), MAY_24);
    let mut now = good.clone();
    now.set("authorization", &authorization(&good, &["=host;"], &["="]));
    assert_eq!(fault(&now), Some(AuthError::HeadersNotSigned { names: vec!["host".to_owned()] }));
}

#[test]
fn repeated_headers() {
    let good = oracle::sign_header(&Unsigned::new("GET", "/b/k"), MAY_24);
    for (name, expected) in [
        ("authorization", AuthError::HeaderMalformed(HeaderFault::Repeated)),
        ("x-amz-date", AuthError::DateInvalid),
        ("x-amz-content-sha256", AuthError::ContentSha256Invalid { value: "UNSIGNED-PAYLOAD".to_owned() }),
    ] {
        let mut now = good.clone();
        now.headers.push((name.to_owned(), good.get(name).to_owned()));
        assert_eq!(fault(&now), Some(expected));
    }
}

#[test]
fn date_header_serves_where_x_amz_date_is_absent() {
    let good = oracle::sign_header(&Unsigned::new("GET", "/b/k"), MAY_24);
    let mut now = good.clone();
    now.remove("x-amz-date").set("date", "Fri, 24 May 2013 00:00:00 GMT");
    // The time is right, the list of signed headers names one that is gone.
    assert!(matches!(fault(&now), Some(AuthError::SignatureMismatch(_))));
    now.set("date", "Fri, 24 May 2013 00:15:01 GMT");
    assert!(matches!(fault(&now), Some(AuthError::TimeTooSkewed { .. })));
    now.set("date", "soon");
    assert_eq!(fault(&now), Some(AuthError::DateInvalid));
}

#[test]
fn too_many_signed_headers() {
    let good = oracle::sign_header(&Unsigned::new("GET", "/b/k"), MAY_24);
    let mut now = good.clone();
    now.set("authorization", &authorization(&good, &["=host;"], &[&format!("={}host;", "a;".repeat(200))]));
    assert_eq!(fault(&now), Some(AuthError::HeaderMalformed(HeaderFault::Components)));
}

#[test]
fn security_tokens_are_refused_after_the_signature() {
    let request = Unsigned::new("GET", "/b/k").header("x-amz-security-token", "t0ken");
    let mut signed = oracle::sign_header(&request, MAY_24);
    assert_eq!(fault(&signed), Some(AuthError::SecurityToken));
    signed.path.push('x');
    let Some(AuthError::SignatureMismatch(mismatch)) = fault(&signed) else { panic!("accepted") };
    assert!(!mismatch.canonical_request.contains("t0ken"));
    let mut request = Unsigned::new("GET", "/b/k");
    request.query = "X-Amz-Security-Token=t0ken".to_owned();
    assert_eq!(fault(&oracle::presign(&request, MAY_24, 60)), Some(AuthError::SecurityToken));
}

#[test]
fn version_2_query() {
    let mut signed = oracle::sign_header(&Unsigned::new("GET", "/b/k"), MAY_24);
    signed.remove("authorization");
    assert_eq!(fault(&signed), None);
    signed.query = "AWSAccessKeyId=AKID&Expires=1&Signature=x".to_owned();
    assert_eq!(fault(&signed), Some(AuthError::SignatureVersion2));
}

/// The good URL with one parameter replaced or left out.
fn with(good: &Signed, name: &str, value: Option<&str>) -> Signed {
    let kept = good.query.split('&').filter(|pair| pair.split('=').next() != Some(name));
    let added = value.map(|value| format!("{name}={}", oracle::encode_query(value.as_bytes())));
    let pairs: Vec<String> = kept.map(str::to_owned).chain(added).collect();
    Signed { query: pairs.join("&"), ..good.clone() }
}

#[test]
fn presigned_parameters() {
    let good = oracle::presign(&Unsigned::new("GET", "/b/k"), MAY_24, 60);
    assert_eq!(fault(&good), None);
    let query = |fault| Some(AuthError::QueryMalformed(fault));
    for name in [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
    ] {
        assert_eq!(fault(&with(&good, name, None)), query(QueryFault::Missing), "{name}");
        assert_eq!(fault(&with(&good, name, Some(""))), query(QueryFault::Missing), "{name}");
        let mut twice = good.clone();
        write!(twice.query, "&{name}=1").unwrap();
        assert_eq!(fault(&twice), query(QueryFault::Repeated), "{name}");
    }
}

#[test]
fn presigned_form_in_order() {
    let good = oracle::presign(&Unsigned::new("GET", "/b/k").header("x-amz-meta-a", "1"), MAY_24, 60);
    let query = |fault| Some(AuthError::QueryMalformed(fault));
    let name = "X-Amz-Credential";
    let credential = |key: &str, day: &str| format!("{key}/{day}/r/s3/aws4_request");
    let (unknown, other_day) = (credential(UNKNOWN, "20130524"), credential(UNKNOWN, "20130523"));
    // All faults at once, mended in the order in which they must be found.
    let mut now = with(&good, "X-Amz-Algorithm", Some("AWS4-HMAC-SHA1"));
    for (name, value) in [
        ("X-Amz-Credential", "AKIAUNKNOWN/20130523"),
        ("X-Amz-SignedHeaders", "host"),
        ("X-Amz-Date", "2013-05-24"),
        ("X-Amz-Expires", "soon"),
        ("X-Amz-Signature", "0"),
        ("X-Amz-Content-Sha256", "nonsense"),
    ] {
        now = with(&now, name, Some(value));
    }
    assert_eq!(fault(&now), query(QueryFault::Algorithm));
    let mut mend = |name: &str, value: &str| {
        now = with(&now, name, Some(value));
        fault(&now)
    };
    let shape = mend("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
    assert_eq!(shape, query(QueryFault::Credential(CredentialFault::Shape)));
    assert_eq!(mend(name, &other_day), query(QueryFault::Date));
    assert_eq!(mend("X-Amz-Date", "20130524T001501Z"), query(QueryFault::ExpiresNotANumber));
    for (value, expected) in [
        ("", QueryFault::Missing),
        ("-", QueryFault::ExpiresNotANumber),
        ("+5", QueryFault::ExpiresNotANumber),
        ("6.5", QueryFault::ExpiresNotANumber),
        ("-1", QueryFault::ExpiresNegative),
        ("604801", QueryFault::ExpiresTooLong),
        ("99999999999999999999999999", QueryFault::ExpiresTooLong),
    ] {
        assert_eq!(mend("X-Amz-Expires", value), query(expected), "{value}");
    }
    let day = mend("X-Amz-Expires", "60");
    assert!(
        matches!(
            day,
            Some(AuthError::QueryMalformed(QueryFault::Credential(CredentialFault::DayMismatch { .. })))
        ),
        "{day:?}"
    );
    assert!(matches!(mend(name, &unknown), Some(AuthError::NotValidYet { expires_s: 60, .. })));
    let expired = mend("X-Amz-Date", "20130523T235900Z");
    assert!(matches!(expired, Some(AuthError::QueryMalformed(_))), "{expired:?}");
    assert!(matches!(
        mend(name, &other_day),
        Some(AuthError::Expired { expires_s: 60, expired_unix_s: MAY_24, .. })
    ));
    mend("X-Amz-Date", "20130524T000000Z");
    assert_eq!(mend(name, &unknown), Some(AuthError::UnknownAccessKey { access_key: UNKNOWN.to_owned() }));
    let known = credential(oracle::ACCESS_KEY, "20130524");
    assert_eq!(mend(name, &known), Some(AuthError::ContentSha256Invalid { value: "nonsense".to_owned() }));
    assert_eq!(
        mend("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
        Some(AuthError::HeadersNotSigned { names: vec!["x-amz-meta-a".to_owned()] })
    );
    assert!(matches!(
        mend("X-Amz-SignedHeaders", "host;x-amz-meta-a"),
        Some(AuthError::SignatureMismatch(_))
    ));
}
