//! Tags of objects and buckets: as XML, as the header `x-amz-tagging`, and the rules for both.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>

use crate::config::limits::{BUCKET_TAGS_MAX, OBJECT_TAGS_MAX, TAG_KEY_UNITS_MAX, TAG_VALUE_UNITS_MAX};
use crate::http::head::RequestHead;
use crate::http::target::Query;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::xml::{self, Element, Writer};

const HEADER: &str = "x-amz-tagging";

/// Keys that begin so belong to the service.
const PREFIX_RESERVED: &str = "aws:";

/// Keys and values. Those read here are valid and in the order of their keys, whatever order they were sent in.
pub type Tags = Vec<(String, String)>;

/// What carries the tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tagged {
    Object,
    Bucket,
}

/// Reads the tags that an upload brings with it: pairs as in a query. Without the header there are none.
pub fn from_head(head: &RequestHead) -> Result<Tags, S3Error> {
    let Some(sent) = head.header(HEADER) else { return Ok(Tags::new()) };
    let invalid = || {
        let message = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters \
                       without tag name duplicates.";
        S3Error::invalid_argument(HEADER, &String::from_utf8_lossy(sent), message)
    };
    let query = Query::parse(sent).map_err(|_bad| invalid())?;
    let tags: Tags = query.pairs().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    if tags.iter().any(|(key, _)| key.is_empty()) {
        return Err(invalid());
    }
    let tags = validated(tags, Tagged::Object)?;
    if has_duplicates(&tags) { Err(invalid()) } else { Ok(tags) }
}

/// Reads a `Tagging` document.
pub fn from_xml(body: &[u8], of: Tagged) -> Result<Tags, S3Error> {
    let root = xml::parse(body)?;
    match root.children.as_slice() {
        [tag_set] if root.name == "Tagging" && tag_set.name == "TagSet" => from_list(tag_set, of),
        _ => Err(S3Error::malformed_xml()),
    }
}

/// Reads an element that holds `Tag` elements: the `TagSet` of a tagging, the `Tags` of a new bucket.
pub fn from_list(list: &Element, of: Tagged) -> Result<Tags, S3Error> {
    if !list.text.trim().is_empty() {
        return Err(S3Error::malformed_xml());
    }
    let tags = list.children.iter().map(tag).collect::<Result<Tags, S3Error>>()?;
    let tags = validated(tags, of)?;
    if has_duplicates(&tags) {
        let message = "Cannot provide multiple Tags with the same key";
        return Err(S3Error::with_message(ErrorCode::InvalidTag, message));
    }
    Ok(tags)
}

/// Reads the `Tag` elements of a lifecycle filter, which ask for tags that an object can have; they stay in their order.
pub fn of_filter<'a>(elements: impl Iterator<Item = &'a Element>) -> Result<Tags, S3Error> {
    let tags = elements.map(tag).collect::<Result<Tags, S3Error>>()?;
    check(&tags, Tagged::Object)?;
    Ok(tags)
}

/// Writes a `Tagging` document.
pub fn write(tags: &[(String, String)]) -> Writer {
    let mut xml = Writer::with_root("Tagging");
    xml.open("TagSet");
    for (key, value) in tags {
        xml.open("Tag");
        xml.element("Key", key);
        xml.element("Value", value);
        xml.close();
    }
    xml.close();
    xml
}

fn tag(element: &Element) -> Result<(String, String), S3Error> {
    match (element.child_text("Key"), element.child_text("Value")) {
        (Some(key), Some(value)) if element.name == "Tag" && element.children.len() == 2 => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err(S3Error::malformed_xml()),
    }
}

/// Checks and sorts.
fn validated(mut tags: Tags, of: Tagged) -> Result<Tags, S3Error> {
    check(&tags, of)?;
    tags.sort_unstable();
    Ok(tags)
}

/// Checks number, keys and values.
fn check(tags: &Tags, of: Tagged) -> Result<(), S3Error> {
    let (tags_max, subject) = match of {
        Tagged::Object => (OBJECT_TAGS_MAX, "Object tags"),
        Tagged::Bucket => (BUCKET_TAGS_MAX, "Bucket tag count"),
    };
    if tags.len() > tags_max {
        let message = format!("{subject} cannot be greater than {tags_max}");
        return Err(S3Error::with_message(ErrorCode::InvalidTag, message));
    }
    for (key, value) in tags {
        let refused = |message| S3Error::with_message(ErrorCode::InvalidTag, message).field("TagKey", key);
        if key.is_empty() || !is_text_within(key, TAG_KEY_UNITS_MAX) {
            return Err(refused("The TagKey you have provided is invalid"));
        }
        if key.starts_with(PREFIX_RESERVED) {
            return Err(refused("System tags cannot be added or updated by the requester"));
        }
        if !is_text_within(value, TAG_VALUE_UNITS_MAX) {
            return Err(refused("The TagValue you have provided is invalid").field("TagValue", value));
        }
    }
    Ok(())
}

/// Letters, digits, spaces of any script, and a few signs.
fn is_text_within(text: &str, units_max: usize) -> bool {
    let is_allowed = |character: char| {
        character.is_alphanumeric()
            || (character.is_whitespace() && !character.is_control())
            || "+-=._:/@".contains(character)
    };
    text.chars().all(is_allowed) && text.encode_utf16().count() <= units_max
}

/// Of sorted tags.
fn has_duplicates(tags: &Tags) -> bool {
    tags.windows(2).any(|pair| pair[0].0 == pair[1].0)
}

#[cfg(test)]
#[path = "tagging_tests.rs"]
mod tests;
