//! The chain of signatures through an aws-chunked body: each chunk's covers the one before it.

use super::signing_key::SigningKey;
use super::string_to_sign;

/// Verifies one body's chunks in order, starting from the request's own signature.
#[derive(Debug)]
pub struct ChunkSigner {
    key: SigningKey,
    /// The request's time in basic form.
    time: String,
    scope: String,
    /// Signature that the next one covers.
    previous: String,
}

impl ChunkSigner {
    pub(super) fn new(key: SigningKey, time: &str, scope: &str, request_signature: String) -> Self {
        Self { key, time: time.to_owned(), scope: scope.to_owned(), previous: request_signature }
    }

    /// Whether this is the signature of the next chunk. After `false` the body is lost.
    #[must_use]
    pub fn verify_chunk(&mut self, sha256_of_data: &[u8; 32], signature_hex: &[u8]) -> bool {
        let text = string_to_sign::of_chunk(&self.time, &self.scope, &self.previous, sha256_of_data);
        self.verify(&text, signature_hex)
    }

    /// Whether this is the signature of the trailer behind the final chunk. The hash is of
    /// `name:value\n` for each field in order, names in lower case.
    #[must_use]
    pub fn verify_trailer(&mut self, sha256_of_trailer: &[u8; 32], signature_hex: &[u8]) -> bool {
        let text = string_to_sign::of_trailer(&self.time, &self.scope, &self.previous, sha256_of_trailer);
        self.verify(&text, signature_hex)
    }

    fn verify(&mut self, string_to_sign: &str, signature_hex: &[u8]) -> bool {
        let (expected, equal) = self.key.verify(string_to_sign, signature_hex);
        // Right or wrong, the chain goes on from ours: a wrong signature never becomes its base.
        self.previous = expected;
        equal
    }
}
