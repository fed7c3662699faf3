//! Requests that cost much, and those that come meanwhile.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use super::fixture::content_md5;
use super::node::{Ask, Node, OWNER};
use crate::config::limits::POLICY_SEARCHES_MAX;

const BUCKET: &str = "some-bucket";

/// As dear as a policy can be for each key.
fn dear_policy() -> String {
    let resource = ["arn:aws:s3:::*a?c*"; POLICY_SEARCHES_MAX].as_slice();
    json!({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": resource}})
        .to_string()
}

#[test]
fn judging_many_keys_holds_nobody_up() {
    let mut node = Node::start();
    node.create_bucket(&OWNER, BUCKET);
    node.set_policy(&OWNER, BUCKET, &dear_policy());
    let mut body = String::from("<Delete>");
    for number in 0..100 {
        let key = "ab".repeat(500);
        write!(body, "<Object><Key>{key}{number}</Key></Object>").expect("a string takes everything");
    }
    body += "</Delete>";
    let md5 = content_md5(&body);
    let delete = Ask::new("POST", format!("/{BUCKET}")).query("delete").header("content-md5", md5).body(body);
    let deleting = node.ask_aside(Some(&OWNER), &delete);
    let (began, mut longest) = (Instant::now(), Duration::ZERO);
    while !deleting.is_answered() {
        let asked = Instant::now();
        let reply = node.ask(Some(&OWNER), &Ask::new("HEAD", format!("/{BUCKET}")));
        assert_eq!(reply.status, 200);
        longest = longest.max(asked.elapsed());
    }
    let whole = began.elapsed();
    assert!(longest * 4 < whole, "another waited {longest:?} of {whole:?}");
}
