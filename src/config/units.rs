//! Quantities as people write them: "256MiB", "30s".

use std::fmt;
use std::time::Duration;

/// Units of a size, largest first, so that [`ByteSize`] prints the largest that divides it.
const SIZE_UNITS: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// Units of a duration in milliseconds, largest first.
const DURATION_UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// A size in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

impl ByteSize {
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// For constants: `mebibytes` of a configuration are far from overflow.
    pub const fn from_mib(mebibytes: u64) -> Self {
        Self(mebibytes << 20)
    }

    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// Reads a number of bytes, or a number and a unit: B, KiB, MiB, GiB, TiB.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, unit) = split_unit(text)?;
        if unit.is_empty() {
            return Some(Self(number));
        }
        in_unit(number, unit, &SIZE_UNITS).map(Self)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_largest(formatter, self.0, &SIZE_UNITS, "B")
    }
}

/// Reads a number and a unit: ms, s, m, h.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text)?;
    in_unit(number, unit, &DURATION_UNITS).map(Duration::from_millis)
}

/// Writes a duration so that [`parse_duration`] reads it; fractions of a millisecond are dropped.
pub fn format_duration(duration: Duration) -> String {
    struct Milliseconds(u64);
    impl fmt::Display for Milliseconds {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_largest(formatter, self.0, &DURATION_UNITS, "s")
        }
    }
    Milliseconds(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)).to_string()
}

/// "256 MiB" or "256MiB" to 256 and "MiB".
fn split_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit.strip_prefix(' ').unwrap_or(unit)))
}

fn in_unit(number: u64, unit: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*factor)
}

fn write_largest(
    formatter: &mut fmt::Formatter<'_>,
    number: u64,
    units: &[(&str, u64)],
    unit_of_zero: &str,
) -> fmt::Result {
    match units.iter().find(|(_, factor)| number != 0 && number.is_multiple_of(*factor)) {
        Some((name, factor)) => write!(formatter, "{}{name}", number / factor),
        None => write!(formatter, "{number}{unit_of_zero}"),
    }
}

#[cfg(test)]
#[path = "units_tests.rs"]
mod tests;
