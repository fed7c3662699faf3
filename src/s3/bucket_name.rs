//! The rules for bucket names: DNS labels without dots, so that every bucket has a host name, less the names
//! that are reserved.

use super::error::S3Error;

const NAME_BYTES_MIN: usize = 3;
const NAME_BYTES_MAX: usize = 63;

/// Prefixes that no bucket may have: `xn--` would be read as an internationalised label, the others belong to
/// the service.
const PREFIXES_RESERVED: [&str; 4] = ["xn--", "cw-", "vip-", "log-stitcher-ch-"];

/// Names that no bucket may have.
const NAMES_RESERVED: [&str; 1] = ["int"];

/// Accepts a name that a bucket may have, or refuses it with `InvalidBucketName`.
pub fn validate(name: &str) -> Result<(), S3Error> {
    if is_valid(name) { Ok(()) } else { Err(S3Error::invalid_bucket_name(name)) }
}

fn is_valid(name: &str) -> bool {
    (NAME_BYTES_MIN..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !PREFIXES_RESERVED.iter().any(|prefix| name.starts_with(prefix))
        && !NAMES_RESERVED.contains(&name)
}

#[cfg(test)]
#[path = "bucket_name_tests.rs"]
mod tests;
