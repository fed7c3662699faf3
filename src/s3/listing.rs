//! What listings share: parameters, elements, encoding.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::checksum::Algorithm;
use crate::config::limits::LIST_PAGE_MAX;
use crate::index::listing::Item;
use crate::index::record::{Listed, Owner};
use crate::s3::error::S3Error;
use crate::s3::headers::checksum::type_name;
use crate::s3::headers::object::quoted_etag;
use crate::s3::operation::Call;
use crate::s3::timestamp;
use crate::s3::xml::Writer;

/// What `encoding-type=url` leaves bare: AWS keeps `/` and the unreserved characters; everything else, `+` above
/// all, is escaped, so that decoders of either convention agree.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The parameters that all listings of keys have.
pub struct Parameters<'a> {
    pub prefix: &'a str,
    pub delimiter: Option<&'a str>,
    pub keys_max: usize,
    url_encoded: bool,
}

impl<'a> Parameters<'a> {
    /// `page` is what the size of a page is called.
    pub fn of(call: &'a Call<'_, '_>, page: &str) -> Result<Self, S3Error> {
        let url_encoded = match call.query("encoding-type") {
            None | Some("") => false,
            Some("url") => true,
            Some(other) => {
                let message = "Invalid Encoding Method specified in Request";
                return Err(S3Error::invalid_argument("encoding-type", other, message));
            }
        };
        Ok(Self {
            prefix: call.query("prefix").unwrap_or_default(),
            delimiter: call.query("delimiter").filter(|delimiter| !delimiter.is_empty()),
            keys_max: page_max(page, call.query(page))?,
            url_encoded,
        })
    }

    /// A key, prefix or marker as this listing writes it.
    pub fn text(&self, text: &str) -> String {
        if self.url_encoded { utf8_percent_encode(text, ENCODED).to_string() } else { text.to_owned() }
    }

    /// Parameters echoed between the markers and the entries.
    pub fn echo(&self, xml: &mut Writer) {
        if let Some(delimiter) = self.delimiter {
            xml.element("Delimiter", &self.text(delimiter));
        }
        if self.url_encoded {
            xml.element("EncodingType", "url");
        }
    }

    /// Whether a marker is a whole common prefix, as the next marker of a page that ended with it. Such a page is
    /// continued behind the group.
    pub fn is_group(&self, marker: &str) -> bool {
        let rest = marker.strip_prefix(self.prefix).unwrap_or_default();
        self.delimiter.is_some_and(|delimiter| {
            rest.find(delimiter).is_some_and(|at| at + delimiter.len() == rest.len())
        })
    }

    /// `Contents` and then `CommonPrefixes`, each in order.
    pub fn entries(&self, xml: &mut Writer, items: &[Item], with_owner: bool) {
        for item in items {
            if let Item::Object { key, listed } = item {
                xml.open("Contents");
                xml.element("Key", &self.text(key));
                object(xml, listed);
                if with_owner {
                    owner(xml, &listed.owner);
                }
                xml.close();
            }
        }
        for item in items {
            if let Item::CommonPrefix(prefix) = item {
                self.common_prefix(xml, prefix);
            }
        }
    }

    pub fn common_prefix(&self, xml: &mut Writer, prefix: &str) {
        xml.open("CommonPrefixes");
        xml.element("Prefix", &self.text(prefix));
        xml.close();
    }
}

/// What every listing says of an object.
pub fn object(xml: &mut Writer, listed: &Listed) {
    xml.element("LastModified", &timestamp::iso8601(listed.last_modified_ms));
    xml.element("ETag", &quoted_etag(listed));
    if let Some(checksum) = &listed.checksum
        && let Some(algorithm) = Algorithm::from_id(checksum.algorithm)
    {
        xml.element("ChecksumAlgorithm", algorithm.name());
        xml.element("ChecksumType", type_name(checksum.full_object));
    }
    xml.number("Size", listed.size);
    xml.element("StorageClass", "STANDARD");
}

pub fn owner(xml: &mut Writer, owner: &Owner) {
    person(xml, "Owner", owner);
}

/// Somebody in the role that the element's name says.
pub fn person(xml: &mut Writer, role: &'static str, owner: &Owner) {
    xml.open(role);
    xml.element("ID", &owner.user);
    xml.element("DisplayName", &owner.display_name);
    xml.close();
}

/// The size of a page: what is larger than a page is a page.
pub fn page_max(name: &str, value: Option<&str>) -> Result<usize, S3Error> {
    let Some(text) = value.filter(|text| !text.is_empty()) else { return Ok(LIST_PAGE_MAX) };
    Ok(number(name, text)?.min(LIST_PAGE_MAX))
}

/// A number in a query, as AWS takes it.
pub fn number(name: &str, text: &str) -> Result<usize, S3Error> {
    match text.parse::<u32>() {
        Ok(number) if i32::try_from(number).is_ok() => Ok(number as usize),
        _ => {
            let message = format!("Argument {name} must be an integer between 0 and 2147483647");
            Err(S3Error::invalid_argument(name, text, message))
        }
    }
}
