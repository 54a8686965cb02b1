use super::*;

fn at(utc: &str) -> SystemTime {
    utc.parse::<Timestamp>().unwrap().into()
}

fn hours(span: Option<&str>, days: &[&str], zone: &str) -> Hours {
    Hours::new(span, Days::read(days.iter().copied()).unwrap(), zone).unwrap()
}

fn office() -> Hours {
    hours(Some("09:00-18:00"), &["Mon-Fri"], "Asia/Tokyo")
}

fn minutes(of: &Hours, utc: &str) -> u64 {
    of.open_for(at(utc), Duration::from_secs(43_200)).as_secs() / 60
}

fn is_open(of: &Hours, utc: &str) -> bool {
    !of.open_for(at(utc), MINUTE).is_zero()
}

#[test]
fn the_clock_on_the_wall_of_the_named_place_counts() {
    // 2026-11-20 is a Friday. Tokyo is nine hours ahead.
    for (utc, open) in [
        ("2026-11-19T23:59:59Z", false),
        ("2026-11-20T00:00:00Z", true),
        ("2026-11-20T08:59:59Z", true),
        ("2026-11-20T09:00:00Z", false),
        ("2026-11-21T03:00:00Z", false),
        ("2026-11-22T03:00:00Z", false),
        ("2026-11-23T03:00:00Z", true),
    ] {
        assert_eq!(is_open(&office(), utc), open, "{utc}");
    }
}

#[test]
fn it_stays_open_until_the_hours_end_and_no_longer_than_is_asked() {
    assert_eq!(minutes(&office(), "2026-11-20T08:30:00Z"), 30);
    assert_eq!(office().open_for(at("2026-11-20T08:30:20Z"), Duration::from_secs(43_200)).as_secs(), 1_780);
    assert_eq!(office().open_for(at("2026-11-20T08:30:00Z"), Duration::from_secs(90)).as_secs(), 90);
    assert_eq!(office().open_for(at("2026-11-20T08:59:30Z"), Duration::from_secs(10)).as_secs(), 10);
    assert_eq!(minutes(&office(), "2026-11-20T09:00:00Z"), 0);
    let week = hours(None, &["Mon-Fri"], "UTC");
    assert_eq!(minutes(&week, "2026-11-19T23:50:00Z"), 720, "Thursday goes on as Friday");
    assert_eq!(minutes(&week, "2026-11-20T23:50:00Z"), 10, "Friday does not go on");
}

#[test]
fn hours_over_midnight_belong_to_the_day_they_begin_on() {
    let night = hours(Some("22:00-06:00"), &["Fri"], "UTC");
    for (utc, open) in [
        ("2026-11-20T05:00:00Z", false),
        ("2026-11-20T21:59:00Z", false),
        ("2026-11-20T22:00:00Z", true),
        ("2026-11-21T05:59:59Z", true),
        ("2026-11-21T06:00:00Z", false),
        ("2026-11-21T22:00:00Z", false),
    ] {
        assert_eq!(is_open(&night, utc), open, "{utc}");
    }
    assert_eq!(minutes(&night, "2026-11-20T23:00:00Z"), 420);
    let sunday = hours(Some("22:00-06:00"), &["Sun"], "UTC");
    assert!(is_open(&sunday, "2026-11-23T05:00:00Z") && !is_open(&sunday, "2026-11-22T05:00:00Z"));
}

#[test]
fn j4_summer_time_moves_the_hours_with_the_wall_clock() {
    let berlin = hours(Some("09:00-17:00"), &["Mon-Sun"], "Europe/Berlin");
    // Summer time begins on 2026-03-29 and ends on 2026-10-25, both at 01:00 UTC.
    for (utc, open) in [
        ("2026-03-28T07:30:00Z", false),
        ("2026-03-29T07:30:00Z", true),
        ("2026-10-24T07:30:00Z", true),
        ("2026-10-25T07:30:00Z", false),
    ] {
        assert_eq!(is_open(&berlin, utc), open, "{utc}");
    }
    // 02:00 to 03:00 does not exist in spring and is there twice in autumn.
    let night = hours(Some("01:30-03:30"), &["Sun"], "Europe/Berlin");
    assert_eq!(minutes(&night, "2026-03-29T00:30:00Z"), 60);
    assert_eq!(minutes(&night, "2026-10-24T23:30:00Z"), 180);
    let twice = hours(Some("02:00-02:30"), &["Sun"], "Europe/Berlin");
    assert_eq!(minutes(&twice, "2026-10-25T00:00:00Z"), 30);
    assert!(!is_open(&twice, "2026-10-25T00:45:00Z") && is_open(&twice, "2026-10-25T01:15:00Z"));
    assert!(!is_open(&twice, "2026-03-29T01:00:00Z"), "there is no 02:00 on that day");
}

#[test]
fn j4_twin_without_summer_time_the_hours_stay() {
    for utc in ["2026-03-28T00:30:00Z", "2026-03-30T00:30:00Z", "2026-10-26T00:30:00Z"] {
        let daily = hours(Some("09:00-18:00"), &["Mon-Sun"], "Asia/Tokyo");
        assert_eq!(minutes(&daily, utc), 510, "{utc}");
    }
}

