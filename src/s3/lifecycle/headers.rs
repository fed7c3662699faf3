//! What responses tell of the rules: when an object expires, when an upload is aborted. Nothing is read, and nothing said,
//! of a bucket without rules.

use std::rc::Rc;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::date;
use crate::http::response::Response;
use crate::index::record::{Listed, ObjectRecord};
use crate::s3::error::S3Error;
use crate::s3::operation::Call;
use crate::s3::reading;
use crate::s3::tagging::Tags;
use crate::store::lifecycle::{Due, Rules};
use crate::store::objects::Lookup;

/// All but what RFC 3986 calls unreserved.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What a field cannot hold, and the sign of the encoding itself.
const ENCODED_BARE: &AsciiSet = &CONTROLS.add(b'%');

/// What the bucket's rules will be asked of an object that is about to be written.
pub struct Expiring {
    rules: Option<Rc<Rules>>,
    tags: Tags,
}

impl Expiring {
    /// Of an object that will have these tags.
    pub fn new(call: &Call<'_, '_>, tags: &[(String, String)]) -> Result<Self, S3Error> {
        let rules = call.context.store.lifecycle(call.bucket()?)?;
        let tags = if rules.is_some() { tags.to_vec() } else { Tags::new() };
        Ok(Self { rules, tags })
    }

    /// Of an object that is there by now, such as one whose upload was completed before.
    pub fn of_written(call: &Call<'_, '_>, listed: &Listed) -> Result<Self, S3Error> {
        let Some(rules) = call.context.store.lifecycle(call.bucket()?)? else {
            return Ok(Self { rules: None, tags: Tags::new() });
        };
        match current(call, listed)? {
            Some(record) => Ok(Self { rules: Some(rules), tags: record.metadata.tags }),
            None => Ok(Self { rules: None, tags: Tags::new() }),
        }
    }

    /// Says when the object expires, now that it has been written.
    pub fn tell(&self, response: Response, call: &Call<'_, '_>, listed: &Listed) -> Response {
        let due =
            self.rules.as_ref().and_then(|rules| rules.expiry_of_current(call.key(), listed, &self.tags));
        with_expiration(response, due)
    }
}

/// Says when the object that was found expires: the current one, whether it was named by its version or not.
pub fn tell_of_found(
    response: Response,
    call: &Call<'_, '_>,
    record: &ObjectRecord,
) -> Result<Response, S3Error> {
    let Some(rules) = call.context.store.lifecycle(call.bucket()?)? else { return Ok(response) };
    let due = rules.expiry_of_current(call.key(), &record.listed, &record.metadata.tags);
    if due.is_none() || (reading::version_of(call)?.is_some() && current(call, &record.listed)?.is_none()) {
        return Ok(response);
    }
    Ok(with_expiration(response, due))
}

/// Says when an upload of that age to the request's key is aborted.
pub fn tell_of_upload(
    response: Response,
    call: &Call<'_, '_>,
    initiated_ms: i64,
) -> Result<Response, S3Error> {
    let rules = call.context.store.lifecycle(call.bucket()?)?;
    let due = rules.as_ref().and_then(|rules| rules.abort_of_upload(call.key(), initiated_ms));
    Ok(with_abort(response, due))
}

/// The record of what is listed so, if it is the current object.
fn current(call: &Call<'_, '_>, listed: &Listed) -> Result<Option<ObjectRecord>, S3Error> {
    match call.context.store.open_object(call.bucket()?, call.key(), None)? {
        Lookup::Object(object) if object.record.listed.stamp == listed.stamp => Ok(Some(object.record)),
        Lookup::Object(_) | Lookup::DeleteMarker(_) | Lookup::Nothing => Ok(None),
    }
}

fn with_expiration(response: Response, due: Option<Due<'_>>) -> Response {
    let Some(Due { at_ms, rule_id }) = due else { return response };
    let (date, id) = (http_date(at_ms), utf8_percent_encode(rule_id, ENCODED));
    response.header("x-amz-expiration", format!("expiry-date=\"{date}\", rule-id=\"{id}\""))
}

fn with_abort(response: Response, due: Option<Due<'_>>) -> Response {
    let Some(Due { at_ms, rule_id }) = due else { return response };
    response
        .header("x-amz-abort-date", http_date(at_ms))
        .header("x-amz-abort-rule-id", utf8_percent_encode(rule_id, ENCODED_BARE).to_string())
}

fn http_date(unix_ms: i64) -> String {
    date::format_http(unix_ms.div_euclid(1000))
}

#[cfg(test)]
#[path = "headers_tests.rs"]
mod tests;
