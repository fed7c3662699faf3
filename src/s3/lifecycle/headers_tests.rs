use super::*;

fn fields(response: Response) -> Vec<(String, String)> {
    let text = |value: Vec<u8>| String::from_utf8(value).expect("UTF-8");
    response.headers.into_iter().map(|(name, value)| (name.into_owned(), text(value))).collect()
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

const MIDNIGHT_MS: i64 = 1_795_392_000_000;

#[test]
fn expiration() {
    assert_eq!(fields(with_expiration(Response::new(200), None)), []);
    for (rule_id, encoded) in
        [("logs-1._~", "logs-1._~"), ("a b/ü\"%", "a%20b%2F%C3%BC%22%25"), ("x\r\ny: z", "x%0D%0Ay%3A%20z")]
    {
        let due = Some(Due { at_ms: MIDNIGHT_MS, rule_id });
        let expected = format!("expiry-date=\"Mon, 23 Nov 2026 00:00:00 GMT\", rule-id=\"{encoded}\"");
        assert_eq!(fields(with_expiration(Response::new(200), due)), [field("x-amz-expiration", &expected)]);
    }
}

#[test]
fn abort() {
    assert_eq!(fields(with_abort(Response::new(200), None)), []);
    for (rule_id, encoded) in [("a b/c:1", "a b/c:1"), ("ü%", "%C3%BC%25"), ("x\r\ny: z", "x%0D%0Ay: z")] {
        let due = Some(Due { at_ms: MIDNIGHT_MS, rule_id });
        assert_eq!(
            fields(with_abort(Response::new(200), due)),
            [
                field("x-amz-abort-date", "Mon, 23 Nov 2026 00:00:00 GMT"),
                field("x-amz-abort-rule-id", encoded)
            ]
        );
    }
}
