//! An LMDB index with the records of 100,000 objects, 50 in each of 2,000 folders.

use std::path::Path;

use ringstone::checksum::Algorithm;
use ringstone::index::key_encoding::object_key;
use ringstone::index::record::{
    Content, ETag, Listed, Metadata, ObjectRecord, Owner, Run, Segment, Slice, StoredChecksum, SystemHeader,
};
use ringstone::index::{Batch, Check, Engine, Write};

pub(crate) const BUCKET_ID: u64 = 1;
pub(crate) const OBJECTS: u32 = 100_000;
const FOLDERS: u32 = 2_000;
/// Of the groups that fill the index.
const GROUP: u32 = 1_000;

/// The filled index, opened.
pub(crate) fn filled_index(directory: &Path) -> Engine {
    let engine = Engine::open(directory).expect("a new index");
    for first in (0..OBJECTS).step_by(GROUP as usize) {
        let group: Vec<Batch> = (first..first + GROUP).map(put).collect();
        engine.commit(&group).expect("a commit");
    }
    engine
}

/// Puts an object that is not there. Neighbours in number are not neighbours in the tree, so that a group of puts
/// touches as many leaves as it has members.
pub(crate) fn put(number: u32) -> Batch {
    let key = index_key(number);
    Batch { checks: vec![Check::Absent(key.clone())], writes: vec![Write::Put(key, record(number).encode())] }
}

pub(crate) fn index_key(number: u32) -> Vec<u8> {
    let (folder, photo) = (number % FOLDERS, number / FOLDERS);
    object_key(BUCKET_ID, &format!("holiday-{folder:04}/photo-{photo:08}.jpg"))
}

/// A photo of 8 KiB, as `PutObject` would record it.
fn record(number: u32) -> ObjectRecord {
    let stamp = u64::from(number);
    ObjectRecord {
        listed: Listed {
            delete_marker: false,
            null_version: true,
            size: 8192,
            last_modified_ms: 1_795_560_174_000 + i64::from(number),
            stamp,
            etag: ETag { md5: [number as u8; 16], parts: None },
            checksum: Some(StoredChecksum {
                algorithm: Algorithm::Crc64Nvme.id(),
                full_object: true,
                bytes: stamp.to_be_bytes().to_vec(),
            }),
            owner: Owner { user: "alice".to_owned(), display_name: "Alice".to_owned() },
        },
        metadata: Metadata {
            system: vec![(SystemHeader::ContentType, "image/jpeg".to_owned())],
            user: vec![("camera".to_owned(), "X100V".to_owned())],
            tags: Vec::new(),
        },
        content: Content {
            segments: vec![Segment::Extents(Slice {
                body_id: stamp.wrapping_mul(0x9E37_79B9_7F4A_7C15),
                body_bytes: 8192,
                skip: 0,
                bytes: 8192,
                first_frame: 0,
                runs: vec![Run { node: 0, extent: number / 16_384, block: number % 16_384 * 3, blocks: 3 }],
                salt: None,
            })],
            ..Content::default()
        },
    }
}
