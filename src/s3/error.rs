//! The S3 error answers: the catalogue of codes, and the error that an operation returns.
//!
//! [`ErrorCode`] is the complete catalogue: code, status and default message stand in one table and nowhere
//! else. [`S3Error`] is what every stage of the pipeline returns on refusal: the code, a message, and the
//! extra elements that clients branch on (mountpoint-s3 reads `<Condition>`, for example). Errors of the lower
//! layers become an `S3Error` here or in `From` implementations beside this type, never inside an operation.

use std::fmt;

use super::xml::Writer;

macro_rules! error_codes {
    ($($name:ident $status:literal $message:literal,)+) => {
        /// Code of an error answer. The variant's name is the text of `<Code>`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $message] $name,)+
        }

        impl ErrorCode {
            /// Every code, in the order of [`ErrorCode::index`].
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$name,)+];

            /// Text of every code, in the order of [`ErrorCode::index`]; the label table of the metrics.
            pub const NAMES: &[&'static str] = &[$(stringify!($name),)+];

            /// Text of the `<Code>` element.
            pub const fn name(self) -> &'static str {
                match self { $(ErrorCode::$name => stringify!($name),)+ }
            }

            /// Status of the response.
            pub const fn status(self) -> u16 {
                match self { $(ErrorCode::$name => $status,)+ }
            }

            /// Message used where the place that fails has nothing better to say.
            pub const fn message(self) -> &'static str {
                match self { $(ErrorCode::$name => $message,)+ }
            }
        }
    };
}

error_codes! {
    AccessDenied 403 "Access Denied.",
    AccessControlListNotSupported 400 "The bucket does not allow ACLs.",
    AuthorizationHeaderMalformed 400 "The authorization header you provided is invalid.",
    AuthorizationQueryParametersError 400 "The query parameters of the presigned URL are invalid.",
    BadDigest 400 "The Content-MD5 or checksum value that you specified did not match what the server received.",
    BadRequest 400 "The request could not be understood.",
    BucketAlreadyExists 409 "The requested bucket name is not available. Please select a different name.",
    BucketAlreadyOwnedByYou 409 "The bucket that you tried to create already exists, and you own it.",
    BucketNotEmpty 409 "The bucket that you tried to delete is not empty.",
    ConditionalRequestConflict 409 "A conflicting write completed while this conditional request was in progress.",
    EntityTooLarge 400 "Your proposed upload exceeds the maximum allowed object size.",
    EntityTooSmall 400 "Your proposed upload is smaller than the minimum allowed object size.",
    ExpiredToken 400 "The provided token has expired.",
    IdempotencyParameterMismatch 400 "The client token was used before with other parameters.",
    IllegalLocationConstraintException 400 "The location constraint is missing or not valid for the endpoint that this request was sent to.",
    IncompleteBody 400 "You did not provide the number of bytes specified by the Content-Length header.",
    InsufficientStorage 507 "The node has no free space left for this request.",
    InternalError 500 "We encountered an internal error. Please try again.",
    InvalidAccessKeyId 403 "The access key ID that you provided does not exist in our records.",
    InvalidArgument 400 "Invalid argument.",
    InvalidBucketName 400 "The specified bucket is not valid.",
    InvalidChunkSizeError 400 "Only the last chunk is allowed to have a size less than 8192 bytes.",
    InvalidDigest 400 "The Content-MD5 that you specified is not valid.",
    InvalidEncryptionAlgorithmError 400 "The encryption request that you specified is not valid. The valid value is AES256.",
    InvalidLocationConstraint 400 "The specified location constraint is not valid.",
    InvalidPart 400 "One or more of the specified parts could not be found. The part might not have been uploaded, or the specified entity tag might not have matched the part's entity tag.",
    InvalidPartNumber 416 "The requested part number is not satisfiable.",
    InvalidPartOrder 400 "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
    InvalidRange 416 "The requested range is not satisfiable.",
    InvalidRequest 400 "The request is not valid.",
    InvalidStorageClass 400 "The storage class that you specified is not valid.",
    InvalidTag 400 "The tag provided was not a valid tag.",
    InvalidToken 400 "The provided token is malformed or otherwise not valid.",
    InvalidURI 400 "The specified URI couldn't be parsed.",
    KeyTooLongError 400 "Your key is too long.",
    MalformedPolicy 400 "Your policy contains an invalid element.",
    MalformedTrailerError 400 "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    MalformedXML 400 "The XML that you provided was not well-formed or did not validate against our published schema.",
    MaxMessageLengthExceeded 400 "Your request was too large.",
    MetadataTooLarge 400 "Your metadata headers exceed the maximum allowed metadata size.",
    MethodNotAllowed 405 "The specified method is not allowed against this resource.",
    MissingContentLength 411 "You must provide the Content-Length HTTP header.",
    MissingRequestBodyError 400 "Request body is empty.",
    MissingSecurityHeader 400 "Your request is missing a required header.",
    NoSuchBucket 404 "The specified bucket does not exist.",
    NoSuchBucketPolicy 404 "The bucket policy does not exist.",
    NoSuchCORSConfiguration 404 "The CORS configuration does not exist.",
    NoSuchKey 404 "The specified key does not exist.",
    NoSuchLifecycleConfiguration 404 "The lifecycle configuration does not exist.",
    NoSuchPublicAccessBlockConfiguration 404 "The public access block configuration was not found.",
    NoSuchTagSet 404 "The TagSet does not exist.",
    NoSuchUpload 404 "The specified multipart upload does not exist. The upload ID might be invalid, or the multipart upload might have been aborted or completed.",
    NoSuchVersion 404 "The version ID specified in the request does not match an existing version.",
    NoSuchWebsiteConfiguration 404 "The specified bucket does not have a website configuration.",
    NotImplemented 501 "A header or query parameter that you provided implies functionality that is not implemented.",
    ObjectLockConfigurationNotFoundError 404 "Object Lock configuration does not exist for this bucket.",
    OperationAborted 409 "A conflicting operation is currently in progress against this resource. Please try again.",
    OwnershipControlsNotFoundError 404 "The bucket ownership controls were not found.",
    PolicyTooLarge 400 "Your policy exceeds the maximum allowed document size.",
    PreconditionFailed 412 "At least one of the preconditions that you specified did not hold.",
    ReplicationConfigurationNotFoundError 404 "The replication configuration was not found.",
    RequestHeaderSectionTooLarge 400 "Your request header section exceeds the maximum allowed size.",
    RequestTimeTooSkewed 403 "The difference between the request time and the server's time is too large.",
    RequestTimeout 400 "Your socket connection to the server was not read from or written to within the timeout period.",
    ServerSideEncryptionConfigurationNotFoundError 404 "The server side encryption configuration was not found.",
    ServiceUnavailable 503 "Service is unable to handle the request.",
    SignatureDoesNotMatch 403 "The request signature that we calculated does not match the signature that you provided. Check your secret access key and signing method.",
    SlowDown 503 "Please reduce your request rate.",
    XAmzContentSHA256Mismatch 400 "The provided 'x-amz-content-sha256' header does not match what was computed.",
}

