//! One case of policies: bytes are taken as a request and a document. Used by the fuzz target and, with bytes by seed, by
//! the unit tests of `policy`.

use std::sync::Arc;

use super::policy::{
    Action, ContextKey, Document, Effect, Facts, Layer, Layers, Principal, Request, Values, decide,
};

const BUCKET: &str = "b";

/// Every key has a value, made of the request's key; some have two, some none.
struct AnyFacts<'a>(&'a str);

impl Facts for AnyFacts<'_> {
    fn values(&self, key: &ContextKey) -> Option<Values<'_>> {
        match key {
            ContextKey::Referer => None,
            ContextKey::RequestObjectTagKeys => Some(vec![self.0.into(), "team".into()].into()),
            ContextKey::SourceIp => Some(vec!["10.0.0.1".into()].into()),
            ContextKey::CurrentTime => Some(vec!["2026-11-25T03:00:00Z".into()].into()),
            ContextKey::Delimiter => Some(Values::new()),
            _ => Some(vec![self.0.into()].into()),
        }
    }
}

/// What the bytes say: a byte for the action, one for the principal, one for the length of the key, the key, the
/// document.
pub(super) fn run(bytes: &[u8]) {
    let [action, principal, key_bytes, rest @ ..] = bytes else { return };
    let action = Action::ALL[usize::from(*action) % Action::ALL.len()];
    let (key, text) = rest.split_at(usize::from(*key_bytes).min(rest.len()));
    let key = String::from_utf8_lossy(key);
    let principal = match principal % 3 {
        0 => Principal::Anonymous,
        1 => Principal::User { org: "org-a", user: "alice", access_key: "AKALICE" },
        _ => Principal::User { org: "org-b", user: &key, access_key: &key },
    };
    let request = Request { action, bucket: BUCKET, key: Some(&key), principal };
    let of_bucket = Document::parse(text, Layer::Bucket(BUCKET));
    let of_org = Document::parse(text, Layer::Organisation);
    for error in [of_bucket.as_ref().err(), of_org.as_ref().err()].into_iter().flatten() {
        let message = error.to_string();
        assert!(message.len() < 4_096 && !message.chars().any(char::is_control), "{message:?}");
    }
    // What is good for a bucket is good for an organisation.
    let Ok(of_org) = of_org else {
        assert!(of_bucket.is_err());
        return;
    };
    judge(&request, of_bucket.ok().as_ref(), &Arc::new(of_org));
}

fn judge(request: &Request<'_>, of_bucket: Option<&Document>, of_org: &Arc<Document>) {
    let facts = AnyFacts(request.key.unwrap_or_default());
    let documents = std::slice::from_ref(of_org);
    let effect = |requester_org, owner_org, bucket, is_member| {
        let layers = Layers { requester_org, owner_org, bucket, is_member };
        let decision = decide(request, &facts, &layers);
        assert!(!decision.reason.to_string().is_empty());
        decision.effect
    };
    let member = effect(&[], &[], of_bucket, true);
    let stranger = effect(&[], &[], of_bucket, false);
    let bound_member = effect(documents, documents, of_bucket, true);
    let bound_stranger = effect(documents, documents, of_bucket, false);
    // A member may do what a stranger may, and no further document ever allows more.
    assert!(
        stranger != Effect::Allowed || member == Effect::Allowed || request.principal == Principal::Anonymous
    );
    assert!(bound_member != Effect::Allowed || member == Effect::Allowed);
    assert!(bound_stranger != Effect::Allowed || stranger == Effect::Allowed);
    // The same bytes as all layers: denied by one is denied by all.
    assert!(member != Effect::DeniedExplicitly || bound_member != Effect::Allowed);
}
