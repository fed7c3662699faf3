//! Object records of the first format: no versions, no parts, one body.

use serde::Deserialize;

use super::body::{Inline, Run, Segment, Slice};
use super::object::{Content, ETag, Listed, Metadata, ObjectRecord, Owner, StoredChecksum, SystemHeader};
use super::take_section;
use crate::index::error::RecordError;

const LAYOUT_INLINE: u8 = 0;
const LAYOUT_EXTENTS: u8 = 1;

#[derive(Deserialize)]
struct ListedThen {
    delete_marker: bool,
    size: u64,
    last_modified_ms: i64,
    stamp: u64,
    etag: ETag,
    checksum: Option<StoredChecksum>,
    owner: Owner,
}

#[derive(Deserialize)]
struct MetadataThen {
    system: Vec<(SystemHeader, String)>,
    user: Vec<(String, String)>,
}

/// What follows the version byte.
pub(super) fn decode(mut bytes: &[u8]) -> Result<ObjectRecord, RecordError> {
    let listed = take_listed(&mut bytes)?;
    let MetadataThen { system, user } = take_section("metadata", &mut bytes)?;
    let segment = match bytes.split_first() {
        None => return Err(RecordError::Empty),
        Some((&LAYOUT_INLINE, body)) => Segment::Inline(Inline { bytes: body.to_vec(), salt: None }),
        Some((&LAYOUT_EXTENTS, mut rest)) => {
            let (body_id, runs): (u64, Vec<Run>) = take_section("extents", &mut rest)?;
            let (body_bytes, bytes) = (listed.size, listed.size);
            Segment::Extents(Slice { body_id, body_bytes, skip: 0, bytes, first_frame: 0, runs, salt: None })
        }
        Some((&other, _)) => return Err(RecordError::Layout(other)),
    };
    let segments = if listed.size == 0 { Vec::new() } else { vec![segment] };
    let content = Content { segments, ..Content::default() };
    Ok(ObjectRecord { listed, metadata: Metadata { system, user, tags: Vec::new() }, content })
}

/// The first section.
pub(super) fn take_listed(bytes: &mut &[u8]) -> Result<Listed, RecordError> {
    let ListedThen { delete_marker, size, last_modified_ms, stamp, etag, checksum, owner } =
        take_section("listed", bytes)?;
    Ok(Listed { delete_marker, null_version: true, size, last_modified_ms, stamp, etag, checksum, owner })
}
