use super::*;

fn refusal(text: &str) -> String {
    match Document::parse(text.as_bytes(), Layer::Bucket("b")) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// A good statement with these members instead of its own or beside them; `null` takes one away.
fn statement(members: &str) -> String {
    let mut statement = serde_json::json!({
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/*",
    });
    let own = statement.as_object_mut().expect("an object");
    let members: serde_json::Map<_, _> = serde_json::from_str(members).expect("members");
    for (name, value) in members {
        if value.is_null() {
            own.remove(&name);
        } else {
            own.insert(name, value);
        }
    }
    statement.to_string()
}

fn policy(members: &str) -> String {
    format!(r#"{{"Statement": [{}]}}"#, statement(members))
}

#[test]
fn accepts_what_the_grammar_allows() {
    for text in [
        policy("{}"),
        policy(r#"{"Sid": "Allow-all_1"}"#),
        policy(r#"{"Sid": "Allow get requests originating from www.example.com"}"#),
        policy(r#"{"Sid": ""}"#),
        policy(r#"{"Condition": {}}"#),
        policy(r#"{"Action": ["s3:ListBucket", "s3:GetObject"]}"#),
        policy(r#"{"Action": null, "NotAction": "s3:ListBucket"}"#),
        policy(r#"{"Resource": null, "NotResource": "arn:aws:s3:::other/*"}"#),
        policy(r#"{"Resource": "arn:aws:s3:::*", "Action": "*"}"#),
        policy(r#"{"Resource": "*"}"#),
        policy(r#"{"Effect": "Deny", "Principal": null, "NotPrincipal": {"CW": "org-a"}}"#),
        format!(r#"{{"Statement": {}}}"#, statement("{}")),
        format!(r#"{{"Version": "2012-10-17", "Id": "x y", "Statement": {}}}"#, statement("{}")),
        format!(r#"{{"Version": "2008-10-17", "Statement": [{0}, {0}]}}"#, statement(r#"{"Sid": ""}"#)),
        format!("{}\r\n", policy("{}")),
    ] {
        assert_eq!(refusal(&text), "accepted", "{text}");
    }
}

#[test]
fn refuses_faults_of_the_document() {
    let good = statement("{}");
    for (text, message) in [
        (String::new(), "Policies must be valid JSON and the first byte must be '{'"),
        (format!(" {}", policy("{}")), "Policies must be valid JSON and the first byte must be '{'"),
        ("[]".to_owned(), "Policies must be valid JSON and the first byte must be '{'"),
        ("\u{feff}{}".to_owned(), "Policies must be valid JSON and the first byte must be '{'"),
        (
            "{".to_owned(),
            "This policy contains invalid Json (EOF while parsing an object at line 1 column 1)",
        ),
        ("{} {}".to_owned(), "This policy contains invalid Json (trailing characters at line 1 column 4)"),
        ("{}".to_owned(), "Missing required field Statement"),
        (r#"{"Version": "2012-10-17"}"#.to_owned(), "Missing required field Statement"),
        (r#"{"Statement": []}"#.to_owned(), "Could not parse the policy: Statement is empty!"),
        (r#"{"Statement": 1}"#.to_owned(), "Invalid policy syntax (Statement[0])"),
        (r#"{"Statement": null}"#.to_owned(), "Invalid policy syntax (Statement[0])"),
        (r#"{"Statement": [[]]}"#.to_owned(), "Invalid policy syntax (Statement[0])"),
        (format!(r#"{{"statement": {good}}}"#), "Unknown field (statement)"),
        (
            format!(r#"{{"Version": "2012-10-18", "Statement": {good}}}"#),
            "The policy must contain a valid version string (Version: 2012-10-18)",
        ),
        (
            format!(r#"{{"Version": 2012, "Statement": {good}}}"#),
            "The policy must contain a valid version string (Version)",
        ),
        (format!(r#"{{"Id": 1, "Statement": {good}}}"#), "Invalid policy syntax (Id)"),
        (
            format!(r#"{{"Statement": [{0}, {0}]}}"#, statement(r#"{"Sid": "a"}"#)),
            "Statement IDs (SID) in a single policy must be unique (Statement[1].Sid: a)",
        ),
        (
            format!(r#"{{"Statement": [{good}, {}]}}"#, statement(r#"{"Action": "s3:No"}"#)),
            "Policy has invalid action (Statement[1].Action: s3:No)",
        ),
    ] {
        assert_eq!(refusal(&text), message, "{text}");
    }
}

#[test]
fn refuses_a_key_that_stands_twice_wherever() {
    for text in [
        r#"{"Version": "2012-10-17", "Version": "2012-10-17"}"#,
        r#"{"Statement": {"Effect": "Deny", "Effect": "Allow"}}"#,
        r#"{"Statement": {"Principal": {"AWS": "*", "AWS": "*"}}}"#,
        r#"{"Statement": {"Condition": {"Bool": {}, "Bool": {}}}}"#,
        r#"{"Statement": {"Condition": {"Bool": {"aws:SecureTransport": 1, "aws:SecureTransport": 2}}}}"#,
        // Another spelling of the same name.
        r#"{"Statement": {"Effect": "Deny", "\u0045ffect": "Allow"}}"#,
    ] {
        let message = refusal(text);
        assert!(message.starts_with("This policy contains invalid Json (duplicate key "), "{message}");
    }
}

#[test]
fn refuses_faults_of_a_statement() {
    for (members, message) in [
        (r#"{"Effect": null}"#, "Missing required field Effect (Statement[0])"),
        (r#"{"Effect": "allow"}"#, "Invalid effect (Statement[0].Effect: allow)"),
        (r#"{"Effect": true}"#, "Invalid effect (Statement[0].Effect)"),
        (r#"{"Principal": null}"#, "Missing required field Principal (Statement[0])"),
        (r#"{"Principal": "x"}"#, "Invalid principal in policy (Statement[0].Principal: x)"),
        (r#"{"NotPrincipal": "*"}"#, "Invalid policy syntax (Statement[0].NotPrincipal)"),
        (
            r#"{"Principal": null, "NotPrincipal": "*"}"#,
            "Allow with NotPrincipal is not allowed (Statement[0].NotPrincipal)",
        ),
        (r#"{"Action": null}"#, "Missing required field Action (Statement[0])"),
        (r#"{"NotAction": "s3:*"}"#, "Invalid policy syntax (Statement[0].NotAction)"),
        (
            r#"{"Action": null, "NotAction": ["s3:*", "x"]}"#,
            "Policy has invalid action (Statement[0].NotAction[1]: x)",
        ),
        (r#"{"Resource": null}"#, "Missing required field Resource (Statement[0])"),
        (r#"{"NotResource": "*"}"#, "Invalid policy syntax (Statement[0].NotResource)"),
        (
            r#"{"Resource": "arn:aws:s3:::other/*"}"#,
            "Policy has invalid resource (Statement[0].Resource: arn:aws:s3:::other/*)",
        ),
        (
            r#"{"Resource": null, "NotResource": "b/*"}"#,
            "Policy has invalid resource (Statement[0].NotResource: b/*)",
        ),
        (
            r#"{"Action": "s3:ListBucket"}"#,
            "Action does not apply to any resource(s) in statement (Statement[0].Action)",
        ),
        (
            r#"{"Resource": "arn:aws:s3:::b"}"#,
            "Action does not apply to any resource(s) in statement (Statement[0].Action)",
        ),
        (
            r#"{"Action": "s3:ListAllMyBuckets", "Resource": "*"}"#,
            "Action does not apply to any resource(s) in statement (Statement[0].Action)",
        ),
        (
            r#"{"Sid": "\u00e9"}"#,
            "Statement IDs (SID) must be printable ASCII characters (Statement[0].Sid: \u{e9})",
        ),
        (r#"{"Sid": 1}"#, "Statement IDs (SID) must be printable ASCII characters (Statement[0].Sid)"),
        (r#"{"Comment": "x"}"#, "Unknown field (Statement[0].Comment)"),
        (r#"{"Condition": []}"#, "Invalid policy syntax (Statement[0].Condition)"),
        (
            r#"{"Condition": {"Bool": {"aws:Nothing": true}}}"#,
            "Policy has an invalid condition key (Statement[0].Condition.Bool.aws:Nothing)",
        ),
        // Of 2008-10-17, since no version stands there: no variable, but no bucket's name either.
        (
            r#"{"Resource": "arn:aws:s3:::${aws:username}/*"}"#,
            "Policy has invalid resource (Statement[0].Resource: arn:aws:s3:::${aws:username}/*)",
        ),
    ] {
        assert_eq!(refusal(&policy(members)), message, "{members}");
    }
}

#[test]
fn a_policy_of_an_organisation_needs_no_principal_and_no_bucket() {
    for members in [
        r#"{"Principal": null}"#,
        r#"{"Principal": null, "Resource": "arn:aws:s3:::other*"}"#,
        r#"{"Principal": null, "Action": "s3:ListAllMyBuckets", "Resource": "*"}"#,
        r#"{"Action": "s3:ListBucket"}"#,
    ] {
        let text = policy(members);
        Document::parse(text.as_bytes(), Layer::Organisation).expect(members);
        assert_ne!(refusal(&text), "accepted", "{members}");
    }
}

#[test]
fn length_and_depth_are_bounded() {
    let good = policy("{}");
    let fill = |bytes: usize| good.clone() + &" ".repeat(bytes - good.len());
    assert_eq!(refusal(&fill(POLICY_BYTES_MAX)), "accepted");
    assert_eq!(refusal(&fill(POLICY_BYTES_MAX + 1)), "The policy exceeds the maximum allowed document size");
    let error =
        Document::parse(&vec![b'x'; POLICY_BYTES_MAX + 1], Layer::Organisation).expect_err("too long");
    assert!(error.is_too_large());

    let deep = format!(r#"{{"Statement": {}{}}}"#, "[".repeat(9_000), "]".repeat(9_000));
    assert!(refusal(&deep).starts_with("This policy contains invalid Json (recursion limit exceeded"));
}

#[test]
fn messages_are_short_and_printable() {
    let long = "x".repeat(5_000);
    for text in [
        policy(&format!(r#"{{"Action": "{long}"}}"#)),
        policy(&format!(r#"{{"Condition": {{"{long}": 1}}}}"#)),
        policy(&format!(r#"{{"Condition": {{"Bool": {{"{long}": 1}}}}}}"#)),
        policy(&format!(r#"{{"{long}": 1}}"#)),
        format!(r#"{{"{long}": 1, "{long}": 2}}"#),
        format!(r#"{{"{long}": 1}}"#),
        policy(r#"{"Action": "s3:\u0000\u001b[31m\n\ufffe\u2028"}"#),
        policy("{\"\\u0007\": 1}"),
    ] {
        let message = refusal(&text);
        assert!(message.len() < 600, "{message}");
        assert!(
            !message.chars().any(|char| char.is_control() || "\u{fffe}\u{2028}".contains(char)),
            "{message:?}"
        );
    }
    let text = policy(r#"{"Action": "s3:\u0000\n"}"#);
    assert_eq!(refusal(&text), r"Policy has invalid action (Statement[0].Action: s3:\u{0}\u{a})");
}

#[test]
fn a_document_that_is_not_utf_8_is_refused() {
    let mut bytes = policy(r#"{"Sid": "a"}"#).into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'b').expect("a bucket");
    bytes[at] = 0xFF;
    let error = Document::parse(&bytes, Layer::Bucket("b")).expect_err("not UTF-8");
    assert_eq!(error.sentence(), "This policy contains invalid Json");
}

#[test]
fn patterns_that_must_be_searched_for_are_bounded() {
    let of_prefix = |patterns: &[&str]| {
        let condition = serde_json::json!({"Condition": {"StringLike": {"s3:prefix": patterns}}});
        format!(r#"{{"Version": "2012-10-17", "Statement": {}}}"#, statement(&condition.to_string()))
    };
    let refused = "The policy has too many wildcards (Statement[0])";
    let long = format!("*{}?*", "a".repeat(63));
    let longer = format!("*{}?*", "a".repeat(64));
    for (pattern, searches) in [
        ("a?b*", 0),
        ("*a?b", 0),
        ("a*b", 0),
        ("*a*", 1),
        ("*a?b*", 1),
        ("*a*b?*", 2),
        (long.as_str(), 1),
        (longer.as_str(), 2),
        ("${aws:username}/*", 1),
        ("*a${aws:username}b*", 2),
        ("*a${aws:username}*?", 2),
        ("*?${aws:username}*", 130),
        ("${*}*", 0),
    ] {
        let fitting = POLICY_SEARCHES_MAX.checked_div(searches).unwrap_or(512);
        // As many as fit, in one list or apart; a document has no room for all of the longest.
        let count = fitting.min(15_000 / (pattern.len() + 3));
        assert_eq!(refusal(&of_prefix(&vec![pattern; count])), "accepted", "{pattern}");
        if searches > 0 && count == fitting {
            assert_eq!(refusal(&of_prefix(&vec![pattern; count + 1])), refused, "{pattern}");
        }
    }
    let resource = |count| policy(&format!(r#"{{"Resource": "arn:aws:s3:::b/{}*"}}"#, "*a".repeat(count)));
    assert_eq!(refusal(&resource(POLICY_SEARCHES_MAX)), "accepted");
    assert_eq!(refusal(&resource(POLICY_SEARCHES_MAX + 1)), refused);
}

#[test]
fn texts_that_must_be_put_together_are_bounded() {
    let of_agent = |operator: &str, text: &str, count| {
        let texts = vec![text; count];
        let condition = serde_json::json!({"Condition": {operator: {"aws:UserAgent": texts}}});
        format!(r#"{{"Version": "2012-10-17", "Statement": {}}}"#, statement(&condition.to_string()))
    };
    let refused = "The policy has too many wildcards (Statement[0])";
    for (operator, text, fitting) in [
        ("StringEquals", "${aws:Referer}", POLICY_SEARCHES_MAX),
        ("StringNotEquals", "a${aws:Referer}b${aws:Referer}", POLICY_SEARCHES_MAX / 2),
        ("StringNotEqualsIgnoreCase", "${aws:Referer}", POLICY_SEARCHES_MAX / 8),
    ] {
        assert_eq!(refusal(&of_agent(operator, text, fitting)), "accepted", "{operator}");
        assert_eq!(refusal(&of_agent(operator, text, fitting + 1)), refused, "{operator}");
    }
    for operator in ["StringEquals", "StringEqualsIgnoreCase"] {
        assert_eq!(refusal(&of_agent(operator, "${*}", 1000)), "accepted", "{operator}");
    }
}