impl ErrorCode {
    /// Place of the code in [`ErrorCode::ALL`] and [`ErrorCode::NAMES`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A refusal as the client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Error {
    /// Decides the status and the text of `<Code>`.
    pub code: ErrorCode,
    /// Text of `<Message>`.
    pub message: String,
    /// Further elements of the body, in order.
    pub extra: Vec<(&'static str, String)>,
    /// Further header fields of the response (`Allow`, `x-amz-delete-marker`, …).
    pub headers: Vec<(&'static str, String)>,
}

impl S3Error {
    /// The code with its default message.
    pub fn new(code: ErrorCode) -> Self {
        Self::with_message(code, code.message())
    }

    /// The code with a message of its own.
    pub fn with_message(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), extra: Vec::new(), headers: Vec::new() }
    }

    /// Adds an element to the body.
    #[must_use]
    pub fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.extra.push((name, value.into()));
        self
    }

    /// Adds a header field to the response.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Status of the response.
    pub const fn status(&self) -> u16 {
        self.code.status()
    }

    /// The body: an `<Error>` without a namespace, as AWS sends it.
    pub fn to_xml(&self, resource: &str, request_id: &str, host_id: &str) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.open("Error");
        writer.element("Code", self.code.name());
        writer.element("Message", &self.message);
        for (name, value) in &self.extra {
            writer.element(name, value);
        }
        writer.element("Resource", resource);
        writer.element("RequestId", request_id);
        writer.element("HostId", host_id);
        writer.finish()
    }
}

/// Refusals that more than one operation gives, with the elements that belong to them.
impl S3Error {
    pub fn access_denied(message: impl Into<String>) -> Self {
        Self::with_message(ErrorCode::AccessDenied, message)
    }

    pub fn bucket_already_exists(bucket: &str) -> Self {
        Self::new(ErrorCode::BucketAlreadyExists).field("BucketName", bucket)
    }

    pub fn bucket_already_owned_by_you(bucket: &str) -> Self {
        Self::new(ErrorCode::BucketAlreadyOwnedByYou).field("BucketName", bucket)
    }

    pub fn bucket_not_empty(bucket: &str) -> Self {
        Self::new(ErrorCode::BucketNotEmpty).field("BucketName", bucket)
    }

    /// A Content-MD5 that the body does not have; both digests in base64.
    pub fn bad_md5(expected: &str, calculated: &str) -> Self {
        let message = "The Content-MD5 that you specified did not match what we received.";
        Self::with_message(ErrorCode::BadDigest, message)
            .field("ExpectedDigest", expected)
            .field("CalculatedDigest", calculated)
    }

