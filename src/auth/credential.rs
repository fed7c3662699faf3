//! Access keys: who may sign, and with which secret.

use core::fmt;
use std::collections::HashMap;
use std::sync::Arc;

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

/// All access keys of the node. Cheap to clone; cores share one copy.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {
    by_access_key: Arc<HashMap<String, Arc<Credential>>>,
}

impl KeyRing {
    pub fn find(&self, access_key: &str) -> Option<Arc<Credential>> {
        self.by_access_key.get(access_key).cloned()
    }

    pub fn len(&self) -> usize {
        self.by_access_key.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_access_key.is_empty()
    }
}

impl From<Vec<Credential>> for KeyRing {
    /// Of several credentials with one access key the last counts.
    fn from(credentials: Vec<Credential>) -> Self {
        let by_access_key = credentials
            .into_iter()
            .map(|credential| (credential.access_key.clone(), Arc::new(credential)))
            .collect();
        Self { by_access_key: Arc::new(by_access_key) }
    }
}
