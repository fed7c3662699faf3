//! Elements of a document whose schema is closed: what is not named, stands twice or has the wrong content is refused.

use std::ops::RangeInclusive;

use crate::s3::error::S3Error;
use crate::s3::xml::Element;

/// The children of an element that may have these alone, each of them once at most; in the order of `names`.
pub(super) fn fields<'a, const N: usize>(
    element: &'a Element,
    names: [&str; N],
) -> Result<[Option<&'a Element>; N], S3Error> {
    check_holds_elements(element)?;
    fields_of(&element.children, names)
}

/// The same of some children of an element.
pub(super) fn fields_of<'a, const N: usize>(
    children: impl IntoIterator<Item = &'a Element>,
    names: [&str; N],
) -> Result<[Option<&'a Element>; N], S3Error> {
    let mut found = [None; N];
    for child in children {
        let place = names.iter().position(|name| *name == child.name);
        match place.and_then(|place| found.get_mut(place)) {
            Some(field @ None) => *field = Some(child),
            Some(Some(_)) | None => return Err(S3Error::malformed_xml()),
        }
    }
    Ok(found)
}

/// Refuses text where elements belong.
pub(super) fn check_holds_elements(element: &Element) -> Result<(), S3Error> {
    if element.text.trim().is_empty() { Ok(()) } else { Err(S3Error::malformed_xml()) }
}

/// The text of an element that holds nothing else.
pub(super) fn text(element: &Element) -> Result<&str, S3Error> {
    if element.children.is_empty() { Ok(&element.text) } else { Err(S3Error::malformed_xml()) }
}

/// The number of an element.
pub(super) fn number<T: TryFrom<i64> + PartialOrd>(
    element: &Element,
    allowed: RangeInclusive<T>,
    message: &str,
) -> Result<T, S3Error> {
    let text = text(element)?.trim();
    let number: i64 = text.parse().map_err(|_no_number| S3Error::malformed_xml())?;
    let number = T::try_from(number).ok().filter(|number| allowed.contains(number));
    number.ok_or_else(|| S3Error::invalid_argument(&element.name, text, message))
}

/// The truth of an element.
pub(super) fn boolean(element: &Element) -> Result<bool, S3Error> {
    match text(element)?.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(S3Error::malformed_xml()),
    }
}
