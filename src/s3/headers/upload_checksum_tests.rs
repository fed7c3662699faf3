use super::*;
use crate::s3::error::ErrorCode;
use crate::s3::xml;

fn head(fields: &str) -> RequestHead {
    let text = format!("POST /b/k?uploads HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
    RequestHead::parse(text.as_bytes()).expect("well-formed").expect("whole").0
}

/// The message of a refusal, all of which are `InvalidRequest`.
fn message<T: std::fmt::Debug>(outcome: Result<T, S3Error>) -> String {
    let error = outcome.unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidRequest);
    error.message
}

fn chosen(algorithm: &str, checksum_type: &str) -> Result<Option<UploadChecksum>, S3Error> {
    let field = |name: &str, value: &str| match value {
        "" => String::new(),
        value => format!("{name}: {value}\r\n"),
    };
    UploadChecksum::from_head(&head(&(field(ALGORITHM, algorithm) + &field(TYPE, checksum_type))))
}

#[test]
fn every_pair_of_algorithm_and_type() {
    for (name, composite, full_object, by_default) in [
        ("CRC32", true, true, "COMPOSITE"),
        ("CRC32C", true, true, "COMPOSITE"),
        ("CRC64NVME", false, true, "FULL_OBJECT"),
        ("SHA1", true, false, "COMPOSITE"),
        ("SHA256", true, false, "COMPOSITE"),
    ] {
        let algorithm = Algorithm::from_name(name).expect("a name");
        for (type_sent, allowed) in [("COMPOSITE", composite), ("FULL_OBJECT", full_object)] {
            let full_object = type_sent == "FULL_OBJECT";
            let outcome = chosen(name, type_sent);
            if allowed {
                assert_eq!(outcome, Ok(Some(UploadChecksum { algorithm, full_object })));
            } else {
                let lower = name.to_lowercase();
                let expected = format!(
                    "The {type_sent} checksum type cannot be used with the {lower} checksum algorithm."
                );
                assert_eq!(message(outcome), expected);
            }
        }
        let full_object = by_default == "FULL_OBJECT";
        assert_eq!(chosen(name, ""), Ok(Some(UploadChecksum { algorithm, full_object })), "{name}");
        assert_eq!(chosen(&name.to_lowercase(), "").ok(), chosen(name, "").ok());
    }
}

#[test]
fn choices_that_make_no_sense() {
    assert_eq!(chosen("", ""), Ok(None));
    assert_eq!(
        message(chosen("", "COMPOSITE")),
        "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
    );
    assert_eq!(message(chosen("CRC32", "PARTIAL")), "Value for x-amz-checksum-type header is invalid.");
    let unsupported = "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
                       [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]";
    for name in ["MD5", "SHA512", "XXHASH64", "CRC"] {
        assert_eq!(message(chosen(name, "")), unsupported);
        assert_eq!(message(algorithm_from_head(&head(&format!("{ALGORITHM}: {name}\r\n")))), unsupported);
    }
    assert_eq!(message(UploadChecksum::from_head(&head(&format!("{ALGORITHM}:\r\n")))), unsupported);
    assert_eq!(algorithm_from_head(&head(&format!("{ALGORITHM}: sha256\r\n"))), Ok(Some(Algorithm::Sha256)));
    assert_eq!(algorithm_from_head(&head("")), Ok(None));
}

#[test]
fn parts_come_with_the_algorithm_of_their_upload() {
    let upload = |algorithm, full_object| UploadChecksum { algorithm, full_object };
    assert_eq!(upload(Algorithm::Sha256, false).check_part(Some(Algorithm::Sha256)), Ok(()));
    assert_eq!(upload(Algorithm::Crc32, true).check_part(None), Ok(()));
    assert_eq!(
        message(upload(Algorithm::Sha256, false).check_part(Some(Algorithm::Crc32))),
        "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32"
    );
    assert_eq!(
        message(upload(Algorithm::Crc32, false).check_part(None)),
        "Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum Type: null"
    );
    assert!(upload(Algorithm::Crc32, true).check_part(Some(Algorithm::Crc32c)).is_err());
}

#[test]
fn the_type_that_a_completion_states() {
    assert_eq!(full_object_from_head(&head("")), Ok(None));
    for full_object in [true, false] {
        let fields = format!("{TYPE}: {}\r\n", type_name(full_object));
        assert_eq!(full_object_from_head(&head(&fields)), Ok(Some(full_object)));
        assert!(wrong_type(full_object).message.contains(type_name(full_object)));
    }
    assert!(full_object_from_head(&head(&format!("{TYPE}: x\r\n"))).is_err());
}

