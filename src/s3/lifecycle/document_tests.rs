use super::*;
use crate::index::record::lifecycle::FilterForm;
use crate::s3::error::ErrorCode;

const EXPIRATION: &str = "<Expiration><Days>1</Days></Expiration>";
const ABORT: &str = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
const TAG: &str = "<Tag><Key>a</Key><Value>1</Value></Tag>";

fn read(rules: &str) -> Result<LifecycleRules, S3Error> {
    let body = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
    parse(body.as_bytes(), RulePrefix::Taken)
}

/// The rule of these children, enabled.
fn read_rule(children: &str) -> Result<LifecycleRule, S3Error> {
    let rules = read(&format!("<Rule><Status>Enabled</Status>{children}</Rule>"))?;
    let [rule] = <[LifecycleRule; 1]>::try_from(rules.0).expect("one rule came");
    Ok(rule)
}

/// The filter of a rule that has one.
fn read_filter(children: &str) -> Result<LifecycleFilter, S3Error> {
    read_rule(&format!("<Filter>{children}</Filter>{EXPIRATION}")).map(|rule| rule.filter)
}

/// The actions of a rule about everything.
fn read_actions(children: &str) -> Result<LifecycleRule, S3Error> {
    read_rule(&format!("<Filter/>{children}"))
}

fn code<T: std::fmt::Debug>(outcome: Result<T, S3Error>) -> ErrorCode {
    outcome.expect_err("a refusal").code
}

fn message<T: std::fmt::Debug>(outcome: Result<T, S3Error>) -> String {
    outcome.expect_err("a refusal").message
}

#[test]
fn a_document_as_clients_send_it() {
    let body = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n  <Rule>\n    <ID>logs</ID>\n\
        <Filter>\n <And> <Prefix>logs/</Prefix> <Tag><Key>b</Key><Value>2</Value></Tag>\n\
        <Tag><Value/><Key>a</Key></Tag> <ObjectSizeGreaterThan>5</ObjectSizeGreaterThan>\n\
        <ObjectSizeLessThan> 7 </ObjectSizeLessThan></And></Filter>\n <Status>Enabled</Status>\n\
        <Expiration><Date>2026-11-23T00:00:00Z</Date></Expiration>\n <NoncurrentVersionExpiration>\n\
        <NewerNoncurrentVersions>3</NewerNoncurrentVersions><NoncurrentDays>2</NoncurrentDays>\n\
        </NoncurrentVersionExpiration></Rule>\n<Rule><Prefix>up/</Prefix><Status>Disabled</Status>\n\
        <AbortIncompleteMultipartUpload><DaysAfterInitiation>9</DaysAfterInitiation>\n\
        </AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>";
    let first = LifecycleRule {
        id: "logs".to_owned(),
        enabled: true,
        filter: LifecycleFilter {
            form: FilterForm::And,
            prefix: Some("logs/".to_owned()),
            tags: vec![("b".to_owned(), "2".to_owned()), ("a".to_owned(), String::new())],
            size_greater_than: Some(5),
            size_less_than: Some(7),
        },
        expiration: Some(Expiration::Date(1_795_392_000_000)),
        noncurrent: Some(NoncurrentExpiration { days: Some(2), newer_versions: Some(3) }),
        abort_upload_days: None,
    };
    let second = LifecycleRule {
        filter: LifecycleFilter {
            form: FilterForm::RulePrefix,
            prefix: Some("up/".to_owned()),
            ..LifecycleFilter::default()
        },
        abort_upload_days: Some(9),
        ..LifecycleRule::default()
    };
    assert_eq!(parse(body, RulePrefix::Taken), Ok(LifecycleRules(vec![first, second])));
}

