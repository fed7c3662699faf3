use super::*;

fn head(fields: &[u8]) -> RequestHead {
    let bytes = [b"PUT /b/k HTTP/1.1\r\nhost: h\r\n", fields, b"\r\n"].concat();
    RequestHead::parse(&bytes).unwrap().unwrap().0
}

#[test]
fn texts_of_a_head_are_made_once() {
    let head =
        head(b"user-agent: a\xff\r\nUser-Agent: other\r\nreferer:\r\nx-amz-copy-source: %62kt/a%20b\r\n");
    let facts = HeadFacts::default();
    let agent = facts.header(&head, "user-agent").unwrap();
    assert_eq!(agent, "a\u{fffd}");
    assert!(std::ptr::eq(agent, facts.header(&head, "user-agent").unwrap()));
    assert_eq!(facts.header(&head, "referer"), Some(""));
    assert_eq!(facts.header(&head, "x-amz-acl"), None);
    let source = facts.copy_source(&head).unwrap();
    assert_eq!(source, "bkt/a b");
    assert!(std::ptr::eq(source, facts.copy_source(&head).unwrap()));
}

#[test]
fn no_copy_is_made_of_a_customers_key() {
    for kind in ["", "-copy-source"] {
        let name = format!("x-amz{kind}-server-side-encryption-customer-key");
        let head = head(format!("{name}: c2VjcmV0\r\nreferer: here\r\n").as_bytes());
        let facts = HeadFacts::default();
        assert_eq!(facts.header(&head, "referer"), Some("here"));
        assert!(facts.texts.get().unwrap().iter().all(|text| !text.contains("c2VjcmV0")), "{name}");
    }
}
