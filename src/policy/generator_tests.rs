//! Policies and requests by chance, from small stocks in which almost everything is almost something else, so that they
//! meet often and miss narrowly.

use serde_json::{Map, Value, json};

use super::super::{Action, Principal, Request};
use super::reference::{Context, Policies};

/// SplitMix64.
pub(in crate::policy) struct Dice(u64);

impl Dice {
    pub(in crate::policy) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(in crate::policy) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub(in crate::policy) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(in crate::policy) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub(in crate::policy) fn of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }

    /// One to `most` of a stock, as a policy writes them: alone or in an array.
    fn some(&mut self, most: usize, one: impl FnMut(&mut Self) -> Value) -> Value {
        let mut one = one;
        if self.percent(40) {
            return one(self);
        }
        let count = 1 + self.below(most);
        Value::Array((0..count).map(|_| one(self)).collect())
    }
}

pub(in crate::policy) const BUCKETS: [&str; 3] = ["b", "bb", "data"];
const ORGS: [&str; 3] = ["org-a", "org-b", "Org-a"];
const USERS: [&str; 5] = ["alice", "bob", "al*", "?lice", "Alice"];
const ACCESS_KEYS: [&str; 3] = ["AKALICE", "AKBOB", "org-a"];
const KEYS: [&str; 16] = [
    "k",
    "a/b",
    "alice/x",
    "al*/x",
    "?lice/x",
    "home/é",
    "home/",
    "?",
    "*",
    "${aws:username}/x",
    "logs/2026/1.txt",
    "K",
    "nobody/x",
    "b",
    "a/b/x",
    "éa/éb",
];

/// Of patterns for the object's key, behind `arn:aws:s3:::BUCKET`.
const KEY_PATTERNS: [&str; 22] = [
    "",
    "*",
    "/*",
    "/k",
    "/?",
    "/a/*",
    "/*/x",
    "/*x",
    "/${aws:username}/*",
    "/${aws:username, 'nobody'}/x",
    "/home/?",
    "/home/*",
    "/${*}",
    "/${?}",
    "/${aws:PrincipalTag/team}/*",
    "/logs/????/?.txt",
    "/*/*/*",
    "/??/*",
    "/*?/?*",
    "/${s3:prefix}*",
    "?k",
    "/?a/*b",
];

const ACTION_PATTERNS: [&str; 20] = [
    "*",
    "s3:*",
    "s3:Get*",
    "s3:GetObject",
    "s3:GetObject*",
    "s3:getobject",
    "s3:?etObject",
    "s3:*Object",
    "s3:PutObject",
    "s3:PUTOBJECT",
    "s3:ListBucket",
    "s3:ListBucket*",
    "s3:GetObjectVersion",
    "s3:*Tagging",
    "s3:DeleteObject",
    "s3:DeleteObject?*",
    "s3:*Acl",
    "s3:PutBucketPolicy",
    "s3:List*",
    "s3:PutBucketCORS",
];

/// A condition key, the values that policies and requests have for it, and whether a request may have several.
struct Key {
    name: &'static str,
    values: &'static [&'static str],
    kind: Kind,
    is_list: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Number,
    Date,
    Bool,
    Address,
    Arn,
}

