//! Request ids: 16 upper-case hexadecimal digits, one for each response.

use std::cell::Cell;

/// Odd, so that multiplying by it visits every number once: ids of one core never repeat, and do not look like a
/// counter of the node's traffic.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The ids of one core.
#[derive(Debug)]
pub struct RequestIds {
    next: Cell<u64>,
    /// `x-amz-id-2`: the node, for whoever reads several nodes' logs.
    host_id: String,
}

impl RequestIds {
    /// Starts at a random place.
    pub fn new() -> Result<Self, getrandom::Error> {
        Ok(Self { next: Cell::new(getrandom::u64()?), host_id: format!("{:016x}", getrandom::u64()?) })
    }

    pub fn next(&self) -> String {
        let number = self.next.get();
        self.next.set(number.wrapping_add(1));
        format!("{:016X}", number.wrapping_mul(SPREAD))
    }

    pub fn host_id(&self) -> &str {
        &self.host_id
    }
}
