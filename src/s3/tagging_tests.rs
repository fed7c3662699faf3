use super::*;

fn from_header(value: &str) -> Result<Tags, S3Error> {
    let text = format!("PUT /b/k HTTP/1.1\r\nHost: h\r\nx-amz-tagging: {value}\r\n\r\n");
    let (head, _) = RequestHead::parse(text.as_bytes()).expect("well-formed").expect("whole");
    from_head(&head)
}

fn from_pairs(pairs: &[(&str, &str)], of: Tagged) -> Result<Tags, S3Error> {
    let pairs: Tags = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    from_xml(&write(&pairs).finish(), of)
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Code and message of a refusal.
fn refusal(outcome: Result<Tags, S3Error>) -> (ErrorCode, String) {
    let error = outcome.unwrap_err();
    (error.code, error.message)
}

fn numbered(count: usize) -> Tags {
    (0..count).map(|number| (format!("k{number:03}"), number.to_string())).collect()
}

#[test]
fn documents_round_trip_in_the_order_of_keys() {
    let pairs = [("foo", "bar"), ("bar", ""), ("a b+-=._:/@é日", "c d+-=._:/@é日\u{a0}")];
    let sorted = tags(&[pairs[2], pairs[1], pairs[0]]);
    for of in [Tagged::Object, Tagged::Bucket] {
        assert_eq!(from_pairs(&pairs, of), Ok(sorted.clone()));
        assert_eq!(from_pairs(&[], of), Ok(Tags::new()));
    }
    let document = String::from_utf8(write(&tags(&[("a", "b")])).finish()).unwrap();
    assert!(document.ends_with(
        "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet><Tag><Key>a</Key><Value>b</Value></Tag>\
         </TagSet></Tagging>"
    ));
    let plain = b"<Tagging>\n <TagSet>\n  <Tag><Value/><Key>a</Key></Tag>\n </TagSet>\n</Tagging>";
    assert_eq!(from_xml(plain, Tagged::Object), Ok(tags(&[("a", "")])));
}

#[test]
fn documents_of_another_shape() {
    for body in [
        "",
        "<Tagging/>",
        "<TagSet/>",
        "<Other><TagSet/></Other>",
        "<Tagging><Tag><Key>a</Key><Value>b</Value></Tag></Tagging>",
        "<Tagging><TagSet/><TagSet/></Tagging>",
        "<Tagging><TagSet>text</TagSet></Tagging>",
        "<Tagging><TagSet><Tag/></TagSet></Tagging>",
        "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
        "<Tagging><TagSet><Tag><Value>a</Value></Tag></TagSet></Tagging>",
        "<Tagging><TagSet><Tag><Key>a</Key><Key>b</Key><Value>c</Value></Tag></TagSet></Tagging>",
        "<Tagging><TagSet><Label><Key>a</Key><Value>b</Value></Label></TagSet></Tagging>",
    ] {
        assert_eq!(from_xml(body.as_bytes(), Tagged::Object), Err(S3Error::malformed_xml()), "{body}");
    }
}

#[test]
fn numbers_of_tags() {
    for (of, message) in [
        (Tagged::Object, "Object tags cannot be greater than 10"),
        (Tagged::Bucket, "Bucket tag count cannot be greater than 10"),
    ] {
        assert_eq!(from_xml(&write(&numbered(10)).finish(), of), Ok(numbered(10)));
        let outcome = from_xml(&write(&numbered(11)).finish(), of);
        assert_eq!(refusal(outcome), (ErrorCode::InvalidTag, message.to_owned()));
    }
    let query = |count| {
        let pairs: Vec<String> =
            numbered(count).iter().map(|(key, value)| format!("{key}={value}")).collect();
        pairs.join("&")
    };
    assert_eq!(from_header(&query(10)), Ok(numbered(10)));
    assert_eq!(refusal(from_header(&query(11))).0, ErrorCode::InvalidTag);
}

#[test]
fn lengths_are_in_utf_16_units() {
    let key_is_taken = |key: &str| from_pairs(&[(key, "v")], Tagged::Object).is_ok();
    let value_is_taken = |value: &str| from_pairs(&[("k", value)], Tagged::Object).is_ok();
    // One unit each, then two: 日 takes three bytes, 𠀀 four.
    for (text, units) in [("a", 1), ("日", 1), ("𠀀", 2)] {
        let of_units = |count: usize| text.repeat(count / units);
        assert!(key_is_taken(&of_units(TAG_KEY_UNITS_MAX)), "{text}");
        assert!(!key_is_taken(&of_units(TAG_KEY_UNITS_MAX + units)), "{text}");
        assert!(value_is_taken(&of_units(TAG_VALUE_UNITS_MAX)), "{text}");
        assert!(!value_is_taken(&of_units(TAG_VALUE_UNITS_MAX + units)), "{text}");
    }
}

#[test]
fn keys_and_values_that_are_refused() {
    let field =
        |error: &S3Error, name| error.extra.iter().find(|(have, _)| *have == name).map(|(_, v)| v.clone());
    for character in "!#$()*?,;<>&%\"'\\|~^`{}[]\t\n\u{7f}\u{85}€".chars() {
        let text = format!("a{character}");
        let error = from_pairs(&[(&text, "v")], Tagged::Object).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidTag, "{text:?}");
        assert_eq!(error.message, "The TagKey you have provided is invalid");
        assert_eq!(field(&error, "TagKey"), Some(text.clone()));
        let error = from_pairs(&[("k", &text)], Tagged::Bucket).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidTag, "{text:?}");
        assert_eq!(error.message, "The TagValue you have provided is invalid");
        assert_eq!((field(&error, "TagKey"), field(&error, "TagValue")), (Some("k".to_owned()), Some(text)));
    }
    assert_eq!(refusal(from_pairs(&[("", "v")], Tagged::Object)).0, ErrorCode::InvalidTag);
    assert_eq!(
        refusal(from_pairs(&[("aws:x", "v")], Tagged::Object)),
        (ErrorCode::InvalidTag, "System tags cannot be added or updated by the requester".to_owned())
    );
    assert!(from_pairs(&[("x", "aws:v"), ("aws", "v")], Tagged::Object).is_ok());
    assert_eq!(
        refusal(from_pairs(&[("a", "1"), ("b", "2"), ("a", "3")], Tagged::Object)),
        (ErrorCode::InvalidTag, "Cannot provide multiple Tags with the same key".to_owned())
    );
    assert!(from_pairs(&[("a", "1"), ("A", "1")], Tagged::Object).is_ok());
}

