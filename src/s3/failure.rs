//! How failures of the layers below look to a client. The only place that knows both sides.
//!
//! A refusal that is the client's to mend says why; a failure of the node says nothing but that it failed, and the
//! log says the rest.

use crate::auth::AuthError;
use crate::config::limits::HEADER_SECTION_BYTES_MAX;
use crate::http::body::BodyError;
use crate::http::connection::HeadRefusal;
use crate::http::framing::FramingError;
use crate::http::head::HeadError;
use crate::s3::body::aws_chunked::AwsChunkedError;
use crate::s3::body::payload_hash::PayloadHashMismatch;
use crate::s3::error::{ErrorCode, S3Error};
use crate::store::buckets::BucketGone;
use crate::store::error::{Refusal, StoreError};
use crate::store::write_condition::{WriteCondition, WriteRefusal};

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoSpace => Self::new(ErrorCode::InsufficientStorage),
            StoreError::Io(ref cause) if cause.is_no_space() => Self::new(ErrorCode::InsufficientStorage),
            StoreError::Overloaded => Self::new(ErrorCode::SlowDown),
            StoreError::Poisoned(_) => Self::new(ErrorCode::ServiceUnavailable),
            error => {
                tracing::error!(%error, "a request failed");
                Self::internal()
            }
        }
    }
}

impl S3Error {
    /// The system has no random numbers: nothing new can be named or sealed.
    pub fn no_randomness(error: getrandom::Error) -> Self {
        tracing::error!(%error, "no random numbers");
        Self::internal()
    }

    /// The answer to a write that was refused on `key`.
    pub fn from_write(
        refusal: Refusal<WriteRefusal>,
        bucket: &str,
        key: &str,
        condition: &WriteCondition,
    ) -> Self {
        let header = match condition {
            WriteCondition::Absent => "If-None-Match",
            WriteCondition::None | WriteCondition::Exists | WriteCondition::ETagIs(_) => "If-Match",
        };
        match refusal {
            Refusal::Failed(error) => error.into(),
            Refusal::Refused(WriteRefusal::NoSuchBucket) => Self::no_such_bucket(bucket),
            Refusal::Refused(WriteRefusal::NoSuchKey) => Self::no_such_key(key),
            Refusal::Refused(WriteRefusal::ConditionFailed) => Self::precondition_failed(header),
            Refusal::Refused(WriteRefusal::Conflict) => {
                Self::new(ErrorCode::ConditionalRequestConflict).field("Condition", header).field("Key", key)
            }
        }
    }
}

impl S3Error {
    /// The answer to a change of a bucket that was deleted meanwhile, or that failed.
    pub fn from_bucket_change(refusal: Refusal<BucketGone>, bucket: &str) -> Self {
        match refusal {
            Refusal::Refused(BucketGone) => Self::no_such_bucket(bucket),
            Refusal::Failed(error) => error.into(),
        }
    }
}

impl From<AuthError> for S3Error {
    fn from(error: AuthError) -> Self {
        let code = match &error {
            AuthError::TwoMechanisms
            | AuthError::UnsupportedScheme { .. }
            | AuthError::ContentSha256Invalid { .. } => ErrorCode::InvalidArgument,
            AuthError::SignatureVersion2 | AuthError::ContentSha256Missing => ErrorCode::InvalidRequest,
            AuthError::HeaderMalformed(_) => ErrorCode::AuthorizationHeaderMalformed,
            AuthError::QueryMalformed(_) => ErrorCode::AuthorizationQueryParametersError,
            AuthError::DateInvalid
            | AuthError::NotValidYet { .. }
            | AuthError::Expired { .. }
            | AuthError::HeadersNotSigned { .. } => ErrorCode::AccessDenied,
            AuthError::TimeTooSkewed { .. } => ErrorCode::RequestTimeTooSkewed,
            AuthError::UnknownAccessKey { .. } => ErrorCode::InvalidAccessKeyId,
            AuthError::SignatureVersion4a => ErrorCode::NotImplemented,
            AuthError::SignatureMismatch(_) => ErrorCode::SignatureDoesNotMatch,
            AuthError::SecurityToken => ErrorCode::InvalidToken,
        };
        let fields = error.fields();
        fields
            .into_iter()
            .fold(Self::with_message(code, error.to_string()), |s3, (name, value)| s3.field(name, value))
    }
}

impl From<BodyError> for S3Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Disconnected | BodyError::Malformed => Self::incomplete_body(),
            BodyError::Timeout => Self::new(ErrorCode::RequestTimeout),
            BodyError::TooLarge => Self::new(ErrorCode::MaxMessageLengthExceeded),
        }
    }
}

impl From<AwsChunkedError> for S3Error {
    fn from(error: AwsChunkedError) -> Self {
        let code = match error {
            AwsChunkedError::Malformed | AwsChunkedError::EndedEarly | AwsChunkedError::LengthMismatch => {
                ErrorCode::IncompleteBody
            }
            AwsChunkedError::ChunkTooSmall { chunk, bytes } => {
                return Self::new(ErrorCode::InvalidChunkSizeError)
                    .field("Chunk", chunk.to_string())
                    .field("BadChunkSize", bytes.to_string());
            }
            AwsChunkedError::SignatureMismatch => ErrorCode::SignatureDoesNotMatch,
            AwsChunkedError::MalformedTrailer => ErrorCode::MalformedTrailerError,
        };
        Self::new(code)
    }
}

impl From<PayloadHashMismatch> for S3Error {
    fn from(mismatch: PayloadHashMismatch) -> Self {
        Self::new(ErrorCode::XAmzContentSHA256Mismatch)
            .field("ClientComputedContentSHA256", mismatch.claimed)
            .field("S3ComputedContentSHA256", mismatch.computed)
    }
}

impl From<HeadRefusal> for S3Error {
    fn from(refusal: HeadRefusal) -> Self {
        match refusal {
            HeadRefusal::Head(HeadError::HeadTooLarge | HeadError::HeaderSectionTooLarge) => {
                Self::new(ErrorCode::RequestHeaderSectionTooLarge)
                    .field("MaxSizeAllowed", HEADER_SECTION_BYTES_MAX.to_string())
            }
            HeadRefusal::Framing(FramingError::UnknownCoding) => {
                Self::with_message(ErrorCode::NotImplemented, refusal.to_string())
            }
            HeadRefusal::Deadline => Self::new(ErrorCode::RequestTimeout),
            HeadRefusal::Head(_) | HeadRefusal::Host | HeadRefusal::Framing(_) | HeadRefusal::Incomplete => {
                Self::with_message(ErrorCode::BadRequest, refusal.to_string())
            }
        }
    }
}
