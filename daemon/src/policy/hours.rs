//! Hours of the day on days of the week, in a named time zone. The clock on the wall there counts, summer time included.
//!
//! Time zones come from the database that is built in, so that neither `TZ`, `TZDIR` nor a file can move the hours.

use crate::nearest::nearest;
use jiff::tz::TimeZoneDatabase;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};
use tegata_protocol::text::one_line;

/// Minutes of a day.
const DAY: u16 = 24 * 60;
const MINUTE: Duration = Duration::from_secs(60);
const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// When something is allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Hours(Parts);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    /// The days on which it begins.
    days: Days,
    /// The first minute of the day.
    from: u16,
    /// The first minute that is not in it any more: of the next day where it is not later than `from`.
    to: u16,
    /// The time zone's name in the IANA database.
    zone: String,
}

impl Hours {
    /// Checks hours (`09:00-18:00`; `22:00-06:00` ends on the next day; all day where absent), the days on which they begin,
    /// and a time zone of the IANA database.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn new(hours: Option<&str>, days: Days, zone: &str) -> Result<Self, String> {
        let (from, to) = match hours {
            Some(text) => {
                span(text).ok_or_else(|| format!("hours = {:?} is no span such as 09:00-18:00", one_line(text)))?
            }
            None => (0, DAY),
        };
        Self::try_from(Parts { days, from, to, zone: zone.to_owned() })
    }

    /// Returns for how long from `now` on it stays allowed, at most `most`; nothing where it is not allowed now.
    #[must_use]
    pub fn open_for(&self, now: SystemTime, most: Duration) -> Duration {
        let (Ok(zone), Ok(now)) = (ZONES.get(&self.0.zone), Timestamp::try_from(now)) else { return Duration::ZERO };
        let is_open =
            |after: Duration| now.checked_add(after).is_ok_and(|then| self.is_open_at(&then.to_zoned(zone.clone())));
        if !is_open(Duration::ZERO) {
            return Duration::ZERO;
        }
        let second = now.as_second().rem_euclid(60).unsigned_abs();
        // Hours begin and end, and offsets change, at whole minutes.
        let mut open = MINUTE - Duration::from_secs(second);
        while open < most && is_open(open) {
            open += MINUTE;
        }
        open.min(most)
    }

    /// Whether these allow nothing that `other` does not. May say no where it is so.
    #[must_use]
    pub fn are_within(&self, other: &Self) -> bool {
        let minutes = || (0..7).flat_map(|day| (0..DAY).map(move |minute| (day, minute)));
        let is_inside = |(day, minute)| !self.holds(day, minute) || other.holds(day, minute);
        self == other || (self.0.zone == other.0.zone && minutes().all(is_inside))
    }

    fn is_open_at(&self, local: &Zoned) -> bool {
        let part = |number: i8| u16::from(number.unsigned_abs());
        self.holds(
            local.weekday().to_monday_zero_offset().unsigned_abs(),
            part(local.hour()) * 60 + part(local.minute()),
        )
    }

    /// Whether a minute of a day (0 is Monday) is in it.
    fn holds(&self, day: u8, minute: u16) -> bool {
        let Parts { days, from, to, .. } = self.0;
        if from < to {
            return days.hold(day) && (from..to).contains(&minute);
        }
        (days.hold(day) && minute >= from) || (days.hold((day + 6) % 7) && minute < to)
    }
}

impl TryFrom<Parts> for Hours {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        if parts.from >= DAY || parts.to > DAY || parts.from == parts.to {
            return Err("hours are a span such as 09:00-18:00, and end at another time than they begin".to_owned());
        }
        let zone = ZONES.get(&parts.zone).ok().and_then(|zone| zone.iana_name().map(str::to_owned));
        match zone {
            Some(zone) => Ok(Self(Parts { zone, ..parts })),
            None => Err(no_such_zone(&parts.zone)),
        }
    }
}

impl From<Hours> for Parts {
    fn from(hours: Hours) -> Self {
        hours.0
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { days, from, to, zone } = &self.0;
        write!(f, "{days} {:02}:{:02}-{:02}:{:02} {zone}", from / 60, from % 60, to / 60, to % 60)
    }
}

fn no_such_zone(name: &str) -> String {
    let names: Vec<String> = ZONES.available().map(|zone| zone.to_string()).collect();
    let near = nearest(name, names.iter().map(String::as_str));
    let hint = if near.is_empty() {
        "it is a name such as Asia/Tokyo".to_owned()
    } else {
        format!("nearest: {}", near.join(", "))
    };
    format!("there is no time zone {:?}; {hint}", one_line(name))
}

fn span(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-')?;
    Some((minute_of_day(from.trim())?, minute_of_day(to.trim())?))
}

/// `HH:MM`, up to `24:00`.
fn minute_of_day(text: &str) -> Option<u16> {
    let digits = text.bytes().enumerate().all(|(at, byte)| if at == 2 { byte == b':' } else { byte.is_ascii_digit() });
    if text.len() != 5 || !digits {
        return None;
    }
    let (hours, minutes): (u16, u16) = (text.get(..2)?.parse().ok()?, text.get(3..)?.parse().ok()?);
    Some(hours * 60 + minutes).filter(|minute| minutes < 60 && *minute <= DAY)
}

/// Days of the week, one bit each, Monday's the lowest; never none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Days(u8);

impl Days {
    /// Every day.
    pub const ALL: Self = Self(0b111_1111);

    /// Reads days and ranges of days, such as `Mon` and `Sat-Mon`.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub fn read<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut bits = 0;
        for word in words {
            bits |= range(word).ok_or_else(|| {
                format!("{:?} is no day; days are {}, and ranges such as Mon-Fri", one_line(word), NAMES.join(", "))
            })?;
        }
        Self::try_from(bits).map_err(str::to_owned)
    }

    fn hold(self, day: u8) -> bool {
        self.0 & (1 << day) != 0
    }
}

fn range(word: &str) -> Option<u8> {
    let day = |name: &str| NAMES.iter().position(|known| *known == name.trim());
    let (from, to) = word.split_once('-').unwrap_or((word, word));
    let (from, to) = (day(from)?, day(to)?);
    let length = (to + 7 - from) % 7;
    Some((from..=from + length).fold(0, |bits, day| bits | (1 << (day % 7))))
}

impl TryFrom<u8> for Days {
    type Error = &'static str;

    fn try_from(bits: u8) -> Result<Self, Self::Error> {
        if (1..=Self::ALL.0).contains(&bits) {
            Ok(Self(bits))
        } else {
            Err("days are at least one of the week's seven")
        }
    }
}

impl From<Days> for u8 {
    fn from(days: Days) -> Self {
        days.0
    }
}

/// `Mon-Fri`, `Mon, Wed-Fri`; a week's end does not join, so the weekend is `Sat-Sun`.
impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown: Vec<String> = Vec::new();
        let mut day = 0;
        while day < 7 {
            let length = (day..7).take_while(|day| self.hold(*day)).count();
            match length {
                0 => {}
                1 => shown.push(NAMES[usize::from(day)].to_owned()),
                _ => shown.push(format!("{}-{}", NAMES[usize::from(day)], NAMES[usize::from(day) + length - 1])),
            }
            day += u8::try_from(length).unwrap_or(7).max(1);
        }
        f.write_str(&shown.join(", "))
    }
}

#[cfg(test)]
#[path = "hours_tests.rs"]
mod tests;
