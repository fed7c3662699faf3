//! CreateBucket: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>

use crate::config::limits::XML_BODY_BYTES_MAX;
use crate::http::head::Method;
use crate::http::response::Response;
use crate::index::record::TagSet;
use crate::policy::Action;
use crate::s3::authorise::Content;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::tagging::{self, Tagged, Tags};
use crate::s3::xml;
use crate::store::buckets::{CreateBucketRefusal, NewBucket};
use crate::store::error::Refusal;

pub static OPERATION: Operation = Operation {
    name: "CreateBucket",
    method: Method::Put,
    scope: Scope::Bucket,
    selector: Selector::Plain,
    permissions: &[Action::CreateBucket],
    named: &[],
    anonymous: false,
    body: BodyKind::Judged,
    run: |call| Box::pin(create_bucket(call)),
};

async fn create_bucket(mut call: Call<'_, '_>) -> Result<Response, S3Error> {
    let body = call.payload.collect(XML_BODY_BYTES_MAX).await?;
    let Configuration { location, tags } = Configuration::parse(&body)?;
    call.require_with(OPERATION.permissions, Content::Location(location.as_deref()))?;
    check_location(location.as_deref(), &call.context.region, call.context.require_location_constraint)?;
    let name = call.bucket_name().to_owned();
    let new = NewBucket {
        name: name.clone(),
        user: call.identity()?.user.clone(),
        display_name: call.identity()?.display_name.clone(),
        org: call.identity()?.org.clone(),
        region: call.context.region.clone(),
        tags: TagSet(tags),
    };
    match call.context.store.create_bucket(new).await {
        Ok(_committed) => Ok(Response::new(200).header("Location", format!("/{name}"))),
        Err(Refusal::Refused(CreateBucketRefusal::Owned)) => Err(S3Error::bucket_already_owned_by_you(&name)),
        Err(Refusal::Refused(CreateBucketRefusal::Taken)) => Err(S3Error::bucket_already_exists(&name)),
        Err(Refusal::Failed(error)) => Err(error.into()),
    }
}

/// What the body asks for, if there is one.
#[derive(Default)]
struct Configuration {
    location: Option<String>,
    tags: Tags,
}

impl Configuration {
    fn parse(body: &[u8]) -> Result<Self, S3Error> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let root = xml::parse(body)?;
        if root.name != "CreateBucketConfiguration" {
            return Err(S3Error::malformed_xml());
        }
        let location = root.child_text("LocationConstraint").map(str::trim).filter(|text| !text.is_empty());
        let tags = root.child("Tags").map(|tags| tagging::from_list(tags, Tagged::Bucket)).transpose()?;
        Ok(Self { location: location.map(str::to_owned), tags: tags.unwrap_or_default() })
    }
}

/// This node is one region, and says so in any case of letters.
fn check_location(location: Option<&str>, region: &str, required: bool) -> Result<(), S3Error> {
    match location {
        None if required => Err(S3Error::new(ErrorCode::IllegalLocationConstraintException)),
        None => Ok(()),
        Some(location) if location.eq_ignore_ascii_case(region) => Ok(()),
        Some(location) => {
            Err(S3Error::new(ErrorCode::InvalidLocationConstraint).field("LocationConstraint", location))
        }
    }
}