    /// A checksum header or trailer that the body does not have; `algorithm` such as "CRC32".
    pub fn bad_checksum(algorithm: &str) -> Self {
        let message = format!("The {algorithm} you specified did not match the calculated checksum.");
        Self::with_message(ErrorCode::BadDigest, message)
    }

    pub fn entity_too_large(proposed_bytes: u64, bytes_max: u64) -> Self {
        Self::new(ErrorCode::EntityTooLarge)
            .field("ProposedSize", proposed_bytes.to_string())
            .field("MaxSizeAllowed", bytes_max.to_string())
    }

    pub fn incomplete_body() -> Self {
        Self::new(ErrorCode::IncompleteBody)
    }

    pub fn internal() -> Self {
        Self::new(ErrorCode::InternalError)
    }

    pub fn invalid_argument(name: &str, value: &str, message: impl Into<String>) -> Self {
        Self::with_message(ErrorCode::InvalidArgument, message)
            .field("ArgumentName", name)
            .field("ArgumentValue", value)
    }

    pub fn invalid_bucket_name(bucket: &str) -> Self {
        Self::new(ErrorCode::InvalidBucketName).field("BucketName", bucket)
    }

    /// A Content-MD5 that is no base64 of 16 bytes.
    pub fn invalid_digest(value: &str) -> Self {
        Self::new(ErrorCode::InvalidDigest).field("Content-MD5", value)
    }

    /// `parts` is how many the object has.
    pub fn invalid_part_number(requested: &str, parts: u32) -> Self {
        Self::new(ErrorCode::InvalidPartNumber)
            .field("PartNumberRequested", requested)
            .field("ActualPartCount", parts.to_string())
    }

    pub fn invalid_range(requested: &str, object_bytes: u64) -> Self {
        Self::new(ErrorCode::InvalidRange)
            .field("RangeRequested", requested)
            .field("ActualObjectSize", object_bytes.to_string())
            .header("content-range", format!("bytes */{object_bytes}"))
    }

    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::with_message(ErrorCode::InvalidRequest, message)
    }

    pub fn key_too_long(key_bytes: usize, key_bytes_max: usize) -> Self {
        Self::new(ErrorCode::KeyTooLongError)
            .field("Size", key_bytes.to_string())
            .field("MaxSizeAllowed", key_bytes_max.to_string())
    }

    pub fn malformed_xml() -> Self {
        Self::new(ErrorCode::MalformedXML)
    }

    pub fn metadata_too_large(metadata_bytes: usize, metadata_bytes_max: usize) -> Self {
        Self::new(ErrorCode::MetadataTooLarge)
            .field("Size", metadata_bytes.to_string())
            .field("MaxSizeAllowed", metadata_bytes_max.to_string())
    }

    /// `resource_type` is AWS's word, such as "OBJECT" or "SERVICE"; `allow` the methods that would do.
    pub fn method_not_allowed(method: &str, resource_type: &str, allow: &str) -> Self {
        let error = Self::new(ErrorCode::MethodNotAllowed)
            .field("Method", method)
            .field("ResourceType", resource_type);
        if allow.is_empty() { error } else { error.header("allow", allow) }
    }

    pub fn missing_content_length() -> Self {
        Self::new(ErrorCode::MissingContentLength)
    }

    pub fn no_such_bucket(bucket: &str) -> Self {
        Self::new(ErrorCode::NoSuchBucket).field("BucketName", bucket)
    }

    pub fn no_such_key(key: &str) -> Self {
        Self::new(ErrorCode::NoSuchKey).field("Key", key)
    }

    pub fn no_such_upload(upload_id: &str) -> Self {
        Self::new(ErrorCode::NoSuchUpload).field("UploadId", upload_id)
    }

    pub fn no_such_version(key: &str, version_id: &str) -> Self {
        Self::new(ErrorCode::NoSuchVersion).field("Key", key).field("VersionId", version_id)
    }

    /// A header whose function the node does not have.
    pub fn not_implemented_header(header: &str) -> Self {
        Self::new(ErrorCode::NotImplemented).field("Header", header).field(
            "additionalMessage",
            "The header implies functionality that this server does not implement.",
        )
    }

    /// An operation or sub-resource that the node does not have, by its AWS name.
    pub fn not_implemented(operation: &str) -> Self {
        let message = format!("{operation} is not implemented by this server.");
        Self::with_message(ErrorCode::NotImplemented, message)
    }

    /// `condition` is the header that did not hold, such as "If-Match".
    pub fn precondition_failed(condition: &str) -> Self {
        Self::new(ErrorCode::PreconditionFailed).field("Condition", condition)
    }
}

impl fmt::Display for S3Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for S3Error {}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
