//! The filter of a rule: which objects it is about.

use crate::config::limits::KEY_BYTES_MAX;
use crate::index::record::lifecycle::{FilterForm, LifecycleFilter};
use crate::s3::error::S3Error;
use crate::s3::lifecycle::elements::{check_holds_elements, fields, fields_of, number, text};
use crate::s3::tagging::{self, Tags};
use crate::s3::xml::Element;

const SIZE: &str = "The size in a filter must be a number of bytes";

/// Reads `Filter`, with one predicate or none, or several in `And`.
pub(super) fn read(filter: &Element) -> Result<LifecycleFilter, S3Error> {
    let names = ["Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And"];
    let [prefix, tag, greater_than, less_than, and] = fields(filter, names)?;
    if filter.children.len() > 1 {
        return Err(S3Error::malformed_xml());
    }
    match and {
        Some(and) => read_and(and),
        None => predicates(FilterForm::Filter, prefix, tag.as_slice(), [greater_than, less_than]),
    }
}

/// Reads the `Prefix` of a rule without filter.
pub(super) fn of_rule_prefix(prefix: &Element) -> Result<LifecycleFilter, S3Error> {
    predicates(FilterForm::RulePrefix, Some(prefix), &[], [None, None])
}

/// Whether the filter asks more of an object than its key.
pub(super) fn asks_beyond_key(filter: &LifecycleFilter) -> bool {
    !filter.tags.is_empty() || filter.size_greater_than.is_some() || filter.size_less_than.is_some()
}

fn read_and(and: &Element) -> Result<LifecycleFilter, S3Error> {
    check_holds_elements(and)?;
    let (tags, others): (Vec<&Element>, Vec<&Element>) =
        and.children.iter().partition(|child| child.name == "Tag");
    let [prefix, greater_than, less_than] =
        fields_of(others, ["Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan"])?;
    if and.children.len() < 2 {
        return Err(S3Error::malformed_xml());
    }
    predicates(FilterForm::And, prefix, &tags, [greater_than, less_than])
}

fn predicates(
    form: FilterForm,
    prefix: Option<&Element>,
    tags: &[&Element],
    [greater_than, less_than]: [Option<&Element>; 2],
) -> Result<LifecycleFilter, S3Error> {
    let filter = LifecycleFilter {
        form,
        prefix: prefix.map(read_prefix).transpose()?,
        tags: read_tags(tags)?,
        size_greater_than: greater_than.map(size).transpose()?,
        size_less_than: less_than.map(size).transpose()?,
    };
    if let (Some(greater_than), Some(less_than)) = (filter.size_greater_than, filter.size_less_than)
        && greater_than >= less_than
    {
        let message = "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'";
        return Err(S3Error::invalid_request(message));
    }
    Ok(filter)
}

fn read_prefix(element: &Element) -> Result<String, S3Error> {
    let prefix = text(element)?;
    if prefix.len() > KEY_BYTES_MAX {
        return Err(S3Error::invalid_request(format!("The maximum size of a prefix is {KEY_BYTES_MAX}.")));
    }
    Ok(prefix.to_owned())
}

/// The tags in the order in which they stand.
fn read_tags(elements: &[&Element]) -> Result<Tags, S3Error> {
    let tags = tagging::of_filter(elements.iter().copied())?;
    let mut keys: Vec<&str> = tags.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    if keys.is_sorted_by(|one, next| one < next) { Ok(tags) } else { Err(S3Error::malformed_xml()) }
}

fn size(element: &Element) -> Result<u64, S3Error> {
    number(element, 0..=u64::MAX, SIZE)
}
