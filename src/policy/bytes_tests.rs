//! Documents of damaged and of any bytes: the case of the fuzz target, by seed.

use super::pairs_tests::generator::{self, Dice};
use crate::policy;

#[path = "../../tests/fuzz/policy_case.rs"]
mod policy_case;

/// Damages a document here and there.
fn damage(dice: &mut Dice, bytes: &mut Vec<u8>) {
    const PIECES: [&str; 14] =
        ["\"", "{", "}", "[", "]", ",", ":", "*", "?", "${", "\\u0000", "null", "é", "\u{1F980}"];
    for _ in 0..dice.below(4) {
        if bytes.is_empty() {
            return;
        }
        let at = dice.below(bytes.len());
        let end = (at + 1 + dice.below(8)).min(bytes.len());
        match dice.below(5) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => bytes.extend_from_within(at..end),
            3 => bytes.truncate(at),
            _ => drop(bytes.splice(at..at, dice.of(&PIECES).bytes())),
        }
    }
}

#[test]
fn no_bytes_make_a_policy_panic() {
    let mut accepted = 0;
    for seed in 0..6_000 {
        let mut dice = Dice::new(seed);
        let mut document = if seed % 8 == 0 {
            (0..dice.below(64)).map(|_| dice.next().to_be_bytes()[0]).collect()
        } else {
            generator::document(&mut dice, Some("b")).to_string().into_bytes()
        };
        damage(&mut dice, &mut document);
        accepted += u32::from(policy::Document::parse(&document, policy::Layer::Bucket("b")).is_ok());
        let key: Vec<u8> = (0..dice.below(6)).map(|_| dice.next().to_be_bytes()[0]).collect();
        let mut case = dice.next().to_be_bytes()[..2].to_vec();
        case.push(key.len().to_le_bytes()[0]);
        case.extend(key);
        case.extend(document);
        policy_case::run(&case);
    }
    assert!(accepted > 1_000, "{accepted} documents survived");
}
