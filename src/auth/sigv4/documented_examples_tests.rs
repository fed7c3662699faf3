//! The examples of the public documentation of Signature Version 4 for S3.

use super::oracle::{self, MAY_24};
use super::*;

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn authorization(signed_headers: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
         SignedHeaders={signed_headers},Signature={signature}"
    )
}

fn authenticate(lines: &[&str]) -> Result<Authentication, AuthError> {
    let head = oracle::parse(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes()).unwrap();
    oracle::authenticator().authenticate(&head, MAY_24)
}

fn assert_accepted(lines: &[&str]) {
    let result = authenticate(lines);
    assert!(matches!(result, Ok(Authentication::Signed { .. })), "{result:?}");
}

#[test]
fn get_object() {
    let authorization = authorization(
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    );
    assert_accepted(&[
        "GET /test.txt HTTP/1.1",
        "Host: examplebucket.s3.amazonaws.com",
        &format!("Authorization: {authorization}"),
        "Range: bytes=0-9",
        &format!("x-amz-content-sha256: {EMPTY}"),
        "x-amz-date: 20130524T000000Z",
    ]);
}

#[test]
fn put_object() {
    let authorization = authorization(
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    );
    assert_accepted(&[
        "PUT /test$file.text HTTP/1.1",
        "Host: examplebucket.s3.amazonaws.com",
        "Date: Fri, 24 May 2013 00:00:00 GMT",
        &format!("Authorization: {authorization}"),
        "x-amz-date: 20130524T000000Z",
        "x-amz-storage-class: REDUCED_REDUNDANCY",
        "x-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
    ]);
}

#[test]
fn queries() {
    for (target, signature) in [
        ("/?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ] {
        assert_accepted(&[
            &format!("GET {target} HTTP/1.1"),
            "Host: examplebucket.s3.amazonaws.com",
            &format!("Authorization: {}", authorization("host;x-amz-content-sha256;x-amz-date", signature)),
            "x-amz-date: 20130524T000000Z",
            &format!("x-amz-content-sha256: {EMPTY}"),
        ]);
    }
}

#[test]
fn presigned_url() {
    let target = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
        &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let host = "Host: examplebucket.s3.amazonaws.com";
    let result = authenticate(&[&format!("GET {target} HTTP/1.1"), host]);
    assert!(matches!(
        result,
        Ok(Authentication::Signed { presigned: true, seal: PayloadSeal::Unsigned, .. })
    ));
    let result = authenticate(&[&format!("HEAD {target} HTTP/1.1"), host]);
    assert!(matches!(result, Err(AuthError::SignatureMismatch(_))));
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[test]
fn chunked_upload() {
    let authorization = authorization(
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;\
         x-amz-storage-class",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    );
    let result = authenticate(&[
        "PUT /examplebucket/chunkObject.txt HTTP/1.1",
        "Host: s3.amazonaws.com",
        "x-amz-date: 20130524T000000Z",
        "x-amz-storage-class: REDUCED_REDUNDANCY",
        &format!("Authorization: {authorization}"),
        "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "Content-Encoding: aws-chunked",
        "x-amz-decoded-content-length: 66560",
        "Content-Length: 66824",
    ]);
    let Ok(Authentication::Signed { seal: PayloadSeal::Signed(mut signer), .. }) = result else {
        panic!("{result:?}")
    };
    let chunks: [(&[u8], &str); 3] = [
        (&vec![b'a'; 65536], "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (&[b'a'; 1024], "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (&[], "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ];
    for (data, signature) in chunks {
        assert!(signer.verify_chunk(&sha256(data), signature.as_bytes()));
    }
}

#[test]
fn chunked_upload_with_trailer() {
    let authorization = authorization(
        "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;\
         x-amz-storage-class;x-amz-trailer",
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    );
    let result = authenticate(&[
        "PUT /examplebucket/chunkObject.txt HTTP/1.1",
        "Host: s3.amazonaws.com",
        "x-amz-date: 20130524T000000Z",
        "x-amz-storage-class: REDUCED_REDUNDANCY",
        &format!("Authorization: {authorization}"),
        "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "Content-Encoding: aws-chunked",
        "x-amz-decoded-content-length: 66560",
        "x-amz-trailer: x-amz-checksum-crc32c",
        "Content-Length: 66824",
    ]);
    let Ok(Authentication::Signed { seal: PayloadSeal::SignedTrailer(mut signer), .. }) = result else {
        panic!("{result:?}")
    };
    let chunks: [(&[u8], &str); 3] = [
        (&vec![b'a'; 65536], "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
        (&[b'a'; 1024], "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
        (&[], "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
    ];
    for (data, signature) in chunks {
        assert!(signer.verify_chunk(&sha256(data), signature.as_bytes()));
    }
    let trailer = sha256(b"x-amz-checksum-crc32c:sOO8/Q==\n");
    assert!(
        signer.verify_trailer(&trailer, b"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435")
    );
}
