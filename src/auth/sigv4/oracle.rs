//! Requests signed by the public signer of AWS, for tests: what it signs must be accepted here.

use core::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningParams, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::Authenticator;
use crate::auth::credential::{Credential, KeyRing};
use crate::http::head::RequestHead;

pub(crate) const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(crate) const REGION: &str = "us-east-1";
/// 24 May 2013, midnight: the day of the documented examples.
pub(crate) const MAY_24: i64 = 1_369_353_600;

const QUERY_KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH_KEPT: AsciiSet = QUERY_KEPT.remove(b'/');

/// A request before it is signed, spelled canonically.
#[derive(Clone, Debug)]
pub(crate) struct Unsigned {
    pub(crate) method: String,
    /// Encoded path, `/` first.
    pub(crate) path: String,
    /// Encoded query without the mark; empty: none.
    pub(crate) query: String,
    /// Without host, date and payload hash.
    pub(crate) headers: Vec<(String, String)>,
    /// Value of `x-amz-content-sha256`; `None`: left out, unsigned payload.
    pub(crate) payload_hash: Option<String>,
}

impl Unsigned {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: String::new(),
            headers: Vec::new(),
            payload_hash: Some("UNSIGNED-PAYLOAD".to_owned()),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn payload_hash(mut self, hash: &str) -> Self {
        self.payload_hash = Some(hash.to_owned());
        self
    }
}

/// A signed request: pieces that tests may change before they make a head of it.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Signed {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mark = if self.query.is_empty() { "" } else { "?" };
        let mut text = format!("{} {}{mark}{} HTTP/1.1\r\n", self.method, self.path, self.query);
        for (name, value) in &self.headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        text += "\r\n";
        text.into_bytes()
    }

    pub(crate) fn head(&self) -> RequestHead {
        parse(&self.bytes()).expect("a well-formed head")
    }

    pub(crate) fn remove(&mut self, name: &str) -> &mut Self {
        self.headers.retain(|(have, _)| !have.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.remove(name).headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(have, _)| have == name);
        found.map(|(_, value)| value.as_str()).expect("a header that is present")
    }
}

pub(crate) fn parse(bytes: &[u8]) -> Option<RequestHead> {
    RequestHead::parse(bytes).ok().flatten().map(|(head, _)| head)
}

pub(crate) fn authenticator() -> Authenticator {
    Authenticator::new(KeyRing::from(vec![Credential {
        access_key: ACCESS_KEY.to_owned(),
        secret_key: SECRET_KEY.into(),
        user: "alice".to_owned(),
        display_name: "Alice".to_owned(),
        org: "example".to_owned(),
    }]))
}

pub(crate) fn encode_path(path: &[u8]) -> String {
    percent_encode(path, &PATH_KEPT).to_string()
}

pub(crate) fn encode_query(text: &[u8]) -> String {
    percent_encode(text, &QUERY_KEPT).to_string()
}

pub(crate) fn time(unix_s: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(unix_s.unsigned_abs())
}

fn run<T>(
    request: &Unsigned,
    access_key: &str,
    unix_s: i64,
    expires_s: Option<u64>,
    take: impl FnOnce(aws_sigv4::http_request::SigningInstructions) -> T,
) -> T {
    let identity = Credentials::new(access_key, SECRET_KEY, None, None, "test").into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    if let Some(expires_s) = expires_s {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(expires_s));
    }
    let params: SigningParams<'_> = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("s3")
        .time(time(unix_s))
        .settings(settings)
        .build()
        .expect("complete parameters")
        .into();
    let mark = if request.query.is_empty() { "" } else { "?" };
    let url = format!("http://node.example:9000{}{mark}{}", request.path, request.query);
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let hash = request.payload_hash.clone().unwrap_or_else(|| "UNSIGNED-PAYLOAD".to_owned());
    let signable = SignableRequest::new(&request.method, url, headers, SignableBody::Precomputed(hash))
        .expect("a signable request");
    take(sign(signable, &params).expect("a signature").into_parts().0)
}

/// Signs in the `Authorization` header.
pub(crate) fn sign_header(request: &Unsigned, unix_s: i64) -> Signed {
    sign_header_as(ACCESS_KEY, request, unix_s)
}

/// The same with another access key of the same secret.
pub(crate) fn sign_header_as(access_key: &str, request: &Unsigned, unix_s: i64) -> Signed {
    let added: Vec<(String, String)> = run(request, access_key, unix_s, None, |instructions| {
        instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    });
    let mut headers = vec![("host".to_owned(), "node.example:9000".to_owned())];
    headers.extend(request.headers.iter().cloned());
    headers.extend(added);
    Signed {
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        headers,
    }
}

/// Signs in the query.
pub(crate) fn presign(request: &Unsigned, unix_s: i64, expires_s: u64) -> Signed {
    let mut query = request.query.clone();
    run(request, ACCESS_KEY, unix_s, Some(expires_s), |instructions| {
        for (name, value) in instructions.params() {
            let mark = if query.is_empty() { "" } else { "&" };
            write!(query, "{mark}{name}={}", encode_query(value.as_bytes())).unwrap();
        }
    });
    let mut headers = vec![("host".to_owned(), "node.example:9000".to_owned())];
    headers.extend(request.headers.iter().cloned());
    if let Some(hash) = &request.payload_hash
        && hash != "UNSIGNED-PAYLOAD"
    {
        headers.push(("x-amz-content-sha256".to_owned(), hash.clone()));
    }
    Signed { method: request.method.clone(), path: request.path.clone(), query, headers }
}

/// Parameters for the chunks of a body whose head was signed at [`MAY_24`].
fn with_chunk_params<T>(take: impl FnOnce(&v4::SigningParams<'_, ()>) -> T) -> T {
    let identity = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("s3")
        .time(time(MAY_24))
        .settings(())
        .build()
        .expect("complete parameters");
    take(&params)
}

pub(crate) fn sign_chunk(data: &[u8], previous: &str) -> String {
    with_chunk_params(|params| {
        v4::sign_chunk(&data.to_vec().into(), previous, params).expect("a signature").into_parts().1
    })
}

pub(crate) fn sign_trailer(name: &'static str, value: &str, previous: &str) -> String {
    let mut fields = http::HeaderMap::new();
    fields.insert(name, value.parse().expect("a header value"));
    let fields = fields.try_into().expect("header fields");
    with_chunk_params(|params| {
        v4::sign_trailer(&fields, previous, params).expect("a signature").into_parts().1
    })
}

/// The signature of a signed head, from which its chunks' go on, and the seal that verifies them.
pub(crate) fn chunked_upload(payload_hash: &str) -> (String, crate::auth::PayloadSeal) {
    let signed = sign_header(&Unsigned::new("PUT", "/b/k").payload_hash(payload_hash), MAY_24);
    let signature = signed.get("authorization").rsplit('=').next().unwrap_or_default().to_owned();
    match authenticator().authenticate(&signed.head(), MAY_24) {
        Ok(crate::auth::Authentication::Signed { seal, .. }) => (signature, seal),
        other => panic!("{other:?}"),
    }
}
