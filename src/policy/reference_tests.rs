//! The rules of policies once more, straight from their text and on the JSON as it stands: no parser, nothing prepared,
//! nothing fast. Judges documents that are known to be well formed.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

use super::super::{Action, Effect, Principal, Request, ResourceKind};

/// The values of condition keys by their names in lower case; the name of a tag as it is.
pub(in crate::policy) type Context = BTreeMap<String, Vec<String>>;

/// Everything that has a say, as JSON.
pub(in crate::policy) struct Policies {
    pub(super) requester_org: Vec<Value>,
    pub(super) owner_org: Vec<Value>,
    pub(super) bucket: Option<Value>,
    pub(super) is_member: bool,
}

pub(super) fn decide(request: &Request<'_>, context: &Context, policies: &Policies) -> Effect {
    let is_anonymous = matches!(request.principal, Principal::Anonymous);
    let is_member = policies.is_member && !is_anonymous;
    let action = request.action;
    if action == Action::PutBucketPolicy && !is_member {
        return Effect::Denied;
    }
    let own: Vec<&Value> = policies.requester_org.iter().collect();
    let foreign: Vec<&Value> = policies.owner_org.iter().filter(|_| !is_member).collect();
    let skips = [Action::PutBucketPolicy, Action::ListAllMyBuckets, Action::CreateBucket].contains(&action);
    let bucket: Vec<&Value> = policies.bucket.iter().filter(|_| !skips).collect();

    let says = |documents: &[&Value], effect: &str, is_of_org: bool| {
        documents.iter().any(|document| says(document, effect, request, context, is_of_org))
    };
    if says(&own, "Deny", !is_anonymous) {
        return Effect::DeniedExplicitly;
    }
    if !own.is_empty() && !says(&own, "Allow", !is_anonymous) {
        return Effect::Denied;
    }
    if says(&foreign, "Deny", false) || says(&bucket, "Deny", is_member) {
        return Effect::DeniedExplicitly;
    }
    if is_member || says(&bucket, "Allow", is_member) { Effect::Allowed } else { Effect::Denied }
}

/// Whether a statement with this effect applies.
fn says(document: &Value, effect: &str, request: &Request<'_>, context: &Context, is_of_org: bool) -> bool {
    let has_variables = document["Version"] == "2012-10-17";
    let judge = Judge { request, context, has_variables };
    list(&document["Statement"])
        .iter()
        .any(|statement| statement["Effect"] == effect && judge.applies(statement, is_of_org))
}

/// A value, or the values of an array.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        value => vec![value],
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

struct Judge<'a> {
    request: &'a Request<'a>,
    context: &'a Context,
    has_variables: bool,
}