const fn key(name: &'static str, kind: Kind, values: &'static [&'static str]) -> Key {
    Key { name, values, kind, is_list: false }
}

const PREFIXES: &[&str] =
    &["", "home/", "home/alice", "Home/", "alice", "al*", "*", "?", "${aws:username}", "é"];
const TAGS: &[&str] = &["red", "RED", "blue", "r*", "alice", ""];

const CONTEXT_KEYS: [Key; 22] = [
    key(
        "aws:SourceIp",
        Kind::Address,
        &["10.0.0.1", "10.0.1.7", "192.168.0.1", "::1", "2001:db8::7", "::ffff:10.0.0.1"],
    ),
    key("aws:SecureTransport", Kind::Bool, &["true", "false"]),
    key("aws:UserAgent", Kind::Text, &["aws-cli/2.1", "aws-cli/1", "curl", "AWS-CLI/2.1", ""]),
    key(
        "aws:CurrentTime",
        Kind::Date,
        &["2026-11-25T03:00:00Z", "2026-11-25T02:59:59Z", "2026-11-26T00:00:00Z", "2024-02-29T23:59:59Z"],
    ),
    key("aws:EpochTime", Kind::Date, &["1795575600", "1795575599", "0", "1709251199"]),
    key("s3:prefix", Kind::Text, PREFIXES),
    key("s3:delimiter", Kind::Text, &["/", "", "//"]),
    key("s3:max-keys", Kind::Number, &["10", "1000", "9", "10.0", "-1", "x", "10.5"]),
    key("s3:VersionId", Kind::Text, &["null", "v1", "v2"]),
    key("s3:signatureAge", Kind::Number, &["600000", "0", "599999", "1"]),
    key("s3:authType", Kind::Text, &["REST-HEADER", "REST-QUERY-STRING"]),
    key("s3:x-amz-server-side-encryption-customer-algorithm", Kind::Text, &["AES256", "aes256"]),
    key("s3:if-none-match", Kind::Text, &["*", "\"etag\""]),
    key("s3:ExistingObjectTag/team", Kind::Text, TAGS),
    key("s3:ExistingObjectTag/Team", Kind::Text, TAGS),
    key("s3:RequestObjectTag/team", Kind::Text, TAGS),
    Key {
        name: "s3:RequestObjectTagKeys",
        values: &["team", "Team", "cost", "t*"],
        kind: Kind::Text,
        is_list: true,
    },
    key(
        "aws:PrincipalArn",
        Kind::Arn,
        &["arn:aws:iam::org-a:coreweave/alice", "arn:aws:iam::org-a:coreweave/al*"],
    ),
    key("aws:username", Kind::Text, &USERS),
    key("cw:PrincipalOrgID", Kind::Text, &ORGS),
    key("aws:PrincipalType", Kind::Text, &["User", "Anonymous"]),
    key("aws:SourceVpce", Kind::Text, &["vpce-1"]),
];

/// Keys that requests have of themselves.
fn is_of_principal(name: &str) -> bool {
    ["aws:PrincipalArn", "aws:username", "cw:PrincipalOrgID", "aws:PrincipalType", "aws:SourceVpce"]
        .contains(&name)
}

const TEXT_OPERATORS: [&str; 6] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
];
const COMPARISONS: [&str; 6] =
    ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"];
const TEXT_OPERANDS: [&str; 10] = [
    "${aws:username}",
    "home/${aws:username}",
    "${aws:username}*",
    "${aws:PrincipalTag/x, 'red'}",
    "${s3:ExistingObjectTag/team}",
    "${*}",
    "*",
    "?*",
    "home/*",
    "*/*?",
];
const DATE_OPERANDS: [&str; 5] =
    ["2026-11-25", "2026-11-25T03:00:00Z", "2026-11-25T05:00:00+02:00", "1795575600", "2024-03-01"];
const ADDRESS_OPERANDS: [&str; 9] = [
    "10.0.0.0/8",
    "10.0.0.0/24",
    "10.0.0.1",
    "10.0.0.1/32",
    "0.0.0.0/0",
    "::/0",
    "2001:db8::/32",
    "::1",
    "10.0.1.7/31",
];
const ARN_OPERANDS: [&str; 7] = [
    "arn:aws:iam::org-a:coreweave/alice",
    "arn:aws:iam::*:coreweave/${aws:username}",
    "arn:aws:iam::org-?:*",
    "arn:*:iam::org-a:*/alice",
    "arn:aws:iam:::*",
    "*:*:*:*:*:*",
    "arn:aws:s3:::b/*",
];

/// A document of this bucket, or of an organisation. Not every one is accepted: actions and resources may not fit.
pub(in crate::policy) fn document(dice: &mut Dice, bucket: Option<&str>) -> Value {
    let mut members = Map::new();
    match dice.below(5) {
        0 => {}
        1 => drop(members.insert("Version".into(), "2008-10-17".into())),
        _ => drop(members.insert("Version".into(), "2012-10-17".into())),
    }
    let count = 1 + dice.below(5);
    let statements = (0..count).map(|index| statement(dice, bucket, index)).collect::<Vec<_>>();
    let is_alone = count == 1 && dice.percent(50);
    let statements = if is_alone { statements[0].clone() } else { Value::Array(statements) };
    members.insert("Statement".into(), statements);
    Value::Object(members)
}

