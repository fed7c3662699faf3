//! DeleteObjects: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>

use crate::config::limits::{DELETE_OBJECTS_MAX, XML_BODY_BYTES_MAX};
use crate::http::head::Method;
use crate::http::response::Response;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::headers::checksum::Promise;
use crate::s3::object_key;
use crate::s3::operation::{BodyKind, Call, Operation, Permission, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::xml::{self, Element, Writer};
use crate::store::objects::{DeleteRequest, WriteCondition};

pub static OPERATION: Operation = Operation {
    name: "DeleteObjects",
    method: Method::Post,
    scope: Scope::Bucket,
    selector: Selector::Query("delete"),
    permissions: &[Permission::DeleteObject],
    body: BodyKind::Xml,
    run: |call| Box::pin(delete_objects(call)),
};

/// One `Object` of the request.
struct Target {
    key: String,
    version_id: Option<String>,
    etag: Option<String>,
}

async fn delete_objects(mut call: Call<'_, '_>) -> Result<Response, S3Error> {
    let promise = Promise::from_head(call.head)?;
    if promise.is_empty() {
        let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
        return Err(S3Error::invalid_request(message));
    }
    let body = call.payload.collect(XML_BODY_BYTES_MAX).await?;
    promise.verify_bytes(&body, &[])?;
    let (targets, quiet) = parse(&body)?;
    let outcomes = delete_all(&call, &targets).await?;

    let mut xml = Writer::with_root("DeleteResult");
    for (target, outcome) in targets.iter().zip(outcomes) {
        match outcome {
            Ok(()) if quiet => {}
            Ok(()) => {
                xml.open("Deleted");
                xml.element("Key", &target.key);
                xml.element_if("VersionId", target.version_id.as_deref());
                xml.close();
            }
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

/// Deletes what can be deleted; one key's failure is its own.
async fn delete_all(call: &Call<'_, '_>, targets: &[Target]) -> Result<Vec<Result<(), S3Error>>, S3Error> {
    let bucket = call.bucket()?;
    let mut outcomes: Vec<Result<(), S3Error>> =
        targets.iter().map(|target| object_key::validate(target.key.as_bytes()).map(|_key| ())).collect();
    let mut indices = Vec::new();
    let mut requests = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        // A version that cannot exist is deleted already.
        let exists = target.version_id.as_deref().is_none_or(|id| id == "null");
        if exists && outcomes[index].is_ok() {
            let condition = target.etag.clone().map_or(WriteCondition::None, WriteCondition::ETagIs);
            indices.push(index);
            requests.push(DeleteRequest { key: target.key.clone(), condition });
        }
    }
    let deleted = call.context.store.delete_objects(bucket, requests).await?;
    for (index, refusal) in indices.into_iter().zip(deleted.value()) {
        if refusal.is_some() {
            outcomes[index] = Err(S3Error::new(ErrorCode::PreconditionFailed));
        }
    }
    Ok(outcomes)
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
    if object.child("LastModifiedTime").is_some() || object.child("Size").is_some() {
        return Err(S3Error::not_implemented("DeleteObjects with LastModifiedTime or Size"));
    }
    let text = |name| object.child_text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let etag = text("ETag").map(|etag| etag.trim_matches('"').to_owned());
    Ok(Target { key, version_id: text("VersionId"), etag })
}
