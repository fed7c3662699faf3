//! One streaming hasher over all algorithms.

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::algorithm::Family;
use super::{Algorithm, Digest};

/// Digest in the making. Splitting the input differently never changes the result.
#[derive(Clone, Debug)]
pub struct Hasher {
    algorithm: Algorithm,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Crc(crc_fast::Digest),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    pub fn new(algorithm: Algorithm) -> Self {
        let state = match algorithm.family() {
            Family::Crc(crc) => State::Crc(crc_fast::Digest::new(crc)),
            Family::Sha1 => State::Sha1(Sha1::new()),
            Family::Sha256 => State::Sha256(Sha256::new()),
        };
        Self { algorithm, state }
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(crc) => crc.update(bytes),
            State::Sha1(sha1) => sha1.update(bytes),
            State::Sha256(sha256) => sha256.update(bytes),
        }
    }

    pub fn finish(self) -> Digest {
        let digest = match self.state {
            State::Crc(crc) => Some(Digest::from_crc(self.algorithm, crc.finalize())),
            State::Sha1(sha1) => Digest::from_bytes(self.algorithm, &sha1.finalize()),
            State::Sha256(sha256) => Digest::from_bytes(self.algorithm, &sha256.finalize()),
        };
        digest.expect("each state yields its algorithm's length")
    }
}

#[cfg(test)]
#[path = "hasher_tests.rs"]
mod tests;
