//! Heads of requests as real clients sent them, recorded from the socket. Their signatures are genuine: made with
//! the access key that the SigV4 documentation uses for its examples.

/// boto3 1.43: an object, a listing, and an object through a presigned URL.
pub(crate) const HEADS: [(&str, &str); 3] = [("get", GET), ("list", LIST), ("get_presigned", GET_PRESIGNED)];

const GET: &str = "GET /holiday-pictures/photos/2026/07/IMG_4711%20%28edited%29.jpg HTTP/1.1\r\n\
    Host: 127.0.0.1:9000\r\n\
    Accept-Encoding: identity\r\n\
    x-amz-checksum-mode: ENABLED\r\n\
    User-Agent: Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux#6.18.44 md/arch#x86_64 \
    lang/python#3.11.7 md/pyimpl#CPython m/N,D,b,Z,e cfg/retry-mode#legacy Botocore/1.43.11\r\n\
    X-Amz-Date: 20261124T224254Z\r\n\
    X-Amz-Content-SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n\
    Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261124/us-east-1/s3/aws4_request, \
    SignedHeaders=host;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date, \
    Signature=5c54d6d31a3b9a2417e4f1dbe08a849bfc9e888280cbd95edb640334b7992448\r\n\
    amz-sdk-invocation-id: ce182995-4e7b-4a3f-8e6b-e317d51abe0a\r\n\
    amz-sdk-request: attempt=1\r\n\
    \r\n";

const LIST: &str = "GET /holiday-pictures?list-type=2&prefix=photos%2F&delimiter=%2F&max-keys=1000\
    &encoding-type=url HTTP/1.1\r\n\
    Host: 127.0.0.1:9000\r\n\
    Accept-Encoding: identity\r\n\
    User-Agent: Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux#6.18.44 md/arch#x86_64 \
    lang/python#3.11.7 md/pyimpl#CPython m/N,D,b,Z,e cfg/retry-mode#legacy Botocore/1.43.11\r\n\
    X-Amz-Date: 20261124T224254Z\r\n\
    X-Amz-Content-SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n\
    Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261124/us-east-1/s3/aws4_request, \
    SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
    Signature=9c753b5e57ddb66e8fcfe0b678be9037ad93113aebd5343159111615a30206f5\r\n\
    amz-sdk-invocation-id: 7d4a2800-32d5-42f6-97a4-d6d06c4b3259\r\n\
    amz-sdk-request: attempt=1\r\n\
    \r\n";

const GET_PRESIGNED: &str = "GET /holiday-pictures/photos/2026/07/IMG_4711%20%28edited%29.jpg\
    ?X-Amz-Algorithm=AWS4-HMAC-SHA256\
    &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261124%2Fus-east-1%2Fs3%2Faws4_request\
    &X-Amz-Date=20261124T224254Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host\
    &X-Amz-Signature=23c7ca5b0a77ecf4ee040b4b13e7fe2732b5778d4bb9e137e1bc3dcab9c77bb3 HTTP/1.1\r\n\
    Host: 127.0.0.1:9000\r\n\
    User-Agent: python-requests/2.34.2\r\n\
    Accept-Encoding: gzip, deflate\r\n\
    Accept: */*\r\n\
    Connection: keep-alive\r\n\
    \r\n";
