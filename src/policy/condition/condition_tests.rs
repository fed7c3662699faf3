use std::collections::BTreeMap;

use super::super::pairs_tests::ContextFacts;
use super::super::{Action, Principal, Request};
use super::operator::Operator;
use super::*;

const ALICE: Principal<'_> = Principal::User { org: "org-a", user: "alice", access_key: "AKALICE" };

fn parse(text: &str, has_variables: bool) -> Result<Vec<Condition>, String> {
    let json = Json::parse(text.as_bytes()).expect("JSON");
    Condition::parse_all(&json, has_variables, &Place::root("Condition")).map_err(|error| error.to_string())
}

/// Whether a condition holds for a request by this principal with these values of keys, by lower-case names.
fn holds_for(principal: Principal<'_>, text: &str, has_variables: bool, keys: &[(&str, &[&str])]) -> bool {
    let conditions = parse(text, has_variables).expect("good conditions");
    let own = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let context: BTreeMap<String, Vec<String>> =
        keys.iter().map(|(key, values)| ((*key).to_owned(), own(values))).collect();
    let request = Request { action: Action::GetObject, bucket: "b", key: Some("k"), principal };
    let facts = ContextFacts(&context);
    let scene = Scene::new(&request, &facts);
    conditions.iter().all(|condition| condition.holds(&scene))
}

