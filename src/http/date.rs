//! HTTP dates (RFC 9110 §5.6.7).

use std::time::{Duration, SystemTime};

/// 9999-12-31T23:59:59Z: the last second that IMF-fixdate can write.
const LAST_S: u64 = 253_402_300_799;

/// Writes a time as IMF-fixdate. Times before 1970 and after 9999 become the nearest that can be written.
pub fn format_http(unix_s: i64) -> String {
    let seconds = u64::try_from(unix_s).unwrap_or(0).min(LAST_S);
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Reads a date in any of the three forms that RFC 9110 §5.6.7 obliges recipients to accept.
pub fn parse_http(text: &[u8]) -> Option<i64> {
    let text = core::str::from_utf8(text).ok()?;
    let time = httpdate::parse_http_date(text).ok()?;
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    i64::try_from(seconds).ok()
}

#[cfg(test)]
#[path = "date_tests.rs"]
mod tests;
