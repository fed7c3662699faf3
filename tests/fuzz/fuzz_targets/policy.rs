//! Any bytes as an access policy, and requests judged by it: never a panic, and the promises that need no second opinion.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringstone::policy;

#[path = "../policy_case.rs"]
mod policy_case;

fuzz_target!(|bytes: &[u8]| policy_case::run(bytes));
