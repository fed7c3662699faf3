//! What ListObjects and ListObjectsV2 share: parameters, elements, encoding.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::checksum::Algorithm;
use crate::config::limits::LIST_PAGE_MAX;
use crate::index::listing::Item;
use crate::index::record::object::Listed;
use crate::s3::error::S3Error;
use crate::s3::headers::object::quoted_etag;
use crate::s3::operation::Call;
use crate::s3::timestamp;
use crate::s3::xml::Writer;

/// What `encoding-type=url` leaves bare: AWS keeps `/` and the unreserved characters; everything else, `+` above
/// all, is escaped, so that decoders of either convention agree.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The parameters that both versions have.
pub struct Parameters<'a> {
    pub prefix: &'a str,
    pub delimiter: Option<&'a str>,
    pub keys_max: usize,
    url_encoded: bool,
}

impl<'a> Parameters<'a> {
    pub fn of(call: &'a Call<'_, '_>) -> Result<Self, S3Error> {
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
            keys_max: keys_max(call.query("max-keys"))?,
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

    /// `Contents` and then `CommonPrefixes`, each in order.
    pub fn entries(&self, xml: &mut Writer, items: &[Item], with_owner: bool) {
        for item in items {
            if let Item::Object { key, listed } = item {
                self.object(xml, key, listed, with_owner);
            }
        }
        for item in items {
            if let Item::CommonPrefix(prefix) = item {
                xml.open("CommonPrefixes");
                xml.element("Prefix", &self.text(prefix));
                xml.close();
            }
        }
    }

    fn object(&self, xml: &mut Writer, key: &str, listed: &Listed, with_owner: bool) {
        xml.open("Contents");
        xml.element("Key", &self.text(key));
        xml.element("LastModified", &timestamp::iso8601(listed.last_modified_ms));
        xml.element("ETag", &quoted_etag(listed));
        if let Some(checksum) = &listed.checksum
            && let Some(algorithm) = Algorithm::from_id(checksum.algorithm)
        {
            xml.element("ChecksumAlgorithm", algorithm.name());
            xml.element("ChecksumType", if checksum.full_object { "FULL_OBJECT" } else { "COMPOSITE" });
        }
        xml.number("Size", listed.size);
        xml.element("StorageClass", "STANDARD");
        if with_owner {
            xml.open("Owner");
            xml.element("ID", &listed.owner.user);
            xml.element("DisplayName", &listed.owner.display_name);
            xml.close();
        }
        xml.close();
    }
}

/// `max-keys`: what is larger than a page is a page.
fn keys_max(value: Option<&str>) -> Result<usize, S3Error> {
    let Some(text) = value.filter(|text| !text.is_empty()) else { return Ok(LIST_PAGE_MAX) };
    match text.parse::<u32>() {
        Ok(number) if i32::try_from(number).is_ok() => Ok((number as usize).min(LIST_PAGE_MAX)),
        _ => Err(S3Error::invalid_argument(
            "max-keys",
            text,
            "Argument maxKeys must be an integer between 0 and 2147483647",
        )),
    }
}
