//! The lifecycle document as GetBucketLifecycleConfiguration answers with it: every rule in the form in which it came.

use crate::index::record::lifecycle::{
    Expiration, FilterForm, LifecycleFilter, LifecycleRule, LifecycleRules, NoncurrentExpiration,
};
use crate::s3::timestamp;
use crate::s3::xml::Writer;

/// Writes the document of a bucket's rules.
pub fn write(rules: &LifecycleRules) -> Writer {
    let mut xml = Writer::with_root("LifecycleConfiguration");
    for rule in &rules.0 {
        xml.open("Rule");
        write_rule(&mut xml, rule);
        xml.close();
    }
    xml
}

fn write_rule(xml: &mut Writer, rule: &LifecycleRule) {
    if let Some(expiration) = rule.expiration {
        xml.open("Expiration");
        match expiration {
            Expiration::Days(days) => xml.number("Days", u64::from(days)),
            Expiration::Date(midnight_ms) => xml.element("Date", &timestamp::iso8601(midnight_ms)),
            Expiration::ExpiredObjectDeleteMarker(goes) => xml.boolean("ExpiredObjectDeleteMarker", goes),
        }
        xml.close();
    }
    xml.element("ID", &rule.id);
    write_filter(xml, &rule.filter);
    xml.element("Status", if rule.enabled { "Enabled" } else { "Disabled" });
    if let Some(NoncurrentExpiration { days, newer_versions }) = rule.noncurrent {
        xml.open("NoncurrentVersionExpiration");
        number_if(xml, "NoncurrentDays", days.map(u64::from));
        number_if(xml, "NewerNoncurrentVersions", newer_versions.map(u64::from));
        xml.close();
    }
    if let Some(days) = rule.abort_upload_days {
        xml.open("AbortIncompleteMultipartUpload");
        xml.number("DaysAfterInitiation", u64::from(days));
        xml.close();
    }
}

fn write_filter(xml: &mut Writer, filter: &LifecycleFilter) {
    match filter.form {
        FilterForm::Absent => {}
        FilterForm::RulePrefix => write_predicates(xml, filter),
        FilterForm::Filter => {
            xml.open("Filter");
            write_predicates(xml, filter);
            xml.close();
        }
        FilterForm::And => {
            xml.open("Filter");
            xml.open("And");
            write_predicates(xml, filter);
            xml.close();
            xml.close();
        }
    }
}

fn write_predicates(xml: &mut Writer, filter: &LifecycleFilter) {
    xml.element_if("Prefix", filter.prefix.as_deref());
    for (key, value) in &filter.tags {
        xml.open("Tag");
        xml.element("Key", key);
        xml.element("Value", value);
        xml.close();
    }
    number_if(xml, "ObjectSizeGreaterThan", filter.size_greater_than);
    number_if(xml, "ObjectSizeLessThan", filter.size_less_than);
}

fn number_if(xml: &mut Writer, name: &str, number: Option<u64>) {
    if let Some(number) = number {
        xml.number(name, number);
    }
}