#[test]
fn documents_of_another_shape() {
    let rule = format!("<Rule><Filter/><Status>Enabled</Status>{EXPIRATION}</Rule>");
    assert!(read(&rule).is_ok());
    for body in [
        String::new(),
        "not xml".to_owned(),
        "<LifecycleConfiguration/>".to_owned(),
        format!("<Other>{rule}</Other>"),
        rule.clone(),
        format!("<LifecycleConfiguration>{rule}"),
        format!("<LifecycleConfiguration>{rule}<Note/></LifecycleConfiguration>"),
        format!("<LifecycleConfiguration><Rules>{rule}</Rules></LifecycleConfiguration>"),
    ] {
        assert_eq!(code(parse(body.as_bytes(), RulePrefix::Taken)), ErrorCode::MalformedXML, "{body}");
    }
    for rule in ["<Rule/>", "<Rule>text</Rule>"] {
        assert_eq!(code(read(rule)), ErrorCode::MalformedXML, "{rule}");
    }
    for children in [
        "<Status>Enabled</Status>",
        "<Note/>",
        "<id>a</id>",
        "<ID><b/></ID>",
        "<ID>a</ID><ID>b</ID>",
        "<Filter/>",
        "<Expiration><Days>1</Days></Expiration>",
    ] {
        let rule = format!("<Filter/>{EXPIRATION}{children}");
        assert_eq!(code(read_rule(&rule)), ErrorCode::MalformedXML, "{children}");
    }
}

#[test]
fn numbers_of_rules() {
    let rules = |count: usize| format!("<Rule><Filter/><Status>Enabled</Status>{ABORT}</Rule>").repeat(count);
    assert_eq!(code(read(&rules(0))), ErrorCode::MalformedXML);
    assert_eq!(read(&rules(LIFECYCLE_RULES_MAX)).map(|rules| rules.0.len()), Ok(LIFECYCLE_RULES_MAX));
    assert_eq!(code(read(&rules(LIFECYCLE_RULES_MAX + 1))), ErrorCode::MalformedXML);
}

#[test]
fn the_largest_document_stays_within_the_bounds_of_xml() {
    let tag = |number: usize| format!("<Tag><Key>k{number}</Key><Value>v</Value></Tag>");
    let tags: String = (0..10).map(tag).collect();
    let rule = |number: usize| {
        format!(
            "<Rule><ID>{number}</ID><Status>Enabled</Status><Filter><And><Prefix>p</Prefix>{tags}\
             <ObjectSizeGreaterThan>1</ObjectSizeGreaterThan><ObjectSizeLessThan>3</ObjectSizeLessThan></And></Filter>\
             {EXPIRATION}<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays>\
             <NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule>"
        )
    };
    let rules: String = (0..LIFECYCLE_RULES_MAX).map(rule).collect();
    assert_eq!(read(&rules).map(|rules| rules.0.len()), Ok(LIFECYCLE_RULES_MAX));
}

#[test]
fn ids() {
    let with_id = |id: &str| format!("<Rule><ID>{id}</ID><Filter/><Status>Enabled</Status>{ABORT}</Rule>");
    let ids_of =
        |rules: &str| read(rules).map(|rules| rules.0.into_iter().map(|rule| rule.id).collect::<Vec<_>>());
    let longest = "日".repeat(LIFECYCLE_RULE_ID_MAX);
    assert_eq!(ids_of(&with_id(&longest)), Ok(vec![longest.clone()]));
    assert_eq!(code(read(&with_id(&format!("{longest}a")))), ErrorCode::InvalidArgument);
    assert_eq!(code(read(&(with_id("a") + &with_id("b") + &with_id("a")))), ErrorCode::InvalidArgument);
    let distinct = with_id("a") + &with_id("A") + &with_id(" a");
    assert_eq!(ids_of(&distinct).map(|ids| ids.len()), Ok(3));
    assert_eq!(ids_of(&(with_id("") + &with_id(""))), Ok(vec![String::new(); 2]));
}

