//! What reads of an object share: which version is meant, whether its key was sent, whether it has changed, which part
//! of it is wanted.

use std::ops::RangeInclusive;

use crate::checksum::Algorithm;
use crate::config::limits::PARTS_MAX;
use crate::http::conditional::{self, Conditions, Verdict};
use crate::http::date;
use crate::http::range::{RangeOutcome, parse_range};
use crate::http::response::Response;
use crate::index::record::{BucketRecord, Listed, ObjectRecord, Part, StoredChecksum, Versioning};
use crate::policy::Action;
use crate::s3::error::S3Error;
use crate::s3::headers::customer_key::{self, SentKey};
use crate::s3::headers::object;
use crate::s3::lifecycle;
use crate::s3::operation::Call;
use crate::store::objects::{Lookup, OpenObject};
use crate::store::version_id::VersionId;

/// An object that the request may see.
pub struct Readable {
    pub object: OpenObject,
    /// The customer's key of a sealed one.
    pub key: Option<SentKey>,
}

/// Finds the object that the request names; a sealed one opens to its key alone.
pub fn open(call: &Call<'_, '_>) -> Result<Readable, S3Error> {
    let key = customer_key::from_head(call.head)?;
    let object = find(call, call.bucket()?, call.key(), version_of(call)?)?;
    customer_key::judge_read(object.record.content.encryption.as_ref(), key.as_ref())?;
    Ok(Readable { object, key })
}

/// The version that the query names.
pub fn version_of(call: &Call<'_, '_>) -> Result<Option<VersionId>, S3Error> {
    call.query("versionId").map(|id| parse_version("versionId", id)).transpose()
}

/// Reads the name of a version out of the argument of that name.
pub fn parse_version(argument: &str, id: &str) -> Result<VersionId, S3Error> {
    VersionId::parse(id)
        .ok_or_else(|| S3Error::invalid_argument(argument, id, "Invalid version id specified"))
}

/// Finds an object, or says what stands in its place.
pub fn find(
    call: &Call<'_, '_>,
    bucket: &BucketRecord,
    key: &str,
    version: Option<VersionId>,
) -> Result<OpenObject, S3Error> {
    match (call.context.store.open_object(bucket, key, version)?, version) {
        (Lookup::Object(object), _) => Ok(object),
        (Lookup::DeleteMarker(marker), None) => Err(marked(S3Error::no_such_key(key), &marker)),
        (Lookup::DeleteMarker(marker), Some(_)) => Err(not_of_marker(call, &marker)),
        (Lookup::Nothing, version) => Err(nothing(key, version)),
    }
}

/// There is no such object, or no such version of it.
pub fn nothing(key: &str, version: Option<VersionId>) -> S3Error {
    match version {
        None => S3Error::no_such_key(key),
        Some(id) => S3Error::no_such_version(key, &id.to_string()),
    }
}

/// Of a delete marker nothing can be had; it can only be deleted.
pub fn not_of_marker(call: &Call<'_, '_>, marker: &Listed) -> S3Error {
    let method = String::from_utf8_lossy(call.head.method_token()).into_owned();
    let error = S3Error::method_not_allowed(&method, "DeleteMarker", "DELETE");
    let last_modified = date::format_http(object::last_modified_s(marker));
    marked(error, marker).header("last-modified", last_modified)
}

fn marked(error: S3Error, marker: &Listed) -> S3Error {
    error.header("x-amz-delete-marker", "true").header("x-amz-version-id", VersionId::of(marker).to_string())
}

/// The id of a version as responses name it, in buckets that keep versions or did. A version that has an id of its own
/// tells of one that began to after the request had looked.
pub fn with_version(response: Response, bucket: &BucketRecord, listed: &Listed) -> Response {
    match bucket.versioning {
        Versioning::Unset if listed.null_version => response,
        _ => response.header("x-amz-version-id", VersionId::of(listed).to_string()),
    }
}

/// Reads the number of a part.
pub fn part_number(text: &str) -> Result<u16, S3Error> {
    let number = text.parse().ok().filter(|number| (1..=PARTS_MAX).contains(number));
    number.ok_or_else(|| {
        let message = format!("Part number must be an integer between 1 and {PARTS_MAX}, inclusive");
        S3Error::invalid_argument("partNumber", text, message)
    })
}

/// Judges the conditions of a read: a 304 to send, or a 412.
pub fn not_modified(call: &Call<'_, '_>, record: &ObjectRecord) -> Result<Option<Response>, S3Error> {
    let conditions = Conditions::from_head(call.head);
    if conditions.is_empty() {
        return Ok(None);
    }
    let now_s = call.context.clock.unix_ms().div_euclid(1000);
    let last_modified_s = object::last_modified_s(&record.listed);
    match conditions.evaluate(&record.listed.etag.to_string(), last_modified_s, now_s) {
        Verdict::Proceed => Ok(None),
        Verdict::NotModified => {
            let response = object::validators(Response::new(304), record);
            Ok(Some(with_version(response, call.bucket()?, &record.listed)))
        }
        Verdict::Failed(condition) => Err(S3Error::precondition_failed(condition)),
    }
}

