//! The frames of one body: sealed and opened in place with AES-256-GCM, each with a tag of its own.

use core::fmt;

use aes_gcm::aead::{AeadInOut, KeyInit, Nonce};
use aes_gcm::{Aes256Gcm, Key};

use super::KEY_BYTES;
use crate::config::limits::TAG_BYTES;

/// Seals and opens the frames of one body. The expanded key is wiped when this is dropped; it is in a box, so that
/// moving it leaves no copies behind.
pub struct BodySeal(Box<Aes256Gcm>);

/// Where a frame stands in its body; authenticated with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameAad {
    /// From zero; also the nonce.
    pub sequence: u64,
    pub plaintext_bytes: u32,
    pub is_last: bool,
}

/// The bytes are not what was sealed, not in this place, or not with this key. They must not be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the frame does not open with this key in this place")]
pub struct Unsealed;

impl BodySeal {
    pub(super) fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(Box::new(Aes256Gcm::new(<&Key<Aes256Gcm>>::from(key))))
    }

    /// Encrypts a frame in place and returns its tag. Each sequence is sealed once: see the invariants of
    /// [`crate::seal`].
    pub fn seal_frame(&self, frame: FrameAad, plaintext: &mut [u8]) -> [u8; TAG_BYTES] {
        assert_eq!(plaintext.len(), frame.plaintext_bytes as usize, "the frame is as long as its place says");
        self.0
            .encrypt_inout_detached(&frame.nonce(), &frame.to_bytes(), plaintext.into())
            .expect("32 bits of length are below the limit of GCM")
            .into()
    }

    /// Decrypts a frame in place. A frame that is refused is left as it was.
    pub fn open_frame(
        &self,
        frame: FrameAad,
        ciphertext: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), Unsealed> {
        if ciphertext.len() != frame.plaintext_bytes as usize {
            return Err(Unsealed);
        }
        self.0
            .decrypt_inout_detached(&frame.nonce(), &frame.to_bytes(), ciphertext.into(), tag.into())
            .map_err(|_| Unsealed)
    }
}

impl fmt::Debug for BodySeal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BodySeal(redacted)")
    }
}

impl FrameAad {
    /// Four zero bytes and the sequence: as unique as the sequence within its body, whose key seals nothing else.
    fn nonce(self) -> Nonce<Aes256Gcm> {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.sequence.to_be_bytes());
        nonce.into()
    }

    fn to_bytes(self) -> [u8; 13] {
        let mut bytes = [0; 13];
        bytes[..8].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.plaintext_bytes.to_be_bytes());
        bytes[12] = u8::from(self.is_last);
        bytes
    }
}

#[cfg(test)]
#[path = "body_seal_tests.rs"]
mod tests;
