use super::*;
use crate::http::date::format_http;
use crate::s3::error::ErrorCode;

const MODIFIED_S: i64 = 1_700_000_000;
const NOW_S: i64 = MODIFIED_S + 1_000;

const SUBJECTS: [Subject; 3] = [Subject::CopySource, Subject::RenameSource, Subject::RenameDestination];

fn conditions(subject: Subject, fields: &[(&str, &str)]) -> Result<Preconditions, S3Error> {
    let lines: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}{name}: {value}\r\n", subject.prefix())).collect();
    let text = format!("PUT /b/k HTTP/1.1\r\nHost: h\r\n{}\r\n", lines.concat());
    let (head, _) = RequestHead::parse(text.as_bytes()).expect("well-formed").expect("whole");
    subject.conditions(&head)
}

/// The `<Condition>` of the answer, or `None` where the conditions hold.
fn judged(subject: Subject, fields: &[(&str, &str)]) -> Option<String> {
    let object = Some(("abc", MODIFIED_S));
    let unmet = conditions(subject, fields).expect("valid").judge(object, NOW_S).err()?;
    let error = subject.failed(unmet);
    assert_eq!(error.status(), 412);
    let (name, value) = error.extra.into_iter().next().expect("a field");
    assert_eq!(name, "Condition");
    Some(value)
}

#[test]
fn each_condition_is_named_as_its_header() {
    let (before, at) = (format_http(MODIFIED_S - 1), format_http(MODIFIED_S));
    for subject in SUBJECTS {
        let named = |field: &str| Some(format!("{}{field}", subject.prefix()));
        assert_eq!(judged(subject, &[]), None);
        assert_eq!(judged(subject, &[("if-match", "\"abc\"")]), None);
        assert_eq!(judged(subject, &[("if-match", "\"x\"")]), named("If-Match"));
        assert_eq!(judged(subject, &[("if-none-match", "*")]), named("If-None-Match"));
        assert_eq!(judged(subject, &[("if-modified-since", &before)]), None);
        assert_eq!(judged(subject, &[("if-modified-since", &at)]), named("If-Modified-Since"));
        assert_eq!(judged(subject, &[("if-unmodified-since", &at)]), None);
        assert_eq!(judged(subject, &[("if-unmodified-since", &before)]), named("If-Unmodified-Since"));
    }
}

#[test]
fn lists_and_weak_tags() {
    let judged = |field, value| judged(Subject::CopySource, &[(field, value)]).is_none();
    for value in ["abc", "\"abc\"", "*", "\"x\", \"abc\"", "\"x\", *"] {
        assert!(judged("if-match", value), "{value}");
        assert!(!judged("if-none-match", value), "{value}");
    }
    for value in ["x", "\"abc, x\"", ""] {
        assert!(!judged("if-match", value), "{value}");
        assert!(judged("if-none-match", value), "{value}");
    }
    assert!(!judged("if-match", "W/\"abc\""));
    assert!(!judged("if-none-match", "W/\"abc\""));
}

#[test]
fn a_copy_lets_tags_decide_and_a_rename_does_not() {
    let before = format_http(MODIFIED_S - 1);
    let fields = [("if-match", "abc"), ("if-unmodified-since", before.as_str())];
    assert_eq!(judged(Subject::CopySource, &fields), None);
    assert_eq!(
        judged(Subject::RenameSource, &fields).as_deref(),
        Some("x-amz-rename-source-If-Unmodified-Since")
    );
    assert_eq!(judged(Subject::RenameDestination, &fields).as_deref(), Some("If-Unmodified-Since"));
    let fields = [("if-none-match", "abc"), ("if-modified-since", before.as_str())];
    assert_eq!(judged(Subject::CopySource, &fields).as_deref(), Some("x-amz-copy-source-If-None-Match"));
}

#[test]
fn a_destination_is_absent_or_anything() {
    let error = conditions(Subject::RenameDestination, &[("if-none-match", "\"abc\"")]).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidRequest);
    assert_eq!(
        conditions(Subject::RenameDestination, &[("if-none-match", "*")]).unwrap().judge(None, NOW_S),
        Ok(())
    );
    assert_eq!(judged(Subject::RenameSource, &[("if-none-match", "\"x\"")]), None);
    let earlier = format_http(MODIFIED_S - 1);
    let since = conditions(Subject::RenameDestination, &[("if-modified-since", &earlier)]).unwrap();
    assert_eq!(since.judge(None, NOW_S), Err(Unmet::ModifiedSince));
}

#[test]
fn the_conditions_of_one_object_are_not_the_others() {
    let text = "PUT /k HTTP/1.1\r\nHost: h\r\nIf-Match: x\r\nx-amz-rename-source-if-match: y\r\n\r\n";
    let (head, _) = RequestHead::parse(text.as_bytes()).expect("well-formed").expect("whole");
    let named = |etag: &str| Some(ETags::Listed(vec![etag.to_owned()]));
    assert_eq!(Subject::RenameDestination.conditions(&head).unwrap().is_one_of, named("x"));
    assert_eq!(Subject::RenameSource.conditions(&head).unwrap().is_one_of, named("y"));
    assert!(Subject::CopySource.conditions(&head).unwrap().is_empty());
}
