use serde_json::{Value, json};

use super::*;

fn read(entry: &Entry<'_>) -> Value {
    let line = entry.line();
    assert_eq!(memchr::memchr_iter(b'\n', &line).count(), 1, "a line is a line");
    assert!(line.ends_with(b"}\n"));
    serde_json::from_slice(&line).expect("JSON")
}

#[test]
fn a_line_has_every_field_in_its_order() {
    let entry = Entry {
        time: UnixMs(1_795_383_646_007),
        request_id: "00FF",
        client: Some("2001:db8::1".parse().unwrap()),
        secure: true,
        access_key: Some("AKID"),
        user: Some("main"),
        org: Some("org-main"),
        claimed_access_key: None,
        method: Some("PUT"),
        operation: Some("PutObject"),
        bucket: Some("b"),
        key: Some("a/ü"),
        version_id: Some("null"),
        status: 403,
        error: Some("AccessDenied"),
        decision: Some("Deny by Statement[0]"),
        bytes_in: Some(5),
        bytes_out: 6,
        duration_us: 7,
        user_agent: Some("Boto3"),
    };
    let expected = concat!(
        r#"{"time":"2026-11-22T21:40:46.007Z","request_id":"00FF","client":"2001:db8::1","secure":true,"#,
        r#""access_key":"AKID","user":"main","org":"org-main","claimed_access_key":null,"method":"PUT","#,
        r#""operation":"PutObject","bucket":"b","key":"a/ü","version_id":"null","status":403,"#,
        r#""error":"AccessDenied","decision":"Deny by Statement[0]","bytes_in":5,"bytes_out":6,"#,
        r#""duration_us":7,"user_agent":"Boto3"}"#,
        "\n"
    );
    assert_eq!(String::from_utf8(entry.line()).unwrap(), expected);
}

#[test]
fn what_is_not_known_is_null() {
    let line = read(&Entry::default());
    let known = json!({
        "time": "1970-01-01T00:00:00.000Z", "request_id": "", "secure": false, "status": 0, "bytes_out": 0,
        "duration_us": 0,
    });
    let fields = line.as_object().unwrap();
    assert_eq!(fields.len(), 20);
    for (name, value) in fields {
        assert_eq!(value, &known[name.as_str()], "{name}");
    }
}

#[test]
fn no_text_leaves_its_field() {
    let odd = "\"},\n{\"key\":\"\\\u{0}\u{7f}\u{1b}[31m\u{85}ü\u{9b}0m\u{2028}\u{2029}€\r\n";
    let line = read(&Entry { key: Some(odd), user_agent: Some(odd), ..Entry::default() });
    assert_eq!((&line["key"], &line["user_agent"]), (&json!(odd), &json!(odd)));
    let line = String::from_utf8(Entry { key: Some(odd), ..Entry::default() }.line()).unwrap();
    let text = line.strip_suffix('\n').unwrap();
    assert!(!text.chars().any(|character| character.is_control() || "\u{2028}\u{2029}".contains(character)));
    assert!(text.contains(r"[31m\u0085ü\u009b0m\u2028\u2029€\r\n"), "{text}");
}

#[test]
fn texts_are_cut_between_characters() {
    let long = "ü".repeat(5000);
    let line = read(&Entry {
        bucket: Some(&long),
        key: Some(&long),
        user_agent: Some(&long),
        method: Some(&long),
        ..Entry::default()
    });
    let bytes = |name: &str| line[name].as_str().unwrap().len();
    assert_eq!((bytes("bucket"), bytes("key"), bytes("user_agent"), bytes("method")), (254, 1024, 256, 254));
}

#[test]
fn the_longest_line_is_bounded() {
    let long = "\u{1}".repeat(20_000);
    let text = Some(long.as_str());
    let entry = Entry {
        request_id: &long,
        access_key: text,
        user: text,
        org: text,
        claimed_access_key: text,
        method: text,
        operation: text,
        bucket: text,
        key: text,
        version_id: text,
        error: text,
        decision: text,
        user_agent: text,
        ..Entry::default()
    };
    assert!(entry.line().len() < 32 * 1024);
}

#[test]
fn times_that_cannot_be_written_do_no_harm() {
    for time in [i64::MIN, i64::MAX] {
        assert_eq!(
            read(&Entry { time: UnixMs(time), ..Entry::default() })["time"],
            "1970-01-01T00:00:00.000Z"
        );
    }
    assert_eq!(read(&Entry { time: UnixMs(-1), ..Entry::default() })["time"], "1969-12-31T23:59:59.999Z");
}
