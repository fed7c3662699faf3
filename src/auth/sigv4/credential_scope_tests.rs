use super::*;

#[test]
fn parts() {
    for access_key in ["AKID", "a/b/c", "a+b(c)=", "//", "ключ"] {
        let text = format!("{access_key}/20130524/eu-1/s3/aws4_request");
        let scope = CredentialScope::parse(&text).unwrap();
        assert_eq!((scope.access_key, scope.day, scope.region), (access_key, "20130524", "eu-1"));
        assert_eq!(scope.scope(), "20130524/eu-1/s3/aws4_request");
    }
}

#[test]
fn faults() {
    let shapes = [
        "",
        "AKID",
        "AKID/20130524/us-east-1/s3",
        "/20130524/us-east-1/s3/aws4_request",
        "AKID/20130524//s3/aws4_request",
        "AKID/20130524/a b/s3/aws4_request",
        "AKID/20130524/a\nb/s3/aws4_request",
    ];
    for text in shapes {
        assert_eq!(CredentialScope::parse(text), Err(CredentialFault::Shape), "{text:?}");
    }
    assert_eq!(
        CredentialScope::parse("AKID/20130524/r/s3/aws3_request"),
        Err(CredentialFault::Terminal("aws3_request".to_owned()))
    );
    assert_eq!(
        CredentialScope::parse("AKID/20130524/r/ec2/aws4_request"),
        Err(CredentialFault::Service("ec2".to_owned()))
    );
    for day in ["", "2013-05-24", "2013052", "201305240", "2013052x"] {
        assert_eq!(
            CredentialScope::parse(&format!("AKID/{day}/r/s3/aws4_request")),
            Err(CredentialFault::Day(day.to_owned()))
        );
    }
}
