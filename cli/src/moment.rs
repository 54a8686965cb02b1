//! Times as the API writes them and as a person reads them. The current time is always a parameter.

/// Returns the seconds since 1970 of an RFC 3339 time in UTC with whole seconds, the one form of the local API.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let valid = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    valid.then(|| days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn numbers(text: &str, separator: char, lengths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, length) in numbers.iter_mut().zip(lengths) {
        let part =
            parts.next().filter(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Counts days in the proleptic Gregorian calendar, with years that begin in March so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days_before_month = (153 * month + 2) / 5;
    365 * year + leap_days + days_before_month + day - 1 - 719_468
}

/// Returns the day of a moment in UTC, as `2026-11-22`.
pub(crate) fn day_of(seconds: i64) -> String {
    // The other way round: with years that begin in March, in cycles of 400 years.
    let days = seconds.div_euclid(86_400) + 719_468;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = (year + cycle * 400, if month < 10 { month + 3 } else { month - 9 });
    format!("{:04}-{month:02}-{day:02}", if month <= 2 { year + 1 } else { year })
}

/// Returns a time with its distance from `now`, as `2026-11-22 09:07 UTC (in 42 min)`. A time of another form is returned
/// as it is.
pub(crate) fn shown(text: &str, now: i64) -> String {
    match (parse(text), text.get(..10), text.get(11..16)) {
        (Some(at), Some(date), Some(time)) => format!("{date} {time} UTC ({})", distance(at, now)),
        _ => text.to_owned(),
    }
}

/// Returns how far a time is from `now`, as `in 42 min` or `42 min ago`. A time of another form is returned as it is.
pub(crate) fn from_now(text: &str, now: i64) -> String {
    parse(text).map_or_else(|| text.to_owned(), |at| distance(at, now))
}

fn distance(at: i64, now: i64) -> String {
    let seconds = at - now;
    if seconds > 0 { format!("in {}", duration(seconds)) } else { format!("{} ago", duration(seconds)) }
}

/// Returns a duration in its two largest units.
pub(crate) fn duration(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} d"),
        (_, _, _) => format!("{days} d {hours} h"),
    }
}

/// Reads a duration as a person writes it, `90s`, `30m` or `1h`, and returns its seconds: at least one, at most a day.
pub(crate) fn seconds_of(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return None,
    };
    let digits = Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let seconds = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    (1..=86_400).contains(&seconds).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_one_its_midnight_is_parsed_from() {
        for start in ["1970-01-01", "1999-12-31", "2000-02-29", "2024-02-29", "2026-03-01", "2100-02-28", "2400-02-29"]
        {
            let at = parse(&format!("{start}T00:00:00Z")).unwrap();
            assert_eq!((day_of(at), day_of(at + 86_399)), (start.to_owned(), start.to_owned()));
        }
        for day in 0..30_000 {
            assert_eq!(parse(&format!("{}T00:00:00Z", day_of(day * 86_400))), Some(day * 86_400));
        }
    }

    #[test]
    fn known_times_are_read_right() {
        assert_eq!(parse("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse("2026-11-22T09:07:58Z"), Some(1_795_338_478));
        assert_eq!(parse("2024-02-29T23:59:59Z"), Some(1_709_251_199));
        assert_eq!(parse("2100-03-01T00:00:00Z"), Some(4_107_542_400));
        assert_eq!(parse("9999-12-31T23:59:59Z"), Some(253_402_300_799));
    }

    #[test]
    fn other_forms_are_not_guessed_at() {
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T09:07:58",
            "2026-11-22T09:07:58+00:00",
            "2026-11-22T09:07:58.5Z",
            "2026-13-22T09:07:58Z",
            "2026-11-22T24:07:58Z",
            "+026-11-22T09:07:58Z",
            "2026-11-22-01T09:07:58Z",
            "２０２６-11-22T09:07:58Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_is_shown_with_its_distance() {
        let now = 1_795_338_478;
        assert_eq!(shown("2026-11-22T09:49:58Z", now), "2026-11-22 09:49 UTC (in 42 min)");
        assert_eq!(shown("2026-11-22T09:07:00Z", now), "2026-11-22 09:07 UTC (58 s ago)");
        assert_eq!(shown("tomorrow", now), "tomorrow");
    }

    #[test]
    fn durations_have_at_most_two_units() {
        let shown = [0, 59, 60, 3_599, 3_600, 27_660, 86_400, 90_000, -90_000].map(duration);
        assert_eq!(shown, ["0 s", "59 s", "1 min", "59 min", "1 h", "7 h 41 min", "1 d", "1 d 1 h", "1 d 1 h"]);
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(["90s", "30m", "1h", "24h", "007m"].map(seconds_of), [90, 1_800, 3_600, 86_400, 420].map(Some));
        for text in
            ["", "m", "30", "0m", "25h", "-1m", "+1m", "1.5h", "1 h", "1d", "３０m", "99999999999999999999h", "5é"]
        {
            assert_eq!(seconds_of(text), None, "{text}");
        }
    }
}
