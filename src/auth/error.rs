//! Why a request was not authenticated. `Display` is the message of the S3 error document and
//! [`AuthError::fields`] its further elements; the S3 code stands at each variant.

use core::fmt::Write as _;

use super::clock_skew::format_extended;
use crate::config::limits::{CLOCK_SKEW_S_MAX, PRESIGNED_S_MAX};

/// One variant per fault, in the order in which they are looked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// 400 InvalidArgument.
    #[error(
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified"
    )]
    TwoMechanisms,
    /// 400 InvalidRequest.
    #[error("The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")]
    SignatureVersion2,
    /// 400 InvalidArgument.
    #[error("Unsupported Authorization Type")]
    UnsupportedScheme {
        /// The scheme alone: what follows it may be a secret of another service.
        scheme: String,
    },
    /// 400 AuthorizationHeaderMalformed.
    #[error("The authorization header is malformed; {0}")]
    HeaderMalformed(HeaderFault),
    /// 400 AuthorizationQueryParametersError.
    #[error("{0}")]
    QueryMalformed(QueryFault),
    /// 403 AccessDenied.
    #[error("AWS authentication requires a valid Date or x-amz-date header.")]
    DateInvalid,
    /// 403 RequestTimeTooSkewed.
    #[error("The difference between the request time and the server's time is too large.")]
    TimeTooSkewed {
        /// As sent, in basic form.
        request_time: String,
        server_time_unix_s: i64,
    },
    /// 403 AccessDenied.
    #[error("Request is not valid yet")]
    NotValidYet { request_time: String, expires_s: u64, server_time_unix_s: i64 },
    /// 403 AccessDenied.
    #[error("Request has expired")]
    Expired { expires_s: u64, expired_unix_s: i64, server_time_unix_s: i64 },
    /// 403 InvalidAccessKeyId.
    #[error("The AWS Access Key Id you provided does not exist in our records.")]
    UnknownAccessKey { access_key: String },
    /// 400 InvalidRequest.
    #[error("Missing required header for this request: x-amz-content-sha256")]
    ContentSha256Missing,
    /// 400 InvalidArgument.
    #[error(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
    )]
    ContentSha256Invalid { value: String },
    /// 501 NotImplemented.
    #[error("Signature Version 4A is not supported.")]
    SignatureVersion4a,
    /// 403 AccessDenied.
    #[error("There were headers present in the request which were not signed")]
    HeadersNotSigned { names: Vec<String> },
    /// 403 SignatureDoesNotMatch.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your key and signing method."
    )]
    SignatureMismatch(Box<SignatureMismatch>),
    /// 400 InvalidToken: there are no temporary credentials.
    #[error("The provided token is malformed or otherwise invalid.")]
    SecurityToken,
}

/// What both sides need to find out why two signatures differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureMismatch {
    pub access_key: String,
    pub string_to_sign: String,
    pub signature_provided: String,
    /// Values of SSE-C keys and security tokens are replaced, so that the error may be logged.
    pub canonical_request: String,
}

/// What is wrong with an `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    #[error("the authorization header requires three components: Credential, SignedHeaders, and Signature.")]
    Components,
    #[error("only one Authorization header is allowed.")]
    Repeated,
    #[error("{0}")]
    Credential(CredentialFault),
}

/// What is wrong with the parameters of a presigned URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryFault {
    #[error(
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
    )]
    Missing,
    #[error("Each X-Amz query parameter may be given only once.")]
    Repeated,
    #[error("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"")]
    Algorithm,
    #[error("X-Amz-SignedHeaders names no header or too many.")]
    SignedHeaders,
    #[error("Error parsing the X-Amz-Credential parameter; {0}")]
    Credential(CredentialFault),
    #[error("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")]
    Date,
    #[error("X-Amz-Expires should be a number")]
    ExpiresNotANumber,
    #[error("X-Amz-Expires must be non-negative")]
    ExpiresNegative,
    #[error("X-Amz-Expires must be less than a week (in seconds) that is {PRESIGNED_S_MAX}")]
    ExpiresTooLong,
}

/// What is wrong with a credential, in either place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialFault {
    #[error("the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")]
    Shape,
    #[error("incorrect terminal \"{0}\". This endpoint uses \"aws4_request\".")]
    Terminal(String),
    #[error("incorrect service \"{0}\". This endpoint belongs to \"s3\".")]
    Service(String),
    #[error("incorrect date format \"{0}\". This date in the credential must be in the format \"yyyyMMdd\".")]
    Day(String),
    #[error(
        "Invalid credential date \"{credential_day}\". This date is not the same as X-Amz-Date: \"{request_day}\"."
    )]
    DayMismatch { credential_day: String, request_day: String },
}

impl AuthError {
    /// Elements of the error document beyond code and message.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::UnsupportedScheme { scheme } => {
                vec![("ArgumentName", "Authorization".to_owned()), ("ArgumentValue", scheme.clone())]
            }
            Self::TimeTooSkewed { request_time, server_time_unix_s } => vec![
                ("RequestTime", request_time.clone()),
                ("ServerTime", format_extended(*server_time_unix_s)),
                ("MaxAllowedSkewMilliseconds", (CLOCK_SKEW_S_MAX * 1000).to_string()),
            ],
            Self::NotValidYet { request_time, expires_s, server_time_unix_s } => vec![
                ("X-Amz-Date", request_time.clone()),
                ("X-Amz-Expires", expires_s.to_string()),
                ("ServerTime", format_extended(*server_time_unix_s)),
            ],
            Self::Expired { expires_s, expired_unix_s, server_time_unix_s } => vec![
                ("X-Amz-Expires", expires_s.to_string()),
                ("Expires", format_extended(*expired_unix_s)),
                ("ServerTime", format_extended(*server_time_unix_s)),
            ],
            Self::UnknownAccessKey { access_key } => vec![("AWSAccessKeyId", access_key.clone())],
            Self::ContentSha256Invalid { value } => {
                vec![("ArgumentName", "x-amz-content-sha256".to_owned()), ("ArgumentValue", value.clone())]
            }
            Self::HeadersNotSigned { names } => vec![("HeadersNotSigned", names.join(", "))],
            Self::SignatureMismatch(mismatch) => vec![
                ("AWSAccessKeyId", mismatch.access_key.clone()),
                ("StringToSign", mismatch.string_to_sign.clone()),
                ("SignatureProvided", mismatch.signature_provided.clone()),
                ("StringToSignBytes", spaced_hex(&mismatch.string_to_sign)),
                ("CanonicalRequest", mismatch.canonical_request.clone()),
                ("CanonicalRequestBytes", spaced_hex(&mismatch.canonical_request)),
            ],
            Self::TwoMechanisms
            | Self::SignatureVersion2
            | Self::HeaderMalformed(_)
            | Self::QueryMalformed(_)
            | Self::DateInvalid
            | Self::ContentSha256Missing
            | Self::SignatureVersion4a
            | Self::SecurityToken => Vec::new(),
        }
    }
}

/// `41 57 53 34`: shows blanks and control characters that text hides.
fn spaced_hex(text: &str) -> String {
    let mut hex = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if !hex.is_empty() {
            hex.push(' ');
        }
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
