//! The lifecycle document as PutBucketLifecycleConfiguration sends it, read and judged whole.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

use crate::config::limits::{LIFECYCLE_RULE_ID_MAX, LIFECYCLE_RULES_MAX};
use crate::index::record::lifecycle::{
    Expiration, FilterForm, LifecycleFilter, LifecycleRule, LifecycleRules, NoncurrentExpiration,
};
use crate::s3::error::S3Error;
use crate::s3::lifecycle::elements::{boolean, fields, number, text};
use crate::s3::lifecycle::filter;
use crate::s3::timestamp;
use crate::s3::xml::{self, Element};

/// Actions of S3 that move objects between storage classes, of which this node has one.
const TRANSITIONS: [&str; 2] = ["Transition", "NoncurrentVersionTransition"];

/// The type of days in S3's schema ends here.
const DAYS: RangeInclusive<u32> = 1..=i32::MAX as u32;
const NEWER_VERSIONS: RangeInclusive<u32> = 1..=100;

/// 48 characters in base64, as AWS names rules.
const DRAWN_ID_BYTES: usize = 36;

/// What becomes of a rule that has its prefix outside of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulePrefix {
    Taken,
    Refused,
}

impl RulePrefix {
    pub fn taken_if(is_taken: bool) -> Self {
        if is_taken { Self::Taken } else { Self::Refused }
    }
}

/// Reads the rules of a document. A rule that was sent without an ID has an empty one.
pub fn parse(body: &[u8], rule_prefix: RulePrefix) -> Result<LifecycleRules, S3Error> {
    let root = xml::parse(body)?;
    let is_rule = |child: &Element| child.name == "Rule";
    if root.name != "LifecycleConfiguration"
        || !(1..=LIFECYCLE_RULES_MAX).contains(&root.children.len())
        || !root.children.iter().all(is_rule)
    {
        return Err(S3Error::malformed_xml());
    }
    let rules = root.children.iter().map(|element| rule(element, rule_prefix));
    let rules = rules.collect::<Result<Vec<_>, S3Error>>()?;
    let mut ids = HashSet::new();
    if let Some(twice) = rules.iter().find(|rule| !rule.id.is_empty() && !ids.insert(&rule.id)) {
        let message = "Rule ID must be unique. Found same ID for more than one rule";
        return Err(S3Error::invalid_argument("ID", &twice.id, message));
    }
    Ok(LifecycleRules(rules))
}

/// Draws an ID for every rule that was sent without one.
pub fn name_rules(rules: &mut LifecycleRules) -> Result<(), getrandom::Error> {
    for rule in rules.0.iter_mut().filter(|rule| rule.id.is_empty()) {
        let mut random = [0; DRAWN_ID_BYTES];
        getrandom::fill(&mut random)?;
        rule.id = URL_SAFE.encode(random);
    }
    Ok(())
}

fn rule(element: &Element, rule_prefix: RulePrefix) -> Result<LifecycleRule, S3Error> {
    if let Some(name) = TRANSITIONS.iter().find(|name| element.child(name).is_some()) {
        return Err(S3Error::not_implemented(&format!("The lifecycle action {name}")));
    }
    let names = [
        "ID",
        "Status",
        "Prefix",
        "Filter",
        "Expiration",
        "NoncurrentVersionExpiration",
        "AbortIncompleteMultipartUpload",
    ];
    let [id, status, prefix, filter, expiration, noncurrent, abort] = fields(element, names)?;
    let rule = LifecycleRule {
        id: id.map(read_id).transpose()?.unwrap_or_default(),
        enabled: enabled(status)?,
        filter: read_filter(prefix, filter, rule_prefix)?,
        expiration: expiration.map(read_expiration).transpose()?,
        noncurrent: noncurrent.map(read_noncurrent).transpose()?,
        abort_upload_days: abort.map(read_abort).transpose()?,
    };
    check_actions(&rule)?;
    Ok(rule)
}

fn read_id(element: &Element) -> Result<String, S3Error> {
    let id = text(element)?;
    if id.chars().count() > LIFECYCLE_RULE_ID_MAX {
        let message = format!("ID length should not exceed allowed limit of {LIFECYCLE_RULE_ID_MAX}");
        return Err(S3Error::invalid_argument("ID", id, message));
    }
    Ok(id.to_owned())
}