fn holds(operator: &str, operands: &str, values: &[&str]) -> bool {
    let text = format!(r#"{{"{operator}": {{"s3:prefix": {operands}}}}}"#);
    let keys = [("s3:prefix", values)];
    holds_for(ALICE, &text, true, if values.is_empty() { &[] } else { &keys })
}

/// Operator, operands, value, and whether it holds.
const COMPARISONS: &[(&str, &str, &str, bool)] = &[
    ("StringEquals", r#""a""#, "a", true),
    ("StringEquals", r#""a""#, "A", false),
    ("StringEquals", r#"["b", "a"]"#, "a", true),
    ("StringEquals", r#""a*""#, "ab", false),
    ("StringEquals", r#""a*""#, "a*", true),
    ("StringEquals", r#""""#, "", true),
    ("StringEquals", "10", "10", true),
    ("StringEquals", "true", "true", true),
    ("StringEqualsIgnoreCase", r#""aÉ""#, "Aé", true),
    ("StringEqualsIgnoreCase", r#""a""#, "b", false),
    ("StringLike", r#""a*""#, "ab", true),
    ("StringLike", r#""a*""#, "Ab", false),
    ("StringLike", r#""a?""#, "aé", true),
    ("StringLike", r#""a${*}""#, "ab", false),
    ("StringLike", r#""a${*}""#, "a*", true),
    ("NumericEquals", r#""10""#, "10.0", true),
    ("NumericEquals", "10", "11", false),
    ("NumericEquals", "10", "x", false),
    ("NumericEquals", "10", "", false),
    ("NumericEquals", "[1, 2.5, -3]", "-3", true),
    ("NumericEquals", r#""1e3""#, "1000", true),
    ("NumericLessThan", "10", "9", true),
    ("NumericLessThan", "10", "10", false),
    ("NumericLessThanEquals", "10", "10", true),
    ("NumericLessThanEquals", "10", "10.5", false),
    ("NumericGreaterThan", "10", "10", false),
    ("NumericGreaterThan", "10", "11", true),
    ("NumericGreaterThan", "[100, 1]", "11", true),
    ("NumericGreaterThanEquals", "10", "10", true),
    ("NumericGreaterThanEquals", "10", "9.9", false),
    ("DateEquals", r#""2026-11-25""#, "2026-11-25T00:00:00Z", true),
    ("DateEquals", r#""2026-11-25T02:00:00+02:00""#, "2026-11-25T00:00:00.000Z", true),
    ("DateEquals", "1795564800", "2026-11-25T00:00:00Z", true),
    ("DateEquals", r#""2026-11-25""#, "never", false),
    ("DateLessThan", r#""2026-11-25""#, "2026-11-24T23:59:59Z", true),
    ("DateLessThan", r#""2026-11-25""#, "2026-11-25T00:00:00Z", false),
    ("DateLessThanEquals", r#""2026-11-25""#, "2026-11-25T00:00:00Z", true),
    ("DateGreaterThan", r#""2026-11-25""#, "1795564801", true),
    ("DateGreaterThan", r#""2026-11-25""#, "1795564800", false),
    ("DateGreaterThanEquals", r#""2026-11-25""#, "1795564800", true),
    ("Bool", r#""true""#, "true", true),
    ("Bool", r#""TRUE""#, "True", true),
    ("Bool", "false", "true", false),
    ("Bool", "false", "no", false),
    ("Bool", r#"["true", "false"]"#, "false", true),
    ("BinaryEquals", r#""YWI=""#, "ab", true),
    ("BinaryEquals", r#""YWI=""#, "YWI=", false),
    ("IpAddress", r#""10.0.0.0/8""#, "10.255.0.1", true),
    ("IpAddress", r#""10.0.0.0/8""#, "11.0.0.1", false),
    ("IpAddress", r#""10.1.2.3/8""#, "10.255.0.1", true),
    ("IpAddress", r#""10.0.0.1""#, "10.0.0.1", true),
    ("IpAddress", r#""10.0.0.1""#, "10.0.0.2", false),
    ("IpAddress", r#""10.0.0.0/8""#, "::ffff:10.0.0.1", true),
    ("IpAddress", r#""::ffff:10.0.0.0/104""#, "10.0.0.1", true),
    ("IpAddress", r#""::ffff:10.0.0.1""#, "10.0.0.1", true),
    ("IpAddress", r#""0.0.0.0/0""#, "::1", false),
    ("IpAddress", r#""::/0""#, "10.0.0.1", false),
    ("IpAddress", r#""2001:db8::/32""#, "2001:db8:1::", true),
    ("IpAddress", r#"["10.0.0.0/8", "2001:db8::/32"]"#, "2001:db9::", false),
    ("IpAddress", r#""10.0.0.0/8""#, "10.0.0.1:80", false),
    ("ArnEquals", r#""arn:aws:iam::o:user/a""#, "arn:aws:iam::o:user/a", true),
    ("ArnEquals", r#""arn:aws:iam::o:user/*""#, "arn:aws:iam::o:user/a:b", true),
    ("ArnLike", r#""arn:aws:iam::*:user/?""#, "arn:aws:iam::o:user/a", true),
    // A wildcard does not go beyond its part.
    ("ArnLike", r#""arn:*:*:*:*:user/a""#, "arn:aws:iam::o:user/a", true),
    ("ArnLike", r#""arn:aws:iam::o*:*""#, "arn:aws:iam:r:o:user/a", false),
    ("ArnLike", r#""arn:aws:iam::*:${aws:username}""#, "arn:aws:iam::o:alice", true),
    ("ArnLike", r#""*:*:*:*:*:*""#, "alice", false),
];

#[test]
fn operators_compare() {
    for (operator, operands, value, expected) in COMPARISONS {
        for form in ["", "ForAnyValue:", "ForAllValues:"] {
            for suffix in ["", "IfExists"] {
                let operator = format!("{form}{operator}{suffix}");
                assert_eq!(holds(&operator, operands, &[value]), *expected, "{operator} {operands} {value}");
            }
        }
    }
}

#[test]
fn negated_operators_say_the_opposite() {
    for (operator, operands, value, expected) in COMPARISONS {
        let negated = match *operator {
            "StringEquals" => "StringNotEquals",
            "StringEqualsIgnoreCase" => "StringNotEqualsIgnoreCase",
            "StringLike" => "StringNotLike",
            "NumericEquals" => "NumericNotEquals",
            "DateEquals" => "DateNotEquals",
            "IpAddress" => "NotIpAddress",
            "ArnEquals" => "ArnNotEquals",
            "ArnLike" => "ArnNotLike",
            _ => continue,
        };
        assert_eq!(holds(negated, operands, &[value]), !expected, "{negated} {operands} {value}");
    }
}

/// One operand of its kind for every operator.
const OPERATORS: [(&str, &str, bool); 26] = [
    ("StringEquals", "x", false),
    ("StringNotEquals", "x", true),
    ("StringEqualsIgnoreCase", "x", false),
    ("StringNotEqualsIgnoreCase", "x", true),
    ("StringLike", "x", false),
    ("StringNotLike", "x", true),
    ("NumericEquals", "1", false),
    ("NumericNotEquals", "1", true),
    ("NumericLessThan", "1", false),
    ("NumericLessThanEquals", "1", false),
    ("NumericGreaterThan", "1", false),
    ("NumericGreaterThanEquals", "1", false),
    ("DateEquals", "1", false),
    ("DateNotEquals", "1", true),
    ("DateLessThan", "1", false),
    ("DateLessThanEquals", "1", false),
    ("DateGreaterThan", "1", false),
    ("DateGreaterThanEquals", "1", false),
    ("Bool", "true", false),
    ("BinaryEquals", "eA==", false),
    ("IpAddress", "10.0.0.1", false),
    ("NotIpAddress", "10.0.0.1", true),
    ("ArnEquals", "a:b:c:d:e:f", false),
    ("ArnLike", "a:b:c:d:e:f", false),
    ("ArnNotEquals", "a:b:c:d:e:f", true),
    ("ArnNotLike", "a:b:c:d:e:f", true),
];

#[test]
fn an_absent_key_makes_only_negated_operators_hold() {
    for (operator, operand, is_negated) in OPERATORS {
        let operand = format!("{operand:?}");
        let absent = |operator: &str| holds(operator, &operand, &[]);
        assert_eq!(absent(operator), is_negated, "{operator}");
        assert!(absent(&format!("{operator}IfExists")), "{operator}");
        assert!(!absent(&format!("ForAnyValue:{operator}")), "{operator}");
        assert!(absent(&format!("ForAllValues:{operator}")), "{operator}");
        assert!(absent(&format!("ForAnyValue:{operator}IfExists")), "{operator}");
        assert!(absent(&format!("ForAllValues:{operator}IfExists")), "{operator}");
    }
}

#[test]
fn if_exists_compares_a_key_that_is_there() {
    for (operator, operand, is_negated) in OPERATORS {
        // A value that compares with no operand, whatever the kind.
        let holds = holds(&format!("{operator}IfExists"), &format!("{operand:?}"), &["nothing like it"]);
        assert_eq!(holds, is_negated, "{operator}");
    }
}

#[test]
fn null_asks_for_the_presence() {
    assert!(holds("Null", r#""true""#, &[]));
    assert!(!holds("Null", r#""false""#, &[]));
    assert!(!holds("Null", r#""true""#, &["x"]));
    assert!(holds("Null", "false", &["x"]));
    assert!(holds("Null", "false", &[""]), "an empty value is a value");
    assert!(holds("Null", r#"["true", "false"]"#, &[]));
    // A key that this node never has.
    assert!(holds_for(ALICE, r#"{"Null": {"aws:PrincipalTag/team": "true"}}"#, true, &[]));
    assert!(!holds_for(ALICE, r#"{"Null": {"aws:username": "true"}}"#, true, &[]));
}

#[test]
fn several_values_count_as_the_qualifier_says() {
    let both = ["a", "b"];
    for (operator, operands, expected) in [
        ("StringEquals", r#""a""#, true),
        ("StringEquals", r#""c""#, false),
        ("StringNotEquals", r#""a""#, false),
        ("StringNotEquals", r#""c""#, true),
        ("ForAnyValue:StringEquals", r#""a""#, true),
        ("ForAnyValue:StringEquals", r#""c""#, false),
        ("ForAnyValue:StringNotEquals", r#""a""#, true),
        ("ForAnyValue:StringNotEquals", r#"["a", "b"]"#, false),
        ("ForAllValues:StringEquals", r#""a""#, false),
        ("ForAllValues:StringEquals", r#"["b", "a", "c"]"#, true),
        ("ForAllValues:StringNotEquals", r#""a""#, false),
        ("ForAllValues:StringNotEquals", r#""c""#, true),
        ("ForAllValues:StringLike", r#""?""#, true),
    ] {
        assert_eq!(holds(operator, operands, &both), expected, "{operator} {operands}");
    }
}

#[test]
fn keys_and_operators_must_all_hold() {
    let keys: &[(&str, &[&str])] = &[("s3:prefix", &["a"]), ("s3:delimiter", &["/"])];
    for (text, expected) in [
        ("{}", true),
        (r#"{"StringEquals": {}}"#, true),
        (r#"{"StringEquals": {"s3:prefix": "a", "s3:delimiter": "/"}}"#, true),
        (r#"{"StringEquals": {"s3:prefix": "a", "s3:delimiter": "x"}}"#, false),
        (r#"{"StringEquals": {"s3:prefix": "a"}, "StringLike": {"s3:delimiter": "x"}}"#, false),
        (r#"{"StringEquals": {"s3:prefix": "x"}, "StringLike": {"s3:delimiter": "?"}}"#, false),
    ] {
        assert_eq!(holds_for(ALICE, text, true, keys), expected, "{text}");
    }
}

#[test]
fn the_principal_answers_for_itself() {
    for (key, alice, anonymous) in [
        ("aws:username", Some("alice"), None),
        ("aws:userid", Some("alice"), Some("anonymous")),
        ("aws:PrincipalType", Some("User"), Some("Anonymous")),
        ("aws:PrincipalArn", Some("arn:aws:iam::org-a:coreweave/alice"), None),
        ("aws:PrincipalAccount", Some("org-a"), None),
        ("aws:PrincipalOrgID", Some("org-a"), None),
        ("cw:PrincipalOrgID", Some("org-a"), None),
        ("aws:PrincipalIsAWSService", Some("false"), None),
    ] {
        for (principal, value) in [(ALICE, alice), (Principal::Anonymous, anonymous)] {
            let text = match value {
                Some(value) => format!(r#"{{"StringEquals": {{"{key}": "{value}"}}}}"#),
                None => format!(r#"{{"Null": {{"{key}": "true"}}}}"#),
            };
            assert!(holds_for(principal, &text, true, &[]), "{text} {principal:?}");
        }
    }
}

#[test]
fn variables_stand_for_values_of_the_request() {
    let alices: &[(&str, &[&str])] = &[("s3:prefix", &["home/alice"])];
    let starred: &[(&str, &[&str])] = &[("s3:prefix", &["home/bob"]), ("s3:delimiter", &["*"])];
    let two: &[(&str, &[&str])] = &[("s3:prefix", &["home/"]), ("s3:delimiter", &["", ""])];
    for (operator, operand, keys, expected) in [
        ("StringEquals", "home/${aws:username}", alices, true),
        ("StringLike", "h*/${aws:username}", alices, true),
        ("StringEqualsIgnoreCase", "HOME/${aws:username}", alices, true),
        ("StringEquals", "home/${AWS:UserName}", alices, true),
        // A wildcard in a value is no wildcard.
        ("StringLike", "home/${s3:delimiter}", starred, false),
        ("StringLike", "home/*${s3:delimiter, 'x'}", starred, false),
        // Without a value a text equals nothing.
        ("StringEquals", "${aws:PrincipalTag/team}", alices, false),
        ("StringLike", "*${aws:PrincipalTag/team}", alices, false),
        ("StringNotEquals", "${aws:PrincipalTag/team}", alices, true),
        ("StringEquals", "home/${aws:PrincipalTag/team, 'alice'}", alices, true),
        ("StringLike", "home/${aws:PrincipalTag/team, '*'}", alices, false),
        // With several it has none.
        ("StringEquals", "home/${s3:delimiter}", two, false),
        ("StringEquals", "home/${s3:delimiter, ''}", two, true),
    ] {
        let text = format!(r#"{{"{operator}": {{"s3:prefix": "{operand}"}}}}"#);
        assert_eq!(holds_for(ALICE, &text, true, keys), expected, "{text}");
    }
    let literal: &[(&str, &[&str])] = &[("s3:prefix", &["home/${aws:username}"])];
    let text = r#"{"StringEquals": {"s3:prefix": "home/${aws:username}"}}"#;
    assert!(holds_for(ALICE, text, false, literal), "2008-10-17 has no variables");
    assert!(!holds_for(ALICE, text, false, alices));
}

#[test]
fn a_long_value_named_often_is_not_put_together() {
    let long = "x".repeat(8_000);
    let operand = "${s3:delimiter}".repeat(1_300);
    let text = format!(r#"{{"StringLike": {{"s3:prefix": ["{operand}", "{operand}*"]}}}}"#);
    assert!(!holds_for(ALICE, &text, true, &[("s3:prefix", &["x"]), ("s3:delimiter", &[&long])]));
}

#[test]
fn refuses_operators_keys_and_values_with_their_place() {
    for (text, message) in [
        ("1", "Invalid policy syntax (Condition)"),
        (r#"{"StringEquals": 1}"#, "Invalid policy syntax (Condition.StringEquals)"),
        (r#"{"stringequals": {}}"#, "Invalid Condition type (Condition.stringequals)"),
        (r#"{"StringIs": {}}"#, "Invalid Condition type (Condition.StringIs)"),
        (r#"{"IfExists": {}}"#, "Invalid Condition type (Condition.IfExists)"),
        (r#"{"NullIfExists": {}}"#, "Invalid Condition type (Condition.NullIfExists)"),
        (r#"{"ForAnyValue:Null": {}}"#, "Invalid Condition type (Condition.ForAnyValue:Null)"),
        (r#"{"ForSomeValue:Bool": {}}"#, "Invalid Condition type (Condition.ForSomeValue:Bool)"),
        (
            r#"{"ForAnyValue:ForAnyValue:Bool": {}}"#,
            "Invalid Condition type (Condition.ForAnyValue:ForAnyValue:Bool)",
        ),
        (
            r#"{"Bool": {"aws:Nothing": "true"}}"#,
            "Policy has an invalid condition key (Condition.Bool.aws:Nothing)",
        ),
        (
            r#"{"Bool": {"aws:SecureTransport": ["true", "yes"]}}"#,
            "Policy has an invalid condition value (Condition.Bool.aws:SecureTransport[1]: yes)",
        ),
        (
            r#"{"StringEquals": {"s3:prefix": []}}"#,
            "Policy has an invalid condition value (Condition.StringEquals.s3:prefix)",
        ),
        (
            r#"{"StringEquals": {"s3:prefix": null}}"#,
            "Policy has an invalid condition value (Condition.StringEquals.s3:prefix)",
        ),
        (
            r#"{"StringLike": {"s3:prefix": "${aws:nobody}"}}"#,
            "Policy has an invalid condition value (Condition.StringLike.s3:prefix: ${aws:nobody})",
        ),
    ] {
        assert_eq!(parse(text, true), Err(message.to_owned()), "{text}");
    }
}

#[test]
fn refuses_values_of_another_kind() {
    for (operator, values) in [
        ("NumericEquals", &["", "x", "0x10", "inf", "NaN", "1e999", "1 ", "1,5", "--1"][..]),
        (
            "DateEquals",
            &[
                "",
                "today",
                "2026-13-01",
                "2026-02-30",
                "2026-11-25T00:00:00",
                "2026-11-25T00:00:00Z[UTC]",
                "99999999999999999999",
                "25.11.2026",
            ],
        ),
        ("Bool", &["", "1", "yes", "${aws:SecureTransport}"]),
        ("Null", &["", "0", "null"]),
        ("BinaryEquals", &["=", "a", "Y W I=", "YWI"]),
        (
            "IpAddress",
            &[
                "",
                "10.0.0",
                "10.0.0.0/33",
                "10.0.0.0/",
                "10.0.0.256",
                "fe80::1%eth0",
                "::/129",
                "localhost",
                "*",
            ],
        ),
        ("ArnLike", &["", "*", "arn:aws:s3", "arn:aws:iam::org-a"]),
    ] {
        for value in values {
            for suffix in ["", "IfExists"] {
                let operator =
                    if operator == "Null" { operator.to_owned() } else { format!("{operator}{suffix}") };
                let text = format!(r#"{{"{operator}": {{"s3:prefix": ["{value}"]}}}}"#);
                assert!(parse(&text, true).is_err(), "{text}");
            }
        }
    }
}

#[test]
fn every_operator_has_every_form() {
    for (operator, operand, _) in OPERATORS {
        for form in ["", "ForAnyValue:", "ForAllValues:"] {
            for suffix in ["", "IfExists"] {
                let name = format!("{form}{operator}{suffix}");
                assert!(Operator::named(&name).is_some(), "{name}");
                let text = format!(r#"{{"{name}": {{"s3:prefix": "{operand}"}}}}"#);
                assert!(parse(&text, true).is_ok(), "{text}");
            }
        }
    }
}
