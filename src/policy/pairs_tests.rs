//! The evaluator against the [`reference`]: policies and requests by chance, the same decision by both. A failure names
//! the seed, which gives the same policies and requests again.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use self::generator::Dice;
use self::reference::{Context, Policies};
use super::{ContextKey, Document, Effect, Facts, Layer, Layers, Values, decide};

#[path = "generator_tests.rs"]
pub(super) mod generator;
#[path = "reference_tests.rs"]
mod reference;

const REQUESTS_EACH: u64 = 5;

/// Facts from a context of names.
pub(super) struct ContextFacts<'a>(pub(super) &'a Context);

impl Facts for ContextFacts<'_> {
    fn values(&self, key: &ContextKey) -> Option<Values<'_>> {
        let name: Cow<'_, str> = match key {
            ContextKey::SourceIp => "aws:sourceip".into(),
            ContextKey::SecureTransport => "aws:securetransport".into(),
            ContextKey::UserAgent => "aws:useragent".into(),
            ContextKey::Referer => "aws:referer".into(),
            ContextKey::CurrentTime => "aws:currenttime".into(),
            ContextKey::EpochTime => "aws:epochtime".into(),
            ContextKey::RequestedRegion => "aws:requestedregion".into(),
            ContextKey::ResourceOrg => "aws:resourceaccount".into(),
            ContextKey::Prefix => "s3:prefix".into(),
            ContextKey::Delimiter => "s3:delimiter".into(),
            ContextKey::MaxKeys => "s3:max-keys".into(),
            ContextKey::VersionId => "s3:versionid".into(),
            ContextKey::LocationConstraint => "s3:locationconstraint".into(),
            ContextKey::SignatureVersion => "s3:signatureversion".into(),
            ContextKey::SignatureAge => "s3:signatureage".into(),
            ContextKey::AuthType => "s3:authtype".into(),
            ContextKey::TlsVersion => "s3:tlsversion".into(),
            ContextKey::ObjectCreationOperation => "s3:objectcreationoperation".into(),
            ContextKey::Header(name) => format!("s3:{name}").into(),
            ContextKey::ExistingObjectTag(name) => format!("s3:existingobjecttag/{name}").into(),
            ContextKey::RequestObjectTag(name) => format!("s3:requestobjecttag/{name}").into(),
            ContextKey::RequestObjectTagKeys => "s3:requestobjecttagkeys".into(),
        };
        let values = self.0.get(name.as_ref())?;
        Some(values.iter().map(|value| Cow::Borrowed(value.as_str())).collect())
    }
}

/// The documents of all layers; `None` where one is refused, which may only be for actions and resources that do not
/// fit.
struct Read {
    requester_org: Vec<Arc<Document>>,
    owner_org: Vec<Arc<Document>>,
    bucket: Option<Document>,
}

impl Read {
    fn of(policies: &Policies, bucket: &str, seed: u64) -> Option<Self> {
        let read = |value: &Value, layer| {
            let text = value.to_string();
            match Document::parse(text.as_bytes(), layer) {
                Ok(document) => Some(document),
                Err(error) => {
                    let may_be = [
                        "Policy has invalid resource",
                        "Action does not apply to any resource(s) in statement",
                    ];
                    assert!(may_be.contains(&error.sentence()), "seed {seed}: {error}\n{text}");
                    None
                }
            }
        };
        let of_org = |values: &[Value]| -> Option<Vec<Arc<Document>>> {
            values.iter().map(|value| read(value, Layer::Organisation).map(Arc::new)).collect()
        };
        Some(Self {
            requester_org: of_org(&policies.requester_org)?,
            owner_org: of_org(&policies.owner_org)?,
            bucket: match &policies.bucket {
                Some(value) => Some(read(value, Layer::Bucket(bucket))?),
                None => None,
            },
        })
    }

    fn layers(&self, is_member: bool) -> Layers<'_> {
        Layers {
            requester_org: &self.requester_org,
            owner_org: &self.owner_org,
            bucket: self.bucket.as_ref(),
            is_member,
        }
    }
}

/// What became of the pairs of one seed.
#[derive(Default)]
struct Tally {
    judged: u64,
    refused: u64,
    allowed: u64,
    denied_explicitly: u64,
    denied: u64,
}

fn judge_pairs(seed: u64, tally: &mut Tally) {
    let mut dice = Dice::new(seed);
    let bucket = dice.of(&generator::BUCKETS);
    let policies = generator::policies(&mut dice, bucket);
    let Some(read) = Read::of(&policies, bucket, seed) else {
        tally.refused += 1;
        return;
    };
    for _ in 0..REQUESTS_EACH {
        let request = generator::request(&mut dice, bucket);
        let context = generator::context(&mut dice);
        let expected = reference::decide(&request, &context, &policies);
        let decision = decide(&request, &ContextFacts(&context), &read.layers(policies.is_member));
        assert_eq!(
            decision.effect,
            expected,
            "seed {seed}: {request:?}\n{context:?}\nmember: {}\nrequester: {:?}\nowner: {:?}\nbucket: {}\n{}",
            policies.is_member,
            policies.requester_org,
            policies.owner_org,
            policies.bucket.unwrap_or_default(),
            decision.reason,
        );
        tally.judged += 1;
        match expected {
            Effect::Allowed => tally.allowed += 1,
            Effect::DeniedExplicitly => tally.denied_explicitly += 1,
            Effect::Denied => tally.denied += 1,
        }
    }
}

/// `RINGSTONE_TEST_PAIRS=1000000 cargo test --release --lib policy` for the full run.
#[test]
fn the_evaluator_agrees_with_the_reference() {
    let pairs = std::env::var("RINGSTONE_TEST_PAIRS").ok().and_then(|pairs| pairs.parse().ok());
    let pairs: u64 = pairs.unwrap_or(30_000);
    let mut tally = Tally::default();
    let mut seed = 0;
    while tally.judged < pairs {
        judge_pairs(seed, &mut tally);
        seed += 1;
    }
    let Tally { judged, refused, allowed, denied_explicitly, denied } = tally;
    println!("{judged} pairs: {allowed} allowed, {denied_explicitly} denied explicitly, {denied} denied");
    println!("{seed} sets of policies, {refused} refused");
    assert!(refused * 3 < seed, "most documents are accepted");
    assert!(
        [allowed, denied_explicitly, denied].iter().all(|count| count * 10 > judged),
        "all effects are met"
    );
}
