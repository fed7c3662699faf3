use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

const NAME: [&str; 3] = ["AKID", "user", "org"];
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG";

/// 0, 1, 2, …
fn key() -> NodeKey {
    NodeKey::new(&core::array::from_fn(|index| index as u8))
}

/// Computed with AESGCM of Python's `cryptography`: key 0 to 31, nonce 32 to 43.
#[test]
fn a_sealed_secret_is_that_of_another_implementation() {
    let sealed = key().seal_with(core::array::from_fn(|index| 32 + index as u8), &NAME, SECRET);
    assert_eq!(
        hex::encode(&sealed.ciphertext),
        "a570c71c1ec04f7a743a07838837bfce9d0da9d2c0ca57e29648d510a54079cf06076c2492"
    );
}

#[test]
fn opens_under_its_key_and_name_alone() {
    let sealed = key().seal(&NAME, SECRET).unwrap();
    assert_eq!(*key().open(&NAME, &sealed).unwrap(), SECRET);
    assert_eq!(NodeKey::new(&[7; KEY_BYTES]).open(&NAME, &sealed), Err(SecretUnopened));
    for name in [
        &["AKID2", "user", "org"][..],
        &["AKID", "other", "org"],
        &["AKID", "user", "org2"],
        &["AKID", "user"],
        &["AKIDuser", "", "org"],
        &["AKI", "Duser", "org"],
        &["AKID", "user", "org", ""],
        &[],
    ] {
        assert_eq!(key().open(name, &sealed), Err(SecretUnopened), "{name:?}");
    }
}

#[test]
fn any_flipped_bit_and_any_cut_is_refused() {
    let sealed = key().seal(&NAME, SECRET).unwrap();
    for bit in 0..sealed.ciphertext.len() * 8 {
        let mut other = sealed.clone();
        other.ciphertext[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key().open(&NAME, &other), Err(SecretUnopened), "bit {bit}");
    }
    for bit in 0..NONCE_BYTES * 8 {
        let mut other = sealed.clone();
        other.nonce[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key().open(&NAME, &other), Err(SecretUnopened), "bit {bit} of the nonce");
    }
    for length in 0..sealed.ciphertext.len() {
        let mut other = sealed.clone();
        other.ciphertext.truncate(length);
        assert_eq!(key().open(&NAME, &other), Err(SecretUnopened), "cut to {length}");
    }
}

#[test]
fn each_seal_has_its_own_nonce() {
    let key = key();
    let nonces: HashSet<_> = (0..1000).map(|_| key.seal(&NAME, SECRET).unwrap().nonce).collect();
    assert_eq!(nonces.len(), 1000);
}

#[test]
fn nothing_is_shown_and_the_expanded_key_is_wiped() {
    fn is_wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
    is_wiped(&*key().0);
    assert_eq!(format!("{:?}", key()), "NodeKey(redacted)");
    let sealed = format!("{:?}", key().seal(&NAME, SECRET).unwrap());
    assert!(!sealed.contains("wJalr"), "{sealed}");
}

proptest! {
    #[test]
    fn what_was_sealed_opens(name in prop::collection::vec(".{0,20}", 0..4), secret in "[!-~]{0,128}") {
        let name: Vec<&str> = name.iter().map(String::as_str).collect();
        let sealed = key().seal(&name, &secret).unwrap();
        let stored = postcard::to_extend(&sealed, Vec::new()).unwrap();
        prop_assert!(secret.len() < 8 || !stored.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()));
        let read = postcard::from_bytes(&stored).unwrap();
        prop_assert_eq!(&*key().open(&name, &read).unwrap(), &secret);
    }
}
