//! The keys of the one ordered key space. The first byte of a key is its table:
//!
//! | table | key | value |
//! |---|---|---|
//! | `B` | bucket name | [`BucketRecord`](super::record::BucketRecord) |
//! | `H` | extent, first block | of a run with several owners: how many, at least two, in four bytes. Without an entry it has one |
//! | `M` | name | what `commit` and `store` keep about the node itself |
//! | `O` | bucket id, object key | [`ObjectRecord`](super::record::ObjectRecord) of the current object |
//! | `S` | extent, chunk | which blocks of the chunk are in use |
//!
//! Taken, for what comes later: `P` parts, `U` uploads, `V` versions. Zero is the engine's own.
//!
//! Numbers stand big-endian, so that they compare as bytes. Every byte of an object key stands one higher than it
//! is: UTF-8 has no byte above 0xF4, so none overflows, the order stays, and the byte zero is left over to end a
//! key where something follows it.

const BUCKET: u8 = b'B';
const META: u8 = b'M';
const OBJECT: u8 = b'O';
const SHARED_RUN: u8 = b'H';
const SPACE: u8 = b'S';

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
    let mut encoded = Vec::with_capacity(OBJECT_HEADER_BYTES + key.len());
    encoded.push(OBJECT);
    encoded.extend_from_slice(&bucket_id.to_be_bytes());
    extend_raised(&mut encoded, key);
    encoded
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