fn stated(fields: &str) -> Result<Option<StatedChecksum>, S3Error> {
    of_whole(&head(fields))
}

#[test]
fn the_checksum_of_the_whole_with_and_without_the_number_of_parts() {
    let digest = Digest::from_base64(Algorithm::Crc32, "NhCmhg==").expect("a digest");
    let other = Digest::from_base64(Algorithm::Crc32, "NhCmhQ==").expect("a digest");
    let same_bytes = Digest::from_base64(Algorithm::Crc32c, "NhCmhg==").expect("a digest");
    let bare = stated("x-amz-checksum-crc32: NhCmhg==\r\n").unwrap().expect("stated");
    let of_three = stated("x-amz-checksum-crc32: NhCmhg==-3\r\n").unwrap().expect("stated");
    assert_eq!((bare.digest, of_three.digest), (digest, digest));
    for (stated, computed, composite_of, holds) in [
        (bare, digest, None, true),
        (bare, digest, Some(3), true),
        (of_three, digest, Some(3), true),
        (of_three, digest, Some(2), false),
        (of_three, digest, None, false),
        (bare, other, None, false),
        (of_three, other, Some(3), false),
        (bare, same_bytes, None, false),
    ] {
        assert_eq!(stated.is(&computed, composite_of), holds, "{stated:?} {computed:?} {composite_of:?}");
    }
    assert_eq!(stated(""), Ok(None));
    assert_eq!(stated("x-amz-checksum-type: COMPOSITE\r\n"), Ok(None));
}

#[test]
fn checksums_of_the_whole_that_are_none() {
    for value in
        ["NhCmhg", "NhCmhg==-", "NhCmhg==-x", "NhCmhg==-+3", "NhCmhg==-3-3", "NhCmhg== -3", "-3", "zz"]
    {
        let fields = format!("x-amz-checksum-crc32: {value}\r\n");
        assert_eq!(message(stated(&fields)), "Value for x-amz-checksum-crc32 header is invalid.", "{value}");
    }
    // Never made of parts.
    assert!(stated("x-amz-checksum-crc64nvme: M3eFcAZSQlc=\r\n").is_ok());
    assert!(stated("x-amz-checksum-crc64nvme: M3eFcAZSQlc=-3\r\n").is_err());
    assert_eq!(
        message(stated("x-amz-checksum-crc32: NhCmhg==\r\nx-amz-checksum-crc32c: mnG7TA==\r\n")),
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
    );
    assert!(stated("x-amz-checksum-sha512: NhCmhg==\r\n").is_err());
}

fn of_part(elements: &str) -> Result<Option<Digest>, S3Error> {
    let body = format!("<Part><PartNumber>1</PartNumber><ETag>x</ETag>{elements}</Part>");
    of_completed_part(&xml::parse(body.as_bytes()).expect("well-formed"))
}

#[test]
fn checksums_of_parts() {
    for (algorithm, value) in Algorithm::ALL.into_iter().zip([
        "NhCmhg==",
        "mnG7TA==",
        "M3eFcAZSQlc=",
        "qvTGHdzF6KLavt4PO0gs2a6pQ00=",
        "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
    ]) {
        let name = algorithm.name();
        let element = format!("<Checksum{name}>{value}</Checksum{name}>");
        assert_eq!(of_part(&element), Ok(Digest::from_base64(algorithm, value)), "{name}");
    }
    assert_eq!(of_part(""), Ok(None));
    for elements in [
        "<ChecksumCRC32>zz</ChecksumCRC32>",
        "<ChecksumCRC32/>",
        "<ChecksumCRC32>M3eFcAZSQlc=</ChecksumCRC32>",
        "<ChecksumCRC32>NhCmhg==-1</ChecksumCRC32>",
        "<ChecksumCRC32>NhCmhg==</ChecksumCRC32><ChecksumCRC32C>mnG7TA==</ChecksumCRC32C>",
        "<ChecksumCRC32>NhCmhg==</ChecksumCRC32><ChecksumCRC32>NhCmhg==</ChecksumCRC32>",
    ] {
        let error = of_part(elements).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{elements}");
        assert_eq!(error.message, "Invalid Base64 or multiple checksums present in request");
        assert_eq!(error.extra[0].1, "Checksum");
    }
    assert!(message(of_part("<ChecksumSHA512>NhCmhg==</ChecksumSHA512>")).contains("unsupported"));
}
