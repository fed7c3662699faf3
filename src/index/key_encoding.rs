//! The keys of the one ordered key space. The first byte of a key is its table:
//!
//! | table | key | value |
//! |---|---|---|
//! | `A` | organisation | its policy, as it was given |
//! | `B` | bucket name | [`BucketRecord`](super::record::BucketRecord) |
//! | `D` | due time, bucket id, object key | [`LifecycleHint`](super::record::LifecycleHint): rules may want something of the key then |
//! | `E` | due time, key of an `R` | nothing: when the `R` may be forgotten |
//! | `G` | bucket id, kind | a bucket's tags, policy, lifecycle rules |
//! | `H` | extent, first block | how many owners a run has, where that is more than one |
//! | `K` | access key | [`KeyRecord`](super::record::KeyRecord) |
//! | `M` | name | what `commit` and `store` keep about the node itself |
//! | `N` | bucket id, object key | stamp of the key's `null` version, where that is in `V` |
//! | `O` | bucket id, object key | [`ObjectRecord`](super::record::ObjectRecord) of the current object |
//! | `P` | upload's stamp, part number | [`PartRecord`](super::record::PartRecord) |
//! | `R` | kind, id | [`Remembered`](super::record::Remembered) answers |
//! | `S` | extent, chunk | which blocks of the chunk are in use |
//! | `U` | bucket id, object key, zero, stamp | [`UploadRecord`](super::record::UploadRecord) |
//! | `V` | bucket id, object key, zero, inverted stamp | versions that are not in `O`, newest first |
//! | `W` | bucket id | [`LifecycleSweep`](super::record::LifecycleSweep): how far the sweep of a bucket has come |
//!
//! A key whose newest version is an object has it in `O`; delete markers are always in `V`. So a listing of current
//! objects never passes over markers. Zero as a table is the engine's own.
//!
//! Numbers stand big-endian, so that they compare as bytes. Every byte of an object key stands one higher than it
//! is: UTF-8 has no byte above 0xF4, so none overflows, the order stays, and the byte zero is left over to end a
//! key where something follows it.

const ORG_POLICY: u8 = b'A';
const BUCKET: u8 = b'B';
const DUE: u8 = b'D';
const EXPIRY: u8 = b'E';
const SUBRESOURCE: u8 = b'G';
const CREDENTIAL: u8 = b'K';
const META: u8 = b'M';
const NULL_VERSION: u8 = b'N';
const OBJECT: u8 = b'O';
const PART: u8 = b'P';
const REMEMBERED: u8 = b'R';
const SHARED_RUN: u8 = b'H';
const SPACE: u8 = b'S';
const UPLOAD: u8 = b'U';
const VERSION: u8 = b'V';
const SWEEP: u8 = b'W';

/// Bytes of an object's key in the index before the object's own key: table and bucket.
pub const OBJECT_HEADER_BYTES: usize = 1 + size_of::<u64>();

pub fn bucket_key(name: &str) -> Vec<u8> {
    [&[BUCKET], name.as_bytes()].concat()
}

/// All buckets whose name starts with `prefix`.
pub fn bucket_range(prefix: &str) -> (Vec<u8>, Vec<u8>) {
    prefix_range(bucket_key(prefix))
}

/// The name in a bucket's key.
pub fn decode_bucket_key(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.strip_prefix(&[BUCKET])?).ok()
}

pub fn object_key(bucket_id: u64, key: &str) -> Vec<u8> {
    keyed(OBJECT, bucket_id, key)
}

/// All objects of a bucket whose key starts with `prefix`: from the first to before the second.
pub fn object_range(bucket_id: u64, prefix: &str) -> (Vec<u8>, Vec<u8>) {
    prefix_range(object_key(bucket_id, prefix))
}

/// Bucket and key. `None` for what [`object_key`] cannot have made.
pub fn decode_object_key(encoded: &[u8]) -> Option<(u64, String)> {
    let (&[OBJECT], rest) = encoded.split_first_chunk::<1>()? else { return None };
    let (bucket_id, raised) = rest.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*bucket_id), lowered(raised)?))
}

pub fn version_key(bucket_id: u64, key: &str, stamp: u64) -> Vec<u8> {
    stamped(VERSION, bucket_id, key, u64::MAX - stamp)
}

/// All versions of one key that are not in `O`, newest first.
pub fn versions_of_key_range(bucket_id: u64, key: &str) -> (Vec<u8>, Vec<u8>) {
    let mut prefix = keyed(VERSION, bucket_id, key);
    prefix.push(0);
    prefix_range(prefix)
}

/// The same for all keys of a bucket that start with `prefix`.
pub fn versions_range(bucket_id: u64, prefix: &str) -> (Vec<u8>, Vec<u8>) {
    prefix_range(keyed(VERSION, bucket_id, prefix))
}

/// Key and stamp. `None` for what [`version_key`] cannot have made.
pub fn decode_version_key(encoded: &[u8]) -> Option<(String, u64)> {
    let (key, inverted) = decode_stamped(VERSION, encoded)?;
    Some((key, u64::MAX - inverted))
}

