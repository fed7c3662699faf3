//! Every protocol and resource limit, each with its reason; relations between them are checked at
//! compile time. Nothing else in the tree defines a limit.

/// Size of a sector group that O_DIRECT reads and writes whole: the page size and the sector size of
/// every NVMe namespace in use.
pub const BLOCK_BYTES: usize = 4096;

/// One frame on disk: payload, padding and footer. Large enough that a footer costs 0.05 %, small
/// enough that a one-byte range reads little.
pub const FRAME_BYTES: usize = 64 * 1024;

/// Footer of a frame: magic, lengths, sequence, checksum. See `store/extent/FORMAT.md`.
pub const FRAME_FOOTER_BYTES: usize = 32;

/// Payload of a full frame.
pub const FRAME_PAYLOAD_BYTES: usize = FRAME_BYTES - FRAME_FOOTER_BYTES;

/// One buffer of a core's pool and so the largest single disk operation: four frames.
pub const BUFFER_BYTES: usize = 256 * 1024;

/// Longest contiguous run that one reservation asks for. Bounds what an upload holds ahead of its bytes.
pub const RUN_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Bodies up to this size live inside the index record: one flush instead of two, one read instead of two.
pub const INLINE_BODY_BYTES_MAX: u64 = 8 * 1024;

/// Request line and headers together. AWS allows 8 KiB of headers; a key of 1,024 bytes may take
/// 3 KiB of the request line once percent-encoded, and a presigned query about 1 KiB more.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Header section alone (AWS: `RequestHeaderSectionTooLarge`).
pub const HEADER_SECTION_BYTES_MAX: usize = 8 * 1024;

/// Header fields in one request.
pub const HEADERS_MAX: usize = 100;

/// Bytes of object key after decoding (AWS: `KeyTooLongError`).
pub const KEY_BYTES_MAX: usize = 1024;

/// User metadata, names without `x-amz-meta-` plus values (AWS: `MetadataTooLarge`).
pub const METADATA_BYTES_MAX: usize = 2048;

/// One PUT or one part.
pub const SINGLE_PUT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;

/// Keys, uploads or parts on one page of a listing.
pub const LIST_PAGE_MAX: usize = 1000;

/// Buckets on one page of ListBuckets (AWS: 10,000).
pub const LIST_BUCKETS_PAGE_MAX: usize = 10_000;

/// Keys in one DeleteObjects.
pub const DELETE_OBJECTS_MAX: usize = 1000;

/// XML request bodies: 1,000 keys of 1,024 bytes, escaped, fit.
pub const XML_BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Nesting of XML request bodies.
pub const XML_DEPTH_MAX: usize = 8;

/// One line of chunked or aws-chunked framing: a size, an extension or signature.
pub const CHUNK_LINE_BYTES_MAX: usize = 1024;

/// All trailer fields of a chunked body.
pub const TRAILER_BYTES_MAX: usize = 4096;

/// Smallest non-final chunk of aws-chunked framing (AWS: `InvalidChunkSizeError`).
pub const AWS_CHUNK_BYTES_MIN: u64 = 8192;

/// Difference between the client's clock and ours (AWS: `RequestTimeTooSkewed`).
pub const CLOCK_SKEW_S_MAX: i64 = 15 * 60;

/// Signing keys that one core keeps, one per (access key, day, region). A key costs five HMACs to derive and
/// some 300 bytes to keep; only the holder of a secret can add one.
pub const SIGNING_KEYS_MAX: usize = 1024;

/// Longest `key/day/region/service/terminal` whose signing key is kept; a longer one is derived each time.
pub const CREDENTIAL_SCOPE_BYTES_MAX: usize = 256;

/// Longest life of a presigned URL (AWS: seven days).
pub const PRESIGNED_S_MAX: u64 = 604_800;

/// Body bytes drained after an early refusal, so that clients which send without waiting still read
/// the error instead of a reset.
pub const DRAIN_BYTES_MAX: u64 = 256 * 1024;

/// Requests that one group commit takes at most: bounds the latency of its first member.
pub const COMMIT_GROUP_MAX: usize = 512;

/// Requests that may wait for the committer; beyond it writers get 503 SlowDown.
pub const COMMIT_QUEUE_MAX: usize = 4096;

const _: () = assert!(BUFFER_BYTES % FRAME_BYTES == 0, "a buffer holds whole frames");
const _: () = assert!(FRAME_BYTES % BLOCK_BYTES == 0, "a frame is whole blocks");
const _: () = assert!(RUN_BYTES_MAX % FRAME_BYTES as u64 == 0, "a run is whole frames");
const _: () = assert!(HEADER_SECTION_BYTES_MAX < HEAD_BYTES_MAX);
const _: () = assert!(INLINE_BODY_BYTES_MAX as usize <= BUFFER_BYTES, "an inline body fits one buffer");
