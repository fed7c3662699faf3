use std::cell::RefCell;

use super::super::{ContextKey, Layer as DocumentLayer, Values};
use super::*;

const MEMBER: Principal<'_> = Principal::User { org: "org-a", user: "alice", access_key: "AKALICE" };
const STRANGER: Principal<'_> = Principal::User { org: "org-b", user: "bob", access_key: "AKBOB" };

/// Facts that note what they are asked.
#[derive(Default)]
struct Asked(RefCell<Vec<ContextKey>>);

impl Facts for Asked {
    fn values(&self, key: &ContextKey) -> Option<Values<'_>> {
        self.0.borrow_mut().push(key.clone());
        None
    }
}

fn bucket_policy(statements: &str) -> Document {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    Document::parse(text.as_bytes(), DocumentLayer::Bucket("b")).expect("a good policy")
}

fn org_policy(statements: &str) -> Arc<Document> {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    Arc::new(Document::parse(text.as_bytes(), DocumentLayer::Organisation).expect("a good policy"))
}

fn request(action: Action, principal: Principal<'_>) -> Request<'_> {
    Request { action, bucket: "b", key: Some("k"), principal }
}

fn decided(action: Action, principal: Principal<'_>, layers: &Layers<'_>) -> (Effect, String) {
    let decision = decide(&request(action, principal), &Asked::default(), layers);
    assert_eq!(decision.is_allowed(), decision.effect == Effect::Allowed);
    (decision.effect, decision.reason.to_string())
}

fn layers(bucket: Option<&Document>, is_member: bool) -> Layers<'_> {
    Layers { requester_org: &[], owner_org: &[], bucket, is_member }
}

const ALLOW_ALL: &str = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#;
const DENY_ALL: &str = r#"{"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}"#;

const OF_MEMBERS: &str = "member of the owning organisation, and no policy speaks against it";

#[test]
fn without_policies_members_may_and_others_may_not() {
    let none = |is_member| layers(None, is_member);
    for action in Action::ALL.iter().copied() {
        assert_eq!(
            decided(action, MEMBER, &none(true)),
            (Effect::Allowed, OF_MEMBERS.to_owned()),
            "{action:?}"
        );
        assert_eq!(decided(action, STRANGER, &none(false)).0, Effect::Denied, "{action:?}");
        assert_eq!(decided(action, Principal::Anonymous, &none(false)).0, Effect::Denied, "{action:?}");
        // There is no bucket, but who did not sign is nobody's member.
        assert_eq!(decided(action, Principal::Anonymous, &none(true)).0, Effect::Denied, "{action:?}");
    }
}

#[test]
fn a_bucket_policy_forbids_members_and_admits_others() {
    let allow = bucket_policy(ALLOW_ALL);
    let deny = bucket_policy(DENY_ALL);
    let other = bucket_policy(
        r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}"#,
    );
    let get = Action::GetObject;
    for (document, principal, is_member, effect, reason) in [
        (&allow, MEMBER, true, Effect::Allowed, OF_MEMBERS),
        (&other, MEMBER, true, Effect::Allowed, OF_MEMBERS),
        (&deny, MEMBER, true, Effect::DeniedExplicitly, "Deny by statement 0 (Sid No) of the bucket policy"),
        (&allow, STRANGER, false, Effect::Allowed, "Allow by statement 0 of the bucket policy"),
        (&allow, Principal::Anonymous, false, Effect::Allowed, "Allow by statement 0 of the bucket policy"),
        (&other, STRANGER, false, Effect::Denied, "no statement of the bucket policy allows it"),
        (&other, Principal::Anonymous, false, Effect::Denied, "no statement of the bucket policy allows it"),
        (
            &deny,
            STRANGER,
            false,
            Effect::DeniedExplicitly,
            "Deny by statement 0 (Sid No) of the bucket policy",
        ),
    ] {
        let decided = decided(get, principal, &layers(Some(document), is_member));
        assert_eq!(decided, (effect, reason.to_owned()), "{principal:?}");
    }
}

#[test]
fn deny_wins_wherever_it_stands() {
    for statements in [format!("{ALLOW_ALL}, {DENY_ALL}"), format!("{DENY_ALL}, {ALLOW_ALL}")] {
        let document = bucket_policy(&statements);
        for (principal, is_member) in [(MEMBER, true), (STRANGER, false), (Principal::Anonymous, false)] {
            let (effect, _) = decided(Action::GetObject, principal, &layers(Some(&document), is_member));
            assert_eq!(effect, Effect::DeniedExplicitly, "{statements} {principal:?}");
        }
    }
}

#[test]
fn a_member_needs_an_allow_where_the_organisation_has_policies() {
    let get = r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}"#;
    let no_delete = r#"{"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}"#;
    let documents = [org_policy(no_delete), org_policy(get)];
    let admitting = bucket_policy(ALLOW_ALL);
    let layers = Layers {
        requester_org: &documents,
        owner_org: &documents,
        bucket: Some(&admitting),
        is_member: true,
    };
    let not_allowed = "no policy of the requester's organisation allows it";
    let denied = "Deny by statement 0 of policy 0 of the requester's organisation";
    let allowed = "Allow by statement 0 of policy 1 of the requester's organisation";
    for (action, effect, reason) in [
        (Action::GetObject, Effect::Allowed, allowed),
        (Action::PutObject, Effect::Denied, not_allowed),
        (Action::DeleteObject, Effect::DeniedExplicitly, denied),
        (Action::PutBucketPolicy, Effect::Denied, not_allowed),
    ] {
        assert_eq!(decided(action, MEMBER, &layers), (effect, reason.to_owned()), "{action:?}");
    }
    // The same for a member elsewhere: its own organisation binds it, and the bucket must admit it.
    let abroad = Layers { owner_org: &[], is_member: false, ..layers };
    let admitted = "Allow by statement 0 of the bucket policy";
    assert_eq!(decided(Action::GetObject, STRANGER, &abroad), (Effect::Allowed, admitted.to_owned()));
    assert_eq!(decided(Action::PutObject, STRANGER, &abroad), (Effect::Denied, not_allowed.to_owned()));
    let unadmitted = Layers { bucket: None, ..abroad };
    assert_eq!(decided(Action::GetObject, STRANGER, &unadmitted).0, Effect::Denied);
}

