//! ListObjectsV2: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use crate::http::head::Method;
use crate::http::response::Response;
use crate::index::listing::{ListQuery, Marker};
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::listing::Parameters;
use crate::s3::operation::{BodyKind, Call, Operation, Scope, Selector};
use crate::s3::ops::xml_response;
use crate::s3::xml::Writer;

pub static OPERATION: Operation = Operation {
    name: "ListObjectsV2",
    method: Method::Get,
    scope: Scope::Bucket,
    selector: Selector::QueryIs("list-type", "2"),
    permissions: &[Action::ListBucket],
    named: &[],
    anonymous: true,
    body: BodyKind::None,
    run: |call| Box::pin(list_objects_v2(call)),
};

async fn list_objects_v2(call: Call<'_, '_>) -> Result<Response, S3Error> {
    let bucket = call.bucket()?;
    let parameters = Parameters::of(&call, "max-keys")?;
    let start_after = call.query("start-after").filter(|key| !key.is_empty());
    let token = call.query("continuation-token");
    let after = match (token, start_after) {
        (Some(token), _) => decode_token(token)?,
        (None, Some(key)) => Marker::AfterKey(key.to_owned()),
        (None, None) => Marker::Start,
    };
    let Parameters { prefix, delimiter, keys_max, .. } = parameters;
    let page = call.context.store.list(bucket, &ListQuery { prefix, delimiter, after, keys_max })?;

    let mut xml = Writer::with_root("ListBucketResult");
    xml.element("Name", &bucket.name);
    xml.element("Prefix", &parameters.text(prefix));
    if let Some(key) = start_after {
        xml.element("StartAfter", &parameters.text(key));
    }
    xml.element_if("ContinuationToken", token);
    xml.element_if("NextContinuationToken", page.next.as_ref().map(encode_token).as_deref());
    xml.number("KeyCount", page.items.len() as u64);
    xml.number("MaxKeys", keys_max as u64);
    parameters.echo(&mut xml);
    xml.boolean("IsTruncated", page.next.is_some());
    parameters.entries(&mut xml, &page.items, call.query("fetch-owner") == Some("true"));
    Ok(xml_response(200, xml))
}

/// A token is where the page ended: after a key, or past the whole group of a common prefix.
fn encode_token(marker: &Marker) -> String {
    match marker {
        Marker::Start => BASE64.encode("s"),
        Marker::AfterKey(key) => BASE64.encode(format!("k{key}")),
        Marker::AfterPrefix(prefix) => BASE64.encode(format!("p{prefix}")),
    }
}

fn decode_token(token: &str) -> Result<Marker, S3Error> {
    let text = BASE64.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    match text.split_at_checked(1) {
        Some(("s", "")) => Ok(Marker::Start),
        Some(("k", key)) => Ok(Marker::AfterKey(key.to_owned())),
        Some(("p", prefix)) => Ok(Marker::AfterPrefix(prefix.to_owned())),
        _ => Err(S3Error::invalid_argument(
            "continuation-token",
            token,
            "The continuation token provided is incorrect",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_round_trip_and_others_are_refused() {
        for marker in [Marker::AfterKey("p/\u{e9}+".into()), Marker::AfterPrefix("k/".into()), Marker::Start]
        {
            assert_eq!(decode_token(&encode_token(&marker)).expect("own token"), marker);
        }
        for token in ["", "zz zz", "eA", "/w"] {
            assert!(decode_token(token).is_err(), "{token}");
        }
    }
}
