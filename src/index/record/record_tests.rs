use proptest::prelude::*;

use super::*;
use crate::config::limits::OWNER_NAME_BYTES_MAX;
use crate::seal::CustomerKey;

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
        any::<([bool; 2], u64, i64, u64, [u8; 16], Option<u16>)>(),
        proptest::option::of(checksum),
        (owner_name(), owner_name()),
    )
        .prop_map(
            |(
                ([delete_marker, null_version], size, last_modified_ms, stamp, md5, parts),
                checksum,
                owner,
            )| {
                Listed {
                    delete_marker,
                    null_version,
                    size,
                    last_modified_ms,
                    stamp,
                    etag: ETag { md5, parts },
                    checksum,
                    owner: Owner { user: owner.0, display_name: owner.1 },
                }
            },
        )
}

fn record() -> impl Strategy<Value = ObjectRecord> {
    let header = prop_oneof![Just(SystemHeader::CacheControl), Just(SystemHeader::StorageClass)];
    let pairs = |name: &'static str| proptest::collection::vec((name, ".{0,50}"), 0..4);
    let metadata =
        (proptest::collection::vec((header, ".{0,30}"), 0..4), pairs(".{0,20}"), pairs("[a-z]{1,9}"))
            .prop_map(|(system, user, tags)| Metadata { system, user, tags });
    (listed(), metadata, content()).prop_map(|(listed, metadata, content)| ObjectRecord {
        listed,
        metadata,
        content,
    })
}

fn content() -> impl Strategy<Value = Content> {
    let run = any::<(u32, u32, u32, u32)>().prop_map(|(node, extent, block, blocks)| Run {
        node,
        extent,
        block,
        blocks,
    });
    let salt = || proptest::option::of(any::<Salt>());
    let inline = (proptest::collection::vec(any::<u8>(), 0..1000), salt())
        .prop_map(|(bytes, salt)| Segment::Inline(Inline { bytes, salt }));
    let slice = (any::<[u64; 5]>(), proptest::collection::vec(run, 0..20), salt()).prop_map(
        |([body_id, body_bytes, skip, bytes, first_frame], runs, salt)| {
            Segment::Extents(Slice { body_id, body_bytes, skip, bytes, first_frame, runs, salt })
        },
    );
    let part = any::<(u16, u64, Option<Vec<u8>>)>().prop_map(|(number, bytes, checksum)| Part {
        number,
        bytes,
        checksum,
    });
    (
        proptest::collection::vec(prop_oneof![inline, slice], 0..4),
        proptest::collection::vec(part, 0..4),
        any::<bool>(),
    )
        .prop_map(|(segments, parts, is_sealed)| {
            let key = is_sealed.then(|| CustomerKey::new(&[7; 32]));
            let encryption = key.map(|key| key.new_check().expect("random numbers"));
            Content { segments, parts, encryption }
        })
}

/// The record with the longest first section.
fn largest() -> ObjectRecord {
    let name = "n".repeat(OWNER_NAME_BYTES_MAX);
    ObjectRecord {
        listed: Listed {
            delete_marker: true,
            null_version: true,
            size: u64::MAX,
            last_modified_ms: i64::MIN,
            stamp: u64::MAX,
            etag: ETag { md5: [255; 16], parts: Some(u16::MAX) },
            checksum: Some(StoredChecksum { algorithm: 255, full_object: true, bytes: vec![255; 32] }),
            owner: Owner { user: name.clone(), display_name: name },
        },
        metadata: Metadata::default(),
        content: inline(&[0; 5000]),
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
    fn a_cut_record_is_an_error(record in record(), keep in any::<prop::sample::Index>()) {
        let encoded = record.encode();
        prop_assert!(ObjectRecord::decode(&encoded[..keep.index(encoded.len())]).is_err());
    }

    #[test]
    fn any_bytes_decode_to_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for version in [None, Some(1), Some(2)] {
            let bytes: Vec<u8> = version.into_iter().chain(bytes.iter().copied()).collect();
            let _ = ObjectRecord::decode(&bytes);
            let _ = ObjectRecord::decode_listed(&bytes);
            let _ = BucketRecord::decode(&bytes);
            let _ = UploadRecord::decode(&bytes);
            let _ = PartRecord::decode(&bytes);
            let _ = Remembered::decode(&bytes);
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
            policy: Some(u64::MAX),
            lifecycle: None,
        };
        assert_eq!(BucketRecord::decode(&record.encode()).unwrap(), record);
    }
}

#[test]
fn buckets_of_the_first_format_have_neither_policy_nor_lifecycle() {
    let stored = [&[1, 7, 1][..], b"b", &[1], b"u", &[1], b"d", &[1], b"o", &[1], b"r", &[4, 1]].concat();
    let record = BucketRecord::decode(&stored).unwrap();
    assert_eq!((record.id, &*record.name, record.created_ms), (7, "b", 2));
    assert_eq!((record.versioning, record.policy, record.lifecycle), (Versioning::Enabled, None, None));
}