fn statement(dice: &mut Dice, bucket: Option<&str>, index: usize) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
    if dice.percent(30) {
        put("Sid", format!("s{index}").into());
    }
    let is_deny = dice.percent(50);
    put("Effect", if is_deny { "Deny" } else { "Allow" }.into());
    if bucket.is_some() || dice.percent(30) {
        let excludes = is_deny && dice.percent(30);
        put(if excludes { "NotPrincipal" } else { "Principal" }, principal(dice));
    }
    let excludes = dice.percent(10);
    put(if excludes { "NotAction" } else { "Action" }, dice.some(4, action));
    let excludes = dice.percent(10);
    put(if excludes { "NotResource" } else { "Resource" }, dice.some(3, |dice| resource(dice, bucket)));
    let conditions = [0, 0, 0, 1, 1, 1, 2, 3][dice.below(8)];
    if conditions > 0 || dice.percent(5) {
        put("Condition", condition(dice, conditions));
    }
    Value::Object(members)
}

fn principal(dice: &mut Dice) -> Value {
    if dice.percent(50) {
        return "*".into();
    }
    let kind = dice.of(&["AWS", "CW"]);
    json!({ kind: dice.some(3, |dice| {
        let (org, user) = (dice.of(&ORGS), dice.of(&["alice", "bob", "Alice", "*"]));
        match dice.below(10) {
            0 => "*".to_owned(),
            1 => org.to_owned(),
            2 => format!("arn:aws:iam::{org}:root"),
            3 => format!("arn:aws:iam::{org}:*"),
            4 => format!("arn:aws:iam::{org}:user/{user}"),
            5 => format!("arn:aws:iam:::user/{}", dice.of(&ACCESS_KEYS)),
            6 => format!("arn:aws:iam::{org}:saml/{user}"),
            7 => format!("arn:aws:iam:::coreweave/{user}"),
            _ => format!("arn:aws:iam::{org}:coreweave/{user}"),
        }.into()
    }) })
}

fn action(dice: &mut Dice) -> Value {
    if dice.percent(30) {
        return dice.of(&["*", "s3:*", "S3:*"]).into();
    }
    if dice.percent(25) {
        return Action::ALL[dice.below(Action::ALL.len())].name().into();
    }
    dice.of(&ACTION_PATTERNS).into()
}

fn resource(dice: &mut Dice, bucket: Option<&str>) -> Value {
    if dice.percent(10) {
        return dice.of(&["*", "arn:aws:s3:::*", "arn:aws:s3:::?*", "arn:aws:s3:::*/*"]).into();
    }
    if let Some(bucket) = bucket.filter(|_| dice.percent(30)) {
        return format!("arn:aws:s3:::{bucket}*").into();
    }
    let bucket = match bucket {
        Some(bucket) if dice.percent(90) => bucket,
        _ => dice.of(&["b", "bb", "b*", "?", "data", "*a"]),
    };
    format!("arn:aws:s3:::{bucket}{}", dice.of(&KEY_PATTERNS)).into()
}

fn condition(dice: &mut Dice, count: usize) -> Value {
    let mut operators = Map::new();
    for _ in 0..count {
        let key = &CONTEXT_KEYS[dice.below(CONTEXT_KEYS.len())];
        // Now and then an operator of another kind than the key's.
        let kinds = [Kind::Text, Kind::Number, Kind::Date, Kind::Bool, Kind::Address, Kind::Arn];
        let kind = if dice.percent(75) { key.kind } else { kinds[dice.below(kinds.len())] };
        let (operator, values) = match dice.below(12) {
            0 => ("Null".to_owned(), dice.some(2, |dice| dice.of(&["true", "false", "True"]).into())),
            1 => ("BinaryEquals".to_owned(), dice.some(2, |dice| dice.of(&["", "cmVk", "aG9tZS8="]).into())),
            _ => (operator(dice, kind, key.is_list), dice.some(3, |dice| operand(dice, kind, key))),
        };
        let keys = operators.entry(operator).or_insert_with(|| json!({}));
        let keys = keys.as_object_mut().expect("an object");
        let name = if dice.percent(20) && !key.name.contains('/') {
            key.name.to_uppercase()
        } else {
            key.name.into()
        };
        keys.insert(name, values);
    }
    Value::Object(operators)
}

