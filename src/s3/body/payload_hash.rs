//! A plain body against the SHA-256 that its signature covers.

use sha2::{Digest as _, Sha256};

/// Hash in the making and what it has to become.
#[derive(Clone, Debug)]
pub struct PayloadHash {
    claimed: [u8; 32],
    hasher: Sha256,
}

/// 400 XAmzContentSHA256Mismatch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
pub struct PayloadHashMismatch {
    /// Hexadecimal, for `ClientComputedContentSHA256`.
    pub claimed: String,
    /// Hexadecimal, for `S3ComputedContentSHA256`.
    pub computed: String,
}

impl PayloadHash {
    pub fn new(claimed: [u8; 32]) -> Self {
        Self { claimed, hasher: Sha256::new() }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    pub fn finish(self) -> Result<(), PayloadHashMismatch> {
        let computed: [u8; 32] = self.hasher.finalize().into();
        if computed == self.claimed {
            return Ok(());
        }
        Err(PayloadHashMismatch { claimed: hex::encode(self.claimed), computed: hex::encode(computed) })
    }
}

#[cfg(test)]
#[path = "payload_hash_tests.rs"]
mod tests;
