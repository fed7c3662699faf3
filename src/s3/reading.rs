//! What reads of an object share: which version is meant, whether it has changed, which part of it is wanted.

/// Finds the object that the request names.
pub(super) fn open(call: &Call<'_, '_>) -> Result<OpenObject, S3Error> {
    check_version_id(call)?;
    let object = call.context.store.open_object(call.bucket()?, call.key())?;
    object.ok_or_else(|| S3Error::no_such_key(call.key()))
}

/// An object of a bucket that never had versions is the version `null`; no other id was ever given out.
pub(super) fn check_version_id(call: &Call<'_, '_>) -> Result<(), S3Error> {
    match call.query("versionId") {
        None | Some("null") => Ok(()),
        Some(id) => Err(S3Error::invalid_argument("versionId", id, "Invalid version id specified")),
    }
}

/// Judges the conditions of a read: a 304 to send, or a 412.
pub(super) fn not_modified(call: &Call<'_, '_>, record: &ObjectRecord) -> Result<Option<Response>, S3Error> {
    let conditions = Conditions::from_head(call.head);
    if conditions.is_empty() {
        return Ok(None);
    }
    let now_s = call.context.clock.unix_ms().div_euclid(1000);
    let last_modified_s = object::last_modified_s(&record.listed);
    match conditions.evaluate(&record.listed.etag.to_string(), last_modified_s, now_s) {
        Verdict::Proceed => Ok(None),
        Verdict::NotModified => Ok(Some(object::validators(Response::new(304), record))),
        Verdict::Failed(condition) => Err(S3Error::precondition_failed(condition)),
    }
}

/// The part of an object that a response covers.
pub(super) struct Portion {
    /// `None` for an empty body.
    wanted: Option<RangeInclusive<u64>>,
    pub(super) length: u64,
    is_part: bool,
}

/// Works out the part from `Range` or `partNumber`.
pub(super) fn portion_of(call: &Call<'_, '_>, record: &ObjectRecord) -> Result<Portion, S3Error> {
    let size = record.listed.size;
    let whole = |is_part| Portion { wanted: size.checked_sub(1).map(|last| 0..=last), length: size, is_part };
    let range = call.head.header("range");
    if let Some(part) = call.query("partNumber") {
        check_part_number(part, range.is_some())?;
        return Ok(whole(size > 0));
    }
    let last_modified_s = object::last_modified_s(&record.listed);
    let still_the_same = call.head.header("if-range").is_none_or(|value| {
        conditional::if_range_holds(value, &record.listed.etag.to_string(), last_modified_s)
    });
    let Some(range) = range.filter(|_| still_the_same) else { return Ok(whole(false)) };
    match parse_range(range, size) {
        RangeOutcome::Whole => Ok(whole(false)),
        RangeOutcome::Partial { first, last } => {
            Ok(Portion { wanted: Some(first..=last), length: last - first + 1, is_part: true })
        }
        RangeOutcome::Unsatisfiable => Err(S3Error::invalid_range(&String::from_utf8_lossy(range), size)),
    }
}

/// An object that was put whole has one part.
fn check_part_number(part: &str, with_range: bool) -> Result<(), S3Error> {
    if with_range {
        return Err(S3Error::invalid_request(
            "Cannot specify both Range header and partNumber query parameter",
        ));
    }
    match part.parse::<u32>() {
        Ok(1) => Ok(()),
        Ok(2..=10_000) => Err(S3Error::invalid_part_number(part, 1)),
        _ => {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            Err(S3Error::invalid_argument("partNumber", part, message))
        }
    }
}

impl Portion {
    /// Status and headers; the body is still to be set.
    pub(super) fn response(&self, call: &Call<'_, '_>, record: &ObjectRecord) -> Response {
        let status = if self.is_part { 206 } else { 200 };
        let mut response = object::describe(Response::new(status), record, call.address);
        if self.is_part
            && let Some(wanted) = &self.wanted
        {
            let (first, last) = (wanted.start(), wanted.end());
            response.push_header("Content-Range", format!("bytes {first}-{last}/{}", record.listed.size));
        }
        let is_whole = self.length == record.listed.size;
        let asked =
            call.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("ENABLED"));
        let of_the_whole = asked && is_whole && call.head.header("range").is_none();
        if of_the_whole { object::with_checksum(response, record.listed.checksum.as_ref()) } else { response }
    }
}

