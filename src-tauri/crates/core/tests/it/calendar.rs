//! The periods of retention in time zones whose clocks are put forward and back, and whose days are skipped.
#![allow(clippy::unwrap_used, reason = "a test may fail at any line")]

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;
use threadline_core::retention::Period;

/// Changes of an hour, of half an hour and of two; at midnight; by a law of the year before; a day that never was (Apia, 30
/// December 2011); none at all.
const ZONES: &[&str] = &[
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "America/Asuncion",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Atlantic/Azores",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Apia",
    "Pacific/Chatham",
    "UTC",
];
/// What one change puts a clock back by at most, but for a day that is repeated.
const FOLD: SignedDuration = SignedDuration::from_hours(2);

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn local(zone: &TimeZone, time: &str) -> Timestamp {
    time.parse::<DateTime>().unwrap().to_zoned(zone.clone()).unwrap().timestamp()
}

/// The first moment at which the clocks show this time or a later one, found by looking at every minute.
fn first(wanted: DateTime, zone: &TimeZone) -> Timestamp {
    let about = wanted.to_zoned(zone.clone()).unwrap().timestamp();
    let minute = SignedDuration::from_mins(1);
    let mut found = None;
    let mut at = about - SignedDuration::from_hours(26);
    // Whole minutes, and behind them the part of the wanted one.
    let part = SignedDuration::new(i64::from(wanted.second()), wanted.subsec_nanosecond());
    at -= SignedDuration::new(at.as_second().rem_euclid(60), at.subsec_nanosecond());
    while found.is_none() {
        let whole = [at, at + part].into_iter().find(|at| zone.to_datetime(*at) >= wanted);
        found = whole;
        at += minute;
    }
    found.unwrap()
}

#[test]
fn a_time_that_is_skipped_is_the_first_moment_after_it() {
    for (name, begin, period, end) in [
        ("Europe/Berlin", "2026-03-28T02:00", "1d", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-03-28T02:30", "1d", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-03-28T03:00", "1d", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-03-28T12:00", "1d", "2026-03-29T10:00:00Z"),
        ("America/New_York", "2025-03-08T02:59:59", "1y", "2026-03-08T07:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T02:15", "1d", "2026-10-03T15:30:00Z"),
        ("Pacific/Apia", "2011-12-29T10:00", "1d", "2011-12-30T10:00:00Z"),
        ("America/Asuncion", "2017-09-15T12:00", "0m", "2017-10-01T04:00:00Z"),
        // A time that comes twice is the first one.
        ("Europe/Berlin", "2026-10-18T02:30", "7d", "2026-10-25T00:30:00Z"),
    ] {
        let zone = zone(name);
        let told = period.parse::<Period>().unwrap().end(local(&zone, begin), &zone).unwrap();
        assert_eq!(told.to_string(), end, "{begin} in {name}, {period}");
    }
}

/// A moment near a change of the clocks more often than not.
fn moments() -> impl Strategy<Value = (usize, i64, i64, bool)> {
    // From 2005 to 2033.
    (0..ZONES.len(), 1_104_537_600..2_000_000_000_i64, -100_000..100_000_i64, prop::bool::weighted(0.8))
}

fn moment((zone_at, second, near, is_near): (usize, i64, i64, bool)) -> (TimeZone, Timestamp) {
    let zone = zone(ZONES[zone_at]);
    let at = Timestamp::from_second(second).unwrap();
    let change = zone.following(at).next().filter(|_| is_near).map(|change| change.timestamp());
    (zone, change.unwrap_or(at) + SignedDuration::from_secs(near))
}

fn period() -> impl Strategy<Value = Period> {
    prop_oneof![
        (0..100_u16).prop_map(Period::Days),
        (0..15_u16).prop_map(Period::Months),
        (0..5_u16).prop_map(Period::Years)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The end is the first moment at which the clocks show the day and time that the calendar names.
    #[test]
    fn an_end_is_what_the_calendar_says(at in moments(), period in period(), forth in any::<bool>()) {
        let (zone, near) = moment(at);
        // Seen from its end, too, so that the end is near a change.
        let begin = if forth { near } else { period.begun_before(near, &zone).unwrap() };
        let local = zone.to_datetime(begin);
        let wanted = match period {
            Period::Days(0) | Period::Years(0) | Period::Forever => {
                prop_assert_eq!(period.end(begin, &zone), Some(begin));
                return Ok(());
            }
            Period::Days(n) => local.checked_add(i64::from(n).days()).unwrap(),
            Period::Years(n) => local.checked_add(i64::from(n).years()).unwrap(),
            Period::Months(n) => {
                DateTime::from(local.date().first_of_month().checked_add((i64::from(n) + 1).months()).unwrap())
            }
        };
        prop_assert_eq!(period.end(begin, &zone).unwrap(), first(wanted, &zone), "{} from {}", period, begin);
    }

    /// What is said to be over is over: nothing goes before the time that was told. And what is not said so is not, but for what
    /// began in an hour that came twice or on a day that the year of the end does not have.
    #[test]
    fn nothing_goes_before_its_end(at in moments(), period in period(), away in 0..40_000_i64, big in any::<bool>()) {
        let (zone, now) = moment(at);
        let before = period.begun_before(now, &zone).unwrap();
        let away = SignedDuration::from_secs(if big { away * 60 } else { away / 10 });
        let earlier = before - away - SignedDuration::from_nanos(1);
        prop_assert!(period.end(earlier, &zone).unwrap() <= now, "{} from {} at {}", period, earlier, now);
        let leap = if matches!(period, Period::Years(_)) { SignedDuration::from_hours(24) } else { FOLD };
        let later = before + leap + FOLD + away;
        prop_assert!(period.end(later, &zone).unwrap() > now, "{} from {} at {}", period, later, now);
    }

    /// By the clock on the wall, what begins later does not end earlier.
    #[test]
    fn ends_come_in_the_order_of_beginnings(at in moments(), period in period(), apart in 0..200_000_i64) {
        let (zone, first) = moment(at);
        let second = first + SignedDuration::from_secs(apart);
        let in_order = zone.to_datetime(first) <= zone.to_datetime(second);
        // 29 February ends with the 28th.
        if !in_order || matches!(period, Period::Years(_)) {
            return Ok(());
        }
        prop_assert!(period.end(first, &zone) <= period.end(second, &zone), "{} from {} and {}", period, first, second);
    }
}
