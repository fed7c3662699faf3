use super::super::{Action, ContextKey, Facts, Principal, Request, Values};
use super::*;

struct NoFacts;

impl Facts for NoFacts {
    fn values(&self, _: &ContextKey) -> Option<Values<'_>> {
        None
    }
}

fn parse(text: &str, layer: Layer<'_>, must_fit: bool) -> Result<Resources, String> {
    let json = Json::parse(text.as_bytes()).expect("JSON");
    let place = Place::root("Resource");
    Resources::parse(&json, layer, must_fit, true, &place).map_err(|error| error.to_string())
}

/// Whether a pattern includes `bucket` or `bucket/key`, for alice.
fn includes(pattern: &str, resource: &str) -> bool {
    let resources = parse(&format!("{pattern:?}"), Layer::Organisation, true).expect("a resource");
    let principal = Principal::User { org: "org-a", user: "al*", access_key: "AK" };
    let request = Request { action: Action::GetObject, bucket: "", key: None, principal };
    resources.include(resource, &Scene::new(&request, &NoFacts))
}

#[test]
fn a_pattern_is_about_the_whole_of_bucket_and_key() {
    for (pattern, resource, expected) in [
        ("arn:aws:s3:::b", "b", true),
        ("arn:aws:s3:::b", "b/k", false),
        ("arn:aws:s3:::b", "bb", false),
        ("arn:aws:s3:::b/*", "b", false),
        ("arn:aws:s3:::b/*", "b/k", true),
        ("arn:aws:s3:::b/*", "b/k/l", true),
        ("arn:aws:s3:::b*", "b", true),
        ("arn:aws:s3:::b*", "b/k", true),
        ("arn:aws:s3:::b*", "bb/k", true),
        ("arn:aws:s3:::*", "b", true),
        ("arn:aws:s3:::*", "b/k", true),
        ("arn:aws:s3:::*", "", true),
        ("*", "", true),
        ("*", "b/k", true),
        ("arn:aws:s3:::b?k", "b/k", true),
        ("arn:aws:s3:::b/K", "b/k", false),
        ("arn:aws:s3:::b/${aws:username}/*", "b/al*/k", true),
        ("arn:aws:s3:::b/${aws:username}/*", "b/alice/k", false),
        ("arn:aws:s3:::b/${aws:PrincipalTag/t}*", "b/", false),
        ("arn:aws:s3:::b/${aws:PrincipalTag/t, 'x'}*", "b/xk", true),
        ("arn:aws:s3:::b/${*}", "b/*", true),
        ("arn:aws:s3:::b/${*}", "b/k", false),
    ] {
        assert_eq!(includes(pattern, resource), expected, "{pattern} on {resource}");
    }
}

#[test]
fn a_bucket_policy_names_its_own_bucket() {
    let layer = Layer::Bucket("b");
    for (pattern, expected) in [
        ("arn:aws:s3:::b", Some((true, false))),
        ("arn:aws:s3:::b/*", Some((false, true))),
        ("arn:aws:s3:::b/k", Some((false, true))),
        ("arn:aws:s3:::b*", Some((true, true))),
        ("arn:aws:s3:::?", Some((true, false))),
        ("arn:aws:s3:::?/k", Some((false, true))),
        ("arn:aws:s3:::*/k", Some((false, true))),
        ("arn:aws:s3:::${aws:username}", Some((true, true))),
        ("arn:aws:s3:::*", Some((true, true))),
        ("*", Some((true, true))),
        ("arn:aws:s3:::bb", None),
        ("arn:aws:s3:::bb/*", None),
        ("arn:aws:s3:::bb*", None),
        ("arn:aws:s3:::c", None),
        ("arn:aws:s3:::B", None),
        ("arn:aws:s3:::?b/*", None),
        ("arn:aws:s3:::${aws:username}b", Some((true, true))),
        ("arn:aws:s3:::c${aws:username}", None),
    ] {
        let resources = parse(&format!("{pattern:?}"), layer, true);
        let reach = resources.ok().map(|resources| (resources.on_buckets, resources.on_objects));
        assert_eq!(reach, expected, "{pattern}");
        // What a statement excepts may be anything.
        assert!(parse(&format!("{pattern:?}"), layer, false).is_ok(), "{pattern}");
        assert!(parse(&format!("{pattern:?}"), Layer::Organisation, true).is_ok(), "{pattern}");
    }
}

#[test]
fn refuses_what_is_no_resource() {
    for (text, place) in [
        (r#""arn:aws:s3:::""#, "Resource: arn:aws:s3:::"),
        (r#"["arn:aws:s3:::b", "b/*"]"#, "Resource[1]: b/*"),
        (r#""""#, "Resource: "),
        (r#""arn:aws:s3:us-east-1:1:b""#, "Resource: arn:aws:s3:us-east-1:1:b"),
        (r#""arn:aws:ec2:::b""#, "Resource: arn:aws:ec2:::b"),
        (r#""arn:*:s3:::b""#, "Resource: arn:*:s3:::b"),
        (r#""arn:aws:s3:::b/${aws:nobody}""#, "Resource: arn:aws:s3:::b/${aws:nobody}"),
        (r#""arn:aws:s3:::b/${aws:username""#, "Resource: arn:aws:s3:::b/${aws:username"),
        ("[]", "Resource"),
        ("1", "Resource"),
        ("{}", "Resource"),
        ("[null]", "Resource[0]"),
    ] {
        for must_fit in [false, true] {
            let message = format!("Policy has invalid resource ({place})");
            assert_eq!(parse(text, Layer::Organisation, must_fit), Err(message), "{text}");
        }
    }
}
