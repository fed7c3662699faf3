use proptest::prelude::*;

use super::*;

const CRCS: [Algorithm; 3] = [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme];
const MIB: usize = 1024 * 1024;
const GIB: u64 = 1024 * 1024 * 1024;

fn digest_of(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish()
}

/// Of so many zero bytes, by doubling.
fn digest_of_zeros(algorithm: Algorithm, mut bytes: u64) -> Digest {
    let (mut zeros, mut power, mut length) = (digest_of(algorithm, b""), digest_of(algorithm, &[0]), 1_u64);
    while bytes > 0 {
        if bytes & 1 == 1 {
            zeros = zeros.combine(&power, length).expect("a CRC");
        }
        power = power.combine(&power, length).expect("a CRC");
        (bytes, length) = (bytes >> 1, length << 1);
    }
    zeros
}

#[test]
fn known_sums_of_three_parts() {
    // Parts of 5 MiB of A, B and C, as a public test suite states them.
    let combined: [(Algorithm, Option<&str>); 3] =
        [(Algorithm::Crc32, Some("WgDhBQ==")), (Algorithm::Crc32c, None), (Algorithm::Crc64Nvme, None)];
    let parts = [b'A', b'B', b'C'].map(|byte| vec![byte; 5 * MIB]);
    for (algorithm, expected) in combined {
        let digests = parts.each_ref().map(|part| digest_of(algorithm, part));
        let whole =
            digests[1..].iter().try_fold(digests[0], |whole, part| whole.combine(part, 5 * MIB as u64));
        assert_eq!(whole, Some(digest_of(algorithm, &parts.concat())), "{algorithm:?}");
        if let Some(expected) = expected {
            assert_eq!(whole.map(|whole| whole.base64()).as_deref(), Some(expected));
        }
    }
    let composites: [(Algorithm, [&str; 3], &str); 2] = [
        (
            Algorithm::Sha1,
            ["iIaTCGbm+vdVjNqIMF2S0T7ibMk=", "LS/TJ32bAVKEwRu+sE3X7awh/lk=", "6DDwovUaHwrKNXDMzOGbuvj9kxI="],
            "sizjvY4eud3MrcHdZM3cQ/ol39o=",
        ),
        (
            Algorithm::Sha256,
            [
                "275VF5loJr1YYawit0XSHREhkFXYkkPKGuoK0x9VKxI=",
                "mrHwOfjTL5Zwfj74F05HOQGLdUb7E5szdCbxgUSq6NM=",
                "Vw7oB/nKQ5xWb3hNgbyfkvDiivl+U+/Dft48nfJfDow=",
            ],
            "uWBwpe1dxI4Vw8Gf0X9ynOdw/SS6VBzfWm9giiv1sf4=",
        ),
    ];
    for (algorithm, digests, expected) in composites {
        let digests = digests.map(|text| Digest::from_base64(algorithm, text).expect("a digest"));
        assert_eq!(composite(algorithm, &digests).base64(), expected);
    }
}

#[test]
fn only_crcs_of_one_kind_combine() {
    for one in Algorithm::ALL {
        for other in Algorithm::ALL {
            let combined = digest_of(one, b"a").combine(&digest_of(other, b"b"), 1);
            assert_eq!(combined.is_some(), one == other && CRCS.contains(&one), "{one:?} {other:?}");
        }
    }
}

#[test]
fn zeros_by_doubling_are_zeros() {
    // What the test of the largest objects stands on.
    for bytes in [0, 1, 2, 3, 65_535, 5 * MIB, 33 * MIB + 3] {
        for algorithm in CRCS {
            let read = digest_of(algorithm, &vec![0; bytes]);
            assert_eq!(digest_of_zeros(algorithm, bytes as u64), read, "{algorithm:?} {bytes}");
        }
    }
}

#[test]
fn the_largest_objects_may_be_cut_anywhere() {
    let bytes = 10_000 * 5 * GIB;
    for algorithm in CRCS {
        let head = digest_of(algorithm, b"head");
        let whole = head.combine(&digest_of_zeros(algorithm, bytes), bytes);
        for first in [0, 1, 5 * GIB - 1, 5 * GIB, 7 * GIB + 3, bytes - 1, bytes] {
            let (left, right) =
                (digest_of_zeros(algorithm, first), digest_of_zeros(algorithm, bytes - first));
            let cut = head.combine(&left, first).and_then(|start| start.combine(&right, bytes - first));
            assert_eq!(cut, whole, "{algorithm:?} {first}");
        }
        assert_ne!(whole, head.combine(&digest_of_zeros(algorithm, bytes), bytes - 1));
    }
}

#[test]
fn a_composite_is_of_the_digests_in_order() {
    for algorithm in Algorithm::ALL {
        let (one, other) = (digest_of(algorithm, b"1"), digest_of(algorithm, b"2"));
        let concatenated = [one.bytes(), other.bytes()].concat();
        assert_eq!(composite(algorithm, [&one, &other]), digest_of(algorithm, &concatenated));
        assert_ne!(composite(algorithm, [&one, &other]), composite(algorithm, [&other, &one]));
        assert_ne!(composite(algorithm, [&one]), one);
        assert_eq!(composite(algorithm, []), digest_of(algorithm, b""));
    }
}

proptest! {
    #[test]
    fn any_split_combines_to_the_whole(
        bytes in proptest::collection::vec(any::<u8>(), 0..3000),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        // Equal cuts, and cuts at the ends, make pieces of no bytes.
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        for algorithm in CRCS {
            let (mut whole, mut start) = (digest_of(algorithm, b""), 0);
            for &cut in cuts.iter().chain([&bytes.len()]) {
                let piece = &bytes[start..cut];
                whole = whole.combine(&digest_of(algorithm, piece), piece.len() as u64).expect("a CRC");
                start = cut;
            }
            prop_assert_eq!(whole, digest_of(algorithm, &bytes));
        }
    }
}
