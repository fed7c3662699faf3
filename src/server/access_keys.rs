//! The access keys of a running node: those of its configuration and the stored ones.
//!
//! Invariants: a change is durable before it is in force, and in force on all cores before the call returns. The ring
//! holds the keys of the configuration and the enabled stored ones; of one name, that of the configuration.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::new_key;
use super::node_key_file::{NodeKeyError, NodeKeyFile};
use crate::auth::{Credential, KeyRing, SecretKey};
use crate::config::limits::STORED_KEYS_MAX;
use crate::config::{Config, Secret, check_access_key, check_org_name, check_owner_name, check_secret_key};
use crate::index::record::KeyRecord;
use crate::seal::{NodeKey, SecretUnopened};
use crate::server::admin_socket::protocol::{KeyShown, KeySource, KeyState};
use crate::store::error::{Refusal, StoreError};
use crate::store::keys::{Accounts, KeyRefusal, NewKey};

/// Why a command about access keys changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{field} {reason}")]
    Invalid { field: &'static str, reason: String },
    #[error("the access key {0} exists already")]
    Exists(String),
    #[error("there is no access key {0}")]
    Missing(String),
    #[error(
        "the access key {0} is none of the stored ones: it stands in the configuration, or is the root key of \
         `credentials`; change it there and start the node anew"
    )]
    Configured(String),
    #[error("the node stores {STORED_KEYS_MAX} access keys already")]
    Full,
    #[error(transparent)]
    NodeKey(#[from] NodeKeyError),
    #[error(transparent)]
    Store(StoreError),
}

/// A key that somebody asks for. What is absent is made up.
pub(super) struct Wanted {
    pub(super) access_key: Option<String>,
    pub(super) secret_key: Option<Secret>,
    pub(super) user: String,
    pub(super) display_name: String,
    pub(super) org: String,
}

/// All access keys. One change at a time; reading goes past it, through the ring.
pub(super) struct AccessKeys {
    accounts: Accounts,
    ring: KeyRing,
    node_key_file: NodeKeyFile,
    /// Of the configuration, as they are shown.
    configured: BTreeMap<String, KeyShown>,
    stored: Mutex<Stored>,
}

/// What the index holds, and the key to it once that is needed.
struct Stored {
    records: BTreeMap<String, KeyRecord>,
    node_key: Option<NodeKey>,
}

impl AccessKeys {
    /// Reads what is stored and opens every secret: a node with the wrong node key does not start.
    pub(super) fn open(config: &Config, accounts: Accounts) -> Result<Self, KeyError> {
        let node_key_file = NodeKeyFile::of(config);
        let records: BTreeMap<String, KeyRecord> =
            accounts.keys().map_err(KeyError::Store)?.into_iter().collect();
        let node_key = node_key_file.load()?;
        if node_key.is_none() && !records.is_empty() {
            let path = node_key_file.path().to_owned();
            return Err(NodeKeyError::Missing { path, keys: records.len() }.into());
        }
        let mut credentials = Vec::with_capacity(records.len() + config.access_keys.len());
        for (access_key, record) in &records {
            let Some(node_key) = &node_key else { break };
            let credential = open(node_key, access_key, record).map_err(|SecretUnopened| {
                NodeKeyError::Wrong { path: node_key_file.path().to_owned(), access_key: access_key.clone() }
            })?;
            if !record.disabled {
                credentials.push(credential);
            }
        }
        let mut configured = BTreeMap::new();
        for key in &config.access_keys {
            if records.contains_key(&key.access_key) {
                tracing::warn!(
                    access_key = key.access_key,
                    "a stored access key has the name of one of the configuration, which counts"
                );
            }
            let credential = Credential {
                access_key: key.access_key.clone(),
                secret_key: key.secret_key.expose().into(),
                user: key.user.clone(),
                display_name: key.display_name.clone(),
                org: key.org.clone(),
            };
            configured.insert(key.access_key.clone(), shown_configured(&credential));
            // Of several of one name the ring takes the last.
            credentials.push(credential);
        }
        let ring = KeyRing::from(credentials);
        Ok(Self {
            accounts,
            ring,
            node_key_file,
            configured,
            stored: Mutex::new(Stored { records, node_key }),
        })
    }

    /// The keys in force, for the cores.
    pub(super) fn ring(&self) -> KeyRing {
        self.ring.clone()
    }