#[test]
fn rules_without_an_id_are_given_one() {
    let mut rules = LifecycleRules(vec![LifecycleRule::default(); 3]);
    rules.0[1].id = "mine".to_owned();
    name_rules(&mut rules).expect("random numbers");
    let [first, second, third] = [0, 1, 2].map(|at| rules.0[at].id.clone());
    assert_eq!((first.len(), second.as_str(), third.len()), (48, "mine", 48));
    assert_ne!(first, third);
    assert!(first.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{first}");
}

#[test]
fn status() {
    let with = |status: &str| {
        let rules = read(&format!("<Rule><Filter/>{status}{EXPIRATION}</Rule>"))?;
        Ok::<_, S3Error>(rules.0[0].enabled)
    };
    assert_eq!(with("<Status>Enabled</Status>"), Ok(true));
    assert_eq!(with("<Status> Disabled </Status>"), Ok(false));
    for status in ["", "<Status/>", "<Status>enabled</Status>", "<Status>true</Status>"] {
        assert_eq!(code(with(status)), ErrorCode::MalformedXML, "{status}");
    }
}

#[test]
fn filters_in_their_forms() {
    let filter = |form, prefix: Option<&str>| LifecycleFilter {
        form,
        prefix: prefix.map(str::to_owned),
        ..LifecycleFilter::default()
    };
    let tag = vec![("a".to_owned(), "1".to_owned())];
    let plain = filter(FilterForm::Filter, None);
    assert_eq!(read_filter(""), Ok(plain.clone()));
    assert_eq!(read_filter(" \n "), Ok(plain.clone()));
    assert_eq!(read_filter("<Prefix/>"), Ok(filter(FilterForm::Filter, Some(""))));
    assert_eq!(read_filter("<Prefix> a/</Prefix>"), Ok(filter(FilterForm::Filter, Some(" a/"))));
    assert_eq!(read_filter(TAG), Ok(LifecycleFilter { tags: tag.clone(), ..plain.clone() }));
    assert_eq!(
        read_filter("<ObjectSizeGreaterThan>0</ObjectSizeGreaterThan>"),
        Ok(LifecycleFilter { size_greater_than: Some(0), ..plain.clone() })
    );
    assert_eq!(
        read_filter("<ObjectSizeLessThan>9223372036854775807</ObjectSizeLessThan>"),
        Ok(LifecycleFilter { size_less_than: Some(i64::MAX as u64), ..plain })
    );
    assert_eq!(
        read_filter(&format!("<And><Prefix/>{TAG}</And>")),
        Ok(LifecycleFilter { tags: tag, ..filter(FilterForm::And, Some("")) })
    );
}

#[test]
fn filters_of_another_shape() {
    let greater = "<ObjectSizeGreaterThan>1</ObjectSizeGreaterThan>";
    for children in [
        "text".to_owned(),
        "<Note/>".to_owned(),
        "<Prefix>a</Prefix><Prefix>b</Prefix>".to_owned(),
        format!("<Prefix>a</Prefix>{TAG}"),
        format!("<Prefix/>{greater}"),
        format!("{TAG}{TAG}"),
        format!("<Prefix>a</Prefix><And>{TAG}{greater}</And>"),
        "<And/>".to_owned(),
        "<And><Prefix>a</Prefix></And>".to_owned(),
        format!("<And>{TAG}</And>"),
        format!("<And>{TAG}<Tag><Key>a</Key><Value>2</Value></Tag></And>"),
        format!("<And>{TAG}<And>{TAG}{greater}</And></And>"),
        format!("<And>{TAG}{greater}{greater}</And>"),
        format!("<And>{TAG}<Note/></And>"),
        "<And>text</And>".to_owned(),
        "<Tag/>".to_owned(),
        "<Tag><Key>a</Key></Tag>".to_owned(),
        "<Prefix><a/></Prefix>".to_owned(),
        "<ObjectSizeLessThan>many</ObjectSizeLessThan>".to_owned(),
        "<ObjectSizeLessThan/>".to_owned(),
        "<ObjectSizeLessThan>1.5</ObjectSizeLessThan>".to_owned(),
    ] {
        assert_eq!(code(read_filter(&children)), ErrorCode::MalformedXML, "{children}");
    }
}

#[test]
fn what_filters_may_ask_for() {
    let prefix = |bytes: usize| read_filter(&format!("<Prefix>{}</Prefix>", "é".repeat(bytes / 2)));
    assert!(prefix(1024).is_ok());
    assert_eq!(message(prefix(1026)), "The maximum size of a prefix is 1024.");
    let tags = |count: usize| {
        let tag = |number: usize| format!("<Tag><Key>{number}</Key><Value/></Tag>");
        read_filter(&format!("<And><Prefix/>{}</And>", (0..count).map(tag).collect::<String>()))
    };
    assert!(tags(10).is_ok());
    assert_eq!(code(tags(11)), ErrorCode::InvalidTag);
    for tag in ["<Key/><Value/>", "<Key>aws:a</Key><Value/>", "<Key>a</Key><Value>!</Value>"] {
        assert_eq!(code(read_filter(&format!("<Tag>{tag}</Tag>"))), ErrorCode::InvalidTag, "{tag}");
    }
    let between = |greater: i64, less: i64| {
        read_filter(&format!(
            "<And><ObjectSizeGreaterThan>{greater}</ObjectSizeGreaterThan>\
             <ObjectSizeLessThan>{less}</ObjectSizeLessThan></And>"
        ))
    };
    assert!(between(5, 6).is_ok());
    assert_eq!(code(between(6, 6)), ErrorCode::InvalidRequest);
    assert_eq!(code(between(7, 6)), ErrorCode::InvalidRequest);
    assert_eq!(code(between(-1, 6)), ErrorCode::InvalidArgument);
}

#[test]
fn prefix_and_filter() {
    let rule = |children: &str| {
        let body = format!(
            "<LifecycleConfiguration><Rule><Status>Enabled</Status>{EXPIRATION}{children}</Rule></LifecycleConfiguration>"
        );
        [RulePrefix::Taken, RulePrefix::Refused].map(|taken| {
            parse(body.as_bytes(), taken)
                .map(|rules| rules.0[0].filter.form)
                .map_err(|error| (error.code, error.message.contains("Filter.Prefix")))
        })
    };
    let malformed = Err((ErrorCode::MalformedXML, false));
    assert_eq!(rule("<Filter/>"), [Ok(FilterForm::Filter); 2]);
    assert_eq!(
        rule("<Prefix>a</Prefix>"),
        [Ok(FilterForm::RulePrefix), Err((ErrorCode::InvalidRequest, true))]
    );
    assert_eq!(rule(""), [malformed, malformed]);
    assert_eq!(rule("<Prefix>a</Prefix><Filter/>"), [malformed, malformed]);
}

#[test]
fn days() {
    for (action, element) in [
        ("Expiration", "Days"),
        ("NoncurrentVersionExpiration", "NoncurrentDays"),
        ("AbortIncompleteMultipartUpload", "DaysAfterInitiation"),
    ] {
        let days = |days: &str| read_actions(&format!("<{action}><{element}>{days}</{element}></{action}>"));
        for text in ["1", "36500", "2147483647", " 7 ", "+7"] {
            assert!(days(text).is_ok(), "{action} {text}");
        }
        for text in ["0", "-1", "2147483648", "9999999999"] {
            let expected = format!("'{element}' for {action} action must be a positive integer");
            assert_eq!(days(text).map_err(|error| (error.code, error.message)).err(), {
                Some((ErrorCode::InvalidArgument, expected))
            });
        }
        for text in ["", "one", "1.5", "1d", "99999999999999999999"] {
            assert_eq!(code(days(text)), ErrorCode::MalformedXML, "{action} {text}");
        }
        assert_eq!(code(read_actions(&format!("<{action}/>"))), ErrorCode::MalformedXML, "{action}");
    }
}

#[test]
fn expirations() {
    let expiration = |children: &str| {
        read_actions(&format!("<Expiration>{children}</Expiration>")).map(|rule| rule.expiration)
    };
    let marker = "<ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>";
    assert_eq!(expiration("<Days>3</Days>"), Ok(Some(Expiration::Days(3))));
    assert_eq!(expiration("<Date>2026-11-23</Date>"), Ok(Some(Expiration::Date(1_795_392_000_000))));
    assert_eq!(expiration(marker), Ok(Some(Expiration::ExpiredObjectDeleteMarker(true))));
    assert_eq!(
        expiration("<ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker>"),
        Ok(Some(Expiration::ExpiredObjectDeleteMarker(false)))
    );
    for children in [
        "<Days>1</Days><Date>2026-11-23</Date>".to_owned(),
        format!("<Days>1</Days>{marker}"),
        format!("<Date>2026-11-23</Date>{marker}"),
        "<ExpiredObjectDeleteMarker>yes</ExpiredObjectDeleteMarker>".to_owned(),
        "<ExpiredObjectAllVersions>true</ExpiredObjectAllVersions>".to_owned(),
    ] {
        assert_eq!(code(expiration(&children)), ErrorCode::MalformedXML, "{children}");
    }
    for date in ["2026-11-23T01:00:00Z", "soon", "", "1969-12-31"] {
        let refused = expiration(&format!("<Date>{date}</Date>")).expect_err("no midnight");
        assert_eq!(refused.code, ErrorCode::InvalidArgument, "{date}");
        assert_eq!(refused.message, "'Date' must be at midnight GMT");
    }
}

#[test]
fn noncurrent_versions_that_are_kept() {
    let newer = |children: &str| {
        let action = format!("<NoncurrentVersionExpiration>{children}</NoncurrentVersionExpiration>");
        read_actions(&action).map(|rule| rule.noncurrent)
    };
    let number =
        |number: &str| newer(&format!("<NewerNoncurrentVersions>{number}</NewerNoncurrentVersions>"));
    for (text, versions) in [("1", 1), ("100", 100)] {
        let expected = NoncurrentExpiration { days: None, newer_versions: Some(versions) };
        assert_eq!(number(text), Ok(Some(expected)));
    }
    for text in ["0", "101", "-5"] {
        assert_eq!(code(number(text)), ErrorCode::InvalidArgument, "{text}");
    }
    assert_eq!(code(number("all")), ErrorCode::MalformedXML);
    let kept = "<NoncurrentVersionExpiration><NewerNoncurrentVersions>1</NewerNoncurrentVersions>\
                </NoncurrentVersionExpiration>";
    assert_eq!(code(read_rule(&format!("<Prefix>a</Prefix>{kept}"))), ErrorCode::InvalidRequest);
}

#[test]
fn a_rule_does_something() {
    assert_eq!(message(read_actions("")), "At least one action needs to be specified in a rule");
    let all = format!(
        "{EXPIRATION}{ABORT}<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>"
    );
    assert!(read_actions(&all).is_ok());
}

#[test]
fn what_has_neither_tags_nor_a_size() {
    let marker =
        "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>".to_owned();
    let sizes = "<ObjectSizeLessThan>5</ObjectSizeLessThan>".to_owned();
    for action in [marker, ABORT.to_owned()] {
        for filter in [TAG.to_owned(), sizes.clone(), format!("<And><Prefix>a</Prefix>{TAG}</And>")] {
            let rule = read_rule(&format!("<Filter>{filter}</Filter>{action}"));
            assert_eq!(code(rule), ErrorCode::InvalidRequest, "{filter} {action}");
        }
        assert!(read_rule(&format!("<Filter><Prefix>a</Prefix></Filter>{action}")).is_ok());
        assert!(read_rule(&format!("<Prefix>a</Prefix>{action}")).is_ok());
    }
    let noncurrent =
        "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
    for filter in [TAG.to_owned(), sizes] {
        assert!(read_rule(&format!("<Filter>{filter}</Filter>{EXPIRATION}{noncurrent}")).is_ok());
    }
}

#[test]
fn transitions_are_refused_by_name() {
    let storage = "<Days>1</Days><StorageClass>GLACIER</StorageClass>";
    for name in ["Transition", "NoncurrentVersionTransition"] {
        let refused =
            read_actions(&format!("{EXPIRATION}<{name}>{storage}</{name}>")).expect_err("not implemented");
        assert_eq!(refused.code, ErrorCode::NotImplemented);
        assert!(refused.message.contains(&format!(" {name} ")), "{}", refused.message);
    }
}
