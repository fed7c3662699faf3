//! ListBuckets: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use crate::config::limits::LIST_BUCKETS_PAGE_MAX;
use crate::http::head::Method;
use crate::http::response::Response;
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::timestamp;
use crate::s3::xml::Writer;

pub static OPERATION: Operation = Operation {
    name: "ListBuckets",
    method: Method::Get,
    scope: Scope::Service,
    selector: Selector::Plain,
    permissions: &[Action::ListAllMyBuckets],
    named: &[],
    anonymous: false,
    body: BodyKind::None,
    run: |call| Box::pin(list_buckets(call)),
};

async fn list_buckets(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let buckets_max = buckets_max(call.query("max-buckets"))?;
    let prefix = call.query("prefix").unwrap_or_default();
    let after = call.query("continuation-token").map(last_of_page).transpose()?.unwrap_or_default();
    let elsewhere = call.query("bucket-region").is_some_and(|region| region != call.context.region);
    let (buckets, more) = if elsewhere {
        (Vec::new(), false)
    } else {
        call.context.store.buckets(&call.identity()?.org, prefix, &after, buckets_max)?
    };

    let mut xml = Writer::with_root("ListAllMyBucketsResult");
    xml.open("Owner");
    xml.element("ID", &call.identity()?.user);
    xml.element("DisplayName", &call.identity()?.display_name);
    xml.close();
    xml.open("Buckets");
    for bucket in &buckets {
        xml.open("Bucket");
        xml.element("Name", &bucket.name);
        xml.element("CreationDate", &timestamp::iso8601(bucket.created_ms));
        xml.element("BucketRegion", &bucket.region);
        xml.close();
    }
    xml.close();
    if more {
        xml.element_if(
            "ContinuationToken",
            buckets.last().map(|bucket| BASE64.encode(&bucket.name)).as_deref(),
        );
    }
    xml.element_if("Prefix", call.query("prefix"));
    Ok(xml_response(200, xml))
}

fn buckets_max(value: Option<&str>) -> Result<usize, S3Error> {
    let Some(text) = value else { return Ok(LIST_BUCKETS_PAGE_MAX) };
    match text.parse() {
        Ok(number) if (1..=LIST_BUCKETS_PAGE_MAX).contains(&number) => Ok(number),
        _ => {
            let message =
                format!("Argument max-buckets must be an integer between 1 and {LIST_BUCKETS_PAGE_MAX}.");
            Err(S3Error::invalid_argument("max-buckets", text, message))
        }
    }
}

/// The last name of the page that the token continues.
fn last_of_page(token: &str) -> Result<String, S3Error> {
    let name = BASE64.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    name.filter(|name| !name.is_empty()).ok_or_else(|| {
        S3Error::invalid_argument("continuation-token", token, "The continuation token provided is incorrect")
    })
}