#[test]
fn a_time_that_no_calendar_has_is_outside() {
    let always = hours(None, &["Mon-Sun"], "UTC");
    assert!(is_open(&always, "1970-01-01T00:00:00Z") && is_open(&always, "2106-02-08T00:00:00Z"));
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
    assert_eq!(always.open_for(far, MINUTE), Duration::ZERO);
}

#[test]
fn what_is_no_span_is_refused() {
    for bad in [
        "9:00-18:00",
        "09:00",
        "09:00-24:01",
        "25:00-26:00",
        "09:60-11:00",
        "09:00-10:60",
        "09:00-09:00",
        "24:00-06:00",
        "09:00-18:0x",
        "",
        "09-00-18:00",
        "09:000-18:00",
        "09:0-18:00",
        "+9:00-18:00",
    ] {
        assert!(Hours::new(Some(bad), Days::ALL, "UTC").is_err(), "{bad}");
    }
    for good in ["00:00-24:00", "09:00 - 18:00", "23:59-00:00", "22:00-24:00"] {
        assert!(Hours::new(Some(good), Days::ALL, "UTC").is_ok(), "{good}");
    }
    assert_eq!(hours(Some("00:00-24:00"), &["Mon-Sun"], "UTC"), hours(None, &["Mon-Sun"], "UTC"));
}

#[test]
fn an_unknown_time_zone_is_refused_with_the_nearest() {
    let refused = Hours::new(None, Days::ALL, "Asia/Tokio").unwrap_err();
    assert!(refused.starts_with("there is no time zone \"Asia/Tokio\"; nearest: Asia/Tokyo"), "{refused}");
    assert!(Hours::new(None, Days::ALL, "xx").unwrap_err().ends_with("such as Asia/Tokyo"));
    for bad in ["", "../etc/passwd", "/etc/localtime", "a\nb"] {
        assert!(Hours::new(None, Days::ALL, bad).is_err(), "{bad:?}");
    }
    assert_eq!(hours(None, &["Mon"], "asia/tokyo"), hours(None, &["Mon"], "Asia/Tokyo"));
}

#[test]
fn days_are_named_one_by_one_or_as_ranges() {
    let read = |words: &[&str]| Days::read(words.iter().copied()).map(|days| days.to_string());
    for (words, shown) in [
        (&["Mon-Fri"][..], "Mon-Fri"),
        (&["Mon", "Wed", "Thu", "Sun"], "Mon, Wed-Thu, Sun"),
        (&["Sat-Mon"], "Mon, Sat-Sun"),
        (&["Sun-Mon"], "Mon, Sun"),
        (&["Tue-Tue"], "Tue"),
        (&["Mon-Sun"], "Mon-Sun"),
        (&["Wed-Tue"], "Mon-Sun"),
    ] {
        assert_eq!(read(words).unwrap(), shown);
    }
    for bad in ["monday", "", "Mon-", "Mon-Fri-Sun", "mon"] {
        assert!(read(&[bad]).unwrap_err().contains("is no day"), "{bad}");
    }
    assert!(read(&[]).is_err());
    assert!(Days::try_from(128).is_err() && Days::try_from(0).is_err() && Days::try_from(127) == Ok(Days::ALL));
}

#[test]
fn narrower_hours_are_within_wider_ones() {
    let wide = office();
    for (span, days, zone, within) in [
        (Some("09:00-18:00"), "Mon-Fri", "Asia/Tokyo", true),
        (Some("10:00-17:59"), "Tue", "Asia/Tokyo", true),
        (Some("08:59-18:00"), "Mon-Fri", "Asia/Tokyo", false),
        (Some("09:00-18:01"), "Mon-Fri", "Asia/Tokyo", false),
        (Some("09:00-18:00"), "Mon-Sat", "Asia/Tokyo", false),
        (Some("09:00-18:00"), "Mon-Fri", "Asia/Seoul", false),
        (Some("17:00-10:00"), "Mon-Fri", "Asia/Tokyo", false),
        (None, "Mon", "Asia/Tokyo", false),
    ] {
        assert_eq!(hours(span, &[days], zone).are_within(&wide), within, "{span:?} {days} {zone}");
    }
    let night = hours(Some("22:00-06:00"), &["Fri"], "UTC");
    assert!(hours(Some("00:00-06:00"), &["Sat"], "UTC").are_within(&night));
    assert!(!hours(Some("00:00-06:00"), &["Fri"], "UTC").are_within(&night));
}

#[test]
fn hours_are_shown_and_kept_as_they_are() {
    let shown = hours(Some("22:00-06:05"), &["Fri-Sat"], "Europe/Berlin");
    assert_eq!(shown.to_string(), "Fri-Sat 22:00-06:05 Europe/Berlin");
    let json = serde_json::to_string(&shown).unwrap();
    assert_eq!(serde_json::from_str::<Hours>(&json).unwrap(), shown);
    for (from, to) in [
        ("\"days\":48", "\"days\":0"),
        ("\"from\":1320", "\"from\":1440"),
        ("Berlin", "Berlim"),
        ("365", "1441"),
        ("{", "{\"x\":1,"),
    ] {
        assert!(serde_json::from_str::<Hours>(&json.replacen(from, to, 1)).is_err(), "{to}");
    }
}
