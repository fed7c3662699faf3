//! The Range field of a read (RFC 9110 §14), reduced to what object stores serve: one byte range.

/// What a Range field means for a representation of a known size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeOutcome {
    /// The field is to be ignored: 200 with everything.
    Whole,
    /// 206 with `first..=last`, both inside the representation.
    Partial { first: u64, last: u64 },
    /// 416.
    Unsatisfiable,
}

/// Judges a Range field value. RFC 9110 §14.2: "A server MAY ignore the Range header field"; other units, several
/// ranges and malformed values are ignored.
pub fn parse_range(header: &[u8], size: u64) -> RangeOutcome {
    // RFC 9110 §14.1: range units are case-insensitive.
    let Some((unit, spec)) = header.split_at_checked(b"bytes=".len()) else { return RangeOutcome::Whole };
    if !unit.eq_ignore_ascii_case(b"bytes=") {
        return RangeOutcome::Whole;
    }
    let Some(dash) = memchr::memchr(b'-', spec) else { return RangeOutcome::Whole };
    match (position(&spec[..dash]), position(&spec[dash + 1..])) {
        (Position::Absent, Position::At(length)) => suffix(length, size),
        (Position::At(first), Position::Absent) => from_to(first, u64::MAX, size),
        // RFC 9110 §14.1.1: "An int-range is invalid if the last-pos value is present and less than first-pos".
        (Position::At(first), Position::At(last)) if last >= first => from_to(first, last, size),
        _ => RangeOutcome::Whole,
    }
}

/// `-n`: the last n bytes. RFC 9110 §14.1.3: satisfiable if n is not zero; more than there are means all.
fn suffix(length: u64, size: u64) -> RangeOutcome {
    if length == 0 || size == 0 {
        return RangeOutcome::Unsatisfiable;
    }
    RangeOutcome::Partial { first: size.saturating_sub(length), last: size - 1 }
}

/// `a-` and `a-b`: satisfiable if a is inside; b beyond the end means the end.
fn from_to(first: u64, last: u64, size: u64) -> RangeOutcome {
    if first >= size {
        return RangeOutcome::Unsatisfiable;
    }
    RangeOutcome::Partial { first, last: last.min(size - 1) }
}

enum Position {
    Absent,
    At(u64),
    Malformed,
}

/// 1*DIGIT. Numbers beyond 64 bits lie beyond the end of every representation, so they saturate.
fn position(digits: &[u8]) -> Position {
    if digits.is_empty() {
        return Position::Absent;
    }
    let mut value = 0_u64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Position::Malformed;
        }
        value = value.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    }
    Position::At(value)
}

#[cfg(test)]
#[path = "range_tests.rs"]
mod tests;
