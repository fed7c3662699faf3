use super::*;

/// A key and its MD5; another key and its MD5.
const A: (&str, &str) = ("pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=", "DWygnHRtgiJ77HCm+1rvHw==");
const B: (&str, &str) = ("6b+WOZ1T3cqZMxgThRcXAQBrS5mXKdDUphvpxptl9/4=", "arxBvwY2V4SiOne6yppVPQ==");

const ALGORITHM_MESSAGE: &str = "Requests specifying Server Side Encryption with Customer provided keys must \
                                 provide a valid encryption algorithm.";
const KEY_MESSAGE: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide an \
                           appropriate secret key.";
const MD5_MESSAGE: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide the \
                           client calculated MD5 of the secret key.";
const INVALID_KEY_MESSAGE: &str = "The secret key was invalid for the specified algorithm.";
const MISMATCH_MESSAGE: &str = "The calculated MD5 hash of the key did not match the hash that was provided.";

fn head(fields: &[(&str, &str)]) -> RequestHead {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let text = format!("PUT /b/k HTTP/1.1\r\nHost: h\r\n{}\r\n", fields.concat());
    RequestHead::parse(text.as_bytes()).expect("well-formed").expect("whole").0
}

/// Fields by the last part of their name.
fn own(fields: &[(&str, &str)]) -> RequestHead {
    prefixed("x-amz-server-side-encryption-customer-", fields)
}

fn prefixed(prefix: &str, fields: &[(&str, &str)]) -> RequestHead {
    let names: Vec<String> = fields.iter().map(|(name, _)| format!("{prefix}{name}")).collect();
    let fields: Vec<(&str, &str)> =
        names.iter().zip(fields).map(|(name, (_, value))| (name.as_str(), *value)).collect();
    head(&fields)
}

fn sent((key, md5): (&str, &str)) -> SentKey {
    let head = own(&[("algorithm", "AES256"), ("key", key), ("key-MD5", md5)]);
    from_head(&head).expect("valid").expect("sent")
}

fn fault(head: &RequestHead) -> (ErrorCode, String) {
    let error = from_head(head).expect_err("a fault");
    (error.code, error.message)
}

#[test]
fn a_key_is_read_and_echoed() {
    assert!(from_head(&head(&[])).unwrap().is_none());
    let response = echo(Response::new(200), &sent(A));
    let headers: Vec<(&str, &[u8])> =
        response.headers.iter().map(|(name, value)| (name.as_ref(), value.as_slice())).collect();
    assert_eq!(
        headers,
        [
            ("x-amz-server-side-encryption-customer-algorithm", &b"AES256"[..]),
            ("x-amz-server-side-encryption-customer-key-MD5", A.1.as_bytes()),
        ]
    );
}

#[test]
fn the_source_of_a_copy_has_a_key_of_its_own() {
    let fields = [("algorithm", "AES256"), ("key", A.0), ("key-MD5", A.1)];
    let of_source = prefixed("x-amz-copy-source-server-side-encryption-customer-", &fields);
    assert!(from_head(&of_source).unwrap().is_none());
    let check = sent(A).key.new_check().unwrap();
    assert!(from_copy_source(&of_source).unwrap().expect("sent").key.matches(&check));
    assert!(from_copy_source(&own(&fields)).unwrap().is_none());
    assert!(is_in(&of_source) && is_in(&own(&fields)) && !is_in(&own(&fields[..1])));
}

