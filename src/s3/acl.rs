//! Access control lists, which can be read alone: what there is to say is always that the owner may do everything.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>

use crate::index::record::Owner;
use crate::s3::listing;
use crate::s3::xml::Writer;

const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The list of what belongs to `owner`.
pub fn document(owner: &Owner) -> Writer {
    let mut xml = Writer::with_root("AccessControlPolicy");
    listing::owner(&mut xml, owner);
    xml.open("AccessControlList");
    xml.open("Grant");
    xml.open_with("Grantee", &[("xmlns:xsi", SCHEMA_INSTANCE), ("xsi:type", "CanonicalUser")]);
    xml.element("ID", &owner.user);
    xml.element("DisplayName", &owner.display_name);
    xml.close();
    xml.element("Permission", "FULL_CONTROL");
    xml
}
