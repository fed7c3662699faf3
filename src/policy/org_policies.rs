//! The policies of organisations that are in force, as all cores read them.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Document;

/// The documents of all organisations. Clones are one and the same set: what one of them changes is in force for all of
/// them at once. Reading it writes nothing that another core reads.
#[derive(Clone, Debug, Default)]
pub struct OrgPolicies {
    by_org: Arc<ArcSwap<HashMap<String, OrgDocuments>>>,
}

/// The documents of one organisation, or none. Those that a request has been given do not change under it.
#[derive(Clone, Debug, Default)]
pub struct OrgDocuments(Option<Arc<[Arc<Document>]>>);

impl OrgPolicies {
    /// The documents of an organisation. A few nanoseconds where it has none.
    pub fn of(&self, org: &str) -> OrgDocuments {
        self.by_org.load().get(org).cloned().unwrap_or_default()
    }

    /// Puts the documents of an organisation in force, in place of those that were.
    pub fn set(&self, org: &str, documents: &[Arc<Document>]) {
        self.by_org.rcu(|by_org| {
            let mut by_org = HashMap::clone(by_org);
            if documents.is_empty() {
                by_org.remove(org);
            } else {
                by_org.insert(org.to_owned(), OrgDocuments(Some(documents.into())));
            }
            by_org
        });
    }
}

impl Deref for OrgDocuments {
    type Target = [Arc<Document>];

    fn deref(&self) -> &[Arc<Document>] {
        self.0.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Layer;

    fn document() -> Arc<Document> {
        let text = br#"{"Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#;
        Arc::new(Document::parse(text, Layer::Organisation).unwrap())
    }

    #[test]
    fn each_organisation_has_its_own_and_most_have_none() {
        let policies = OrgPolicies::default();
        assert!(policies.of("a").is_empty());
        policies.set("a", &[document(), document()]);
        assert_eq!(policies.of("a").len(), 2);
        assert!(policies.of("b").is_empty() && policies.of("").is_empty());
    }

    #[test]
    fn clones_see_a_change_and_requests_keep_what_they_have() {
        let policies = OrgPolicies::default();
        let core = policies.clone();
        policies.set("a", &[document()]);
        let held = core.of("a");
        policies.set("a", &[]);
        assert!(core.of("a").is_empty());
        assert_eq!(held.len(), 1);
    }
}
