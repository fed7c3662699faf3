use proptest::prelude::*;

use super::*;
use crate::config::limits::SEALED_FRAME_PLAINTEXT_BYTES;
use crate::seal::CustomerKey;

const FRAME: FrameAad = FrameAad { sequence: 7, plaintext_bytes: 16, is_last: false };
const PLAINTEXT: [u8; 16] = *b"sixteen bytes it";

/// 0, 1, 2, …
fn counting_from(first: u8) -> [u8; 32] {
    core::array::from_fn(|index| first + index as u8)
}

fn seal() -> BodySeal {
    CustomerKey::new(&counting_from(0)).body(&counting_from(32))
}

/// Computed with HKDF and AESGCM of Python's `cryptography`: customer's key 0 to 31, salt 32 to 63, associated data as
/// documented.
#[test]
fn frames_are_those_of_another_implementation() {
    let plaintext = b"The quick brown fox jumps over the lazy dog";
    for (sequence, is_last, ciphertext, tag) in [
        (
            0,
            false,
            "d5e4d17e3d24df09d0a3bd5edbe407bfb7dd288367f9ee8dc139c4c87df1ddffb3afe9729e5fd00354b90e",
            "64563be8a4ef6db550ec4336d58d0d97",
        ),
        (
            0x0102_0304_0506_0708,
            true,
            "069edf0f535bd5ea21fb84b84d0eaafd15c58b498a0276f8f653b524916fcd9de350c7c4c432df4471692e",
            "ad714336282728f7dcaa4ecbffaa0732",
        ),
    ] {
        let frame = FrameAad { sequence, plaintext_bytes: 43, is_last };
        let mut bytes = *plaintext;
        let sealed = seal().seal_frame(frame, &mut bytes);
        assert_eq!(hex::encode(bytes), ciphertext);
        assert_eq!(hex::encode(sealed), tag);
        assert_eq!(seal().open_frame(frame, &mut bytes, &sealed), Ok(()));
        assert_eq!(bytes, *plaintext);
    }
}

#[test]
fn any_flipped_bit_is_refused() {
    let mut ciphertext = PLAINTEXT;
    let tag = seal().seal_frame(FRAME, &mut ciphertext);
    for bit in 0..128 {
        let (mut bytes, mut other) = (ciphertext, tag);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let before = bytes;
        assert_eq!(seal().open_frame(FRAME, &mut bytes, &tag), Err(Unsealed));
        assert_eq!(bytes, before, "a refused frame shows no plaintext");
        other[bit / 8] ^= 1 << (bit % 8);
        bytes = ciphertext;
        assert_eq!(seal().open_frame(FRAME, &mut bytes, &other), Err(Unsealed));
    }
}

#[test]
fn a_frame_opens_in_its_place_alone() {
    let mut ciphertext = PLAINTEXT;
    let tag = seal().seal_frame(FRAME, &mut ciphertext);
    for place in [
        FrameAad { sequence: 6, ..FRAME },
        FrameAad { sequence: FRAME.sequence | 1 << 63, ..FRAME },
        FrameAad { is_last: true, ..FRAME },
        FrameAad { plaintext_bytes: 15, ..FRAME },
        FrameAad { plaintext_bytes: 17, ..FRAME },
    ] {
        let mut bytes = ciphertext;
        assert_eq!(seal().open_frame(place, &mut bytes, &tag), Err(Unsealed), "{place:?}");
        // Where the length of the bytes agrees, the authenticated one decides.
        let mut bytes = [&ciphertext[..], &[0]].concat();
        let bytes = &mut bytes[..place.plaintext_bytes as usize];
        assert_eq!(seal().open_frame(place, bytes, &tag), Err(Unsealed), "{place:?}");
    }
}

#[test]
fn a_frame_opens_with_its_key_and_salt_alone() {
    let mut ciphertext = PLAINTEXT;
    let tag = seal().seal_frame(FRAME, &mut ciphertext);
    for (key, salt) in [(1, 32), (0, 33), (32, 0)] {
        let other = CustomerKey::new(&counting_from(key)).body(&counting_from(salt));
        assert_eq!(other.open_frame(FRAME, &mut ciphertext.clone(), &tag), Err(Unsealed), "{key} {salt}");
    }
    assert_eq!(seal().open_frame(FRAME, &mut ciphertext, &tag), Ok(()));
}

#[test]
fn the_expanded_key_is_wiped() {
    fn is_wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
    is_wiped(&*seal().0);
}

#[test]
#[should_panic(expected = "as long as its place says")]
fn a_frame_of_another_length_than_said_is_not_sealed() {
    seal().seal_frame(FRAME, &mut [0; 15]);
}

proptest! {
    #[test]
    fn what_was_sealed_opens(
        plaintext in prop::collection::vec(any::<u8>(), 0..=1000),
        full in any::<bool>(),
        sequence in any::<u64>(),
        is_last in any::<bool>(),
    ) {
        let mut plaintext = plaintext;
        if full {
            plaintext.resize(SEALED_FRAME_PLAINTEXT_BYTES, 1);
        }
        let (seal, salt) = CustomerKey::new(&counting_from(9)).new_body().unwrap();
        let frame = FrameAad { sequence, plaintext_bytes: plaintext.len() as u32, is_last };
        let mut bytes = plaintext.clone();
        let tag = seal.seal_frame(frame, &mut bytes);
        prop_assert!(plaintext.len() < 16 || bytes != plaintext);
        let again = CustomerKey::new(&counting_from(9)).body(&salt);
        prop_assert_eq!(again.open_frame(frame, &mut bytes, &tag), Ok(()));
        prop_assert_eq!(bytes, plaintext);
    }

    #[test]
    fn no_two_sequences_share_a_nonce(sequences in any::<[u64; 2]>()) {
        let nonce = |sequence| FrameAad { sequence, ..FRAME }.nonce();
        prop_assert_eq!(nonce(sequences[0]) == nonce(sequences[1]), sequences[0] == sequences[1]);
    }
}