fn enabled(status: Option<&Element>) -> Result<bool, S3Error> {
    match status.map(text).transpose()?.map(str::trim) {
        Some("Enabled") => Ok(true),
        Some("Disabled") => Ok(false),
        Some(_) | None => Err(S3Error::malformed_xml()),
    }
}

fn read_filter(
    prefix: Option<&Element>,
    filter: Option<&Element>,
    rule_prefix: RulePrefix,
) -> Result<LifecycleFilter, S3Error> {
    match (prefix, filter, rule_prefix) {
        (None, Some(filter), _) => filter::read(filter),
        (Some(prefix), None, RulePrefix::Taken) => filter::of_rule_prefix(prefix),
        (Some(_), None, RulePrefix::Refused) => Err(S3Error::invalid_request(
            "A Prefix in the rule itself is not supported by this server. Use Filter.Prefix instead.",
        )),
        (Some(_), Some(_), _) | (None, None, _) => Err(S3Error::malformed_xml()),
    }
}

fn read_expiration(element: &Element) -> Result<Expiration, S3Error> {
    let [days, date, marker] = fields(element, ["Days", "Date", "ExpiredObjectDeleteMarker"])?;
    match (days, date, marker) {
        (Some(days), None, None) => read_days(days, &element.name).map(Expiration::Days),
        (None, Some(date), None) => read_date(date).map(Expiration::Date),
        (None, None, Some(marker)) => boolean(marker).map(Expiration::ExpiredObjectDeleteMarker),
        _ => Err(S3Error::malformed_xml()),
    }
}

fn read_noncurrent(element: &Element) -> Result<NoncurrentExpiration, S3Error> {
    let [days, newer] = fields(element, ["NoncurrentDays", "NewerNoncurrentVersions"])?;
    if days.is_none() && newer.is_none() {
        return Err(S3Error::malformed_xml());
    }
    let message = format!(
        "'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be between {} and {}",
        NEWER_VERSIONS.start(),
        NEWER_VERSIONS.end()
    );
    Ok(NoncurrentExpiration {
        days: days.map(|days| read_days(days, &element.name)).transpose()?,
        newer_versions: newer.map(|newer| number(newer, NEWER_VERSIONS, &message)).transpose()?,
    })
}

fn read_abort(element: &Element) -> Result<u32, S3Error> {
    let [days] = fields(element, ["DaysAfterInitiation"])?;
    read_days(days.ok_or_else(S3Error::malformed_xml)?, &element.name)
}

fn read_days(element: &Element, action: &str) -> Result<u32, S3Error> {
    number(element, DAYS, &format!("'{}' for {action} action must be a positive integer", element.name))
}

fn read_date(element: &Element) -> Result<i64, S3Error> {
    let text = text(element)?.trim();
    let midnight = timestamp::parse_utc_midnight(text).filter(|unix_ms| *unix_ms >= 0);
    midnight.ok_or_else(|| S3Error::invalid_argument("Date", text, "'Date' must be at midnight GMT"))
}

/// What actions ask of each other and of the filter.
fn check_actions(rule: &LifecycleRule) -> Result<(), S3Error> {
    if rule.expiration.is_none() && rule.noncurrent.is_none() && rule.abort_upload_days.is_none() {
        return Err(S3Error::invalid_request("At least one action needs to be specified in a rule"));
    }
    let newer_versions = rule.noncurrent.and_then(|noncurrent| noncurrent.newer_versions);
    if newer_versions.is_some() && rule.filter.form == FilterForm::RulePrefix {
        return Err(S3Error::invalid_request(
            "NewerNoncurrentVersions requires a Filter element in the rule",
        ));
    }
    let refused = match rule.expiration {
        _ if !filter::asks_beyond_key(&rule.filter) => None,
        Some(Expiration::ExpiredObjectDeleteMarker(_)) => Some("ExpiredObjectDeleteMarker"),
        _ => rule.abort_upload_days.map(|_| "AbortIncompleteMultipartUpload"),
    };
    match refused {
        Some(action) => {
            let message = format!("{action} cannot be specified with tags or object sizes in the filter");
            Err(S3Error::invalid_request(message))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
