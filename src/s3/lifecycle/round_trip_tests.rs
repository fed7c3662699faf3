use proptest::collection::{hash_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::index::record::lifecycle::{
    Expiration, FilterForm, LifecycleFilter, LifecycleRule, LifecycleRules, NoncurrentExpiration,
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// 9999-12-01.
const LAST_DAY: i64 = 2_932_865;

fn tags(count: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<(String, String)>> {
    let keys = hash_set("[a-zA-Z é日+=._:/@-]{1,8}", count);
    keys.prop_flat_map(|keys| {
        let values = vec("[a-z 日+=._:/@-]{0,8}", keys.len());
        (Just(keys), values).prop_map(|(keys, values)| keys.into_iter().zip(values).collect())
    })
}

fn filter() -> impl Strategy<Value = LifecycleFilter> {
    let prefix = || any::<String>().prop_map(|prefix| prefix.replace('\0', ""));
    let one = |filter: LifecycleFilter| LifecycleFilter { form: FilterForm::Filter, ..filter };
    let with_prefix = |prefix| LifecycleFilter { prefix: Some(prefix), ..LifecycleFilter::default() };
    prop_oneof![
        Just(LifecycleFilter::default()),
        prefix().prop_map(with_prefix),
        prefix()
            .prop_map(move |prefix| LifecycleFilter { form: FilterForm::RulePrefix, ..with_prefix(prefix) }),
        tags(1..=1).prop_map(move |tags| one(LifecycleFilter { tags, ..LifecycleFilter::default() })),
        (0..i64::MAX as u64)
            .prop_map(|size| LifecycleFilter { size_greater_than: Some(size), ..LifecycleFilter::default() }),
        (prefix(), tags(1..=10), option::of(1..1000_u64)).prop_map(|(prefix, tags, size_less_than)| {
            LifecycleFilter {
                form: FilterForm::And,
                prefix: Some(prefix),
                tags,
                size_greater_than: size_less_than.map(|size| size - 1),
                size_less_than,
            }
        }),
    ]
}

fn expiration() -> impl Strategy<Value = Expiration> {
    prop_oneof![
        (1..=i32::MAX as u32).prop_map(Expiration::Days),
        (0..=LAST_DAY).prop_map(|day| Expiration::Date(day * DAY_MS)),
        any::<bool>().prop_map(Expiration::ExpiredObjectDeleteMarker),
    ]
}

fn noncurrent() -> impl Strategy<Value = NoncurrentExpiration> {
    (option::of(1..=i32::MAX as u32), option::of(1..=100_u32))
        .prop_map(|(days, newer_versions)| NoncurrentExpiration { days, newer_versions })
        .prop_filter("one of the two", |noncurrent| {
            noncurrent.days.is_some() || noncurrent.newer_versions.is_some()
        })
}

/// A rule that could have been put, but for its ID.
fn rule() -> impl Strategy<Value = LifecycleRule> {
    (any::<bool>(), filter(), option::of(expiration()), option::of(noncurrent()), option::of(1..1000_u32))
        .prop_map(|(enabled, filter, mut expiration, mut noncurrent, mut abort_upload_days)| {
            let is_about_keys = filter.tags.is_empty()
                && filter.size_greater_than.is_none()
                && filter.size_less_than.is_none();
            if !is_about_keys {
                abort_upload_days = None;
                expiration =
                    expiration.filter(|what| !matches!(what, Expiration::ExpiredObjectDeleteMarker(_)));
            }
            if filter.form == FilterForm::RulePrefix {
                noncurrent = noncurrent.filter(|noncurrent| noncurrent.newer_versions.is_none());
            }
            if noncurrent.is_none() && abort_upload_days.is_none() {
                expiration = expiration.or(Some(Expiration::Days(1)));
            }
            LifecycleRule { id: String::new(), enabled, filter, expiration, noncurrent, abort_upload_days }
        })
}

fn rules() -> impl Strategy<Value = LifecycleRules> {
    let ids = hash_set("[^\0]{1,255}", 1..20);
    (ids, vec(rule(), 20)).prop_map(|(ids, rules)| {
        LifecycleRules(ids.into_iter().zip(rules).map(|(id, rule)| LifecycleRule { id, ..rule }).collect())
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(rules in rules()) {
        let document = write(&rules).finish();
        prop_assert_eq!(parse(&document, RulePrefix::Taken), Ok(rules));
    }

    #[test]
    fn what_is_stored_is_read_again(rules in rules()) {
        prop_assert_eq!(LifecycleRules::decode(&rules.encode()).ok(), Some(rules));
    }

    #[test]
    fn no_document_panics(body in "(<(/?(Rule|Filter|And|Tag|Key|Value|ID|Days|Date|Expiration|Status)/?)>|1|Enabled){0,30}") {
        let _ = parse(format!("<LifecycleConfiguration>{body}</LifecycleConfiguration>").as_bytes(), RulePrefix::Taken);
    }
}

#[test]
fn a_document_as_clients_get_it() {
    let rule = LifecycleRule {
        id: "a&b".to_owned(),
        enabled: false,
        filter: LifecycleFilter {
            form: FilterForm::And,
            prefix: Some("logs/".to_owned()),
            tags: vec![("k".to_owned(), "v".to_owned())],
            size_greater_than: Some(1),
            size_less_than: Some(3),
        },
        expiration: Some(Expiration::Date(1_795_392_000_000)),
        noncurrent: Some(NoncurrentExpiration { days: Some(2), newer_versions: Some(3) }),
        abort_upload_days: Some(4),
    };
    let document = String::from_utf8(write(&LifecycleRules(vec![rule])).finish()).expect("UTF-8");
    let (_, rule) = document.split_once("<Rule>").expect("a rule");
    assert_eq!(
        rule,
        "<Expiration><Date>2026-11-23T00:00:00.000Z</Date></Expiration><ID>a&amp;b</ID><Filter><And>\
         <Prefix>logs/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan>\
         <ObjectSizeLessThan>3</ObjectSizeLessThan></And></Filter><Status>Disabled</Status>\
         <NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays>\
         <NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration>\
         <AbortIncompleteMultipartUpload><DaysAfterInitiation>4</DaysAfterInitiation>\
         </AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>"
    );
}
