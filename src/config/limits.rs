//! Every protocol and resource limit, each with its reason; relations between them are checked at
//! compile time. Nothing else in the tree defines a limit.

use std::ops::RangeInclusive;

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

/// What an encrypted frame's authentication takes of its payload: the tag of AES-GCM, whole.
pub const TAG_BYTES: usize = 16;

/// Plaintext of a full frame of an encrypted body.
pub const SEALED_FRAME_PLAINTEXT_BYTES: usize = FRAME_PAYLOAD_BYTES - TAG_BYTES;

/// One buffer of a core's pool and so the largest single disk operation: four frames.
pub const BUFFER_BYTES: usize = 256 * 1024;

/// How long a request waits for a buffer of its core's pool before it gets 503 SlowDown.
pub const BUFFER_WAIT_S: u64 = 10;

/// Buffers of a core's pool for each body that is written anew from another: two that it may hold while it waits for a
/// third, and as many for whoever else moves bytes.
pub const REWRITE_BUFFERS: usize = 4;

/// Longest contiguous run that one reservation asks for. Bounds what an upload holds ahead of its bytes.
pub const RUN_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Step in which extent files grow. Small enough that an idle node stays small, large enough that growing is
/// rare beside writing.
pub const SPACE_STEP_BYTES: u64 = 32 * 1024 * 1024;

/// Prepared free space below which the next step is made ahead of need.
pub const SPACE_AHEAD_BYTES: u64 = 32 * 1024 * 1024;

/// A reservation settles for a shorter run only above this, as long as the disk can still grow: bounds the
/// number of runs of a body.
pub const RUN_BYTES_MIN: u64 = 1024 * 1024;

/// How often the free space of the filesystem is looked at; bounds how long a full disk goes unnoticed and how
/// long writes stay refused once there is room again.
pub const SPACE_CHECK_MS: u64 = 250;

/// Bodies up to this size live inside the index record: one flush instead of two, one read instead of two. Measured
/// (64 connections, server CPU): a PUT costs 87 µs inline and 76 in an extent at 4 KiB, 103 and 107 at 8 KiB, 138 and
/// 125 at 16 KiB, 327 and 173 at 32 KiB; a GET 25 and 33 at 4 KiB, 25 and 45 at 8 KiB. At 8 KiB PUTs break even and GETs
/// gain most.
pub const INLINE_BODY_BYTES_MAX: u64 = 8 * 1024;

/// Granularity of `extent_size`: a whole number of huge pages and of the largest erase-friendly writes.
pub const EXTENT_STEP_BYTES: u64 = 4 * 1024 * 1024;

/// Smallest `extent_size`: headers and the open run of every core stay a small part of it.
pub const EXTENT_BYTES_MIN: u64 = 16 * 1024 * 1024;

/// Largest `extent_size`: block numbers inside an extent stay far below 32 bits.
pub const EXTENT_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// Smallest `buffer_pool` of a core: sixteen requests that move a body at a time.
pub const BUFFER_POOL_BYTES_MIN: u64 = 4 * 1024 * 1024;

/// Largest `buffer_pool` of a core.
pub const BUFFER_POOL_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// Smallest `free_space_reserve`: deletes must still be able to grow the index on a full disk.
pub const FREE_SPACE_RESERVE_BYTES_MIN: u64 = 16 * 1024 * 1024;

/// Largest `free_space_reserve`.
pub const FREE_SPACE_RESERVE_BYTES_MAX: u64 = 1024 * 1024 * 1024 * 1024;

/// Most cores of one node.
pub const CORES_MAX: u64 = 1024;

/// Longest `drain_timeout`: a supervisor that waits longer than an hour for a stop has given up.
pub const DRAIN_TIMEOUT_S_MAX: u64 = 3600;

/// Longest list of trusted proxies: it is searched for every request that a proxy passes on.
pub const TRUSTED_PROXIES_MAX: usize = 64;

/// Addresses of `X-Forwarded-For` that are looked at: more proxies in a row than anybody has, and too few to keep a core
/// busy with a head full of trusted addresses.
pub const FORWARDED_HOPS_MAX: usize = 32;

/// PROXY protocol header behind its first 16 bytes: addresses take 216 at most, the rest are extensions, which real
/// proxies fill with some hundred bytes.
pub const PROXY_HEADER_BYTES_MAX: usize = 4096;

/// Lines of the audit log that may wait for its thread; more are lost, and counted. At 25 ms between two visits of the
/// thread this is 600,000 requests a second.
pub const AUDIT_QUEUE_LINES_MAX: usize = 16 * 1024;

/// Bytes of those lines: bounds memory where somebody asks for the longest keys while the disk hangs. A usual line has 500.
pub const AUDIT_QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How often the thread of the audit log looks for lines. Cores never wake it: that would cost each request more than
/// the line itself.
pub const AUDIT_STEP_MS: u64 = 25;

