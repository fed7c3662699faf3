use proptest::prelude::*;

use super::*;
use crate::config::limits::{INDEX_KEY_BYTES_MAX, KEY_BYTES_MAX};

fn object_keys() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::collection::vec(prop_oneof![Just('\0'), Just('a'), Just('/'), Just('é'), Just(char::MAX)], 0..6)
            .prop_map(String::from_iter),
        2 => proptest::collection::vec(any::<char>(), 0..20).prop_map(String::from_iter),
        1 => Just("\u{10FFFF}".repeat(KEY_BYTES_MAX / 4)),
        1 => Just("\0".repeat(KEY_BYTES_MAX)),
        1 => Just("a".repeat(KEY_BYTES_MAX)),
    ]
}

proptest! {
    #[test]
    fn objects_are_ordered_by_bucket_then_by_the_bytes_of_their_key(
        left in (0_u64..3, object_keys()),
        right in (0_u64..3, object_keys()),
    ) {
        let (left_encoded, right_encoded) = (object_key(left.0, &left.1), object_key(right.0, &right.1));
        let expected = (left.0, left.1.as_bytes()).cmp(&(right.0, right.1.as_bytes()));
        prop_assert_eq!(left_encoded.cmp(&right_encoded), expected);
        prop_assert!(left_encoded.len() <= INDEX_KEY_BYTES_MAX);
        prop_assert!(!left_encoded[OBJECT_HEADER_BYTES..].contains(&0));
        prop_assert_eq!(decode_object_key(&left_encoded), Some(left));
    }

    #[test]
    fn a_range_holds_the_keys_with_its_prefix_and_no_others(
        bucket_id in prop_oneof![Just(0_u64), Just(1), Just(255), Just(u64::MAX), any::<u64>()],
        other_id in prop_oneof![Just(0_u64), Just(1), Just(2), Just(256), Just(u64::MAX)],
        prefix in object_keys(),
        key in object_keys(),
    ) {
        let (start, end) = object_range(bucket_id, &prefix);
        let inside = |bucket_id, key: &str| {
            let encoded = object_key(bucket_id, key);
            start <= encoded && encoded < end
        };
        prop_assert_eq!(inside(bucket_id, &key), key.starts_with(&prefix));
        prop_assert!(inside(bucket_id, &prefix));
        let greatest = format!("{prefix}{}", char::MAX);
        prop_assert!(inside(bucket_id, &greatest));
        prop_assert_eq!(inside(other_id, &key), other_id == bucket_id && key.starts_with(&prefix));
    }

    #[test]
    fn any_bytes_decode_to_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        for table in [b"B", b"H", b"M", b"O", b"S"] {
            let key = [&table[..], &bytes].concat();
            if let Some((bucket_id, object)) = decode_object_key(&key) {
                prop_assert_eq!(object_key(bucket_id, &object), key.clone());
            }
            if let Some((extent, chunk)) = decode_space_key(&key) {
                prop_assert_eq!(space_key(extent, chunk), key.clone());
            }
            if let Some((extent, block)) = decode_shared_run_key(&key) {
                prop_assert_eq!(shared_run_key(extent, block), key.clone());
            }
            if let Some(name) = decode_bucket_key(&key) {
                prop_assert_eq!(bucket_key(name), key);
            }
        }
    }

    #[test]
    fn space_keys_are_ordered_by_extent_then_chunk(left in any::<(u32, u16)>(), right in any::<(u32, u16)>()) {
        let (left_encoded, right_encoded) = (space_key(left.0, left.1), space_key(right.0, right.1));
        prop_assert_eq!(left_encoded.cmp(&right_encoded), left.cmp(&right));
        prop_assert_eq!(decode_space_key(&left_encoded), Some(left));
        let (start, end) = space_range();
        prop_assert!(start <= left_encoded && left_encoded < end);
    }

    #[test]
    fn shared_runs_are_ordered_by_extent_then_block(left in any::<(u32, u32)>(), right in any::<(u32, u32)>()) {
        let (left_encoded, right_encoded) = (shared_run_key(left.0, left.1), shared_run_key(right.0, right.1));
        prop_assert_eq!(left_encoded.cmp(&right_encoded), left.cmp(&right));
        prop_assert_eq!(decode_shared_run_key(&left_encoded), Some(left));
        let (start, end) = shared_run_range();
        prop_assert!(start <= left_encoded && left_encoded < end);
    }
}

#[test]
fn tables_do_not_overlap() {
    let (start, end) = bucket_range("");
    assert!(start <= bucket_key("a") && bucket_key("zz") < end);
    for other in [meta_key("a"), object_key(0, "a"), shared_run_key(0, 0), space_key(0, 0)] {
        assert!(other < start || end <= other);
    }
    let (start, end) = bucket_range("b");
    assert!(bucket_key("a") < start && bucket_key("bb") < end && end <= bucket_key("c"));
}

#[test]
fn successors_carry() {
    assert_eq!(successor(&[1, 2]), Some(vec![1, 3]));
    assert_eq!(successor(&[1, 255, 255]), Some(vec![2]));
    assert_eq!(successor(&[255]), None);
    assert_eq!(successor(&[]), None);
}

#[test]
fn access_keys_and_organisations_stand_in_tables_of_their_own() {
    for name in ["", "AKID", "é\u{10FFFF}"] {
        let (key, policy) = (credential_key(name), org_policy_key(name));
        assert_eq!((decode_credential_key(&key), decode_org_policy_key(&policy)), (Some(name), Some(name)));
        assert_eq!((decode_credential_key(&policy), decode_org_policy_key(&key)), (None, None));
        for (key, (start, end)) in [(key, credential_range()), (policy, org_policy_range())] {
            assert!(start <= key && key < end);
        }
    }
    assert!(org_policy_range().1 <= bucket_range("").0);
    assert_eq!(decode_credential_key(b"K\xff"), None);
}

#[test]
fn what_is_due_stands_in_the_order_of_time() {
    let keys = [due_key(-5, 1, "a"), due_key(0, 7, "a"), due_key(255, 1, "b"), due_key(256, 1, "a")];
    assert!(keys.is_sorted());
    assert_eq!(decode_due_key(&keys[2]), Some((255, 1, "b".to_owned())));
    assert_eq!(
        decode_due_key(&keys[0]),
        Some((0, 1, "a".to_owned())),
        "the epoch stands for what is before it"
    );
    let (start, end) = due_range(255);
    assert!(start <= keys[0] && keys[2] < end && end <= keys[3]);
    assert_eq!(due_range(i64::MAX).1, [&b"D"[..], &i64::MAX.to_be_bytes()].concat());
    for broken in [&b"D"[..], b"E", &keys[0][..16], &[keys[0].as_slice(), &[0]].concat()] {
        assert_eq!(decode_due_key(broken), None);
    }
}

#[test]
fn sweeps_are_named_by_their_buckets() {
    let key = sweep_key(0x0102);
    assert_eq!(decode_sweep_key(&key), Some(0x0102));
    let (start, end) = sweep_range();
    assert!(start <= key && key < end);
    assert_eq!(decode_sweep_key(&key[..8]), None);
}
