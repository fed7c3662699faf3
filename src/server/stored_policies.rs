//! The policies of organisations of a running node: those of its configuration, and one stored for each organisation.
//!
//! A change is durable before it is in force, and in force on all cores before the call returns.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::limits::{POLICY_BYTES_MAX, STORED_ORG_POLICIES_MAX};
use crate::config::{Config, check_org_name};
use crate::policy::{Document, Layer, OrgPolicies, PolicyError};
use crate::server::admin_socket::protocol::PolicyShown;
use crate::store::error::{Refusal, StoreError};
use crate::store::keys::Accounts;
use crate::store::org_policies::NoOrgPolicy;

/// Why policies could not be read at start, or a command about them changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum OrgPolicyError {
    #[error("the policy file {} of the organisation {org:?}: {source}", path.display())]
    File { org: String, path: PathBuf, source: io::Error },
    #[error("the policy file {} of the organisation {org:?}: {reason}", path.display())]
    FileContent { org: String, path: PathBuf, reason: PolicyError },
    #[error("the stored policy of the organisation {org:?}: {reason}")]
    Stored { org: String, reason: PolicyError },
    #[error(transparent)]
    Document(#[from] PolicyError),
    #[error("organisation {0}")]
    Org(String),
    #[error("the organisation {0:?} has no stored policy")]
    Missing(String),
    #[error("{STORED_ORG_POLICIES_MAX} organisations have a stored policy already")]
    Full,
    #[error(transparent)]
    Store(StoreError),
}

/// All policies of organisations. One change at a time; reading goes past it, through [`OrgPolicies`].
pub(super) struct StoredPolicies {
    accounts: Accounts,
    in_force: OrgPolicies,
    configured: BTreeMap<String, Vec<Configured>>,
    stored: Mutex<BTreeMap<String, Vec<u8>>>,
}

/// A policy of the configuration.
struct Configured {
    path: PathBuf,
    bytes: usize,
    document: Arc<Document>,
}

impl StoredPolicies {
    /// Reads and parses all policies. One that is none stops the start: without it more would be allowed than somebody
    /// meant.
    pub(super) fn open(config: &Config, accounts: Accounts) -> Result<Self, OrgPolicyError> {
        let mut configured: BTreeMap<String, Vec<Configured>> = BTreeMap::new();
        for policy in &config.org_policies {
            configured.entry(policy.org.clone()).or_default().push(read(&policy.org, &policy.file)?);
        }
        let stored: BTreeMap<String, Vec<u8>> =
            accounts.org_policies().map_err(OrgPolicyError::Store)?.into_iter().collect();
        let policies =
            Self { accounts, in_force: OrgPolicies::default(), configured, stored: Mutex::default() };
        for org in policies.configured.keys() {
            policies.put_in_force(org, None);
        }
        for (org, text) in &stored {
            let document =
                parse(text).map_err(|reason| OrgPolicyError::Stored { org: org.clone(), reason })?;
            policies.put_in_force(org, Some(document));
        }
        *policies.stored() = stored;
        Ok(policies)
    }

    /// What is in force, for the cores.
    pub(super) fn in_force(&self) -> OrgPolicies {
        self.in_force.clone()
    }

    /// Stores the policy of an organisation, in place of the one that was stored for it.
    pub(super) fn put(&self, org: &str, text: String) -> Result<(), OrgPolicyError> {
        check_org_name(org).map_err(OrgPolicyError::Org)?;
        let text = text.into_bytes();
        let document = parse(&text)?;
        let mut stored = self.stored();
        if stored.len() >= STORED_ORG_POLICIES_MAX && !stored.contains_key(org) {
            return Err(OrgPolicyError::Full);
        }
        self.accounts.set_org_policy(org, text.clone()).map_err(|refusal| error(refusal, org))?;
        self.put_in_force(org, Some(document));
        stored.insert(org.to_owned(), text);
        Ok(())
    }

    /// The stored policy of an organisation, as it was given.
    pub(super) fn get(&self, org: &str) -> Result<String, OrgPolicyError> {
        let stored = self.stored();
        let text = stored.get(org).ok_or_else(|| OrgPolicyError::Missing(org.to_owned()))?;
        // Only texts are stored.
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// Removes the stored policy of an organisation. Those of the configuration stay.
    pub(super) fn delete(&self, org: &str) -> Result<(), OrgPolicyError> {
        let mut stored = self.stored();
        self.accounts.delete_org_policy(org).map_err(|refusal| error(refusal, org))?;
        self.put_in_force(org, None);
        stored.remove(org);
        Ok(())
    }

    /// All policies: of the configuration first, each by organisation.
    pub(super) fn list(&self) -> Vec<PolicyShown> {
        let of_files = self.configured.iter().flat_map(|(org, policies)| {
            policies.iter().map(|policy| PolicyShown {
                org: org.clone(),
                file: Some(policy.path.display().to_string()),
                bytes: policy.bytes,
            })
        });
        let stored = self.stored();
        let of_index =
            stored.iter().map(|(org, text)| PolicyShown { org: org.clone(), file: None, bytes: text.len() });
        of_files.chain(of_index).collect()
    }

    fn put_in_force(&self, org: &str, stored: Option<Arc<Document>>) {
        let configured = self.configured.get(org).into_iter().flatten();
        let documents: Vec<Arc<Document>> =
            configured.map(|policy| policy.document.clone()).chain(stored).collect();
        self.in_force.set(org, &documents);
    }

    fn stored(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        // Changed only after a commit, in one step: a panic leaves nothing half done.
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(org: &str, path: &Path) -> Result<Configured, OrgPolicyError> {
    let (org, path) = (org.to_owned(), path.to_owned());
    let mut text = Vec::new();
    // One byte more than may be, so that a longer file is found out.
    let read =
        File::open(&path).and_then(|file| file.take(POLICY_BYTES_MAX as u64 + 1).read_to_end(&mut text));
    match read.map(|_bytes| parse(&text)) {
        Ok(Ok(document)) => Ok(Configured { path, bytes: text.len(), document }),
        Ok(Err(reason)) => Err(OrgPolicyError::FileContent { org, path, reason }),
        Err(source) => Err(OrgPolicyError::File { org, path, source }),
    }
}

fn parse(text: &[u8]) -> Result<Arc<Document>, PolicyError> {
    Document::parse(text, Layer::Organisation).map(Arc::new)
}

fn error(refusal: Refusal<NoOrgPolicy>, org: &str) -> OrgPolicyError {
    match refusal {
        Refusal::Refused(NoOrgPolicy) => OrgPolicyError::Missing(org.to_owned()),
        Refusal::Failed(error) => OrgPolicyError::Store(error),
    }
}

#[cfg(test)]
#[path = "stored_policies_tests.rs"]
mod tests;
