use super::*;
use crate::s3::address::{self, Addressing};
use crate::s3::not_implemented::REFUSED;

const METHODS: &[(Method, &str)] = &[
    (Method::Get, "GET"),
    (Method::Head, "HEAD"),
    (Method::Put, "PUT"),
    (Method::Post, "POST"),
    (Method::Delete, "DELETE"),
    (Method::Other, "OPTIONS"),
];

fn routed(method: Method, scope: Scope, query: &str, field: &str) -> Result<Routed, S3Error> {
    let (_, token) = METHODS.iter().find(|(have, _)| *have == method).expect("listed");
    let path = match scope {
        Scope::Service => "/",
        Scope::Bucket => "/bucket",
        Scope::Object => "/bucket/some/key",
    };
    let text = format!("{token} {path}?{query} HTTP/1.1\r\nHost: h\r\n{field}\r\n");
    let (head, _) = RequestHead::parse(text.as_bytes()).expect("well-formed").expect("whole");
    let addressing = Addressing { domain: String::new(), path_style: true };
    route(&head, &address::address(&head, &addressing).expect("an address"))
}

/// Query and header fields that a selector selects.
fn selecting(selector: Selector) -> (String, String) {
    match selector {
        Selector::Plain => (String::new(), String::new()),
        Selector::Query(name) => (name.to_owned(), String::new()),
        Selector::QueryIs(name, value) => (format!("{name}={value}"), String::new()),
        Selector::Header(name) => (String::new(), format!("{name}: x\r\n")),
        Selector::Any(selectors) => selecting(selectors[0]),
        Selector::All(selectors) => {
            let all: Vec<_> = selectors.iter().map(|selector| selecting(*selector)).collect();
            let queries: Vec<_> =
                all.iter().map(|(query, _)| query.as_str()).filter(|query| !query.is_empty()).collect();
            (queries.join("&"), all.iter().map(|(_, field)| field.as_str()).collect())
        }
    }
}

fn name_of(routed: &Result<Routed, S3Error>) -> String {
    match routed {
        Ok(Routed::Operation(operation)) => operation.name.to_owned(),
        Ok(Routed::Refused(refused)) => format!("refused {:?}", refused.selector),
        Err(error) => format!("error {}", error.code.name()),
    }
}

fn rows() -> impl Iterator<Item = &'static Operation> {
    ops::OPERATIONS.iter().copied()
}

#[test]
fn every_operation_is_reached_by_its_own_row() {
    for row in rows() {
        let (query, field) = selecting(row.selector);
        assert_eq!(name_of(&routed(row.method, row.scope, &query, &field)), row.name);
        // Keys that nobody selects by change nothing.
        let query = format!("x-id={}&unknown&{query}", row.name);
        assert_eq!(name_of(&routed(row.method, row.scope, &query, &field)), row.name, "{query}");
    }
}

#[test]
fn no_two_rows_answer_the_same_request_and_no_name_stands_twice() {
    let all: Vec<_> = rows().collect();
    for (index, row) in all.iter().enumerate() {
        for other in &all[index + 1..] {
            let same_place = row.method == other.method && row.scope == other.scope;
            let same = same_place && row.selector == other.selector;
            assert!(!same, "{} and {} have the same selector", row.name, other.name);
            assert_ne!(row.name, other.name);
        }
    }
}

#[test]
fn what_is_refused_never_falls_through() {
    for refused in REFUSED {
        let (query, field) = selecting(refused.selector);
        for &scope in refused.scopes {
            for &(method, token) in METHODS {
                let is_served = rows()
                    .any(|row| (row.method, row.scope, row.selector) == (method, scope, refused.selector));
                if is_served || (!refused.methods.is_empty() && !refused.methods.contains(&method)) {
                    continue;
                }
                for query in [query.clone(), format!("a=b&{query}")] {
                    let routed = routed(method, scope, &query, &field);
                    let Ok(Routed::Refused(by)) = routed else {
                        panic!("{token} {scope:?} ?{query} {field} became {}", name_of(&routed));
                    };
                    let status = by.error(method).status();
                    let is_read = matches!(method, Method::Get | Method::Head);
                    let expected: &[u16] = match (by.is_misplaced, is_read) {
                        (true, _) => &[405],
                        (false, true) => &[400, 404, 501],
                        (false, false) => &[501],
                    };
                    assert!(expected.contains(&status), "{token} ?{query}: {status}");
                }
            }
        }
    }
}

