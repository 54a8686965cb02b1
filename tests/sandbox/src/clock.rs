//! Wall time that tests can move, and the four time formats AWS speaks. The only file here that asks the machine what
//! time it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type EpochMs = i64;

const DAY_MS: i64 = 86_400_000;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The sandbox's clock: the machine's, plus how far a test has moved it.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Clock {
    offset_ms: i64,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the sandbox's own clock: everything else here asks this one")]
    pub(crate) fn now(self) -> EpochMs {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        millis(machine).saturating_add(self.offset_ms)
    }

    pub(crate) fn move_by(&mut self, ms: i64) {
        self.offset_ms = self.offset_ms.saturating_add(ms);
    }
}

/// A duration in whole milliseconds, saturating.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

struct Civil {
    year: i64,
    month: usize,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    weekday: usize,
}

/// Days since the epoch to a proleptic Gregorian date (H. Hinnant, "chrono-compatible low-level date algorithms").
fn civil(at: EpochMs) -> Civil {
    let days = at.div_euclid(DAY_MS);
    let seconds = at.rem_euclid(DAY_MS) / 1000;
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month: usize::try_from(month).unwrap_or(1),
        day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
        hour: seconds / 3600,
        minute: seconds / 60 % 60,
        second: seconds % 60,
        weekday: usize::try_from(days.rem_euclid(7)).unwrap_or(0),
    }
}

/// `2026-11-22T09:07:58Z`, the form of STS and of credential_process.
pub(crate) fn iso8601(at: EpochMs) -> String {
    let c = civil(at);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
}

/// `20261122T090758Z`, the form of `x-amz-date`.
pub(crate) fn amz_date(at: EpochMs) -> String {
    iso8601(at).replace(['-', ':'], "")
}

/// `Sun, 22 Nov 2026 09:07:58 GMT`, the `Date` header (RFC 9110 section 5.6.7).
pub(crate) fn http_date(at: EpochMs) -> String {
    let c = civil(at);
    let (weekday, month) = (WEEKDAYS[c.weekday % 7], MONTHS[(c.month + 11) % 12]);
    format!("{weekday}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT", c.day, c.year, c.hour, c.minute, c.second)
}

/// Reads `20261122T090758Z`; anything else is `None`, impossible dates included.
pub(crate) fn parse_amz_date(text: &str) -> Option<EpochMs> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let at = days_from_civil(year, month, day) * DAY_MS
        + (number(9..11)? * 3600 + number(11..13)? * 60 + number(13..15)?) * 1000;
    (amz_date(at) == text).then_some(at)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAP_DAY: EpochMs = 1_709_210_096_789; // 2024-02-29T12:34:56.789Z, a Thursday

    #[test]
    fn the_formats_of_one_instant_agree() {
        assert_eq!(iso8601(LEAP_DAY), "2024-02-29T12:34:56Z");
        assert_eq!(amz_date(LEAP_DAY), "20240229T123456Z");
        assert_eq!(http_date(LEAP_DAY), "Thu, 29 Feb 2024 12:34:56 GMT");
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(iso8601(-1000), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn an_amz_date_reads_back_to_the_second() {
        assert_eq!(parse_amz_date("20240229T123456Z"), Some(LEAP_DAY - 789));
        assert_eq!(parse_amz_date("19700101T000000Z"), Some(0));
    }

    #[test]
    fn impossible_or_decorated_dates_are_not_read() {
        for text in
            ["20230229T000000Z", "20240229T123456", "2024-02-29T12:34:56Z", "+0240229T123456Z", "20241301T000000Z", ""]
        {
            assert_eq!(parse_amz_date(text), None, "{text}");
        }
    }

    #[test]
    fn a_moved_clock_runs_ahead_of_the_machine() {
        let machine = Clock::default();
        let mut moved = machine;
        moved.move_by(3_600_000);
        let before = machine.now(); // Read first: a millisecond may end between the two.
        assert!(moved.now() - before >= 3_600_000);
    }
}
