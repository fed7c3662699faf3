use super::*;
use crate::index::record::{Content, ETag, Listed, Metadata, Owner, StoredChecksum};
use crate::s3::error::ErrorCode;

fn head(fields: &str) -> RequestHead {
    let text = format!("GET /b/k?attributes HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
    RequestHead::parse(text.as_bytes()).expect("well-formed").expect("whole").0
}

fn asked(fields: &str) -> Result<Vec<Attribute>, ErrorCode> {
    wanted(&head(fields)).map_err(|error| error.code)
}

#[test]
fn attributes_are_lists_in_one_header_or_several() {
    let both = Ok(vec![Attribute::ETag, Attribute::ObjectSize]);
    assert_eq!(asked("x-amz-object-attributes: ETag, ObjectSize\r\n"), both);
    assert_eq!(asked("x-amz-object-attributes: ETag,\r\nX-Amz-Object-Attributes: ObjectSize\r\n"), both);
    for fields in ["", "x-amz-object-attributes:\r\n", "x-amz-object-attributes: ,\r\n"] {
        assert_eq!(asked(fields), Err(ErrorCode::InvalidRequest), "{fields}");
    }
    for name in ["etag", "Owner", "ETag;Checksum"] {
        assert_eq!(
            asked(&format!("x-amz-object-attributes: ETag,{name}\r\n")),
            Err(ErrorCode::InvalidArgument)
        );
    }
}

#[test]
fn numbers_are_plain_and_within_bounds() {
    let sent = |value: &str| number(&head(&format!("{PARTS_MAX}: {value}\r\n")), PARTS_MAX).ok().flatten();
    assert_eq!(number(&head(""), PARTS_MAX), Ok(None));
    assert_eq!((sent("0"), sent("2147483647")), (Some(0), Some(i32::MAX as u32)));
    for value in ["", "-1", "+1", "x", "2147483648", "1 "].map(str::to_owned) {
        assert_eq!(sent(&value), if value == "1 " { Some(1) } else { None }, "{value}");
    }
}

/// An object of the parts 2, 3 and 7.
fn of_parts(full_object: bool) -> ObjectRecord {
    let part = |number: u16| Part { number, bytes: number.into(), checksum: Some(vec![number as u8; 4]) };
    let checksum = StoredChecksum { algorithm: Algorithm::Crc32c.id(), full_object, bytes: vec![9; 4] };
    ObjectRecord {
        listed: Listed {
            delete_marker: false,
            null_version: true,
            size: 12,
            last_modified_ms: 1,
            stamp: 1,
            etag: ETag { md5: [0; 16], parts: Some(3) },
            checksum: Some(checksum),
            owner: Owner::default(),
        },
        metadata: Metadata::default(),
        content: Content { parts: [2, 3, 7].map(part).to_vec(), ..Content::default() },
    }
}

fn written(write: impl FnOnce(&mut Writer)) -> String {
    let mut xml = Writer::new();
    write(&mut xml);
    let document = String::from_utf8(xml.finish()).expect("text");
    document.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_checksum_stands_without_the_number_of_parts() {
    let composite = written(|xml| checksum(xml, &of_parts(false)));
    assert_eq!(
        composite,
        "<Checksum><ChecksumCRC32C>CQkJCQ==</ChecksumCRC32C><ChecksumType>COMPOSITE</ChecksumType></Checksum>"
    );
    assert!(written(|xml| checksum(xml, &of_parts(true))).contains("FULL_OBJECT"));
}

#[test]
fn parts_come_in_pages_by_their_numbers() {
    let page = |parts_max, marker| {
        let text = written(|xml| parts(xml, &of_parts(false), parts_max, marker));
        let numbers: Vec<String> = text
            .split("<PartNumber>")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('<')?.0.to_owned()))
            .collect();
        let between = |name: &str| {
            let rest = text.split_once(&format!("<{name}>")).expect("there").1;
            rest.split_once('<').expect("closed").0.to_owned()
        };
        assert_eq!(between("PartsCount"), "3");
        (numbers.join(" "), between("NextPartNumberMarker"), between("IsTruncated") == "true")
    };
    assert_eq!(page(1000, 0), ("2 3 7".into(), "7".into(), false));
    assert_eq!(page(2, 0), ("2 3".into(), "3".into(), true));
    assert_eq!(page(2, 3), ("7".into(), "7".into(), false));
    assert_eq!(page(1, 2), ("3".into(), "3".into(), true));
    assert_eq!(page(5, 9), (String::new(), "9".into(), false));
    assert_eq!(page(0, 0), (String::new(), "0".into(), false));
    let first = written(|xml| parts(xml, &of_parts(false), 1, 0));
    assert!(
        first.contains(
            "<Part><PartNumber>2</PartNumber><Size>2</Size><ChecksumCRC32C>AgICAg==</ChecksumCRC32C>"
        )
    );
}
