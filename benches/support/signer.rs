//! The other end of a signature: AWS's public signer, and an authenticator that knows its access key.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningParams, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use ringstone::auth::{Authenticator, Credential, KeyRing};

/// 24 November 2026, 22:42:54 UTC: when the recorded heads were signed.
pub(crate) const SIGNED_AT_UNIX_S: u64 = 1_795_560_174;

/// The key of the examples in the documentation of SigV4.
pub(crate) const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(crate) const REGION: &str = "us-east-1";
pub(crate) const HOST: &str = "127.0.0.1:9000";

pub(crate) fn authenticator() -> Authenticator {
    Authenticator::new(KeyRing::from(vec![Credential {
        access_key: ACCESS_KEY.to_owned(),
        secret_key: SECRET_KEY.into(),
        user: "alice".to_owned(),
        display_name: "Alice".to_owned(),
        org: "example".to_owned(),
    }]))
}

pub(crate) fn signed_at() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(SIGNED_AT_UNIX_S)
}

/// Lends what [`sign_head`] needs and what a client makes once, not for each request.
pub(crate) fn with_head_params<T>(take: impl FnOnce(&SigningParams<'_>) -> T) -> T {
    let identity = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "bench").into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("s3")
        .time(signed_at())
        .settings(settings)
        .build()
        .expect("complete parameters");
    take(&params.into())
}

/// Header fields that the signer adds to a request, in full: canonical request, key and signature.
pub(crate) fn sign_head(
    params: &SigningParams<'_>,
    method: &str,
    path: &str,
    payload_hash: &str,
) -> Vec<(String, String)> {
    let url = format!("http://{HOST}{path}");
    let body = SignableBody::Precomputed(payload_hash.to_owned());
    let request = SignableRequest::new(method, url, std::iter::empty(), body).expect("a signable request");
    let (instructions, _signature) = sign(request, params).expect("a signature").into_parts();
    instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
