//! The days that lifecycle rules count in.

/// How long a day lasts: a day, or less where a test says so. Days are counted from the Unix epoch, so that they begin
/// at midnight UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    day_ms: i64,
}

impl Calendar {
    /// Seconds of a true day.
    pub const DAY_S: u64 = 24 * 60 * 60;

    /// `day_s` is from 1 to [`Calendar::DAY_S`].
    pub const fn with_day_s(day_s: u64) -> Self {
        Self { day_ms: day_s.cast_signed() * 1000 }
    }

    pub fn is_true(self) -> bool {
        self == Self::default()
    }

    pub fn day_ms(self) -> i64 {
        self.day_ms
    }

    /// The midnight at or before the moment that lies `days` after `from_ms`: what happened on a day is due at the start
    /// of the day that many days later, whatever the hour. Unix milliseconds.
    pub fn due_ms(self, from_ms: i64, days: u32) -> i64 {
        let moment_ms = from_ms.saturating_add(self.day_ms.saturating_mul(i64::from(days)));
        moment_ms.div_euclid(self.day_ms).saturating_mul(self.day_ms)
    }
}

impl Default for Calendar {
    fn default() -> Self {
        Self::with_day_s(Self::DAY_S)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 60 * 60 * 1000;
    const DAY_MS: i64 = 24 * HOUR_MS;

    #[test]
    fn what_happened_at_any_hour_of_a_day_is_due_at_one_midnight() {
        let calendar = Calendar::default();
        for hour in 0..24 {
            assert_eq!(calendar.due_ms(3 * DAY_MS + hour * HOUR_MS, 7), 10 * DAY_MS);
        }
        assert_eq!(calendar.due_ms(4 * DAY_MS - 1, 1), 4 * DAY_MS);
        assert_eq!(calendar.due_ms(4 * DAY_MS, 1), 5 * DAY_MS);
    }

    #[test]
    fn short_days_count_alike_and_far_ones_do_not_overflow() {
        assert_eq!(Calendar::with_day_s(2).due_ms(5_999, 3), 10_000);
        assert!(Calendar::default().due_ms(i64::MAX - 5, u32::MAX) > 0);
    }
}
