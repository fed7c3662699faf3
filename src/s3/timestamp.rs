//! Timestamps in XML: ISO 8601 with three digits of fraction and `Z`.

use jiff::Timestamp;

/// `2026-11-22T21:40:46.000Z`.
pub fn iso8601(unix_ms: i64) -> String {
    let timestamp = Timestamp::from_millisecond(unix_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Seconds since 1970 of an ISO 8601 timestamp.
pub fn parse_iso8601(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    #[test]
    fn three_digits_and_utc() {
        assert_eq!(super::iso8601(1_795_383_646_007), "2026-11-22T21:40:46.007Z");
        assert_eq!(super::iso8601(0), "1970-01-01T00:00:00.000Z");
    }
}
