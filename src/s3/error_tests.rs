use std::collections::HashSet;

use super::*;

#[test]
fn body_has_the_five_elements_of_every_error_and_no_namespace() {
    let body = S3Error::no_such_key("a<b>&\"c").to_xml("/bucket/a<b>", "0123456789ABCDEF", "host");
    assert_eq!(
        String::from_utf8(body).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>\
         <Message>The specified key does not exist.</Message><Key>a&lt;b&gt;&amp;&quot;c</Key>\
         <Resource>/bucket/a&lt;b&gt;</Resource><RequestId>0123456789ABCDEF</RequestId>\
         <HostId>host</HostId></Error>"
    );
}

#[test]
fn table_is_indexed_by_itself() {
    for (index, code) in ErrorCode::ALL.iter().enumerate() {
        assert_eq!(code.index(), index);
        assert_eq!(ErrorCode::NAMES[index], code.name());
        assert!((400..600).contains(&code.status()), "{code}");
        assert!(code.message().ends_with('.'), "{code}");
    }
    let distinct: HashSet<_> = ErrorCode::NAMES.iter().collect();
    assert_eq!(distinct.len(), ErrorCode::ALL.len());
}

#[test]
fn statuses_that_clients_branch_on() {
    for (code, status) in [
        (ErrorCode::AccessDenied, 403),
        (ErrorCode::ConditionalRequestConflict, 409),
        (ErrorCode::InvalidPartNumber, 416),
        (ErrorCode::InvalidRange, 416),
        (ErrorCode::MissingContentLength, 411),
        (ErrorCode::NoSuchCORSConfiguration, 404),
        (ErrorCode::NotImplemented, 501),
        (ErrorCode::PreconditionFailed, 412),
        (ErrorCode::SlowDown, 503),
    ] {
        assert_eq!(code.status(), status, "{code}");
    }
}

#[test]
fn precondition_names_its_condition() {
    let error = S3Error::precondition_failed("If-None-Match");
    assert_eq!(error.extra, [("Condition", "If-None-Match".to_owned())]);
}

#[test]
fn range_refusal_tells_the_size() {
    let error = S3Error::invalid_range("bytes=9-", 5);
    assert_eq!(error.headers, [("content-range", "bytes */5".to_owned())]);
    assert_eq!(error.status(), 416);
}
