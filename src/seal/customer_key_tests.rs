use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

/// 0, 1, 2, …
fn counting_from(first: u8) -> [u8; 32] {
    core::array::from_fn(|index| first + index as u8)
}

/// Computed with HKDF of Python's `cryptography`: key 0 to 31, salt 32 to 63.
#[test]
fn derived_keys_are_those_of_another_implementation() {
    let key = CustomerKey::new(&counting_from(0));
    let derived = |info| hex::encode(key.derive(&counting_from(32), info).as_slice());
    assert_eq!(derived(CHECK_INFO), "620c413d4047bedd2e531d160c882d064274dfc4193270cb84f19d3588e5bd8d");
    assert_eq!(derived(BODY_INFO), "e433f65aa467d4ea9e3fff98e6c71d745e7e8730c7cd26cc144c4dd252c8958a");
}

#[test]
fn a_check_recognises_its_key_alone() {
    let key = CustomerKey::new(&counting_from(0));
    let check = key.new_check().unwrap();
    assert!(key.matches(&check));
    assert!(CustomerKey::new(&counting_from(0)).matches(&check));
    assert!(!CustomerKey::new(&counting_from(1)).matches(&check));
    assert_ne!(key.new_check().unwrap(), check, "each check has its own salt");

    let stored = postcard::to_extend(&check, Vec::new()).unwrap();
    assert_eq!(stored.len(), SALT_BYTES + KEY_BYTES);
    for bit in 0..stored.len() * 8 {
        let mut other = stored.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(!key.matches(&postcard::from_bytes(&other).unwrap()), "bit {bit}");
    }
    assert!(key.matches(&postcard::from_bytes(&stored).unwrap()));
}

#[test]
fn nothing_is_shown() {
    let key = CustomerKey::new(&counting_from(0));
    assert_eq!(format!("{key:?}"), "CustomerKey(redacted)");
    assert_eq!(format!("{:?}", key.new_check().unwrap()), "KeyCheck(redacted)");
    assert_eq!(format!("{:?}", key.body(&counting_from(0))), "BodySeal(redacted)");
}

#[test]
fn each_new_body_has_its_own_salt() {
    let key = CustomerKey::new(&counting_from(0));
    let salts: HashSet<_> = (0..1000).map(|_| key.new_body().unwrap().1).collect();
    assert_eq!(salts.len(), 1000);
}

proptest! {
    /// The frame's nonce is its sequence, so what must differ between two bodies is the key.
    #[test]
    fn bodies_share_no_pair_of_key_and_nonce(
        key in any::<[u8; 32]>(),
        salts in any::<[[u8; 32]; 2]>(),
        flipped in 0..256_usize,
    ) {
        let key = CustomerKey::new(&key);
        let mut near = salts[0];
        near[flipped / 8] ^= 1 << (flipped % 8);
        let data_key = |salt| *key.derive(salt, BODY_INFO);
        prop_assume!(salts[0] != salts[1]);
        prop_assert_ne!(data_key(&salts[0]), data_key(&salts[1]));
        prop_assert_ne!(data_key(&salts[0]), data_key(&near));
        prop_assert_ne!(data_key(&salts[0]), *key.derive(&salts[0], CHECK_INFO));
    }
}
