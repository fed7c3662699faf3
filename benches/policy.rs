//! What does it cost to read a policy of the largest size, and to judge a request by it: where the last statement
//! decides, where none applies, where every statement has a condition, where patterns are as dear as they can be? And
//! what where nothing is configured?
//!
//! `cargo bench --bench policy`

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ringstone::policy::{
    Action, ContextKey, Document, Effect, Facts, Layer, Layers, Principal, Request, Values, decide,
};

const POLICY_BYTES: usize = 20 * 1024;
const BUCKET: &str = "holiday-pictures";
const STRANGER: Principal<'_> =
    Principal::User { org: "org-b", user: "bob", access_key: "AKIAIOSFODNN7EXAMPLE" };

struct Client;

impl Facts for Client {
    fn values(&self, key: &ContextKey) -> Option<Values<'_>> {
        let value = match key {
            ContextKey::SourceIp => "203.0.113.77",
            ContextKey::UserAgent => {
                "aws-cli/2.22.7 md/awscrt#0.23.0 ua/2.0 os/linux#6.18 lang/python#3.12.6"
            }
            _ => return None,
        };
        Some(std::iter::once(value.into()).collect())
    }
}

/// Statements by number as long as there is room, then this one.
fn policy_of(statement: impl Fn(usize) -> String, last: &str) -> String {
    let mut text = r#"{"Version":"2012-10-17","Statement":["#.to_owned();
    for index in 0.. {
        let next = statement(index);
        if text.len() + next.len() + last.len() + 4 > POLICY_BYTES {
            break;
        }
        write!(text, "{next},").expect("a string takes everything");
    }
    write!(text, "{last}]}}").expect("a string takes everything");
    text
}

/// One statement for each of many users, as a policy of a team grows.
fn of_users(index: usize) -> String {
    format!(
        r#"{{"Sid":"User{index}","Effect":"Allow","Principal":{{"CW":"arn:aws:iam::org-b:coreweave/user-{index}"}},"Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::{BUCKET}/home/user-{index}/*"}}"#
    )
}

/// For everybody, by the address.
fn of_networks(index: usize) -> String {
    format!(
        r#"{{"Effect":"Allow","Principal":"*","Action":"s3:Get*","Resource":"arn:aws:s3:::{BUCKET}/*","Condition":{{"IpAddress":{{"aws:SourceIp":"10.0.{index}.0/24"}}}}}}"#
    )
}

/// As many patterns as a policy may have that must be searched for, and such as come close everywhere.
fn of_patterns() -> String {
    let list = vec![r#""*abb*""#; 256].join(",");
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{{"StringLike":{{"s3:prefix":[{list}]}}}}}}}}"#
    )
}

struct Prefix(String);

impl Facts for Prefix {
    fn values(&self, _: &ContextKey) -> Option<Values<'_>> {
        Some(std::iter::once(self.0.as_str().into()).collect())
    }
}

const LAST: &str = r#"{"Sid":"Last","Effect":"Allow","Principal":{"CW":"org-b"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::holiday-pictures/photos/*"}"#;

fn policy(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("policy");
    let users = policy_of(of_users, LAST);
    let networks = policy_of(of_networks, LAST);
    for (name, text) in [("users", &users), ("networks", &networks), ("patterns", &of_patterns())] {
        group.bench_function(format!("parse/{name}"), |bencher| {
            bencher.iter(|| Document::parse(black_box(text.as_bytes()), Layer::Bucket(BUCKET)));
        });
    }
    let document =
        |text: &str| Document::parse(text.as_bytes(), Layer::Bucket(BUCKET)).expect("a good policy");
    let (users, networks, patterns) = (document(&users), document(&networks), document(&of_patterns()));
    let photo = "photos/2026/07/IMG_4711 (edited).jpg";
    let request =
        |key| Request { action: Action::GetObject, bucket: BUCKET, key: Some(key), principal: STRANGER };
    let (allowed, denied) = (Effect::Allowed, Effect::Denied);
    for (name, bucket, key, is_member, effect) in [
        ("nothing_configured", None, photo, true, allowed),
        ("users/member", Some(&users), photo, true, allowed),
        ("users/last_statement", Some(&users), photo, false, allowed),
        ("users/no_statement", Some(&users), "music/1.flac", false, denied),
        ("networks/last_statement", Some(&networks), photo, false, allowed),
        ("networks/no_statement", Some(&networks), "music/1.flac", false, denied),
    ] {
        let layers = Layers { requester_org: &[], owner_org: &[], bucket, is_member };
        assert_eq!(decide(&request(key), &Client, &layers).effect, effect, "{name}");
        group.bench_function(format!("decide/{name}"), |bencher| {
            bencher.iter(|| decide(black_box(&request(key)), &Client, &layers));
        });
    }
    for bytes in [1024, 8 * 1024] {
        let layers = Layers { requester_org: &[], owner_org: &[], bucket: Some(&patterns), is_member: false };
        let facts = Prefix("ab".repeat(bytes / 2));
        group.bench_function(format!("decide/worst_patterns/{bytes}"), |bencher| {
            bencher.iter(|| decide(black_box(&request(photo)), &facts, &layers));
        });
    }
    group.finish();
}

criterion_group!(benches, policy);
criterion_main!(benches);
