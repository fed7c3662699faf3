//! The time that a request claims, and how far it may be from ours.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::config::limits::CLOCK_SKEW_S_MAX;

const BASIC_BYTES: usize = 16;
const DAY_BYTES: usize = 8;
const DAY_S: i64 = 24 * 60 * 60;

/// A claimed time in both forms: seconds, and the text that is part of the string to sign.
/// Never before 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestTime {
    unix_s: i64,
    /// `YYYYMMDDTHHMMSSZ`, ASCII.
    basic: [u8; BASIC_BYTES],
}

impl RequestTime {
    /// `20130524T000000Z`, nothing else.
    pub(crate) fn parse_basic(text: &[u8]) -> Option<Self> {
        let basic: [u8; BASIC_BYTES] = text.try_into().ok()?;
        if basic[DAY_BYTES] != b'T' || basic[BASIC_BYTES - 1] != b'Z' {
            return None;
        }
        let number = |digits: &[u8]| {
            digits.iter().try_fold(0i16, |sum, digit| {
                digit.is_ascii_digit().then(|| sum * 10 + i16::from(digit - b'0'))
            })
        };
        let year = number(&basic[0..4])?;
        let pair = |at: usize| number(&basic[at..at + 2]).and_then(|value| i8::try_from(value).ok());
        let civil = DateTime::new(year, pair(4)?, pair(6)?, pair(9)?, pair(11)?, pair(13)?, 0).ok()?;
        let unix_s = Offset::UTC.to_timestamp(civil).ok()?.as_second();
        (unix_s >= 0).then_some(Self { unix_s, basic })
    }

    /// The value of `Date` or `x-amz-date`: an HTTP date or the basic form. Signers put either into either.
    pub(crate) fn parse_date_header(text: &[u8]) -> Option<Self> {
        if let Some(time) = Self::parse_basic(text) {
            return Some(time);
        }
        let text = core::str::from_utf8(text).ok()?;
        if let Ok(time) = httpdate::parse_http_date(text) {
            let since_epoch = time.duration_since(std::time::UNIX_EPOCH).ok()?;
            return Self::from_unix_s(i64::try_from(since_epoch.as_secs()).ok()?);
        }
        // botocore writes the zone of RFC 5322, `-0000`, where HTTP wants `GMT`.
        let time = jiff::fmt::rfc2822::parse(text).ok().filter(|time| time.offset() == Offset::UTC)?;
        Self::from_unix_s(time.timestamp().as_second())
    }

    fn from_unix_s(unix_s: i64) -> Option<Self> {
        let civil = Offset::UTC.to_datetime(jiff::Timestamp::from_second(unix_s).ok()?);
        Self::parse_basic(civil.strftime("%Y%m%dT%H%M%SZ").to_string().as_bytes())
    }

    pub(crate) fn unix_s(&self) -> i64 {
        self.unix_s
    }

    pub(crate) fn basic(&self) -> &str {
        ascii(&self.basic)
    }

    /// `YYYYMMDD`, as the credential scope repeats it.
    pub(crate) fn day(&self) -> &str {
        ascii(&self.basic[..DAY_BYTES])
    }

    /// Midnight before.
    pub(crate) fn day_start_unix_s(&self) -> i64 {
        self.unix_s - self.unix_s % DAY_S
    }

    pub(crate) fn is_skewed(&self, now_unix_s: i64) -> bool {
        self.unix_s.abs_diff(now_unix_s) > CLOCK_SKEW_S_MAX.unsigned_abs()
    }

    pub(crate) fn is_in_the_future(&self, now_unix_s: i64) -> bool {
        self.unix_s.saturating_sub(now_unix_s) > CLOCK_SKEW_S_MAX
    }
}

/// `2013-05-24T00:00:00Z`, as error documents show times.
pub(crate) fn format_extended(unix_s: i64) -> String {
    jiff::Timestamp::from_second(unix_s).map(|time| time.to_string()).unwrap_or_default()
}

fn ascii(digits: &[u8]) -> &str {
    // Checked byte by byte in `parse_basic`.
    core::str::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
#[path = "clock_skew_tests.rs"]
mod tests;