#[test]
fn the_first_fault_counts() {
    let argument = |message: &str| (ErrorCode::InvalidArgument, message.to_owned());
    for (fields, expected) in [
        (&[("key", A.0), ("key-MD5", A.1)][..], ALGORITHM_MESSAGE),
        (&[("key-MD5", "")], ALGORITHM_MESSAGE),
        (&[("algorithm", "AES192"), ("key", A.0), ("key-MD5", A.1)], ALGORITHM_MESSAGE),
        (&[("algorithm", "aes256")], ALGORITHM_MESSAGE),
        (
            &[("algorithm", "AES256"), ("algorithm", "AES256"), ("key", A.0), ("key-MD5", A.1)],
            ALGORITHM_MESSAGE,
        ),
        (&[("algorithm", "AES256")], KEY_MESSAGE),
        (&[("algorithm", "AES256"), ("key", ""), ("key-MD5", A.1)], KEY_MESSAGE),
        (&[("algorithm", "AES256"), ("key", A.0), ("key", B.0), ("key-MD5", A.1)], KEY_MESSAGE),
        (&[("algorithm", "AES256"), ("key", "short")], MD5_MESSAGE),
        (&[("algorithm", "AES256"), ("key", A.0), ("key-MD5", A.1), ("key-MD5", A.1)], MD5_MESSAGE),
    ] {
        assert_eq!(fault(&own(fields)), argument(expected), "{fields:?}");
    }
    for key in
        ["short", "a2V5", &A.0[..43], &format!("{}AAAA", A.0), "pO3upElrwuEXSoFwCfnZPdSsmt_xWeFa0N9KgDijwVs="]
    {
        let head = own(&[("algorithm", "AES256"), ("key", key), ("key-MD5", A.1)]);
        assert_eq!(fault(&head), argument(INVALID_KEY_MESSAGE), "{key}");
    }
    // 31 and 33 bytes, in base64 as long as 32.
    for bytes in [31, 33] {
        let key = BASE64.encode(vec![7; bytes]);
        let head = own(&[("algorithm", "AES256"), ("key", &key), ("key-MD5", A.1)]);
        assert_eq!(fault(&head), argument(INVALID_KEY_MESSAGE), "{bytes}");
    }
    for md5 in [B.1, "AAAAAAAAAAAAAAAAAAAAAA==", "zz", "not base64"] {
        let head = own(&[("algorithm", "AES256"), ("key", A.0), ("key-MD5", md5)]);
        assert_eq!(fault(&head), (ErrorCode::InvalidRequest, MISMATCH_MESSAGE.to_owned()), "{md5}");
    }
}

#[test]
fn other_encryption_does_not_go_with_a_customers_key() {
    let own = [
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-server-side-encryption-customer-key", A.0),
        ("x-amz-server-side-encryption-customer-key-md5", A.1),
    ];
    for other in [
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-aws-kms-key-id", "a"),
    ] {
        assert_eq!(fault(&head(&[&own[..], &[other]].concat())).0, ErrorCode::InvalidArgument);
        assert!(from_head(&head(&[other])).unwrap().is_none(), "alone it is not a customer's");
    }
}

#[test]
fn no_fault_repeats_what_was_sent() {
    for fields in [
        &[("algorithm", A.0)][..],
        &[("algorithm", "AES256"), ("key", A.0)],
        &[("algorithm", "AES256"), ("key", &A.0[1..]), ("key-MD5", A.1)],
        &[("algorithm", "AES256"), ("key", A.0), ("key-MD5", A.0)],
    ] {
        let error = from_head(&own(fields)).expect_err("a fault");
        let shown = format!("{error:?} {}", String::from_utf8(error.to_xml("/", "", "")).unwrap());
        assert!(!shown.contains(&A.0[1..]), "{shown}");
    }
}

#[test]
fn reads() {
    let check = sent(A).key.new_check().unwrap();
    let judge = |stored, sent: Option<&SentKey>| judge_read(stored, sent).map_err(|error| error.status());
    let code = |stored, sent: Option<&SentKey>| judge_read(stored, sent).map_err(|error| error.code);
    assert_eq!(judge(None, None), Ok(()));
    assert_eq!(judge(Some(&check), Some(&sent(A))), Ok(()));
    assert_eq!(judge(Some(&check), Some(&sent(B))), Err(403));
    assert_eq!(code(Some(&check), Some(&sent(B))), Err(ErrorCode::AccessDenied));
    assert_eq!(code(Some(&check), None), Err(ErrorCode::InvalidRequest));
    assert_eq!(code(None, Some(&sent(A))), Err(ErrorCode::InvalidRequest));
}

#[test]
fn parts_and_completion() {
    let check = sent(A).key.new_check().unwrap();
    let part = |upload, sent: Option<&SentKey>| judge_part(upload, sent).map_err(|error| error.code);
    let completion = |upload, sent: Option<&SentKey>| judge_upload(upload, sent).map_err(|error| error.code);
    assert_eq!(part(None, None), Ok(()));
    assert_eq!(part(Some(&check), Some(&sent(A))), Ok(()));
    assert_eq!(part(Some(&check), Some(&sent(B))), Err(ErrorCode::InvalidRequest));
    assert_eq!(part(Some(&check), None), Err(ErrorCode::InvalidRequest));
    assert_eq!(part(None, Some(&sent(A))), Err(ErrorCode::InvalidRequest));
    assert_eq!(completion(Some(&check), None), Ok(()));
    assert_eq!(completion(Some(&check), Some(&sent(A))), Ok(()));
    assert_eq!(completion(Some(&check), Some(&sent(B))), Err(ErrorCode::InvalidRequest));
    assert_eq!(completion(None, Some(&sent(A))), Err(ErrorCode::InvalidRequest));
}
