//! Calendar months in UTC: the name of a file of records, and when it has been kept for long enough. Pure.

use crate::clock::unix_seconds;
use std::time::SystemTime;

const DAY: i64 = 86_400;

/// A month of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Month {
    year: i64,
    /// 1 to 12.
    month: i64,
}

impl Month {
    /// Returns the month that an instant is in.
    pub(super) fn of(time: SystemTime) -> Self {
        // Years are counted from March, so that the leap day is the last of its year; 400 years are 146,097 days.
        let days = unix_seconds(time).div_euclid(DAY) + 719_468;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year + year / 4 - year / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self { year: year + era * 400 + i64::from(month <= 2), month }
    }

    /// Returns the name of the file of its records.
    pub(super) fn file_name(self) -> String {
        format!("audit-{:04}-{:02}.jsonl", self.year, self.month)
    }

    /// Returns the month whose records a file has; `None` for any other file.
    pub(super) fn of_file(name: &str) -> Option<Self> {
        let (year, month) = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?.split_once('-')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let found = Self { year: year.parse().ok()?, month: month.parse().ok()? };
        let exact = digits(year) && digits(month) && (1..=12).contains(&found.month) && found.file_name() == name;
        exact.then_some(found)
    }

    /// Whether its last record is older than so many days.
    pub(super) fn is_past(self, days: u64, now: SystemTime) -> bool {
        let days = i64::try_from(days).unwrap_or(i64::MAX / DAY);
        unix_seconds(now) >= self.end().saturating_add(days.saturating_mul(DAY))
    }

    /// Returns when the next month begins, in seconds since 1970.
    fn end(self) -> i64 {
        let (year, month) = if self.month == 12 { (self.year + 1, 1) } else { (self.year, self.month + 1) };
        let from_march = (month + 9) % 12;
        let year = if month <= 2 { year - 1 } else { year };
        let days = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        (days + (153 * from_march + 2) / 5 - 719_468) * DAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{from_unix_seconds, rfc3339};

    #[test]
    fn every_day_of_two_centuries_is_in_the_month_its_date_says() {
        for day in 0..73_049 {
            let time = from_unix_seconds(day * DAY + 86_399);
            assert_eq!(Month::of(time).file_name(), format!("audit-{}.jsonl", &rfc3339(time)[..7]));
        }
    }

    #[test]
    fn a_month_ends_where_the_next_begins() {
        let mut time = 0;
        while time < 4_000_000_000 {
            let month = Month::of(from_unix_seconds(time));
            assert!(month.end() > time && month.end() - time <= 31 * DAY);
            assert_eq!(Month::of(from_unix_seconds(month.end() - 1)), month);
            assert_ne!(Month::of(from_unix_seconds(month.end())), month);
            time = month.end();
        }
    }

    #[test]
    fn only_files_of_records_are_taken_for_such() {
        assert_eq!(Month::of_file("audit-2026-11.jsonl"), Some(Month { year: 2026, month: 11 }));
        for name in ["audit-2026-13.jsonl", "audit-2026-1.jsonl", "audit-+026-11.jsonl", "audit-2026-11.jsonl.bak", "x"]
        {
            assert_eq!(Month::of_file(name), None, "{name}");
        }
    }

    #[test]
    fn a_month_is_past_when_its_last_day_is() {
        let november = Month { year: 2026, month: 11 };
        assert!(!november.is_past(90, from_unix_seconds(november.end() + 90 * DAY - 1)));
        assert!(november.is_past(90, from_unix_seconds(november.end() + 90 * DAY)));
        assert!(!november.is_past(u64::MAX, from_unix_seconds(i64::MAX / 2)));
    }
}