/// Where the stamp of a key's `null` version stands.
pub fn null_version_key(bucket_id: u64, key: &str) -> Vec<u8> {
    keyed(NULL_VERSION, bucket_id, key)
}

pub fn upload_key(bucket_id: u64, key: &str, stamp: u64) -> Vec<u8> {
    stamped(UPLOAD, bucket_id, key, stamp)
}

/// All uploads of a bucket to keys that start with `prefix`, by key and then oldest first.
pub fn uploads_range(bucket_id: u64, prefix: &str) -> (Vec<u8>, Vec<u8>) {
    prefix_range(keyed(UPLOAD, bucket_id, prefix))
}

/// The same of one key.
pub fn uploads_of_key_range(bucket_id: u64, key: &str) -> (Vec<u8>, Vec<u8>) {
    let mut prefix = keyed(UPLOAD, bucket_id, key);
    prefix.push(0);
    prefix_range(prefix)
}

/// Key and stamp. `None` for what [`upload_key`] cannot have made.
pub fn decode_upload_key(encoded: &[u8]) -> Option<(String, u64)> {
    decode_stamped(UPLOAD, encoded)
}

pub fn part_key(upload_stamp: u64, number: u16) -> Vec<u8> {
    [&[PART][..], &upload_stamp.to_be_bytes(), &number.to_be_bytes()].concat()
}

/// All parts of an upload, by number.
pub fn parts_range(upload_stamp: u64) -> (Vec<u8>, Vec<u8>) {
    prefix_range([&[PART][..], &upload_stamp.to_be_bytes()].concat())
}

/// The number in a part's key.
pub fn decode_part_number(key: &[u8]) -> Option<u16> {
    let number = key.get(1 + size_of::<u64>()..)?;
    Some(u16::from_be_bytes(number.try_into().ok()?))
}

/// What a bucket has beside its record; `kind` is one of [`SUBRESOURCES`].
pub fn subresource_key(bucket_id: u64, kind: u8) -> Vec<u8> {
    [&[SUBRESOURCE][..], &bucket_id.to_be_bytes(), &[kind]].concat()
}

/// A bucket's tag set.
pub const BUCKET_TAGS: u8 = b't';

/// A bucket's policy, as it was sent.
pub const BUCKET_POLICY: u8 = b'p';

/// A bucket's lifecycle rules.
pub const BUCKET_LIFECYCLE: u8 = b'l';

/// Every kind of subresource: they go with their bucket.
pub const SUBRESOURCES: &[u8] = &[BUCKET_TAGS, BUCKET_POLICY, BUCKET_LIFECYCLE];

/// An answer that is remembered; `kind` keeps the kinds of ids apart.
pub fn remembered_key(kind: u8, id: &[u8]) -> Vec<u8> {
    [&[REMEMBERED, kind], id].concat()
}

pub fn expiry_key(due_ms: i64, remembered_key: &[u8]) -> Vec<u8> {
    [&[EXPIRY][..], &due_ms.unsigned_abs().to_be_bytes(), remembered_key].concat()
}

/// All that is due before `now_ms`.
pub fn expiry_range(now_ms: i64) -> (Vec<u8>, Vec<u8>) {
    (vec![EXPIRY], [&[EXPIRY][..], &now_ms.unsigned_abs().to_be_bytes()].concat())
}

/// The key of the `R` that an expiry is about.
pub fn decode_expiry_key(key: &[u8]) -> Option<&[u8]> {
    key.get(1 + size_of::<u64>()..)
}

/// When lifecycle rules may want something of a key. Times before 1970 stand as 1970.
pub fn due_key(due_ms: i64, bucket_id: u64, key: &str) -> Vec<u8> {
    let mut encoded = due_start(due_ms);
    encoded.extend_from_slice(&bucket_id.to_be_bytes());
    extend_raised(&mut encoded, key);
    encoded
}

/// All that is due at or before `now_ms`.
pub fn due_range(now_ms: i64) -> (Vec<u8>, Vec<u8>) {
    (vec![DUE], due_start(now_ms.saturating_add(1)))
}

/// Time, bucket and key. `None` for what [`due_key`] cannot have made.
pub fn decode_due_key(encoded: &[u8]) -> Option<(i64, u64, String)> {
    let (due_ms, rest) = encoded.strip_prefix(&[DUE])?.split_first_chunk::<8>()?;
    let (bucket_id, raised) = rest.split_first_chunk::<8>()?;
    Some((i64::from_be_bytes(*due_ms), u64::from_be_bytes(*bucket_id), lowered(raised)?))
}

fn due_start(due_ms: i64) -> Vec<u8> {
    [&[DUE][..], &due_ms.max(0).to_be_bytes()].concat()
}

/// How far the lifecycle's sweep of a bucket has come.
pub fn sweep_key(bucket_id: u64) -> Vec<u8> {
    [&[SWEEP][..], &bucket_id.to_be_bytes()].concat()
}

