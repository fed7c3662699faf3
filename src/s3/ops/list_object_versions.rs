//! ListObjectVersions: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>

use crate::http::head::Method;
use crate::http::response::Response;
use crate::index::version_listing::{VersionItem, VersionMarker, VersionQuery};
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::listing::{self, Parameters};
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::reading;
use crate::s3::timestamp;
use crate::s3::xml::Writer;
use crate::store::version_id::VersionId;

pub static OPERATION: Operation = Operation {
    name: "ListObjectVersions",
    method: Method::Get,
    scope: Scope::Bucket,
    selector: Selector::Query("versions"),
    permissions: &[Action::ListBucketVersions],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(list_object_versions(call)),
};

async fn list_object_versions(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let bucket = call.bucket()?;
    let parameters = Parameters::of(&call, "max-keys")?;
    let Parameters { prefix, delimiter, keys_max, .. } = parameters;
    let query = VersionQuery { prefix, delimiter, after: after(&call, &parameters)?, items_max: keys_max };
    let page = call.context.store.list_versions(bucket, &query)?;

    let mut xml = Writer::with_root("ListVersionsResult");
    xml.element("Name", &bucket.name);
    xml.element("Prefix", &parameters.text(prefix));
    xml.element("KeyMarker", &parameters.text(call.query("key-marker").unwrap_or_default()));
    xml.element("VersionIdMarker", call.query("version-id-marker").unwrap_or_default());
    match &page.next {
        None | Some(VersionMarker::Start) => {}
        Some(VersionMarker::AfterKey(next) | VersionMarker::AfterPrefix(next)) => {
            xml.element("NextKeyMarker", &parameters.text(next));
        }
        Some(VersionMarker::AfterVersion { key, stamp }) => {
            xml.element("NextKeyMarker", &parameters.text(key));
            // Also for the null version: its name would no longer tell its place once another one has taken it.
            xml.element("NextVersionIdMarker", &VersionId::Stamp(*stamp).to_string());
        }
    }
    xml.number("MaxKeys", keys_max as u64);
    parameters.echo(&mut xml);
    xml.boolean("IsTruncated", page.next.is_some());
    entries(&mut xml, &parameters, &page.items);
    Ok(xml_response(200, xml))
}

/// Where the page begins. A marker for the version belongs to the one for the key.
fn after(call: &Call<'_, '_>, parameters: &Parameters<'_>) -> Result<VersionMarker, S3Error> {
    let key = call.query("key-marker").filter(|key| !key.is_empty());
    let id = call.query("version-id-marker").filter(|id| !id.is_empty());
    let version = id.map(|id| reading::parse_version("version-id-marker", id)).transpose()?;
    match (key, version) {
        (None, None) => Ok(VersionMarker::Start),
        (None, Some(_)) => {
            let message = "A version-id marker cannot be specified without a key marker.";
            Err(S3Error::invalid_argument("version-id-marker", id.unwrap_or_default(), message))
        }
        (Some(group), _) if parameters.is_group(group) => Ok(VersionMarker::AfterPrefix(group.to_owned())),
        (Some(key), None) => Ok(VersionMarker::AfterKey(key.to_owned())),
        (Some(key), Some(version)) => {
            // Behind a null version that is gone nobody can say what was seen: rather all of the key again.
            let stamp = call.context.store.stamp_of(call.bucket()?, key, version)?.unwrap_or(u64::MAX);
            Ok(VersionMarker::AfterVersion { key: key.to_owned(), stamp })
        }
    }
}

/// Versions and delete markers as they follow one another, then the common prefixes.
fn entries(xml: &mut Writer, parameters: &Parameters<'_>, items: &[VersionItem]) {
    for item in items {
        let VersionItem::Version { key, listed, is_latest } = item else { continue };
        xml.open(if listed.delete_marker { "DeleteMarker" } else { "Version" });
        xml.element("Key", &parameters.text(key));
        xml.element("VersionId", &VersionId::of(listed).to_string());
        xml.boolean("IsLatest", *is_latest);
        if listed.delete_marker {
            xml.element("LastModified", &timestamp::iso8601(listed.last_modified_ms));
        } else {
            listing::object(xml, listed);
        }
        listing::owner(xml, &listed.owner);
        xml.close();
    }
    for item in items {
        if let VersionItem::CommonPrefix(prefix) = item {
            parameters.common_prefix(xml, prefix);
        }
    }
}
