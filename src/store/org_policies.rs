//! Policies of organisations as the index keeps them: documents as they were given, one for each organisation.

use crate::commit::{Abort, Committed, Data};
use crate::index::key_encoding;
use crate::store::error::{Refusal, StoreError};
use crate::store::keys::Accounts;

/// The organisation has no stored policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoOrgPolicy;

impl Accounts {
    /// Every organisation with a stored policy, by name, and its document.
    pub fn org_policies(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.table(&key_encoding::org_policy_range(), |key, value| {
            let org = key_encoding::decode_org_policy_key(key).ok_or("its name is no text".to_owned());
            Ok((org?.to_owned(), value.to_vec()))
        })
    }

    /// Stores the policy of an organisation, in place of the one that it had.
    pub fn set_org_policy(
        &self,
        org: &str,
        document: Vec<u8>,
    ) -> Result<Committed<()>, Refusal<NoOrgPolicy>> {
        let key = key_encoding::org_policy_key(org);
        let committed = self.commit.run_blocking(Data::default(), move |transaction| {
            transaction.put(key.clone(), document.clone());
            Ok(())
        })?;
        Ok(committed)
    }

    /// Removes the policy of an organisation.
    pub fn delete_org_policy(&self, org: &str) -> Result<Committed<()>, Refusal<NoOrgPolicy>> {
        let key = key_encoding::org_policy_key(org);
        let committed = self.commit.run_blocking(Data::default(), move |transaction| {
            transaction.get(&key)?.ok_or(Abort::Refused(NoOrgPolicy))?;
            transaction.delete(key.clone());
            Ok(())
        })?;
        Ok(committed)
    }
}