#[test]
fn unknown_versions_and_layouts_are_named() {
    assert!(matches!(ObjectRecord::decode(&[]), Err(RecordError::Empty)));
    assert!(matches!(ObjectRecord::decode_listed(&[9, 1]), Err(RecordError::Version(9))));
    assert!(matches!(BucketRecord::decode(&[0]), Err(RecordError::Version(0))));
    let then = [&hex::decode(VERSION_1_FRONT).unwrap()[..], &[7]].concat();
    assert!(matches!(ObjectRecord::decode(&then), Err(RecordError::Layout(7))));
}

fn inline(bytes: &[u8]) -> Content {
    let segments = vec![Segment::Inline(Inline { bytes: bytes.to_vec(), salt: None })];
    Content { segments, ..Content::default() }
}

/// A record of the first format, up to its layout: version and flag, numbers, ETag, checksum, owner; headers.
const VERSION_1_FRONT: &str = concat!(
    "0100ac020202",
    "abababababababababababababababab0103",
    "010401020506",
    "01750164",
    "01060173",
    "01016e0176",
);

fn known() -> ObjectRecord {
    ObjectRecord {
        listed: Listed {
            delete_marker: false,
            null_version: true,
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
            tags: Vec::new(),
        },
        content: Content {
            segments: vec![Segment::Extents(Slice {
                body_id: 9,
                body_bytes: 300,
                skip: 0,
                bytes: 300,
                first_frame: 0,
                runs: vec![Run { node: 0, extent: 1, block: 2, blocks: 3 }],
                salt: None,
            })],
            ..Content::default()
        },
    }
}

#[test]
fn records_of_the_first_format_are_read() {
    let extents = hex::decode([VERSION_1_FRONT, "01090100010203"].concat()).unwrap();
    assert_eq!(ObjectRecord::decode(&extents).unwrap(), known());
    assert_eq!(ObjectRecord::decode_listed(&extents).unwrap(), known().listed);
    let body = [&hex::decode(VERSION_1_FRONT).unwrap()[..], &[0, 1, 2, 3]].concat();
    assert_eq!(ObjectRecord::decode(&body).unwrap().content, inline(&[1, 2, 3]));
}

/// The bytes of a record are in every data directory: this test fails when they change by accident.
#[test]
fn the_stored_form_does_not_change() {
    let mut record = known();
    record.metadata.tags.push(("t".into(), "w".into()));
    record.content.segments.push(Segment::Inline(Inline { bytes: vec![8, 8], salt: Some([1; 32]) }));
    record.content.parts.push(Part { number: 3, bytes: 302, checksum: Some(vec![6]) });
    // Version and flags, numbers, ETag, checksum, owner; headers, metadata, tags; two segments, a part, no key.
    let salt = "01".repeat(32);
    let expected = [
        "020001ac020202",
        "abababababababababababababababab0103",
        "010401020506",
        "01750164",
        "01060173",
        "01016e0176",
        "0101740177",
        "02",
        "0109ac0200ac02000100010203",
        "00",
        "00020808",
        "01",
        &salt,
        "0103ae02010106",
        "00",
    ];
    assert_eq!(hex::encode(record.encode()), expected.concat());
    assert_eq!(ObjectRecord::decode(&record.encode()).unwrap(), record);
}

/// The same of an access key: version, names, time, state, nonce, length and ciphertext.
#[test]
fn the_stored_form_of_an_access_key_does_not_change() {
    let secret = [&[7; 12][..], &[18], &[9; 18]].concat();
    let record = KeyRecord {
        user: "u".into(),
        display_name: "dd".into(),
        org: "o".into(),
        created_ms: 150,
        disabled: true,
        secret: postcard::from_bytes(&secret).unwrap(),
    };
    let expected = format!("010175026464016fac0201{}12{}", "07".repeat(12), "09".repeat(18));
    assert_eq!(hex::encode(record.encode()), expected);
    assert_eq!(KeyRecord::decode(&record.encode()).unwrap(), record);
    for length in 0..record.encode().len() {
        assert!(KeyRecord::decode(&record.encode()[..length]).is_err(), "{length}");
    }
    assert!(matches!(KeyRecord::decode(&[2, 0]), Err(RecordError::Version(2))));
}

#[test]
fn etags_read_as_clients_know_them() {
    let etag = ETag { md5: [0xAB; 16], parts: None };
    assert_eq!(etag.to_string(), "ab".repeat(16));
    assert_eq!(ETag { parts: Some(7), ..etag }.to_string(), format!("{}-7", "ab".repeat(16)));
}
