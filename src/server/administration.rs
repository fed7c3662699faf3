//! What the command line may ask of a running node, and the answers.

use super::access_keys::{AccessKeys, Wanted};
use super::admin_socket::protocol::{Answer, KeyMade, Request};
use super::stored_policies::StoredPolicies;
use super::{ServerError, with_causes};
use crate::auth::KeyRing;
use crate::config::Config;
use crate::policy::OrgPolicies;
use crate::store::keys::Accounts;

/// Access keys and policies of a running node, to be read and changed.
pub(super) struct Administration {
    keys: AccessKeys,
    policies: StoredPolicies,
}

/// Who asks, as the kernel says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub(super) uid: u32,
    pub(super) pid: i32,
}

impl Administration {
    pub(super) fn open(config: &Config, accounts: &Accounts) -> Result<Self, ServerError> {
        let keys = AccessKeys::open(config, accounts.clone())?;
        let policies = StoredPolicies::open(config, accounts.clone())?;
        Ok(Self { keys, policies })
    }

    pub(super) fn ring(&self) -> KeyRing {
        self.keys.ring()
    }

    pub(super) fn org_policies(&self) -> OrgPolicies {
        self.policies.in_force()
    }

    /// Does what is asked. The log says who asked for what; a secret is never part of it.
    pub(super) fn answer(&self, request: Request, asker: Asker) -> Answer {
        let (command, subject) = (request.command(), request.subject().to_owned());
        let answer = self.run(request).unwrap_or_else(|message| Answer::Refused { message });
        let Asker { uid, pid } = asker;
        match &answer {
            Answer::Refused { message } => {
                tracing::info!(uid, pid, command, subject, refused = message, "administration");
            }
            Answer::KeyMade(KeyMade { key, .. }) => {
                let (access_key, user, org) = (&key.access_key, &key.user, &key.org);
                tracing::info!(uid, pid, command, access_key, user, org, "administration");
            }
            _ => tracing::info!(uid, pid, command, subject, "administration"),
        }
        answer
    }

    fn run(&self, request: Request) -> Result<Answer, String> {
        let done = match request {
            Request::CreateKey { access_key, secret_key, user, display_name, org } => {
                let wanted =
                    Wanted { access_key, secret_key: secret_key.map(Into::into), user, display_name, org };
                let (key, secret_key) = self.keys.create(wanted).map_err(text)?;
                return Ok(Answer::KeyMade(KeyMade { key, secret_key: secret_key.map(Into::into) }));
            }
            Request::ListKeys { org } => return Ok(Answer::Keys(self.keys.list(org.as_deref()))),
            Request::DisableKey { access_key } => self.keys.set_disabled(&access_key, true).map_err(text),
            Request::EnableKey { access_key } => self.keys.set_disabled(&access_key, false).map_err(text),
            Request::DeleteKey { access_key } => self.keys.delete(&access_key).map_err(text),
            Request::PutPolicy { org, document } => self.policies.put(&org, document).map_err(text),
            Request::GetPolicy { org } => {
                return self.policies.get(&org).map(|document| Answer::Policy { document }).map_err(text);
            }
            Request::DeletePolicy { org } => self.policies.delete(&org).map_err(text),
            Request::ListPolicies {} => return Ok(Answer::Policies(self.policies.list())),
        };
        done.map(|()| Answer::Done {})
    }
}

fn text(error: impl std::error::Error) -> String {
    with_causes(&error)
}
