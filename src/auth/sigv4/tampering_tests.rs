//! Every single-bit change of a signed head is refused, unless it changes nothing but case where case has
//! no meaning.

use super::oracle::{self, MAY_24, Unsigned};
use super::*;

const SHA256: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

fn request() -> Unsigned {
    let mut request = Unsigned::new("PUT", "/bucket/a%20b%2Bc/%E6%97%A5..//k%25");
    request.query = "partNumber=7&prefix=a%2Fb%20c&uploadId=x~y".to_owned();
    request.header("x-amz-meta-note", "two  blanks").header("range", "bytes=0-9").payload_hash(SHA256)
}

/// Case has no meaning in a header name and in the digits of a percent-encoded byte.
fn is_caseless(bytes: &[u8], at: usize) -> bool {
    let line_start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |lf| lf + 1);
    if line_start == 0 {
        return bytes[at.saturating_sub(2)..at].contains(&b'%');
    }
    !bytes[line_start..at].contains(&b':')
}

fn every_bit_matters(bytes: &[u8]) {
    let authenticator = oracle::authenticator();
    let accepts = |bytes: &[u8]| {
        oracle::parse(bytes).is_some_and(|head| {
            matches!(authenticator.authenticate(&head, MAY_24), Ok(Authentication::Signed { .. }))
        })
    };
    assert!(accepts(bytes));
    let version = bytes.windows(8).position(|window| window == b"HTTP/1.1").unwrap();
    let mut changed = bytes.to_vec();
    let mut refused = 0;
    for at in 0..bytes.len() {
        // Not signed: the version and the line ends, which the head parser judges.
        if (version..version + 8).contains(&at) || matches!(bytes[at], b'\r' | b'\n') {
            continue;
        }
        for bit in 0..8 {
            changed[at] = bytes[at] ^ 1 << bit;
            let same_but_case = changed[at].eq_ignore_ascii_case(&bytes[at]) && is_caseless(bytes, at);
            assert_eq!(accepts(&changed), same_but_case, "byte {at}: {}", changed.escape_ascii());
            refused += u32::from(!same_but_case);
        }
        changed[at] = bytes[at];
    }
    assert!(refused > 2000, "{refused}");
}

#[test]
fn every_bit_of_a_signed_head_matters() {
    every_bit_matters(&oracle::sign_header(&request(), MAY_24).bytes());
}

#[test]
fn every_bit_of_a_presigned_head_matters() {
    let mut request = request();
    request.payload_hash = None;
    every_bit_matters(&oracle::presign(&request, MAY_24, 3600).bytes());
}

#[test]
fn additions_and_removals_are_refused() {
    let signed = oracle::sign_header(&request(), MAY_24);
    let presigned = oracle::presign(&request(), MAY_24, 3600);
    for good in [&signed, &presigned] {
        let mut changes = vec![good.clone(); 10];
        changes[0].query += "&versionId=1";
        changes[1].query += "&prefix=again";
        changes[2].query = changes[2].query.replace("&uploadId=x~y", "");
        changes[3].remove("x-amz-meta-note");
        changes[4].remove("range");
        changes[5].headers.push(("x-amz-meta-note".to_owned(), "again".to_owned()));
        changes[6].headers.push(("x-amz-acl".to_owned(), "public-read".to_owned()));
        changes[7].headers.push(("host".to_owned(), "other".to_owned()));
        changes[8].path += "/";
        changes[9].method = "GET".to_owned();
        for changed in changes {
            let result = oracle::authenticator().authenticate(&changed.head(), MAY_24);
            assert!(result.is_err(), "{}", changed.bytes().escape_ascii());
        }
        // A header that the signature need not cover may come and go.
        let mut harmless = good.clone();
        harmless.headers.push(("user-agent".to_owned(), "curl".to_owned()));
        assert!(oracle::authenticator().authenticate(&harmless.head(), MAY_24).is_ok());
    }
}

#[test]
fn an_empty_header_is_not_an_absent_one() {
    let request = Unsigned::new("PUT", "/b/k").header("content-type", "");
    let mut signed = oracle::sign_header(&request, MAY_24);
    assert!(oracle::authenticator().authenticate(&signed.head(), MAY_24).is_ok());
    signed.remove("content-type");
    assert!(oracle::authenticator().authenticate(&signed.head(), MAY_24).is_err());
}