impl Judge<'_> {
    fn applies(&self, statement: &Value, is_of_org: bool) -> bool {
        let principal = match (statement.get("Principal"), statement.get("NotPrincipal")) {
            (Some(principal), _) => self.is_principal(principal),
            (None, Some(principal)) => !self.is_principal(principal),
            (None, None) => is_of_org,
        };
        let action = match (statement.get("Action"), statement.get("NotAction")) {
            (Some(action), _) => self.is_action(action),
            (None, Some(action)) => !self.is_action(action),
            (None, None) => panic!("neither Action nor NotAction"),
        };
        let resource = match (statement.get("Resource"), statement.get("NotResource")) {
            (Some(resource), _) => self.is_resource(resource),
            (None, Some(resource)) => !self.is_resource(resource),
            (None, None) => panic!("neither Resource nor NotResource"),
        };
        principal && action && resource && self.conditions_hold(statement.get("Condition"))
    }

    fn is_principal(&self, value: &Value) -> bool {
        if let Value::Object(kinds) = value {
            return kinds.values().flat_map(list).any(|name| self.is_principal(name));
        }
        let name = value.as_str().expect("a principal is a string");
        if name == "*" {
            return true;
        }
        let Principal::User { org, user, access_key } = self.request.principal else { return false };
        let mut forms = vec![
            org.to_owned(),
            format!("arn:aws:iam:::user/{access_key}"),
            format!("arn:aws:iam::{org}:root"),
            format!("arn:aws:iam::{org}:*"),
        ];
        for kind in ["coreweave", "user"] {
            forms.push(format!("arn:aws:iam::{org}:{kind}/{user}"));
            forms.push(format!("arn:aws:iam::{org}:{kind}/*"));
        }
        forms.iter().any(|form| form == name)
    }

    fn is_action(&self, value: &Value) -> bool {
        let mut names = vec![self.request.action.name()];
        if self.request.action == Action::GetObjectVersionAttributes {
            names.push("s3:GetObjectVersion");
        }
        names.extend(match self.request.action {
            Action::GetObjectVersion
            | Action::GetObjectVersionAcl
            | Action::GetObjectAcl
            | Action::GetObjectVersionAttributes
            | Action::GetObjectAttributes => Some("s3:GetObject"),
            Action::GetObjectVersionTagging => Some("s3:GetObjectTagging"),
            Action::PutObjectVersionTagging => Some("s3:PutObjectTagging"),
            Action::DeleteObjectVersionTagging => Some("s3:DeleteObjectTagging"),
            Action::ListBucketVersions | Action::GetBucketAcl => Some("s3:ListBucket"),
            _ => None,
        });
        list(value).into_iter().any(|pattern| {
            let pattern = wild(&text_of(pattern).to_lowercase());
            names.iter().any(|name| like(&pattern, &name.to_lowercase()))
        })
    }

    fn is_resource(&self, value: &Value) -> bool {
        let Request { action, bucket, key, .. } = *self.request;
        let resource = match action.resource() {
            ResourceKind::Service => String::new(),
            ResourceKind::Bucket => bucket.to_owned(),
            ResourceKind::Object => bucket.to_owned() + "/" + key.expect("an object's action has a key"),
        };
        let arn = format!("arn:aws:s3:::{resource}");
        list(value).into_iter().any(|pattern| {
            let pattern = self.resolve(&text_of(pattern), true);
            pattern.is_some_and(|pattern| like(&pattern, &arn))
        })
    }

    fn conditions_hold(&self, conditions: Option<&Value>) -> bool {
        let Some(conditions) = conditions else { return true };
        conditions.as_object().expect("an object").iter().all(|(operator, keys)| {
            let keys = keys.as_object().expect("an object");
            keys.iter().all(|(key, values)| self.condition_holds(operator, key, &list(values)))
        })
    }

    fn condition_holds(&self, operator: &str, key: &str, operands: &[&Value]) -> bool {
        let values = self.values(key);
        let (qualifier, operator) = operator.split_once(':').unwrap_or(("", operator));
        if operator == "Null" {
            let is_absent = values.is_none();
            return operands.iter().any(|operand| text_of(operand).to_lowercase() == is_absent.to_string());
        }
        let (operator, if_exists) = match operator.strip_suffix("IfExists") {
            Some(operator) => (operator, true),
            None => (operator, false),
        };
        let positive = operator.replace("Not", "");
        let is_negated = positive != operator;
        let Some(values) = values else {
            return if_exists
                || match qualifier {
                    "ForAllValues" => true,
                    "ForAnyValue" => false,
                    _ => is_negated,
                };
        };
        let is_like_one = |value: &String| {
            operands.iter().any(|operand| self.compares(&positive, value, &text_of(operand)))
        };
        match (qualifier, is_negated) {
            ("" | "ForAnyValue", false) => values.iter().any(is_like_one),
            ("" | "ForAllValues", true) => !values.iter().any(is_like_one),
            ("ForAnyValue", true) => !values.iter().all(is_like_one),
            ("ForAllValues", false) => values.iter().all(is_like_one),
            _ => panic!("no qualifier: {qualifier}"),
        }
    }

    /// One value of the request with one of the document.
    fn compares(&self, operator: &str, value: &str, operand: &str) -> bool {
        let plain = || {
            let signs = self.resolve(operand, false);
            signs.map(|signs| signs.iter().map(|(char, _)| *char).collect::<String>())
        };
        match operator {
            "StringEquals" => plain().is_some_and(|operand| operand == value),
            "StringEqualsIgnoreCase" => {
                plain().is_some_and(|operand| operand.to_lowercase() == value.to_lowercase())
            }
            "StringLike" => self.resolve(operand, true).is_some_and(|pattern| like(&pattern, value)),
            "ArnEquals" | "ArnLike" => {
                let values: Vec<&str> = value.splitn(6, ':').collect();
                self.arn(operand).is_some_and(|parts| {
                    parts.len() == values.len()
                        && parts.iter().zip(values).all(|(part, value)| like(part, value))
                })
            }
            "Bool" => {
                let value = value.to_lowercase();
                ["true", "false"].contains(&value.as_str()) && value == operand.to_lowercase()
            }
            "BinaryEquals" => {
                use base64::Engine as _;
                base64::engine::general_purpose::STANDARD.encode(value) == operand
            }
            "IpAddress" => is_in(value, operand),
            numeric if numeric.starts_with("Numeric") => {
                holds(&numeric["Numeric".len()..], number(value), number(operand))
            }
            date => holds(&date["Date".len()..], date_of(value), date_of(operand)),
        }
    }

    fn values(&self, key: &str) -> Option<Vec<String>> {
        let lower = key.to_lowercase();
        let key = match lower.rsplit_once('/') {
            Some((family, _)) => format!("{family}/{}", &key[family.len() + 1..]),
            None => lower,
        };
        let user = match self.request.principal {
            Principal::Anonymous => None,
            Principal::User { org, user, .. } => Some((org, user)),
        };
        let value = match key.as_str() {
            "aws:principaltype" => Some(user.map_or("Anonymous".to_owned(), |_| "User".to_owned())),
            "aws:userid" => Some(user.map_or("anonymous".to_owned(), |(_, user)| user.to_owned())),
            "aws:username" => user.map(|(_, user)| user.to_owned()),
            "aws:principalarn" => user.map(|(org, user)| format!("arn:aws:iam::{org}:coreweave/{user}")),
            "cw:principalorgid" | "aws:principalorgid" | "aws:principalaccount" => {
                user.map(|(org, _)| org.to_owned())
            }
            "aws:viaawsservice" | "aws:principalisawsservice" => user.map(|_| "false".to_owned()),
            "aws:resourceorgid" | "s3:resourceaccount" => {
                return self.context.get("aws:resourceaccount").cloned();
            }
            key => return self.context.get(key).cloned(),
        };
        value.map(|value| vec![value])
    }

    /// The signs of a text, each with whether it is a wildcard. `None` where a variable has no value.
    fn resolve(&self, text: &str, has_wildcards: bool) -> Option<Vec<(char, bool)>> {
        let chars: Vec<char> = text.chars().collect();
        let mut signs = Vec::new();
        let mut at = 0;
        while at < chars.len() {
            if self.has_variables && chars[at] == '$' && chars.get(at + 1) == Some(&'{') {
                let inside = variable(&chars[at + 2..]);
                let value = self.variable_value(&inside)?;
                signs.extend(value.chars().map(|char| (char, false)));
                at += 3 + inside.chars().count();
            } else {
                signs.push((chars[at], has_wildcards && "*?".contains(chars[at])));
                at += 1;
            }
        }
        Some(signs)
    }

    fn variable_value(&self, inside: &str) -> Option<String> {
        if ["*", "?", "$"].contains(&inside) {
            return Some(inside.to_owned());
        }
        let (name, default) = match inside.split_once(',') {
            Some((name, default)) => (name, Some(default.trim().trim_matches('\'').to_owned())),
            None => (inside, None),
        };
        match self.values(name.trim()) {
            Some(values) if values.len() == 1 => values.into_iter().next(),
            _ => default,
        }
    }

    /// The six parts of an ARN, cut at colons outside of variables.
    fn arn(&self, text: &str) -> Option<Vec<Vec<(char, bool)>>> {
        let mut parts = vec![String::new()];
        let mut depth = 0;
        for char in text.chars() {
            match char {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if char == ':' && depth == 0 && parts.len() < 6 {
                parts.push(String::new());
            } else {
                parts.last_mut().expect("a part").push(char);
            }
        }
        parts.iter().map(|part| self.resolve(part, true)).collect()
    }
}

