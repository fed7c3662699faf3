use super::*;

fn parse(text: &str) -> Result<NamedActions, String> {
    let json = Json::parse(text.as_bytes()).expect("JSON");
    NamedActions::parse(&json, &Place::root("Action")).map_err(|error| error.to_string())
}

fn actions(text: &str) -> Vec<Action> {
    let named = parse(text).expect("good actions");
    let is_named = |action: &Action| {
        let mut alone = ActionSet::default();
        alone.insert(*action);
        named.set.intersects(alone)
    };
    Action::ALL.iter().copied().filter(is_named).collect()
}

#[test]
fn patterns_name_actions() {
    use Action::{
        DeleteObjectTagging, DeleteObjectVersionTagging, GetObject, GetObjectTagging,
        GetObjectVersionTagging, ListBucket, PutObject, PutObjectTagging, PutObjectVersionTagging,
    };
    assert_eq!(actions(r#""*""#), Action::ALL);
    assert_eq!(actions(r#""s3:*""#), Action::ALL);
    assert_eq!(actions(r#""S3:GETobject""#), [GetObject]);
    assert_eq!(actions(r#""s3:?etObject""#), [GetObject]);
    assert_eq!(actions(r#"["s3:*tObject", "s3:ListBucket"]"#), [GetObject, ListBucket, PutObject]);
    let tagging = [
        DeleteObjectTagging,
        DeleteObjectVersionTagging,
        GetObjectTagging,
        GetObjectVersionTagging,
        PutObjectTagging,
        PutObjectVersionTagging,
    ];
    assert_eq!(actions(r#""s3:*Object*Tagging""#), tagging);
    // An action of S3 that this node does not have.
    assert_eq!(actions(r#""s3:PutBucketCORS""#), []);
}

#[test]
fn what_is_named_acts_on_buckets_or_objects() {
    for (text, on_buckets, on_objects) in [
        (r#""s3:GetObject""#, false, true),
        (r#""s3:ListBucket""#, true, false),
        (r#"["s3:ListBucket", "s3:GetObject"]"#, true, true),
        (r#""s3:PutBucketCORS""#, true, false),
        (r#""s3:RestoreObject""#, false, true),
        (r#""s3:ListAllMyBuckets""#, false, false),
        (r#""s3:CreateJob""#, false, false),
        (r#""s3:*""#, true, true),
    ] {
        let named = parse(text).expect("good actions");
        assert_eq!((named.on_buckets, named.on_objects), (on_buckets, on_objects), "{text}");
    }
}

#[test]
fn refuses_what_is_no_action() {
    for (text, message) in [
        (r#""s3:Frobnicate""#, "Policy has invalid action (Action: s3:Frobnicate)"),
        (r#"["s3:*", "s3:Frob*"]"#, "Policy has invalid action (Action[1]: s3:Frob*)"),
        (r#""GetObject""#, "Policy has invalid action (Action: GetObject)"),
        (r#""s3:""#, "Policy has invalid action (Action: s3:)"),
        (r#""s?:GetObject""#, "Policy has invalid action (Action: s?:GetObject)"),
        (r#""ec2:*""#, "Policy has invalid action (Action: ec2:*)"),
        (r#""""#, "Policy has invalid action (Action: )"),
        ("[]", "Policy has invalid action (Action)"),
        ("1", "Policy has invalid action (Action)"),
        ("[[\"s3:*\"]]", "Policy has invalid action (Action[0])"),
    ] {
        assert_eq!(parse(text), Err(message.to_owned()), "{text}");
    }
}

#[test]
fn no_action_is_listed_twice() {
    let mut names: Vec<&str> = KNOWN.iter().map(|known| known.name.as_str()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