#[test]
fn headers() {
    assert_eq!(from_header("foo=bar&bar"), Ok(tags(&[("bar", ""), ("foo", "bar")])));
    assert_eq!(from_header("Hello=World&foo=bar"), Ok(tags(&[("Hello", "World"), ("foo", "bar")])));
    assert_eq!(from_header("a+b=c%20d&e=f=g&&h="), Ok(tags(&[("a b", "c d"), ("e", "f=g"), ("h", "")])));
    assert_eq!(from_header("%C3%A9=%2B"), Ok(tags(&[("é", "+")])));
    assert_eq!(from_header(""), Ok(Tags::new()));
    let (head, _) = RequestHead::parse(b"PUT /b/k HTTP/1.1\r\n\r\n").expect("well-formed").expect("whole");
    assert_eq!(from_head(&head), Ok(Tags::new()));
    for value in ["=v", "a=1&=", "a=1&a=2", "a=1&%61=1", "a=%", "a=%zz", "%ff=a", "a=%C3"] {
        let error = from_header(value).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument, "{value}");
        assert!(error.message.starts_with("The header 'x-amz-tagging' shall be encoded"));
        assert_eq!(error.extra, [("ArgumentName", HEADER.to_owned()), ("ArgumentValue", value.to_owned())]);
    }
    for value in ["a=%21", "aws%3Aa=b"] {
        assert_eq!(refusal(from_header(value)).0, ErrorCode::InvalidTag, "{value}");
    }
    assert_eq!(refusal(from_header(&format!("{}=", "k".repeat(129)))).0, ErrorCode::InvalidTag);
    assert!(from_header(&format!("{}=", "%C3%A9".repeat(128))).is_ok());
}

#[test]
fn the_tags_of_a_new_bucket() {
    let body = b"<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags>\
        </CreateBucketConfiguration>";
    let root = xml::parse(body).unwrap();
    assert_eq!(from_list(root.child("Tags").unwrap(), Tagged::Bucket), Ok(tags(&[("a", "b")])));
}
