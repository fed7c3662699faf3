//! DeleteObjects: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>

use std::time::{Duration, Instant};

use ringstone_io::runtime;

use crate::config::limits::DELETE_OBJECTS_MAX;
use crate::http::date;
use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::body::document::document;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::headers::checksum::Promise;
use crate::s3::object_key;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::reading;
use crate::s3::timestamp;
use crate::s3::xml::{self, Element, Writer};
use crate::store::delete::{DeleteCondition, DeleteRequest};
use crate::store::versions::Deleted;
use crate::store::write_condition::WriteCondition;

/// How long the keys of one request may keep a core from its other requests, and how long those then have it: the ring is
/// looked at only where a core waits.
const WORK: Duration = Duration::from_millis(4);
const PAUSE: Duration = Duration::from_millis(1);

pub static OPERATION: Operation = Operation {
    name: "DeleteObjects",
    method: Method::Post,
    scope: Scope::Bucket,
    selector: Selector::Query("delete"),
    permissions: &[],
    named: &[Action::DeleteObject, Action::DeleteObjectVersion],
    anonymous: true,
    body: BodyKind::Document,
    run: |call| Box::pin(delete_objects(call)),
};

/// One `Object` of the request.
struct Target {
    key: String,
    version_id: Option<String>,
    condition: DeleteCondition,
}

type Outcome = Result<Deleted, S3Error>;

async fn delete_objects(mut call: Call<'_, '_>) -> Result<Response, S3Error> {
    if Promise::from_head(call.head)?.is_empty() {
        let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
        return Err(S3Error::invalid_request(message));
    }
    let body = document(&mut call.payload, call.head).await?;
    let (targets, quiet) = parse(&body)?;
    let outcomes = delete_all(&call, &targets).await?;

    let mut xml = Writer::with_root("DeleteResult");
    for (target, outcome) in targets.iter().zip(outcomes) {
        match outcome {
            Ok(_) if quiet => {}
            Ok(deleted) => write_deleted(&mut xml, target, deleted),
            Err(error) => {
                xml.open("Error");
                xml.element("Key", &target.key);
                xml.element_if("VersionId", target.version_id.as_deref());
                xml.element("Code", error.code.name());
                xml.element("Message", &error.message);
                xml.close();
            }
        }
    }
    Ok(xml_response(200, xml))
}

fn write_deleted(xml: &mut Writer, target: &Target, deleted: Deleted) {
    xml.open("Deleted");
    xml.element("Key", &target.key);
    xml.element_if("VersionId", target.version_id.as_deref());
    if let Deleted { version: Some(marker), delete_marker: true } = deleted {
        xml.boolean("DeleteMarker", true);
        xml.element("DeleteMarkerVersionId", &marker.to_string());
    }
    xml.close();
}

/// Deletes what can be deleted; one key's failure is its own.
async fn delete_all(call: &Call<'_, '_>, targets: &[Target]) -> Result<Vec<Outcome>, S3Error> {
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(targets.len());
    let mut indices = Vec::new();
    let mut requests = Vec::new();
    let mut worked_since = Instant::now();
    for (index, target) in targets.iter().enumerate() {
        // A policy can make the judgement of a key cost milliseconds.
        if worked_since.elapsed() >= WORK {
            runtime::sleep(PAUSE).await;
            worked_since = Instant::now();
        }
        match request(call, target) {
            Ok(request) => {
                indices.push(index);
                requests.push(request);
                outcomes.push(Ok(Deleted::default()));
            }
            Err(error) => outcomes.push(Err(error)),
        }
    }
    let deleted = call.context.store.delete_objects(call.bucket()?, requests).await;
    let deleted = deleted
        .map_err(|refusal| S3Error::from_write(refusal, call.bucket_name(), "", &WriteCondition::None))?;
    for (index, outcome) in indices.into_iter().zip(deleted.value()) {
        outcomes[index] = outcome.map_err(|_refusal| S3Error::new(ErrorCode::PreconditionFailed));
    }
    Ok(outcomes)
}

fn request(call: &Call<'_, '_>, target: &Target) -> Result<DeleteRequest, S3Error> {
    object_key::validate(target.key.as_bytes())?;
    call.require_of_key(Action::DeleteObject, &target.key, target.version_id.as_deref())?;
    let version =
        target.version_id.as_deref().map(|id| reading::parse_version("VersionId", id)).transpose()?;
    Ok(DeleteRequest {
        key: target.key.clone(),
        version,
        condition: target.condition.clone(),
        owner: call.owner(),
    })
}

fn parse(body: &[u8]) -> Result<(Vec<Target>, bool), S3Error> {
    let root = xml::parse(body)?;
    let quiet = root.child_text("Quiet").is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
    let targets: Vec<Target> = root.children_named("Object").map(target).collect::<Result<_, _>>()?;
    if root.name != "Delete" || targets.is_empty() || targets.len() > DELETE_OBJECTS_MAX {
        return Err(S3Error::malformed_xml());
    }
    Ok((targets, quiet))
}

fn target(object: &Element) -> Result<Target, S3Error> {
    let key = object.child_text("Key").ok_or_else(S3Error::malformed_xml)?.to_owned();
    let text = |name| object.child_text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let etag = text("ETag").map(|etag| match etag.as_str() {
        "*" => WriteCondition::Exists,
        etag => WriteCondition::ETagIs(etag.trim_matches('"').to_owned()),
    });
    let size = text("Size").map(|size| size.parse().map_err(|_no_number| S3Error::malformed_xml()));
    let time = text("LastModifiedTime").map(|time| parse_time(&time).ok_or_else(S3Error::malformed_xml));
    let condition = DeleteCondition {
        etag: etag.unwrap_or_default(),
        size: size.transpose()?,
        last_modified_s: time.transpose()?,
    };
    Ok(Target { key, version_id: text("VersionId"), condition })
}

/// ISO 8601, or the form of HTTP that some SDKs send.
fn parse_time(text: &str) -> Option<i64> {
    timestamp::parse_iso8601(text).or_else(|| date::parse_http(text.as_bytes()))
}
