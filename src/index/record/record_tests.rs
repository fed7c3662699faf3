use proptest::prelude::*;

use super::*;
use crate::config::limits::OWNER_NAME_BYTES_MAX;

fn owner_name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{0,10}",
        1 => Just("n".repeat(OWNER_NAME_BYTES_MAX)),
    ]
}

fn listed() -> impl Strategy<Value = Listed> {
    let checksum = (any::<u8>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..=32))
        .prop_map(|(algorithm, full_object, bytes)| StoredChecksum { algorithm, full_object, bytes });
    (
        any::<(bool, u64, i64, u64, [u8; 16], Option<u16>)>(),
        proptest::option::of(checksum),
        (owner_name(), owner_name()),
    )
        .prop_map(|((delete_marker, size, last_modified_ms, stamp, md5, parts), checksum, owner)| {
            Listed {
                delete_marker,
                size,
                last_modified_ms,
                stamp,
                etag: ETag { md5, parts },
                checksum,
                owner: Owner { user: owner.0, display_name: owner.1 },
            }
        })
}

fn record() -> impl Strategy<Value = ObjectRecord> {
    let header = prop_oneof![Just(SystemHeader::CacheControl), Just(SystemHeader::StorageClass)];
    let metadata = (
        proptest::collection::vec((header, ".{0,30}"), 0..4),
        proptest::collection::vec((".{0,20}", ".{0,50}"), 0..4),
    )
        .prop_map(|(system, user)| Metadata { system, user });
    let run = any::<(u32, u32, u32, u32)>().prop_map(|(node, extent, block, blocks)| Run {
        node,
        extent,
        block,
        blocks,
    });
    let layout = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..1000).prop_map(Layout::Inline),
        (any::<u64>(), proptest::collection::vec(run, 0..20))
            .prop_map(|(body_id, runs)| Layout::Extents { body_id, runs }),
    ];
    (listed(), metadata, layout).prop_map(|(listed, metadata, layout)| ObjectRecord {
        listed,
        metadata,
        layout,
    })
}

/// The record with the longest first section.
fn largest() -> ObjectRecord {
    let name = "n".repeat(OWNER_NAME_BYTES_MAX);
    ObjectRecord {
        listed: Listed {
            delete_marker: true,
            size: u64::MAX,
            last_modified_ms: i64::MIN,
            stamp: u64::MAX,
            etag: ETag { md5: [255; 16], parts: Some(u16::MAX) },
            checksum: Some(StoredChecksum { algorithm: 255, full_object: true, bytes: vec![255; 32] }),
            owner: Owner { user: name.clone(), display_name: name },
        },
        metadata: Metadata::default(),
        layout: Layout::Inline(vec![0; 5000]),
    }
}

proptest! {
    #[test]
    fn objects_survive_storage(record in record()) {
        let encoded = record.encode();
        prop_assert_eq!(&ObjectRecord::decode(&encoded).unwrap(), &record);
        let cut = encoded.get(..LISTED_BYTES_MAX).unwrap_or(&encoded);
        prop_assert_eq!(ObjectRecord::decode_listed(cut).unwrap(), record.listed);
    }

    #[test]
    fn a_cut_record_is_an_error_or_a_shorter_inline_body(record in record(), keep in any::<prop::sample::Index>()) {
        let encoded = record.encode();
        let cut = &encoded[..keep.index(encoded.len())];
        if let Ok(decoded) = ObjectRecord::decode(cut) {
            prop_assert_eq!(decoded.listed, record.listed);
            prop_assert!(matches!(decoded.layout, Layout::Inline(_)));
        }
    }

    #[test]
    fn any_bytes_decode_to_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for version in [None, Some(1)] {
            let bytes: Vec<u8> = version.into_iter().chain(bytes.iter().copied()).collect();
            let _ = ObjectRecord::decode(&bytes);
            let _ = ObjectRecord::decode_listed(&bytes);
            let _ = BucketRecord::decode(&bytes);
        }
    }

    #[test]
    fn damaged_objects_decode_to_an_answer(record in record(), flips in proptest::collection::vec(any::<(u16, u8)>(), 1..4)) {
        let mut encoded = record.encode();
        let bytes = encoded.len();
        for (place, flip) in flips {
            encoded[usize::from(place) % bytes] ^= flip;
        }
        let _ = ObjectRecord::decode(&encoded);
    }
}

#[test]
fn the_largest_first_section_fits_its_bound() {
    let record = largest();
    let encoded = record.encode();
    assert_eq!(ObjectRecord::decode_listed(&encoded[..LISTED_BYTES_MAX]).unwrap(), record.listed);
}

#[test]
fn buckets_survive_storage() {
    for versioning in [Versioning::Unset, Versioning::Enabled, Versioning::Suspended] {
        let record = BucketRecord {
            id: u64::MAX,
            name: "bucket".into(),
            user: "user".into(),
            display_name: "A user".into(),
            org: "org".into(),
            region: "EU-01A".into(),
            created_ms: -1,
            versioning,
        };
        assert_eq!(BucketRecord::decode(&record.encode()).unwrap(), record);
    }
}

#[test]
fn unknown_versions_and_layouts_are_named() {
    assert!(matches!(ObjectRecord::decode(&[]), Err(RecordError::Empty)));
    assert!(matches!(ObjectRecord::decode_listed(&[9, 1]), Err(RecordError::Version(9))));
    assert!(matches!(BucketRecord::decode(&[0]), Err(RecordError::Version(0))));
    let mut encoded = ObjectRecord { layout: Layout::Inline(Vec::new()), ..largest() }.encode();
    *encoded.last_mut().unwrap() = 7;
    assert!(matches!(ObjectRecord::decode(&encoded), Err(RecordError::Layout(7))));
}

/// The bytes of a record are in every data directory: this test fails when they change by accident.
#[test]
fn the_stored_form_does_not_change() {
    let record = ObjectRecord {
        listed: Listed {
            delete_marker: false,
            size: 300,
            last_modified_ms: 1,
            stamp: 2,
            etag: ETag { md5: [0xAB; 16], parts: Some(3) },
            checksum: Some(StoredChecksum { algorithm: 4, full_object: true, bytes: vec![5, 6] }),
            owner: Owner { user: "u".into(), display_name: "d".into() },
        },
        metadata: Metadata {
            system: vec![(SystemHeader::StorageClass, "s".into())],
            user: vec![("n".into(), "v".into())],
        },
        layout: Layout::Extents { body_id: 9, runs: vec![Run { node: 0, extent: 1, block: 2, blocks: 3 }] },
    };
    // Version and flag, numbers, ETag, checksum, owner; headers; layout.
    let expected = [
        "0100ac020202",
        "abababababababababababababababab0103",
        "010401020506",
        "01750164",
        "01060173",
        "01016e0176",
        "01090100010203",
    ];
    assert_eq!(hex::encode(record.encode()), expected.concat());
}

#[test]
fn etags_read_as_clients_know_them() {
    let etag = ETag { md5: [0xAB; 16], parts: None };
    assert_eq!(etag.to_string(), "ab".repeat(16));
    assert_eq!(ETag { parts: Some(7), ..etag }.to_string(), format!("{}-7", "ab".repeat(16)));
}