/// The part of an object that a response covers.
pub struct Portion {
    /// `None` for an empty body.
    pub wanted: Option<RangeInclusive<u64>>,
    pub length: u64,
    is_partial: bool,
    /// The part that was asked for by its number.
    part: Option<Part>,
}

impl Portion {
    fn new(first: u64, length: u64, is_partial: bool, part: Option<Part>) -> Self {
        let wanted = length.checked_sub(1).map(|last| first..=first + last);
        Self { wanted, length, is_partial, part }
    }

    /// Works it out from `Range` or `partNumber`.
    pub fn of(call: &Call<'_, '_>, record: &ObjectRecord) -> Result<Self, S3Error> {
        let size = record.listed.size;
        let range = call.head.header("range");
        if let Some(number) = call.query("partNumber") {
            return Self::of_part(number, range.is_some(), record);
        }
        let last_modified_s = object::last_modified_s(&record.listed);
        let still_the_same = call.head.header("if-range").is_none_or(|value| {
            conditional::if_range_holds(value, &record.listed.etag.to_string(), last_modified_s)
        });
        let Some(range) = range.filter(|_| still_the_same) else {
            return Ok(Self::new(0, size, false, None));
        };
        match parse_range(range, size) {
            RangeOutcome::Whole => Ok(Self::new(0, size, false, None)),
            RangeOutcome::Partial { first, last } => Ok(Self::new(first, last - first + 1, true, None)),
            RangeOutcome::Unsatisfiable => Err(S3Error::invalid_range(&String::from_utf8_lossy(range), size)),
        }
    }

    /// A part is a range with a name. An object that was put whole has one.
    fn of_part(text: &str, with_range: bool, record: &ObjectRecord) -> Result<Self, S3Error> {
        if with_range {
            let message = "Cannot specify both Range header and partNumber query parameter";
            return Err(S3Error::invalid_request(message));
        }
        let number = part_number(text)?;
        let (parts, size) = (&record.content.parts, record.listed.size);
        if parts.is_empty() && number == 1 {
            return Ok(Self::new(0, size, size > 0, None));
        }
        let mut first = 0;
        for part in parts {
            if part.number == number {
                return Ok(Self::new(first, part.bytes, part.bytes > 0, Some(part.clone())));
            }
            first += part.bytes;
        }
        Err(S3Error::invalid_part_number(text, parts.len().max(1) as u32))
    }

    /// Status and headers; the body is still to be set.
    pub fn response(
        &self,
        call: &Call<'_, '_>,
        record: &ObjectRecord,
        key: Option<&SentKey>,
    ) -> Result<Response, S3Error> {
        let status = if self.is_partial { 206 } else { 200 };
        let mut response = object::describe(Response::new(status), record, call.address);
        response = with_version(response, call.bucket()?, &record.listed);
        // For those alone who may read the tags.
        if !record.metadata.tags.is_empty() && call.may(Action::GetObjectTagging) {
            response.push_header("x-amz-tagging-count", record.metadata.tags.len().to_string());
        }
        response = lifecycle::tell_of_found(response, call, record)?;
        if let Some(key) = key {
            response = customer_key::echo(response, key);
        }
        if self.is_partial
            && let Some(wanted) = &self.wanted
        {
            let (first, last) = (wanted.start(), wanted.end());
            response.push_header("Content-Range", format!("bytes {first}-{last}/{}", record.listed.size));
        }
        if self.part.is_some() {
            response.push_header("x-amz-mp-parts-count", record.content.parts.len().to_string());
        }
        let asked =
            call.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("ENABLED"));
        Ok(if asked && call.head.header("range").is_none() {
            self.with_checksum(response, record)
        } else {
            response
        })
    }

    /// The checksum of what is sent, where there is one.
    fn with_checksum(&self, response: Response, record: &ObjectRecord) -> Response {
        let Some(whole) = &record.listed.checksum else { return response };
        match &self.part {
            None if self.length == record.listed.size => object::with_checksum(response, &record.listed),
            Some(_) if whole.full_object && record.content.parts.len() == 1 => {
                object::with_checksum(response, &record.listed)
            }
            Some(Part { checksum: Some(bytes), .. }) if !whole.full_object => {
                let checksum = StoredChecksum { bytes: bytes.clone(), ..whole.clone() };
                let Some(algorithm) = Algorithm::from_id(checksum.algorithm) else { return response };
                response
                    .header(algorithm.header(), object::base64(&checksum.bytes))
                    .header("x-amz-checksum-type", object::checksum_type(&checksum))
            }
            _ => response,
        }
    }
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
