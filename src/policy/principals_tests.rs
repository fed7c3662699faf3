use super::*;

const ALICE: Principal<'_> = Principal::User { org: "org-a", user: "alice", access_key: "AKALICE" };

/// Principals that are almost alice.
const OTHERS: [Principal<'_>; 5] = [
    Principal::User { org: "org-a", user: "bob", access_key: "AKBOB" },
    Principal::User { org: "org-b", user: "alice", access_key: "AKOTHER" },
    Principal::User { org: "alice", user: "org-a", access_key: "alice" },
    Principal::User { org: "ORG-A", user: "ALICE", access_key: "akalice" },
    Principal::Anonymous,
];

fn parse(text: &str) -> Result<Vec<Who>, String> {
    let json = Json::parse(text.as_bytes()).expect("JSON");
    parse_list(&json, &Place::root("Principal")).map_err(|error| error.to_string())
}

/// Whether alice is meant, and which of the others.
fn meant(name: &str) -> (bool, Vec<usize>) {
    let list = Principals::Only(parse(&format!(r#"{{"AWS": "{name}"}}"#)).expect("a principal"));
    let but = Principals::AllBut(parse(&format!(r#"{{"CW": ["{name}"]}}"#)).expect("a principal"));
    let others = (0..OTHERS.len()).filter(|index| list.include(OTHERS[*index], true)).collect();
    for principal in OTHERS.into_iter().chain([ALICE]) {
        assert_ne!(list.include(principal, true), but.include(principal, true), "{name}");
    }
    (list.include(ALICE, true), others)
}

#[test]
fn principals_mean_whom_they_name() {
    for (name, alice, others) in [
        ("*", true, vec![0, 1, 2, 3, 4]),
        ("org-a", true, vec![0]),
        ("org-c", false, vec![]),
        ("arn:aws:iam::org-a:root", true, vec![0]),
        ("arn:aws:iam::org-a:*", true, vec![0]),
        ("arn:aws:iam::org-a:coreweave/*", true, vec![0]),
        ("arn:aws:iam::org-a:user/*", true, vec![0]),
        ("arn:aws:iam::org-a:coreweave/alice", true, vec![]),
        ("arn:aws:iam::org-a:user/alice", true, vec![]),
        ("arn:aws:iam::org-b:coreweave/alice", false, vec![1]),
        ("arn:aws:iam:::user/AKALICE", true, vec![]),
        ("arn:aws:iam:::user/alice", false, vec![2]),
        ("arn:aws:iam:::coreweave/alice", false, vec![]),
        ("arn:aws:iam:::root", false, vec![]),
        ("arn:aws:iam:::user/*", false, vec![]),
        ("arn:aws:iam::org-a:saml/alice", false, vec![]),
        ("arn:aws:iam::org-a:saml/*", false, vec![]),
        ("arn:aws:iam::org-a:user/path/alice", false, vec![]),
    ] {
        assert_eq!(meant(name), (alice, others), "{name}");
    }
}

#[test]
fn a_statement_without_principal_is_about_the_organisation() {
    assert!(Principals::OfTheOrg.include(ALICE, true));
    assert!(!Principals::OfTheOrg.include(ALICE, false));
}

#[test]
fn a_list_means_each_of_it() {
    let list = parse(r#"{"AWS": ["org-b", "arn:aws:iam:::user/AKBOB"], "CW": "org-c"}"#).expect("principals");
    assert_eq!(list.len(), 3);
    let list = Principals::Only(list);
    assert!(list.include(OTHERS[0], true) && list.include(OTHERS[1], true));
    assert!(!list.include(ALICE, true) && !list.include(Principal::Anonymous, true));
}

#[test]
fn refuses_other_forms() {
    const SENTENCE: &str = "Invalid principal in policy";
    for name in [
        "",
        "org a",
        "org-*",
        "alice/x",
        "arn:aws:iam::org-a",
        "arn:aws:iam::org-a:",
        "arn:aws:iam::org-a:alice",
        "arn:aws:iam::org-a:user/",
        "arn:aws:iam::org-a:user/al*",
        "arn:aws:iam::org-a:user/?",
        "arn:aws:iam::org-?:root",
        "arn:aws:iam::*:root",
        "arn:aws:iam::org-a:role/admin",
        "arn:aws:iam::org-a:group/all",
        "arn:aws:sts::org-a:assumed-role/a/b",
        "arn:aws:iam:region:org-a:root",
        "arn:gcp:iam::org-a:root",
    ] {
        let text = format!(r#"{{"AWS": ["*", "{name}"]}}"#);
        assert_eq!(parse(&text), Err(format!("{SENTENCE} (Principal.AWS[1]: {name})")), "{name}");
    }
    for (text, place) in [
        (r#""org-a""#, "Principal: org-a"),
        ("{}", "Principal"),
        ("[]", "Principal"),
        ("null", "Principal"),
        ("1", "Principal"),
        (r#"["*"]"#, "Principal"),
        (r#"{"AWS": []}"#, "Principal"),
        (r#"{"AWS": 1}"#, "Principal.AWS"),
        (r#"{"AWS": {"a": "*"}}"#, "Principal.AWS"),
        (r#"{"Service": "s3.amazonaws.com"}"#, "Principal.Service"),
        (r#"{"Federated": "x"}"#, "Principal.Federated"),
        (r#"{"AWS": "*", "CanonicalUser": "x"}"#, "Principal.CanonicalUser"),
        (r#"{"aws": "*"}"#, "Principal.aws"),
    ] {
        assert_eq!(parse(text), Err(format!("{SENTENCE} ({place})")), "{text}");
    }
}
