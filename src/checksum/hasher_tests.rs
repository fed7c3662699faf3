use proptest::prelude::*;

use super::*;
use crate::checksum::{Md5, crc32c_of};

fn digest_of(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish()
}

#[test]
fn known_values() {
    let vectors: [(&[u8], [&str; 5]); 3] = [
        (
            b"hello",
            [
                "NhCmhg==",
                "mnG7TA==",
                "M3eFcAZSQlc=",
                "qvTGHdzF6KLavt4PO0gs2a6pQ00=",
                "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
            ],
        ),
        (
            b"123456789",
            [
                "y/Q5Jg==",
                "4waSgw==",
                "rosUhgp5mIg=",
                "98O8HYCOBHMq32eZZczDTKeuNEE=",
                "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
            ],
        ),
        (
            b"",
            [
                "AAAAAA==",
                "AAAAAA==",
                "AAAAAAAAAAA=",
                "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
                "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            ],
        ),
    ];
    for (input, expected) in vectors {
        for (algorithm, expected) in Algorithm::ALL.into_iter().zip(expected) {
            let digest = digest_of(algorithm, input);
            assert_eq!(digest.base64(), expected, "{algorithm:?} of {input:?}");
            assert_eq!(digest.bytes().len(), algorithm.digest_bytes());
            assert_eq!(Digest::from_base64(algorithm, expected), Some(digest));
            assert_eq!(Digest::from_bytes(algorithm, digest.bytes()), Some(digest));
        }
    }
    assert_eq!(crc32c_of(&[b"1234".as_slice(), b"56789"]), 0xE306_9283);
}

#[test]
fn md5_known_value() {
    let mut md5 = Md5::new();
    md5.update(b"hel");
    md5.update(b"lo");
    assert_eq!(hex::encode(md5.finish()), "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(hex::encode(Md5::new().finish()), "d41d8cd98f00b204e9800998ecf8427e");
}

#[test]
fn names_ids_and_headers_round_trip() {
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::from_id(algorithm.id()), Some(algorithm));
        assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        assert_eq!(Algorithm::from_name(algorithm.name().to_lowercase()), Some(algorithm));
        assert_eq!(Algorithm::from_header(algorithm.header()), Some(algorithm));
        assert_eq!(Algorithm::from_header(algorithm.header().to_uppercase()), Some(algorithm));
        assert_eq!(algorithm.header(), format!("x-amz-checksum-{}", algorithm.name().to_lowercase()));
    }
    assert_eq!(Algorithm::ALL.map(Algorithm::id), [1, 2, 3, 4, 5], "ids are on disk");
    for id in [0, 6, 255] {
        assert_eq!(Algorithm::from_id(id), None);
    }
    for name in ["", "CRC", "SHA512", "MD5", "XXHASH64", "CRC32 ", "CRC-32"] {
        assert_eq!(Algorithm::from_name(name), None, "{name}");
    }
    for header in ["x-amz-checksum-", "x-amz-checksum-sha512", "x-amz-checksum-type", "crc32"] {
        assert_eq!(Algorithm::from_header(header), None, "{header}");
    }
}

#[test]
fn ill_formed_base64_is_refused() {
    for text in [
        "",
        "NhCmhg",
        "NhCmhg=",
        "NhCmhg===",
        "NhCmhh==",
        "NhCmhg==\n",
        " NhCmhg==",
        "AAAAAAAAAAA=",
        "N-_mhg==",
    ] {
        assert_eq!(Digest::from_base64(Algorithm::Crc32, text), None, "{text:?}");
    }
    let long = "A".repeat(10_000);
    for algorithm in Algorithm::ALL {
        assert_eq!(Digest::from_base64(algorithm, &long), None);
        assert_eq!(Digest::from_bytes(algorithm, &[0; 33]), None);
    }
}

#[test]
fn digests_of_different_algorithms_differ() {
    assert_ne!(digest_of(Algorithm::Crc32, b""), digest_of(Algorithm::Crc32c, b""));
}

proptest! {
    #[test]
    fn splits_do_not_matter(
        bytes in proptest::collection::vec(any::<u8>(), 0..2048),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        for algorithm in Algorithm::ALL {
            let mut hasher = Hasher::new(algorithm);
            let mut start = 0;
            for &cut in cuts.iter().chain([&bytes.len()]) {
                hasher.update(&bytes[start..cut]);
                start = cut;
            }
            prop_assert_eq!(hasher.finish(), digest_of(algorithm, &bytes));
        }
        let frame_crc = Digest::from_bytes(Algorithm::Crc32c, &crc32c_of(&[&bytes]).to_be_bytes());
        prop_assert_eq!(frame_crc, Some(digest_of(Algorithm::Crc32c, &bytes)));
    }
}