fn operator(dice: &mut Dice, kind: Kind, is_list: bool) -> String {
    let name = match kind {
        Kind::Text => dice.of(&TEXT_OPERATORS).to_owned(),
        Kind::Number => format!("Numeric{}", dice.of(&COMPARISONS)),
        Kind::Date => format!("Date{}", dice.of(&COMPARISONS)),
        Kind::Bool => "Bool".to_owned(),
        Kind::Address => dice.of(&["IpAddress", "NotIpAddress"]).to_owned(),
        Kind::Arn => dice.of(&["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"]).to_owned(),
    };
    let qualifier = match dice.below(if is_list { 6 } else { 12 }) {
        0 | 1 => "ForAnyValue:",
        2 | 3 => "ForAllValues:",
        _ => "",
    };
    format!("{qualifier}{name}{}", if dice.percent(20) { "IfExists" } else { "" })
}

fn operand(dice: &mut Dice, kind: Kind, key: &Key) -> Value {
    match kind {
        Kind::Text if dice.percent(40) => dice.of(&TEXT_OPERANDS).into(),
        Kind::Text => dice.of(key.values).into(),
        Kind::Number if dice.percent(30) => [10, 1000, -1, 600_000][dice.below(4)].into(),
        Kind::Number => dice.of(&["10", "9", "10.0", "10.5", "600000", "1795575600"]).into(),
        Kind::Date => dice.of(&DATE_OPERANDS).into(),
        Kind::Bool if dice.percent(30) => dice.percent(50).into(),
        Kind::Bool => dice.of(&["true", "false", "TRUE"]).into(),
        Kind::Address => dice.of(&ADDRESS_OPERANDS).into(),
        Kind::Arn => dice.of(&ARN_OPERANDS).into(),
    }
}

/// All layers for one bucket, some of them empty.
pub(in crate::policy) fn policies(dice: &mut Dice, bucket: &str) -> Policies {
    let of_org = |dice: &mut Dice, chance: usize| -> Vec<Value> {
        let count = if dice.percent(chance) { 1 + dice.below(2) } else { 0 };
        (0..count).map(|_| document(dice, None)).collect()
    };
    Policies {
        requester_org: of_org(dice, 25),
        owner_org: of_org(dice, 25),
        bucket: dice.percent(90).then(|| document(dice, Some(bucket))),
        is_member: dice.percent(50),
    }
}

pub(in crate::policy) fn request<'a>(dice: &mut Dice, bucket: &'a str) -> Request<'a> {
    let frequent = [Action::GetObject, Action::PutObject, Action::ListBucket, Action::GetObjectVersion];
    let action = match dice.below(2) {
        0 => frequent[dice.below(frequent.len())],
        _ => Action::ALL[dice.below(Action::ALL.len())],
    };
    let principal = match dice.below(5) {
        0 => Principal::Anonymous,
        _ => {
            Principal::User { org: dice.of(&ORGS), user: dice.of(&USERS), access_key: dice.of(&ACCESS_KEYS) }
        }
    };
    Request { action, bucket, key: Some(dice.of(&KEYS)), principal }
}

pub(in crate::policy) fn context(dice: &mut Dice) -> Context {
    let mut context = Context::new();
    for key in CONTEXT_KEYS.iter().filter(|key| !is_of_principal(key.name)) {
        if dice.percent(40) {
            continue;
        }
        let count = if key.is_list { dice.below(4) } else { 1 };
        let values: Vec<String> = (0..count).map(|_| dice.of(key.values).to_owned()).collect();
        let name = match key.name.split_once('/') {
            Some((family, tag)) => format!("{}/{tag}", family.to_lowercase()),
            None => key.name.to_lowercase(),
        };
        if !values.is_empty() {
            context.insert(name, values);
        }
    }
    context
}