/// What stands before the brace that ends a variable; braces in quotes do not.
fn variable(chars: &[char]) -> String {
    let mut is_quoted = false;
    let inside = chars.iter().take_while(|char| {
        is_quoted ^= **char == '\'';
        is_quoted || **char != '}'
    });
    inside.collect()
}

fn wild(text: &str) -> Vec<(char, bool)> {
    text.chars().map(|char| (char, "*?".contains(char))).collect()
}

/// Every prefix of the pattern against every prefix of the text.
fn like(pattern: &[(char, bool)], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut row: Vec<bool> = vec![false; text.len() + 1];
    row[0] = true;
    for sign in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match sign {
                ('*', true) => row[at] || (at > 0 && next[at - 1]),
                ('?', true) => at > 0 && row[at - 1],
                (char, _) => at > 0 && row[at - 1] && text[at - 1] == *char,
            };
        }
        row = next;
    }
    row[text.len()]
}

fn holds(comparison: &str, value: Option<i128>, operand: Option<i128>) -> bool {
    let (Some(value), Some(operand)) = (value, operand) else { return false };
    match comparison {
        "Equals" => value == operand,
        "LessThan" => value < operand,
        "LessThanEquals" => value <= operand,
        "GreaterThan" => value > operand,
        "GreaterThanEquals" => value >= operand,
        _ => panic!("no comparison: {comparison}"),
    }
}

