//! The node's own key, and the secrets that are stored under it.

use core::fmt;

use aes_gcm::aead::{AeadInOut, KeyInit, Nonce};
use aes_gcm::{Aes256Gcm, Key};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::KEY_BYTES;
use crate::config::limits::TAG_BYTES;

/// Bytes of a nonce: random for each secret. So many secrets that two of them share one are never stored.
const NONCE_BYTES: usize = 12;

/// First of what is authenticated beside a secret. Part of the format on disk.
const LABEL: &[u8] = b"ringstone stored secret 1";

/// The key of one node. The expanded key is wiped when this is dropped; in a box, so that moving it leaves no copies
/// behind.
pub struct NodeKey(Box<Aes256Gcm>);

/// A secret as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret {
    nonce: [u8; NONCE_BYTES],
    /// The tag stands at the end.
    #[serde(with = "serde_bytes")]
    ciphertext: Vec<u8>,
}

/// The secret was sealed under another key or for another name, or is not what was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret does not open under this key and name")]
pub struct SecretUnopened;

impl NodeKey {
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(Box::new(Aes256Gcm::new(<&Key<Aes256Gcm>>::from(key))))
    }

    /// Seals a secret for the name that these parts make up: it opens under no other.
    pub fn seal(&self, name: &[&str], secret: &str) -> Result<SealedSecret, getrandom::Error> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce)?;
        Ok(self.seal_with(nonce, name, secret))
    }

    fn seal_with(&self, nonce: [u8; NONCE_BYTES], name: &[&str], secret: &str) -> SealedSecret {
        // As large as it will be: a vector that grows leaves a copy of the secret behind.
        let mut ciphertext = Vec::with_capacity(secret.len() + TAG_BYTES);
        ciphertext.extend_from_slice(secret.as_bytes());
        let tag = self
            .0
            .encrypt_inout_detached(
                &Nonce::<Aes256Gcm>::from(nonce),
                &associated_data(name),
                ciphertext.as_mut_slice().into(),
            )
            .expect("a secret is shorter than the limit of GCM");
        ciphertext.extend_from_slice(&tag);
        SealedSecret { nonce, ciphertext }
    }

    /// The secret that was sealed for this name.
    pub fn open(&self, name: &[&str], sealed: &SealedSecret) -> Result<Zeroizing<String>, SecretUnopened> {
        let (ciphertext, tag) = sealed.ciphertext.split_last_chunk::<TAG_BYTES>().ok_or(SecretUnopened)?;
        let mut secret = Zeroizing::new(ciphertext.to_vec());
        self.0
            .decrypt_inout_detached(
                &Nonce::<Aes256Gcm>::from(sealed.nonce),
                &associated_data(name),
                secret.as_mut_slice().into(),
                tag.into(),
            )
            .map_err(|_| SecretUnopened)?;
        String::from_utf8(core::mem::take(&mut *secret)).map(Zeroizing::new).map_err(|_| SecretUnopened)
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NodeKey(redacted)")
    }
}

/// Each part of the name with its length before it, so that no two names give the same bytes.
fn associated_data(name: &[&str]) -> Vec<u8> {
    let mut bytes = LABEL.to_vec();
    for part in name {
        bytes.extend_from_slice(&(part.len() as u32).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
#[path = "node_key_tests.rs"]
mod tests;