/// All sweeps.
pub fn sweep_range() -> (Vec<u8>, Vec<u8>) {
    prefix_range(vec![SWEEP])
}

/// The bucket of a sweep.
pub fn decode_sweep_key(encoded: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(encoded.strip_prefix(&[SWEEP])?.try_into().ok()?))
}

/// A piece of an object key as it stands in the index.
pub fn raised(piece: &str) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(piece.len());
    extend_raised(&mut encoded, piece);
    encoded
}

/// The reverse of [`raised`].
pub fn lowered(raised: &[u8]) -> Option<String> {
    let bytes = raised.iter().map(|byte| byte.checked_sub(1)).collect::<Option<Vec<u8>>>()?;
    String::from_utf8(bytes).ok()
}

pub fn space_key(extent: u32, chunk: u16) -> Vec<u8> {
    [&[SPACE][..], &extent.to_be_bytes(), &chunk.to_be_bytes()].concat()
}

/// The whole space map.
pub fn space_range() -> (Vec<u8>, Vec<u8>) {
    prefix_range(vec![SPACE])
}

/// Extent and chunk. `None` for what [`space_key`] cannot have made.
pub fn decode_space_key(key: &[u8]) -> Option<(u32, u16)> {
    let (extent, chunk) = key.strip_prefix(&[SPACE])?.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*extent), u16::from_be_bytes(chunk.try_into().ok()?)))
}

/// How many owners a run has, named by its first block.
pub fn shared_run_key(extent: u32, block: u32) -> Vec<u8> {
    [&[SHARED_RUN][..], &extent.to_be_bytes(), &block.to_be_bytes()].concat()
}

/// All runs with more than one owner.
pub fn shared_run_range() -> (Vec<u8>, Vec<u8>) {
    prefix_range(vec![SHARED_RUN])
}

/// Extent and first block. `None` for what [`shared_run_key`] cannot have made.
pub fn decode_shared_run_key(key: &[u8]) -> Option<(u32, u32)> {
    let (extent, block) = key.strip_prefix(&[SHARED_RUN])?.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*extent), u32::from_be_bytes(block.try_into().ok()?)))
}

/// Where an access key stands.
pub fn credential_key(access_key: &str) -> Vec<u8> {
    [&[CREDENTIAL], access_key.as_bytes()].concat()
}

/// All access keys.
pub fn credential_range() -> (Vec<u8>, Vec<u8>) {
    prefix_range(vec![CREDENTIAL])
}

/// The access key. `None` for what [`credential_key`] cannot have made.
pub fn decode_credential_key(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.strip_prefix(&[CREDENTIAL])?).ok()
}

/// Where the policy of an organisation stands.
pub fn org_policy_key(org: &str) -> Vec<u8> {
    [&[ORG_POLICY], org.as_bytes()].concat()
}

/// The policies of all organisations.
pub fn org_policy_range() -> (Vec<u8>, Vec<u8>) {
    prefix_range(vec![ORG_POLICY])
}

/// The organisation. `None` for what [`org_policy_key`] cannot have made.
pub fn decode_org_policy_key(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.strip_prefix(&[ORG_POLICY])?).ok()
}

pub fn meta_key(name: &str) -> Vec<u8> {
    [&[META], name.as_bytes()].concat()
}

/// The least key that is greater than every key with this prefix. `None` if there is none; a prefix that starts with
/// a table always has one.
pub fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut next = prefix.get(..=last)?.to_vec();
    *next.last_mut()? += 1;
    Some(next)
}

fn keyed(table: u8, bucket_id: u64, key: &str) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(OBJECT_HEADER_BYTES + key.len() + 1 + size_of::<u64>());
    encoded.push(table);
    encoded.extend_from_slice(&bucket_id.to_be_bytes());
    extend_raised(&mut encoded, key);
    encoded
}

/// A key with a number behind it: the zero between them sorts a key's entries before those of longer keys.
fn stamped(table: u8, bucket_id: u64, key: &str, number: u64) -> Vec<u8> {
    let mut encoded = keyed(table, bucket_id, key);
    encoded.push(0);
    encoded.extend_from_slice(&number.to_be_bytes());
    encoded
}

fn decode_stamped(table: u8, encoded: &[u8]) -> Option<(String, u64)> {
    let keyed = encoded.strip_prefix(&[table])?.get(size_of::<u64>()..)?;
    let (rest, number) = keyed.split_last_chunk::<8>()?;
    let (&[0], raised) = rest.split_last_chunk::<1>().map(|(raised, zero)| (zero, raised))? else {
        return None;
    };
    Some((lowered(raised)?, u64::from_be_bytes(*number)))
}

fn extend_raised(encoded: &mut Vec<u8>, piece: &str) {
    encoded.extend(piece.bytes().map(|byte| byte + 1));
}

fn prefix_range(prefix: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let end = successor(&prefix).unwrap_or_default();
    (prefix, end)
}

#[cfg(test)]
#[path = "key_encoding_tests.rs"]
mod tests;