/// Lines that one write to the audit log holds.
pub const AUDIT_WRITE_BYTES: usize = 256 * 1024;

/// Bytes of a user agent in the audit log. SDKs send up to 200.
pub const AUDIT_USER_AGENT_BYTES_MAX: usize = 256;

/// Bytes of any other text of the audit log but the key, which has its own limit: names of buckets that are none can be
/// as long as a head.
pub const AUDIT_TEXT_BYTES_MAX: usize = 255;

/// Smallest size of the audit log at which it is rotated: a few thousand lines.
pub const AUDIT_LOG_BYTES_MIN: u64 = 1024 * 1024;

/// Largest size of the audit log at which it is rotated.
pub const AUDIT_LOG_BYTES_MAX: u64 = 1024 * 1024 * 1024 * 1024;

/// Most rotated audit logs that are kept.
pub const AUDIT_LOG_FILES_MAX: u64 = 1000;

/// Bucket policies that a core keeps parsed: a few times their size in memory each.
pub const PARSED_POLICIES_MAX: usize = 256;

/// Bytes of the texts of these: what is made of a text can take some fifty times its memory.
pub const PARSED_POLICIES_BYTES_MAX: usize = 1024 * 1024;

/// Rules of one bucket's lifecycle, as AWS bounds them.
pub const LIFECYCLE_RULES_MAX: usize = 1000;

/// Characters of a lifecycle rule's id, as AWS bounds them.
pub const LIFECYCLE_RULE_ID_MAX: usize = 255;

/// Access keys that the node stores beside those of its configuration: each change copies the list of all, and the
/// start opens each secret.
pub const STORED_KEYS_MAX: usize = 10_000;

/// Organisations with a stored policy: each is parsed at start and kept in memory.
pub const STORED_ORG_POLICIES_MAX: usize = 1000;

/// One request on the admin socket: a policy of [`POLICY_BYTES_MAX`] with every byte escaped, and names around it.
pub const ADMIN_REQUEST_BYTES_MAX: usize = 64 * 1024;

/// One answer: [`STORED_KEYS_MAX`] keys with names as long as they may be.
pub const ADMIN_ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Time for a whole request on the admin socket, and for the answer to be taken: both ends are on one machine.
pub const ADMIN_DEADLINE_S: u64 = 10;

/// How long the command line waits for an answer: a commit under load, behind a sync of a slow disk.
pub const ADMIN_ANSWER_DEADLINE_S: u64 = 60;

/// Connections of the admin socket at one moment.
pub const ADMIN_CONNECTIONS_MAX: usize = 16;

/// Buckets and enabled rules of which one core keeps the lifecycle decoded: a rule takes a few hundred bytes.
pub const LIFECYCLE_CACHED_BUCKETS_MAX: usize = 1024;
pub const LIFECYCLE_CACHED_RULES_MAX: usize = 20_000;

/// Keys that the lifecycle looks at in one transaction, and the versions and parts of them and their bytes in the index:
/// bounds how long others wait for the committer.
pub const LIFECYCLE_KEYS_AT_ONCE: usize = 16;
pub const LIFECYCLE_RECORDS_AT_ONCE: usize = 1000;
pub const LIFECYCLE_BYTES_AT_ONCE: usize = 8 * 1024 * 1024;

/// Hints that a sweep writes in one transaction, most of them beside each other.
pub const LIFECYCLE_HINTS_AT_ONCE: usize = 32;

/// Bytes of an access key (AWS: 16 to 128; shorter ones are common in test rigs).
pub const ACCESS_KEY_BYTES: RangeInclusive<usize> = 3..=128;

/// Bytes of a secret key: below eight it could be guessed from one signature.
pub const SECRET_KEY_BYTES: RangeInclusive<usize> = 8..=128;

/// Bytes of a user, a display name, an organisation, a region: each stands in records and responses.
pub const OWNER_NAME_BYTES_MAX: usize = 128;

/// Bytes of the name that a domain may have (RFC 1035).
pub const DOMAIN_BYTES_MAX: usize = 253;

/// Request line and headers together. AWS allows 8 KiB of headers; a key of 1,024 bytes may take
/// 3 KiB of the request line once percent-encoded, and a presigned query about 1 KiB more.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Header section alone (AWS: `RequestHeaderSectionTooLarge`).
pub const HEADER_SECTION_BYTES_MAX: usize = 8 * 1024;

/// Header fields in one request.
pub const HEADERS_MAX: usize = 100;

/// Bytes of a policy, as S3 has it. Bounds also what a policy may cost each request that it judges.
pub const POLICY_BYTES_MAX: usize = 20 * 1024;

