use super::*;

#[test]
fn names_are_taken_in_any_case() {
    for name in ["aws:SourceIp", "AWS:SOURCEIP", "aws:sourceip"] {
        assert_eq!(Source::named(name), Some(Source::Facts(ContextKey::SourceIp)), "{name}");
    }
    assert_eq!(Source::named("cw:PrincipalOrgID"), Some(Source::Principal(PrincipalKey::Org)));
    assert_eq!(Source::named("S3:If-None-Match"), Some(Source::Facts(ContextKey::Header("if-none-match"))));
    let algorithm = "x-amz-server-side-encryption-customer-algorithm";
    let source = Source::named(&format!("s3:{}", algorithm.to_uppercase()));
    assert_eq!(source, Some(Source::Facts(ContextKey::Header(algorithm))));
    assert_eq!(Source::named("aws:SourceVpce"), Some(Source::Never));
    assert_eq!(Source::named("aws:PrincipalTag/any"), Some(Source::Never));
}

#[test]
fn names_of_tags_are_taken_as_they_stand() {
    let tag = |name: &str| Some(Source::Facts(ContextKey::ExistingObjectTag(name.into())));
    assert_eq!(Source::named("s3:ExistingObjectTag/Team"), tag("Team"));
    assert_eq!(Source::named("S3:existingOBJECTtag/team"), tag("team"));
    assert_eq!(Source::named("s3:ExistingObjectTag/a/é b"), tag("a/é b"));
}

#[test]
fn other_names_are_unknown() {
    for name in [
        "",
        "aws:",
        "aws:Nothing",
        "SourceIp",
        "s3:x-amz-meta-color",
        "s3:object-size",
        "s3:ExistingObjectTag/",
        "s3:ExistingObjectTag",
        "aws:PrincipalTag/",
        "aws:SourceIp ",
        "x-amz-acl",
        "é",
    ] {
        assert_eq!(Source::named(name), None, "{name}");
    }
}

#[test]
fn every_list_is_lower_case_and_without_a_name_twice() {
    let mut names: Vec<String> = FACTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.extend(FAMILIES.iter().map(|(name, _)| (*name).to_owned()));
    names.extend(PRINCIPAL.iter().map(|(name, _)| (*name).to_owned()));
    names.extend(HEADERS.iter().map(|name| format!("s3:{name}")));
    names.extend(NEVER.iter().map(|name| (*name).to_owned()));
    let count = names.len();
    for name in &names {
        assert_eq!(*name, name.to_ascii_lowercase());
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
