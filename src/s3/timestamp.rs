//! Timestamps in XML: ISO 8601 with three digits of fraction and `Z`.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// `2026-11-22T21:40:46.000Z`.
pub fn iso8601(unix_ms: i64) -> String {
    let timestamp = Timestamp::from_millisecond(unix_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Seconds since 1970 of an ISO 8601 timestamp.
pub fn parse_iso8601(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// Unix milliseconds of an ISO 8601 date that is a midnight UTC: with a time of any offset, or without one.
pub fn parse_utc_midnight(text: &str) -> Option<i64> {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    let without_offset = || {
        let moment = text.parse::<civil::DateTime>().ok()?;
        TimeZone::UTC.to_timestamp(moment).ok()
    };
    let timestamp = text.parse::<Timestamp>().ok().or_else(without_offset)?;
    let is_midnight = timestamp.as_nanosecond().rem_euclid(i128::from(DAY_MS) * 1_000_000) == 0;
    is_midnight.then(|| timestamp.as_millisecond())
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates_are_midnights() {
        let day = Some(1_795_392_000_000);
        for text in [
            "2026-11-23",
            "20261123",
            "2026-11-23T00:00:00",
            "2026-11-23T00:00:00Z",
            "2026-11-23T00:00:00.000Z",
            "2026-11-23T00:00:00+00:00",
            "2026-11-23T02:00:00+02:00",
        ] {
            assert_eq!(super::parse_utc_midnight(text), day, "{text}");
        }
        for text in [
            "",
            "tomorrow",
            "2026-11",
            "2026-13-01",
            "2026-02-30",
            "2026-11-23T00:00:01Z",
            "2026-11-23T00:00:00.000000001Z",
            "2026-11-23T12:00",
            "2026-11-23T00:00:00+02:00",
            "Mon, 23 Nov 2026 00:00:00 GMT",
            "1795392000",
        ] {
            assert_eq!(super::parse_utc_midnight(text), None, "{text}");
        }
    }

    #[test]
    fn three_digits_and_utc() {
        assert_eq!(super::iso8601(1_795_383_646_007), "2026-11-22T21:40:46.007Z");
        assert_eq!(super::iso8601(0), "1970-01-01T00:00:00.000Z");
    }
}
