//! A customer's key: the check that recognises it, and the data keys that it gives.

use core::fmt;

use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::body_seal::BodySeal;
use super::{KEY_BYTES, SALT_BYTES};

/// What each derived key is for; keeps a check from being a data key. Part of the format on disk.
const CHECK_INFO: &[u8] = b"ringstone key check 1";
const BODY_INFO: &[u8] = b"ringstone body key 1";

/// A key that a customer sent with a request. Wiped when dropped, never shown; in a box, so that moving it leaves no
/// copies behind.
pub struct CustomerKey(Box<Zeroizing<[u8; KEY_BYTES]>>);

/// Recognises a key without holding it. Stored beside what the key encrypts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCheck {
    salt: [u8; SALT_BYTES],
    tag: [u8; KEY_BYTES],
}

impl CustomerKey {
    pub fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        let mut key = Box::new(Zeroizing::new([0; KEY_BYTES]));
        key.copy_from_slice(bytes);
        Self(key)
    }

    /// A check of this key under a new salt.
    pub fn new_check(&self) -> Result<KeyCheck, getrandom::Error> {
        let salt = random_salt()?;
        Ok(KeyCheck { salt, tag: *self.derive(&salt, CHECK_INFO) })
    }

    /// Whether `check` was made of this key, compared in constant time.
    pub fn matches(&self, check: &KeyCheck) -> bool {
        self.derive(&check.salt, CHECK_INFO).ct_eq(&check.tag).into()
    }

    /// The seal of a body that is about to be written, and the salt that must be kept with it.
    pub fn new_body(&self) -> Result<(BodySeal, [u8; SALT_BYTES]), getrandom::Error> {
        let salt = random_salt()?;
        Ok((self.body(&salt), salt))
    }

    /// The seal of the body that was written with this salt.
    pub fn body(&self, salt: &[u8; SALT_BYTES]) -> BodySeal {
        BodySeal::new(&self.derive(salt, BODY_INFO))
    }

    /// HKDF-SHA256 (RFC 5869).
    fn derive(&self, salt: &[u8; SALT_BYTES], info: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut derived = Zeroizing::new([0; KEY_BYTES]);
        Hkdf::<Sha256>::new(Some(salt), self.0.as_slice())
            .expand(info, derived.as_mut_slice())
            .expect("one hash is never too long for HKDF");
        derived
    }
}

/// A guessable key could be found out from its check, so this shows nothing.
impl fmt::Debug for KeyCheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyCheck(redacted)")
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CustomerKey(redacted)")
    }
}

fn random_salt() -> Result<[u8; SALT_BYTES], getrandom::Error> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt)?;
    Ok(salt)
}

#[cfg(test)]
#[path = "customer_key_tests.rs"]
mod tests;