#[test]
fn a_refused_sub_resource_wins_over_a_selected_operation_s_place() {
    for (method, scope, query) in [
        (Method::Put, Scope::Object, "acl"),
        (Method::Put, Scope::Object, "uploadId=x"),
        (Method::Delete, Scope::Object, "renameObject"),
        (Method::Head, Scope::Object, "partNumber=1&uploadId=x"),
        (Method::Delete, Scope::Object, "uploads"),
        (Method::Delete, Scope::Bucket, "uploads"),
        (Method::Head, Scope::Bucket, "policy"),
        (Method::Post, Scope::Bucket, "policy"),
        (Method::Delete, Scope::Bucket, "versioning"),
        (Method::Delete, Scope::Bucket, "location"),
        (Method::Put, Scope::Object, "attributes"),
        (Method::Head, Scope::Object, "tagging"),
        (Method::Put, Scope::Bucket, "abac"),
        (Method::Put, Scope::Bucket, "metadataInventoryTable"),
        (Method::Put, Scope::Bucket, "metadataJournalTable"),
        (Method::Put, Scope::Bucket, "versions&prefix=a"),
        (Method::Post, Scope::Object, "tagging&versionId=null"),
    ] {
        let routed = routed(method, scope, query, "");
        assert!(matches!(routed, Ok(Routed::Refused(_))), "{query} became {}", name_of(&routed));
    }
}

#[test]
fn what_only_buckets_have_is_a_mistake_on_an_object() {
    for query in ["uploads", "versions"] {
        let Ok(Routed::Refused(refused)) = routed(Method::Get, Scope::Object, query, "") else {
            panic!("{query}")
        };
        assert_eq!(refused.error(Method::Get).code, ErrorCode::InvalidRequest);
    }
}

#[test]
fn reads_of_one_part_are_reads() {
    assert_eq!(name_of(&routed(Method::Get, Scope::Object, "partNumber=1", "")), "GetObject");
    assert_eq!(
        name_of(&routed(Method::Head, Scope::Object, "partNumber=1&versionId=null", "")),
        "HeadObject"
    );
    assert_eq!(name_of(&routed(Method::Get, Scope::Bucket, "list-type=1", "")), "ListObjects");
}

#[test]
fn a_part_s_number_makes_an_upload_of_a_part_and_never_an_object() {
    for query in ["partNumber=1&uploadId=x", "partNumber=1", "partNumber"] {
        assert_eq!(name_of(&routed(Method::Put, Scope::Object, query, "")), "UploadPart");
    }
    let routed = routed(Method::Post, Scope::Object, "partNumber=1", "");
    assert_eq!(name_of(&routed), "error MethodNotAllowed");
}

#[test]
fn what_nobody_serves_is_a_405_or_for_unknown_methods_a_501() {
    for (method, scope) in
        [(Method::Put, Scope::Service), (Method::Post, Scope::Object), (Method::Post, Scope::Bucket)]
    {
        assert_eq!(name_of(&routed(method, scope, "", "")), "error MethodNotAllowed");
    }
    for scope in [Scope::Service, Scope::Bucket, Scope::Object] {
        assert_eq!(name_of(&routed(Method::Other, scope, "", "")), "error NotImplemented");
    }
}

#[test]
fn copies_and_renames_are_told_by_their_source() {
    const COPY: &str = "x-amz-copy-source: /b/k\r\n";
    const RENAME: &str = "x-amz-rename-source: k\r\n";
    let both = [COPY, RENAME].concat();
    for (method, scope, query, field, expected) in [
        (Method::Put, Scope::Object, "", COPY, "CopyObject"),
        (Method::Put, Scope::Object, "x-id=CopyObject", COPY, "CopyObject"),
        (Method::Put, Scope::Object, "partNumber=1&uploadId=x", COPY, "UploadPartCopy"),
        (Method::Put, Scope::Object, "partNumber=1", COPY, "UploadPartCopy"),
        (Method::Put, Scope::Object, "renameObject", RENAME, "RenameObject"),
        (Method::Put, Scope::Object, "renameObject", "", "RenameObject"),
        (Method::Put, Scope::Object, "", RENAME, "RenameObject"),
        // A source where none is taken.
        (Method::Put, Scope::Object, "partNumber=1&uploadId=x", RENAME, "error InvalidArgument"),
        (Method::Put, Scope::Object, "renameObject", COPY, "error InvalidArgument"),
        (Method::Put, Scope::Object, "", &both, "error InvalidArgument"),
        (Method::Get, Scope::Object, "", COPY, "error InvalidArgument"),
        (Method::Post, Scope::Object, "uploads", COPY, "error InvalidArgument"),
        (Method::Delete, Scope::Object, "", RENAME, "error InvalidArgument"),
        (Method::Put, Scope::Bucket, "", COPY, "error InvalidArgument"),
    ] {
        assert_eq!(name_of(&routed(method, scope, query, field)), expected, "?{query} {field}");
    }
}

#[test]
fn encryption_by_the_node_is_refused_unless_a_customer_s_key_contradicts_it() {
    let node = "x-amz-server-side-encryption: AES256\r\n";
    let both = [node, "x-amz-server-side-encryption-customer-algorithm: AES256\r\n"].concat();
    assert!(matches!(routed(Method::Put, Scope::Object, "", node), Ok(Routed::Refused(_))));
    assert_eq!(name_of(&routed(Method::Put, Scope::Object, "", &both)), "PutObject");
}
