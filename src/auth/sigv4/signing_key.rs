//! Signing keys: derived from a secret for one day and region, kept so that a request costs one HMAC
//! instead of five.

use core::fmt;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, UNIX_EPOCH};

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::credential_scope::CredentialScope;
use crate::auth::clock_skew::RequestTime;
use crate::auth::credential::Credential;
use crate::config::limits::{CREDENTIAL_SCOPE_BYTES_MAX, SIGNING_KEYS_MAX};

/// Key of one (secret, day, region). Wiped when dropped, never shown.
#[derive(Clone)]
pub(super) struct SigningKey(Zeroizing<[u8; 32]>);

impl SigningKey {
    /// `time` is of the day of the scope.
    pub(super) fn derive(credential: &Credential, time: &RequestTime, region: &str) -> Self {
        let day_start = UNIX_EPOCH + Duration::from_secs(time.day_start_unix_s().unsigned_abs());
        let derived = generate_signing_key(credential.secret_key.expose(), day_start, region, "s3");
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(derived.as_ref());
        Self(key)
    }

    /// The signature that `provided` must equal, and whether it does, compared in constant time.
    pub(super) fn verify(&self, string_to_sign: &str, provided: &[u8]) -> (String, bool) {
        let expected = calculate_signature(self.0.as_slice(), string_to_sign.as_bytes());
        let equal = expected.as_bytes().ct_eq(provided).into();
        (expected, equal)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(redacted)")
    }
}

/// Bounded store of the keys in use. Only a key that verified a signature may enter, so that nobody
/// without a secret can push others' keys out.
#[derive(Debug, Default)]
pub(super) struct SigningKeys {
    by_credential: HashMap<String, Kept>,
}

#[derive(Debug)]
struct Kept {
    /// Whose secret it was derived from; another credential of the same name does not get it. Weak, so that the secret
    /// of a deleted key is wiped at once; the place of it is not given away while this refers to it, so that no other
    /// credential can be taken for it.
    credential: Weak<Credential>,
    key: SigningKey,
}

impl SigningKeys {
    pub(super) fn find(
        &self,
        scope: &CredentialScope<'_>,
        credential: &Arc<Credential>,
    ) -> Option<SigningKey> {
        let kept = self.by_credential.get(scope.text)?;
        std::ptr::eq(kept.credential.as_ptr(), Arc::as_ptr(credential)).then(|| kept.key.clone())
    }

    pub(super) fn keep(
        &mut self,
        scope: &CredentialScope<'_>,
        credential: &Arc<Credential>,
        key: SigningKey,
    ) {
        if scope.text.len() > CREDENTIAL_SCOPE_BYTES_MAX {
            return;
        }
        if self.by_credential.len() >= SIGNING_KEYS_MAX {
            self.make_room(scope.day);
        }
        self.by_credential
            .insert(scope.text.to_owned(), Kept { credential: Arc::downgrade(credential), key });
    }

    /// Other days go first: of yesterday's keys most will never be asked for again.
    fn make_room(&mut self, day: &str) {
        self.by_credential.retain(|text, _| CredentialScope::parse(text).is_ok_and(|scope| scope.day == day));
        if self.by_credential.len() >= SIGNING_KEYS_MAX {
            self.by_credential.clear();
        }
    }
}

#[cfg(test)]
#[path = "signing_key_tests.rs"]
mod tests;