/// Searches that the patterns of a policy may need for one text: a search is for what stands between two wildcards, in
/// steps of 64 signs. One costs up to 3 ns for each byte of the text where both are made for it, so all of them hold a
/// core for less than a millisecond over a key and some six over the longest header; a policy of 20 KiB could need
/// thousands.
pub const POLICY_SEARCHES_MAX: usize = 256;

/// Bytes of object key after decoding (AWS: `KeyTooLongError`).
pub const KEY_BYTES_MAX: usize = 1024;

/// User metadata, names without `x-amz-meta-` plus values (AWS: `MetadataTooLarge`).
pub const METADATA_BYTES_MAX: usize = 2048;

/// Tags of one object.
pub const OBJECT_TAGS_MAX: usize = 10;

/// Tags of one bucket.
pub const BUCKET_TAGS_MAX: usize = 10;

/// Key of a tag, in UTF-16 units as AWS counts.
pub const TAG_KEY_UNITS_MAX: usize = 128;

/// Value of a tag, in UTF-16 units.
pub const TAG_VALUE_UNITS_MAX: usize = 256;

/// One PUT or one part.
pub const SINGLE_PUT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;

/// Smallest part but the last, judged when the upload is completed: bounds the number of parts of an object.
pub const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;

/// Parts of one upload, numbered from one.
pub const PARTS_MAX: u16 = 10_000;

/// One object: as many parts as there may be, each as large as it may be.
pub const OBJECT_BYTES_MAX: u64 = PARTS_MAX as u64 * SINGLE_PUT_BYTES_MAX;

/// Keys, uploads or parts on one page of a listing.
pub const LIST_PAGE_MAX: usize = 1000;

/// Buckets on one page of ListBuckets (AWS: 10,000).
pub const LIST_BUCKETS_PAGE_MAX: usize = 10_000;

/// Keys in one DeleteObjects.
pub const DELETE_OBJECTS_MAX: usize = 1000;

/// XML request bodies: 1,000 keys of 1,024 bytes, escaped, fit, and 10,000 parts of 300 bytes each (a number, an
/// entity tag and the longest checksum take 180; the rest is for line breaks and namespaces).
pub const XML_BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Nesting of XML request bodies.
pub const XML_DEPTH_MAX: usize = 8;

/// Elements of one XML request body: 10,000 parts with their number, tag and checksum fit; the tree that the
/// body is read into stays a few times the body.
pub const XML_ELEMENTS_MAX: usize = 65_536;

/// Attributes of one XML element: namespace declarations are all that S3 bodies carry.
pub const XML_ATTRIBUTES_MAX: usize = 8;

/// One line of chunked or aws-chunked framing: a size, an extension or signature.
pub const CHUNK_LINE_BYTES_MAX: usize = 1024;

/// Extensions of all chunks of one chunked body together. Real clients send none in the transfer coding; the
/// bound keeps a body from being mostly extensions.
pub const CHUNK_EXTENSIONS_BYTES_MAX: usize = 16 * 1024;

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

/// Time for that drain, and for reading on after the last response so that a reset does not overtake it. Short:
/// nobody waits for us then but the client's own sending.
pub const DRAIN_DEADLINE_S: u64 = 5;

/// Read buffer of a connection: an ordinary head fits, and ten thousand idle connections cost 40 MiB.
pub const READ_AHEAD_BYTES: usize = 4096;

/// Room made for one read of a body that is collected or drained rather than received into a pool buffer: few
/// calls for a large XML body, nothing to speak of for a small one.
pub const COLLECT_STEP_BYTES: usize = 16 * 1024;

/// From the first byte of a head to its last. Ten times what the slowest honest client needs.
pub const HEAD_DEADLINE_S: u64 = 30;

/// Between requests. Longer than SDK pools keep connections unused, so that they close first.
pub const IDLE_DEADLINE_S: u64 = 120;

/// For each read of a body: a client may be slow, but not silent.
pub const BODY_DEADLINE_S: u64 = 60;

/// For each send of at most [`BUFFER_BYTES`]: a client that reads less than 4 KiB a second holds a buffer for
/// nothing.
pub const WRITE_DEADLINE_S: u64 = 60;

/// Connections of one core at one moment; more are closed at once. An idle one costs about 8 KiB.
pub const CONNECTIONS_PER_CORE_MAX: usize = 16_384;

/// Requests that one group commit takes at most: bounds the latency of its first member.
pub const COMMIT_GROUP_MAX: usize = 512;

/// Requests that may wait for the committer; beyond it writers get 503 SlowDown.
pub const COMMIT_QUEUE_MAX: usize = 4096;

/// Longest client token of a rename (AWS: 64).
pub const CLIENT_TOKEN_BYTES_MAX: usize = 64;

