use super::*;
use crate::auth::oracle;

fn path(raw: &str) -> String {
    let mut out = Vec::new();
    encode_canonically(raw.as_bytes(), Place::Path, &mut out);
    String::from_utf8(out).unwrap()
}

fn query(raw: &str) -> String {
    let mut out = Vec::new();
    CanonicalQuery::parse(raw.as_bytes()).write(Purpose::Hash, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn paths() {
    for (raw, canonical) in [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a+b", "/a%2Bb"),
        ("/a%2Bb", "/a%2Bb"),
        ("/a%2bb", "/a%2Bb"),
        ("/a%20b", "/a%20b"),
        ("/%7Ea~", "/~a~"),
        ("/a@b:c,d", "/a%40b%3Ac%2Cd"),
        ("/%2F//..//./", "////..//./"),
        ("/é", "/%C3%A9"),
        ("/%C3%A9", "/%C3%A9"),
        ("/%2541", "/%2541"),
        ("/%", "/%25"),
        ("/%4", "/%254"),
        ("/%zz", "/%25zz"),
        ("/%+1", "/%25%2B1"),
    ] {
        assert_eq!(path(raw), canonical, "{raw}");
    }
}

#[test]
fn queries() {
    for (raw, canonical) in [
        ("", ""),
        ("uploads", "uploads="),
        ("b=2&a=1", "a=1&b=2"),
        ("a=2&a=1", "a=1&a=2"),
        ("a=1&&b=2&", "a=1&b=2"),
        ("a=b=c", "a=b%3Dc"),
        ("a=x+y", "a=x%20y"),
        ("a=x%2By", "a=x%2By"),
        ("p=a/b", "p=a%2Fb"),
        ("a%3D=1", "a%3D=1"),
        ("=x", "=x"),
        // Sorted as encoded: the brace encodes to a percent sign, which sorts before letters.
        ("a{=1&aB=2", "a%7B=1&aB=2"),
        ("X-Amz-Signature=zz&a=1", "a=1"),
        ("a=1&X%2DAmz%2DSignature=zz", "a=1"),
    ] {
        assert_eq!(query(raw), canonical, "{raw}");
    }
}

#[test]
fn query_values() {
    let query = CanonicalQuery::parse(b"a=1&b=x%2Fy+z&c&a=2");
    assert_eq!(query.single("b"), Ok(Some(b"x/y z".to_vec())));
    assert_eq!(query.single("c"), Ok(Some(Vec::new())));
    assert_eq!(query.single("d"), Ok(None));
    assert_eq!(query.single("a"), Err(Repeated));
    assert!(query.has("a") && !query.has("A"));
}

#[test]
fn targets() {
    for (target, path, query) in [
        ("/a/b?c=d?e", "/a/b", "c=d?e"),
        ("/a", "/a", ""),
        ("/a?", "/a", ""),
        ("http://host/a?b", "/a", "b"),
        ("https://host:443//a", "//a", ""),
        ("http://host", "", ""),
        ("http://host?q=/", "", "q=/"),
        ("/a://b/c", "/a://b/c", ""),
        ("*", "", ""),
    ] {
        let split = Target::split(target.as_bytes());
        assert_eq!((split.path, split.query), (path.as_bytes(), query.as_bytes()), "{target}");
    }
}

#[test]
fn whole_text() {
    let head = oracle::parse(
        b"GET /b/k?b=2&a HTTP/1.1\r\nHost: h\r\nX-Amz-Meta-A:  one   two \r\nx-amz-meta-a: three\r\n\
          x-amz-server-side-encryption-customer-key: a2V5\r\nEmpty:\r\n\r\n",
    )
    .unwrap();
    let target = Target::split(head.target());
    let parsed = CanonicalQuery::parse(target.query);
    let names = "absent;empty;host;x-amz-meta-a;x-amz-server-side-encryption-customer-key";
    let text = |purpose| {
        let mut out = Vec::new();
        write(&head, target, &parsed, names, b"HASH", purpose, &mut out);
        String::from_utf8(out).unwrap()
    };
    let hashed = text(Purpose::Hash);
    assert_eq!(
        hashed,
        format!(
            "GET\n/b/k\na=&b=2\nempty:\nhost:h\nx-amz-meta-a:one two,three\n\
             x-amz-server-side-encryption-customer-key:a2V5\n\n{names}\nHASH"
        )
    );
    assert_eq!(text(Purpose::Show), hashed.replace("a2V5", "REDACTED"));
    assert_eq!(headers_not_signed(&head, names, None), Vec::<String>::new());
    assert_eq!(
        headers_not_signed(&head, "x-amz-meta-a", None),
        ["host", "x-amz-server-side-encryption-customer-key"]
    );
    let exempt = Some("x-amz-server-side-encryption-customer-key");
    assert_eq!(headers_not_signed(&head, "host;x-amz-meta-a", exempt), Vec::<String>::new());
}