#[test]
fn the_owning_organisation_may_forbid_what_its_buckets_admit() {
    let admitting = bucket_policy(ALLOW_ALL);
    let of_members = [org_policy(r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#)];
    let of_all = [org_policy(r#"{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}"#)];
    let but_members = [org_policy(
        r#"{"Effect": "Deny", "NotPrincipal": {"CW": "org-a"}, "Action": "*", "Resource": "*"}"#,
    )];
    let allowing = [org_policy(r#"{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}"#)];
    for (owner_org, effect) in [
        // Without principal a statement is about the organisation's own.
        (&of_members, Effect::Allowed),
        (&of_all, Effect::DeniedExplicitly),
        (&but_members, Effect::DeniedExplicitly),
        // Others need no Allow of it.
        (&allowing, Effect::Allowed),
    ] {
        let layers = Layers { requester_org: &[], owner_org, bucket: Some(&admitting), is_member: false };
        for principal in [STRANGER, Principal::Anonymous] {
            assert_eq!(decided(Action::GetObject, principal, &layers).0, effect, "{owner_org:?}");
        }
    }
    let layers =
        Layers { requester_org: &[], owner_org: &of_all, bucket: Some(&admitting), is_member: false };
    let reason = "Deny by statement 0 of policy 0 of the owning organisation";
    assert_eq!(decided(Action::GetObject, STRANGER, &layers).1, reason);
}

#[test]
fn some_actions_are_no_matter_of_the_bucket_policy() {
    let deny = bucket_policy(DENY_ALL);
    let allow = bucket_policy(ALLOW_ALL);
    for action in [Action::PutBucketPolicy, Action::ListAllMyBuckets, Action::CreateBucket] {
        assert_eq!(decided(action, MEMBER, &layers(Some(&deny), true)).0, Effect::Allowed, "{action:?}");
        assert_eq!(decided(action, STRANGER, &layers(Some(&allow), false)).0, Effect::Denied, "{action:?}");
    }
    let reason = "not a member of the owning organisation";
    let decided = decided(Action::PutBucketPolicy, STRANGER, &layers(Some(&allow), false));
    assert_eq!(decided, (Effect::Denied, reason.to_owned()));
}

#[test]
fn a_policy_may_speak_of_either_name_of_an_action() {
    for action in Action::ALL.iter().copied() {
        let Some(coarse) = action.coarse() else { continue };
        for name in [action.name(), coarse.name()] {
            let named = |effect: &str, list: &str| {
                bucket_policy(&format!(
                    r#"{{"Effect": "{effect}", "Principal": "*", "{list}": "{name}", "Resource": "arn:aws:s3:::b*"}}"#
                ))
            };
            let decide = |document: &Document, member| {
                let principal = if member { MEMBER } else { STRANGER };
                decided(action, principal, &layers(Some(document), member)).0
            };
            assert_eq!(decide(&named("Allow", "Action"), false), Effect::Allowed, "{name}");
            assert_eq!(decide(&named("Deny", "Action"), true), Effect::DeniedExplicitly, "{name}");
            assert_eq!(decide(&named("Allow", "NotAction"), false), Effect::Denied, "{name}");
            assert_eq!(decide(&named("Deny", "NotAction"), true), Effect::Allowed, "{name}");
        }
        // The other way round it is not: who may read versions may not read the current one.
        let document = bucket_policy(&format!(
            r#"{{"Effect": "Allow", "Principal": "*", "Action": "{}", "Resource": "arn:aws:s3:::b*"}}"#,
            action.name()
        ));
        assert_eq!(
            decided(coarse, STRANGER, &layers(Some(&document), false)).0,
            Effect::Denied,
            "{coarse:?}"
        );
    }
}

#[test]
fn facts_are_asked_only_where_the_rest_fits() {
    let document = bucket_policy(
        r#"{"Effect": "Deny", "Principal": {"CW": "org-b"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/k",
            "Condition": {"StringEquals": {"s3:ExistingObjectTag/team": "red", "aws:UserAgent": "x"}}},
           {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/k",
            "Condition": {"Bool": {"aws:SecureTransport": "true"}}}"#,
    );
    let asked = |action, principal, key, is_member| {
        let facts = Asked::default();
        let request = Request { action, bucket: "b", key: Some(key), principal };
        decide(&request, &facts, &layers(Some(&document), is_member));
        facts.0.into_inner()
    };
    let tag = ContextKey::ExistingObjectTag("team".into());
    let get = Action::GetObject;
    assert_eq!(asked(get, STRANGER, "k", false), [tag, ContextKey::SecureTransport]);
    assert_eq!(asked(get, STRANGER, "l", false), []);
    assert_eq!(asked(Action::PutObject, STRANGER, "k", false), []);
    assert_eq!(asked(get, Principal::Anonymous, "k", false), [ContextKey::SecureTransport]);
    // A member needs no Allow.
    assert_eq!(asked(get, MEMBER, "k", true), []);
}