/// How long a rename or a completed upload is remembered, so that the same request sent again acts once (AWS keeps
/// rename tokens at least as long as its SDKs retry; a day outlasts any client).
pub const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1000;

/// Remembered answers that a new one forgets at most, once they are due: more than one, so that none pile up.
pub const FORGOTTEN_AT_ONCE: usize = 4;

/// Longest key of the index: an object key of 1,024 bytes, the table and the bucket before it, a version or a part
/// after it, and room. LMDB with `longer-keys` and pages of 4 KiB takes 1,982.
pub const INDEX_KEY_BYTES_MAX: usize = 1200;

/// Largest record of the index: an object of 48.8 TiB in runs of [`RUN_BYTES_MAX`] has 1.6 million of them, each
/// up to 20 bytes in the record.
pub const INDEX_VALUE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Size up to which the index may grow: address space, neither memory nor disk, so that the map never has to be
/// enlarged while requests run. About eight thousand million objects.
pub const INDEX_MAP_BYTES: usize = 4 * 1024 * 1024 * 1024 * 1024;

/// Space that the index takes from the filesystem ahead of its need: an eighth of what it has, within these. A step
/// is written and synced by the commit that needs it, so it must not take long; nor come often.
pub const INDEX_GROWTH_BYTES_MIN: u64 = 1024 * 1024;
pub const INDEX_GROWTH_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Free pages inside the index with which writes are accepted although the filesystem is below its reserve: a few
/// thousand small records.
pub const INDEX_FREE_BYTES_MIN: u64 = 1024 * 1024;

/// Reads of the index at one moment, in all threads: one a core and a few for the jobs, with room for the largest
/// machines. A slot costs 64 bytes.
pub const INDEX_READERS_MAX: u32 = 1024;

/// Entries that one read transaction of a listing visits at most: bounds how long freed pages of the index stay
/// pinned when there is much to skip.
pub const LIST_WALK_ENTRIES_MAX: usize = 10_000;

const _: () = assert!(BUFFER_BYTES.is_multiple_of(FRAME_BYTES), "a buffer holds whole frames");
const _: () = assert!(FRAME_BYTES.is_multiple_of(BLOCK_BYTES), "a frame is whole blocks");
const _: () = assert!(RUN_BYTES_MAX.is_multiple_of(FRAME_BYTES as u64), "a run is whole frames");
const _: () = assert!(SPACE_STEP_BYTES >= RUN_BYTES_MAX, "one step satisfies any reservation");
const _: () = assert!(EXTENT_STEP_BYTES.is_multiple_of(FRAME_BYTES as u64), "an extent is whole frames");
const _: () = assert!(EXTENT_BYTES_MAX / (BLOCK_BYTES as u64) < u32::MAX as u64, "a block number is 32 bits");
const _: () = assert!(BUFFER_POOL_BYTES_MIN.is_multiple_of(BUFFER_BYTES as u64), "a pool is whole buffers");
const _: () = assert!(HEADER_SECTION_BYTES_MAX < HEAD_BYTES_MAX);
const _: () = assert!(INLINE_BODY_BYTES_MAX as usize <= BUFFER_BYTES, "an inline body fits one buffer");
const _: () =
    assert!(KEY_BYTES_MAX + 64 <= INDEX_KEY_BYTES_MAX, "table, bucket, version and part fit around a key");
const _: () = assert!(XML_ELEMENTS_MAX > 4 * PARTS_MAX as usize, "a list of all parts fits");
const _: () = assert!(XML_BODY_BYTES_MAX >= 300 * PARTS_MAX as usize, "a list of all parts fits");
const _: () = assert!(AUDIT_WRITE_BYTES as u64 <= AUDIT_LOG_BYTES_MIN, "a write fits a new audit log");
const _: () =
    assert!(ADMIN_REQUEST_BYTES_MAX >= 2 * POLICY_BYTES_MAX + 4096, "a policy and names around it fit");
const _: () = assert!(ADMIN_ANSWER_BYTES_MAX >= STORED_KEYS_MAX * 8 * OWNER_NAME_BYTES_MAX, "all keys fit");
const _: () = assert!(PART_BYTES_MIN <= SINGLE_PUT_BYTES_MAX);
const _: () = assert!(READ_AHEAD_BYTES <= COLLECT_STEP_BYTES && COLLECT_STEP_BYTES as u64 <= DRAIN_BYTES_MAX);
const _: () =
    assert!(SEALED_FRAME_PLAINTEXT_BYTES.is_multiple_of(16), "a sealed frame is whole blocks of the cipher");
const _: () =
    assert!(SEALED_FRAME_PLAINTEXT_BYTES < u32::MAX as usize, "a frame's plaintext length is 32 bits");