    /// Makes a key. Returns it as it is shown, and its secret if that was made up.
    pub(super) fn create(&self, wanted: Wanted) -> Result<(KeyShown, Option<Secret>), KeyError> {
        let Wanted { access_key, secret_key, user, display_name, org } = wanted;
        let access_key = access_key.map_or_else(new_key::access_key, Ok).map_err(NodeKeyError::Random)?;
        let is_made_up = secret_key.is_none();
        let secret = secret_key.map_or_else(new_key::secret_key, Ok).map_err(NodeKeyError::Random)?;
        let names = [
            ("user", check_owner_name(&user)),
            ("display name", check_owner_name(&display_name)),
            ("organisation", check_org_name(&org)),
        ];
        let texts =
            [("access key", check_access_key(&access_key)), ("secret", check_secret_key(secret.expose()))];
        for (field, checked) in names.into_iter().chain(texts) {
            checked.map_err(|reason| KeyError::Invalid { field, reason })?;
        }
        let mut stored = self.stored();
        if self.configured.contains_key(&access_key) || stored.records.contains_key(&access_key) {
            return Err(KeyError::Exists(access_key));
        }
        if stored.records.len() >= STORED_KEYS_MAX {
            return Err(KeyError::Full);
        }
        let node_key = match stored.node_key.take() {
            Some(node_key) => node_key,
            None => self.node_key_file.load_or_create()?,
        };
        let node_key = stored.node_key.insert(node_key);
        let sealed =
            node_key.seal(&[&access_key, &user, &org], secret.expose()).map_err(NodeKeyError::Random)?;
        let new = NewKey { user, display_name, org, secret: sealed };
        let committed =
            self.accounts.create_key(&access_key, new).map_err(|refusal| error(refusal, &access_key))?;
        let record = committed.value();
        self.ring.insert(credential(&access_key, record, secret.expose().into()));
        let shown = shown(&access_key, record, false);
        stored.records.insert(access_key, record.clone());
        Ok((shown, is_made_up.then_some(secret)))
    }

    /// Takes a key out of force, or puts it in force again.
    pub(super) fn set_disabled(&self, access_key: &str, disabled: bool) -> Result<(), KeyError> {
        let mut stored = self.stored();
        let record = self.changeable(&stored, access_key)?;
        if record.disabled == disabled {
            return Ok(());
        }
        // Opened before it is stored as enabled: what cannot be opened must not be.
        let opened = match (&stored.node_key, disabled) {
            (Some(node_key), false) => {
                Some(open(node_key, access_key, record).map_err(|SecretUnopened| {
                    let path = self.node_key_file.path().to_owned();
                    NodeKeyError::Wrong { path, access_key: access_key.to_owned() }
                })?)
            }
            _ => None,
        };
        let committed = self
            .accounts
            .set_key_disabled(access_key, disabled)
            .map_err(|refusal| error(refusal, access_key))?;
        match opened {
            Some(credential) => self.ring.insert(credential),
            None => self.ring.remove(access_key),
        }
        stored.records.insert(access_key.to_owned(), committed.value().clone());
        Ok(())
    }

    /// Deletes a key and its secret.
    pub(super) fn delete(&self, access_key: &str) -> Result<(), KeyError> {
        let mut stored = self.stored();
        self.changeable(&stored, access_key)?;
        self.accounts.delete_key(access_key).map_err(|refusal| error(refusal, access_key))?;
        self.ring.remove(access_key);
        stored.records.remove(access_key);
        Ok(())
    }

    /// All keys, or those of an organisation: of the configuration first, each by name.
    pub(super) fn list(&self, org: Option<&str>) -> Vec<KeyShown> {
        let stored = self.stored();
        let of_index = stored
            .records
            .iter()
            .map(|(access_key, record)| shown(access_key, record, self.configured.contains_key(access_key)));
        let all = self.configured.values().cloned().chain(of_index);
        all.filter(|key| org.is_none_or(|org| key.org == org)).collect()
    }

    fn changeable<'a>(&self, stored: &'a Stored, access_key: &str) -> Result<&'a KeyRecord, KeyError> {
        if self.configured.contains_key(access_key) {
            return Err(KeyError::Configured(access_key.to_owned()));
        }
        stored.records.get(access_key).ok_or_else(|| KeyError::Missing(access_key.to_owned()))
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        // Changed only after a commit, in one step: a panic leaves nothing half done.
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The credential that a record holds.
fn open(node_key: &NodeKey, access_key: &str, record: &KeyRecord) -> Result<Credential, SecretUnopened> {
    let secret = node_key.open(&[access_key, &record.user, &record.org], &record.secret)?;
    Ok(credential(access_key, record, secret.into()))
}

fn credential(access_key: &str, record: &KeyRecord, secret_key: SecretKey) -> Credential {
    Credential {
        access_key: access_key.to_owned(),
        secret_key,
        user: record.user.clone(),
        display_name: record.display_name.clone(),
        org: record.org.clone(),
    }
}

fn shown(access_key: &str, record: &KeyRecord, hidden: bool) -> KeyShown {
    KeyShown {
        access_key: access_key.to_owned(),
        user: record.user.clone(),
        display_name: record.display_name.clone(),
        org: record.org.clone(),
        created_ms: Some(record.created_ms),
        state: match (hidden, record.disabled) {
            (true, _) => KeyState::Hidden,
            (false, true) => KeyState::Disabled,
            (false, false) => KeyState::Enabled,
        },
        source: KeySource::Stored,
    }
}

fn shown_configured(credential: &Credential) -> KeyShown {
    KeyShown {
        access_key: credential.access_key.clone(),
        user: credential.user.clone(),
        display_name: credential.display_name.clone(),
        org: credential.org.clone(),
        created_ms: None,
        state: KeyState::Enabled,
        source: KeySource::File,
    }
}

fn error(refusal: Refusal<KeyRefusal>, access_key: &str) -> KeyError {
    match refusal {
        Refusal::Refused(KeyRefusal::Exists) => KeyError::Exists(access_key.to_owned()),
        Refusal::Refused(KeyRefusal::Missing) => KeyError::Missing(access_key.to_owned()),
        Refusal::Failed(error) => KeyError::Store(error),
    }
}

#[cfg(test)]
#[path = "access_keys_tests.rs"]
mod tests;