/// A decimal number in billionths.
fn number(text: &str) -> Option<i128> {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    if whole.is_empty()
        || ![whole, fraction].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return None;
    }
    let value: i128 = format!("{whole}{fraction:0<9}").parse().ok()?;
    Some(if is_negative { -value } else { value })
}

/// A time in seconds: `2026-11-25`, `2026-11-25T03:00:00Z`, `2026-11-25T03:00:00+02:00` or seconds.
fn date_of(text: &str) -> Option<i128> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i128>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    // Days since 1970-01-01, with years that begin in March.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    if text.len() == 10 {
        return Some(days * 86_400);
    }
    let seconds = number(11..13)? * 3_600 + number(14..16)? * 60 + number(17..19)?;
    let offset = match text.get(19..)? {
        "Z" => 0,
        offset => {
            let minutes =
                offset.get(1..3)?.parse::<i128>().ok()? * 60 + offset.get(4..6)?.parse::<i128>().ok()?;
            if offset.starts_with('-') { -minutes * 60 } else { minutes * 60 }
        }
    };
    Some(days * 86_400 + seconds - offset)
}

fn is_in(value: &str, network: &str) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (32, u128::from(address.to_bits())),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => (32, u128::from(address.to_bits())),
            None => (128, address.to_bits()),
        },
    };
    let Ok(value) = value.parse::<IpAddr>() else { return false };
    let (address, length) = network.split_once('/').unwrap_or((network, "x"));
    let network = bits(address.parse::<IpAddr>().expect("an address"));
    let value = bits(value);
    let length = length.parse().unwrap_or(network.0);
    value.0 == network.0 && (length == 0 || (value.1 ^ network.1) >> (network.0 - length) == 0)
}
