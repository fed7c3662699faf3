//! Access keys: who may sign, and with which secret.

use core::fmt;
use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use zeroize::Zeroizing;

/// A secret access key. Wiped when dropped, never shown.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<String>);

impl SecretKey {
    /// For deriving signing keys alone.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretKey {
    fn from(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }
}

impl From<Zeroizing<String>> for SecretKey {
    fn from(secret: Zeroizing<String>) -> Self {
        Self(secret)
    }
}

impl From<&str> for SecretKey {
    fn from(secret: &str) -> Self {
        Self::from(secret.to_owned())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(redacted)")
    }
}

/// One access key with its secret and the user behind it.
#[derive(Clone, Debug)]
pub struct Credential {
    pub access_key: String,
    pub secret_key: SecretKey,
    /// Owner id of what this key creates.
    pub user: String,
    pub display_name: String,
    pub org: String,
}

/// The access keys in force. Clones are one and the same ring: what one of them changes is in force for all of them when
/// the call returns. Reading it writes nothing that another core reads, but for the count of a found credential's owners.
#[derive(Clone, Default)]
pub struct KeyRing {
    by_access_key: Arc<ArcSwap<HashMap<String, Arc<Credential>>>>,
}

impl KeyRing {
    pub fn find(&self, access_key: &str) -> Option<Arc<Credential>> {
        self.by_access_key.load().get(access_key).cloned()
    }

    /// Puts a credential in force, in place of one of the same access key. What was derived from that one is not used
    /// again: see `sigv4::signing_key`.
    pub fn insert(&self, credential: Credential) {
        let credential = Arc::new(credential);
        self.by_access_key.rcu(|ring| {
            let mut ring = HashMap::clone(ring);
            ring.insert(credential.access_key.clone(), credential.clone());
            ring
        });
    }

    /// Takes an access key out of force. Requests that it has signed already go on.
    pub fn remove(&self, access_key: &str) {
        self.by_access_key.rcu(|ring| {
            let mut ring = HashMap::clone(ring);
            ring.remove(access_key);
            ring
        });
    }

    pub fn len(&self) -> usize {
        self.by_access_key.load().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyRing({} keys)", self.len())
    }
}

impl From<Vec<Credential>> for KeyRing {
    /// Of several credentials with one access key the last counts.
    fn from(credentials: Vec<Credential>) -> Self {
        let ring: HashMap<String, Arc<Credential>> = credentials
            .into_iter()
            .map(|credential| (credential.access_key.clone(), Arc::new(credential)))
            .collect();
        Self { by_access_key: Arc::new(ArcSwap::from_pointee(ring)) }
    }
}

#[cfg(test)]
#[path = "credential_tests.rs"]
mod tests;
