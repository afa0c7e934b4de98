//! How long the local copy of a mail stays (PRODUCT R17): the five clocks, and the calendar.
//!
//! A clock starts when every CRM that a mail goes to has accepted it. The CRM's entry stays; what is left here is a receipt
//! without text and addresses.

use crate::rule::Rule;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How far the computer's clock and the servers' dates may be apart. Beyond it nothing is purged.
pub const TOLERANCE: SignedDuration = SignedDuration::from_hours(24);
/// The longest period there is, in its own unit.
const MOST: u16 = 9_999;

/// By how a mail got here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// (a) Of which the header alone is here: mail that the person is asked about, or that waits for contacts.
    Metadata,
    /// (b) Logged by a gesture.
    Gesture,
    /// (c) Noticed in the mailbox.
    Noticed,
    /// (d) Sent by Threadline or the CRM through the mailbox.
    Sent,
    /// (e) Taken out of the log; it takes the place of the other clocks.
    Deleted,
}

impl Clock {
    pub const ALL: &[Clock] = &[Clock::Metadata, Clock::Gesture, Clock::Noticed, Clock::Sent, Clock::Deleted];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Clock::Metadata => "metadata",
            Clock::Gesture => "gesture",
            Clock::Noticed => "noticed",
            Clock::Sent => "sent",
            Clock::Deleted => "deleted",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|clock| clock.name() == name)
    }

    /// The clock of a logged mail.
    pub fn of(rule: Rule) -> Self {
        match rule {
            Rule::KeywordLog
            | Rule::LogFolder
            | Rule::RelayLog
            | Rule::LoggingAddress
            | Rule::CrmAddress
            | Rule::ForwardedToLog => Clock::Gesture,
            Rule::SentByThreadline => Clock::Sent,
            _ => Clock::Noticed,
        }
    }
}

/// A period of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Period {
    /// To the same time of day so many days later.
    Days(u16),
    /// The calendar month that it begins in, and so many more after it: to their end.
    Months(u16),
    /// To the same day so many years later; 29 February ends on the 28th.
    Years(u16),
    Forever,
}

/// The text is no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is no period. Write 7d for days, 1m for the current calendar month and one more, 1y for years, or forever."
)]
pub struct NoPeriod(String);

impl Period {
    /// When it ends that begins at this moment in this time zone; `None` where it never does. A time of day that is skipped on
    /// its last day is the first moment after it; one that comes twice is the earlier one.
    pub fn end(self, begin: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = zone.to_datetime(begin);
        let after = |span: Span| moment(local.checked_add(span).ok()?, zone);
        match self {
            Period::Forever => None,
            Period::Days(0) | Period::Years(0) => Some(begin),
            Period::Days(days) => after(i64::from(days).days()),
            Period::Years(years) => after(i64::from(years).years()),
            Period::Months(more) => {
                let end = local.date().first_of_month().checked_add((i64::from(more) + 1).months()).ok()?;
                moment(end.into(), zone)
            }
        }
    }

    /// Whatever began before this moment is over by now; `None` where nothing is. What began in the hour that comes twice, or on
    /// 29 February, can be over too.
    pub fn begun_before(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = zone.to_datetime(now);
        let before = |span: Span| moment(local.checked_sub(span).ok()?, zone);
        match self {
            Period::Forever => None,
            Period::Days(0) | Period::Years(0) => Some(now),
            Period::Days(days) => before(i64::from(days).days()),
            Period::Years(years) => before(i64::from(years).years()),
            Period::Months(more) => {
                let first = local.date().first_of_month().checked_sub(i64::from(more).months()).ok()?;
                moment(first.into(), zone)
            }
        }
    }
}

/// When the clocks of a time zone first show this time or a later one.
fn moment(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
        AmbiguousOffset::Gap { after, .. } => {
            // By the later offset it lies before the clocks were put forward.
            let earlier = after.to_timestamp(local).ok()?;
            zone.following(earlier).next().map(|forward| forward.timestamp())
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Period::Days(n) => write!(f, "{n}d"),
            Period::Months(n) => write!(f, "{n}m"),
            Period::Years(n) => write!(f, "{n}y"),
            Period::Forever => f.write_str("forever"),
        }
    }
}

impl FromStr for Period {
    type Err = NoPeriod;

    fn from_str(text: &str) -> Result<Self, NoPeriod> {
        if text == "forever" {
            return Ok(Period::Forever);
        }
        let wrong = || NoPeriod(text.to_owned());
        let unit = text.chars().next_back().ok_or_else(wrong)?;
        let number = &text[..text.len() - unit.len_utf8()];
        let number = number.parse().ok().filter(|n| *n <= MOST).ok_or_else(wrong)?;
        match unit {
            'd' => Ok(Period::Days(number)),
            'm' => Ok(Period::Months(number)),
            'y' => Ok(Period::Years(number)),
            _ => Err(wrong()),
        }
    }
}

impl From<Period> for String {
    fn from(period: Period) -> String {
        period.to_string()
    }
}

impl TryFrom<String> for Period {
    type Error = NoPeriod;
    fn try_from(text: String) -> Result<Self, NoPeriod> {
        text.parse()
    }
}

/// In TypeScript it is the string that it is in JSON.
#[cfg(feature = "specta")]
impl specta::Type for Period {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        String::definition(types)
    }
}

/// How long each part stays by one clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Keep {
    /// The header: addresses and subject.
    pub headers: Period,
    /// The text and the files. They never outlast the header.
    pub body: Period,
}

impl Keep {
    const fn both(period: Period) -> Self {
        Self { headers: period, body: period }
    }
}

/// When the parts of a mail go; `None` for never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Goes {
    pub headers: Option<Timestamp>,
    pub body: Option<Timestamp>,
}

/// The five clocks as they are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(default)]
pub struct Retention {
    pub metadata: Keep,
    pub gesture: Keep,
    pub noticed: Keep,
    pub sent: Keep,
    pub deleted: Keep,
    /// Legal hold: nothing is purged as long as it lasts.
    pub hold: bool,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            metadata: Keep::both(Period::Months(1)),
            gesture: Keep::both(Period::Days(1)),
            noticed: Keep::both(Period::Days(7)),
            sent: Keep::both(Period::Years(1)),
            deleted: Keep::both(Period::Days(90)),
            hold: false,
        }
    }
}

impl Retention {
    pub fn keep(&self, clock: Clock) -> Keep {
        match clock {
            Clock::Metadata => self.metadata,
            Clock::Gesture => self.gesture,
            Clock::Noticed => self.noticed,
            Clock::Sent => self.sent,
            Clock::Deleted => self.deleted,
        }
    }

    pub fn keep_mut(&mut self, clock: Clock) -> &mut Keep {
        match clock {
            Clock::Metadata => &mut self.metadata,
            Clock::Gesture => &mut self.gesture,
            Clock::Noticed => &mut self.noticed,
            Clock::Sent => &mut self.sent,
            Clock::Deleted => &mut self.deleted,
        }
    }

    /// When the parts of a mail go whose clock began then. Where the header goes, the text goes too.
    pub fn goes(&self, clock: Clock, begin: Timestamp, zone: &TimeZone) -> Goes {
        let keep = self.keep(clock);
        let headers = keep.headers.end(begin, zone);
        let body = keep.body.end(begin, zone);
        Goes { headers, body: [headers, body].into_iter().flatten().min() }
    }
}

/// What a server's clock showed, and when it was heard, on a clock that nobody sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witness {
    pub date: Timestamp,
    pub heard: std::time::Duration,
}

impl Witness {
    /// What that server's clock shows now.
    pub fn now(self, monotonic: std::time::Duration) -> Timestamp {
        let since =
            SignedDuration::try_from(monotonic.saturating_sub(self.heard)).unwrap_or(SignedDuration::MAX);
        self.date.checked_add(since).unwrap_or(Timestamp::MAX)
    }

    /// The later one: the date of a mail says that the server's clock is there at least.
    pub fn later(self, other: Self, monotonic: std::time::Duration) -> Self {
        if other.now(monotonic) > self.now(monotonic) { other } else { self }
    }
}

/// Whether the computer's clock is near enough to the servers' for something to be purged by it. Where no server was heard
/// there is nothing to doubt it by.
pub fn clock_is_right(now: Timestamp, monotonic: std::time::Duration, witness: Option<Witness>) -> bool {
    witness.is_none_or(|witness| now.duration_since(witness.now(monotonic)).abs() <= TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    /// The end of a period as local time.
    fn end(period: &str, begin: &str, zone_name: &str) -> String {
        let begin: DateTime = begin.parse().unwrap();
        let begin = begin.to_zoned(zone(zone_name)).unwrap().timestamp();
        let end = period.parse::<Period>().unwrap().end(begin, &zone(zone_name)).unwrap();
        end.to_zoned(zone(zone_name)).datetime().to_string()
    }

    #[test]
    fn the_current_and_the_previous_calendar_month_are_kept() {
        assert_eq!(end("1m", "2026-11-01T00:00", "Europe/Berlin"), "2027-01-01T00:00:00");
        assert_eq!(end("1m", "2026-11-30T23:59", "Europe/Berlin"), "2027-01-01T00:00:00");
        assert_eq!(end("1m", "2026-01-31T12:00", "Europe/Berlin"), "2026-03-01T00:00:00");
        assert_eq!(end("0m", "2024-02-29T12:00", "Europe/Berlin"), "2024-03-01T00:00:00");
    }

    #[test]
    fn the_month_is_the_persons_own() {
        // In Auckland it is December already.
        let begin: Timestamp = "2026-11-30T12:00Z".parse().unwrap();
        let end = |name| Period::Months(1).end(begin, &zone(name)).unwrap().to_string();
        assert_eq!(end("Pacific/Auckland"), "2027-01-31T11:00:00Z");
        assert_eq!(end("America/New_York"), "2027-01-01T05:00:00Z");
    }

    #[test]
    fn days_are_calendar_days_and_years_are_years() {
        // The clocks go forward on 29 March.
        assert_eq!(end("1d", "2026-03-28T12:00", "Europe/Berlin"), "2026-03-29T12:00:00");
        assert_eq!(end("1d", "2026-03-28T02:30", "Europe/Berlin"), "2026-03-29T03:00:00");
        assert_eq!(end("7d", "2026-10-24T08:00", "Europe/Berlin"), "2026-10-31T08:00:00");
        assert_eq!(end("90d", "2026-12-01T08:00", "Europe/Berlin"), "2027-03-01T08:00:00");
        assert_eq!(end("1y", "2024-02-29T08:00", "Europe/Berlin"), "2025-02-28T08:00:00");
    }

    #[test]
    fn a_midnight_that_does_not_exist_is_the_days_first_moment() {
        // In Asunción the clocks went forward at midnight on 1 October 2017.
        assert_eq!(end("0m", "2017-09-15T12:00", "America/Asuncion"), "2017-10-01T01:00:00");
    }

    #[test]
    fn the_preset_is_the_five_clocks() {
        let begin: Timestamp = "2026-11-24T12:00Z".parse().unwrap();
        let goes = |clock| Retention::default().goes(clock, begin, &TimeZone::UTC);
        for (clock, day) in [
            (Clock::Metadata, "2027-01-01T00:00:00Z"),
            (Clock::Gesture, "2026-11-25T12:00:00Z"),
            (Clock::Noticed, "2026-12-01T12:00:00Z"),
            (Clock::Sent, "2027-11-24T12:00:00Z"),
            (Clock::Deleted, "2027-02-22T12:00:00Z"),
        ] {
            let day = Some(day.parse().unwrap());
            assert_eq!(goes(clock), Goes { headers: day, body: day }, "{clock:?}");
            assert_eq!(Clock::from_name(clock.name()), Some(clock));
        }
    }

    #[test]
    fn a_text_never_outlasts_its_header() {
        let begin: Timestamp = "2026-11-24T12:00Z".parse().unwrap();
        let mut set = Retention::default();
        set.noticed.body = Period::Forever;
        let goes = set.goes(Clock::Noticed, begin, &TimeZone::UTC);
        assert_eq!(goes.body, goes.headers);
        set.noticed = Keep { headers: Period::Forever, body: Period::Days(1) };
        let goes = set.goes(Clock::Noticed, begin, &TimeZone::UTC);
        assert_eq!((goes.headers, goes.body), (None, Some("2026-11-25T12:00Z".parse().unwrap())));
    }

    #[test]
    fn periods_are_read_as_they_are_written() {
        for text in ["0d", "7d", "1m", "9999y", "forever"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
        for text in ["", "d", "-1d", "7", "10000d", "7 d", "1w", "7dé"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
        let set: Retention =
            serde_json::from_str("{\"noticed\":{\"headers\":\"14d\",\"body\":\"1d\"}}").unwrap();
        assert_eq!(set.noticed.headers, Period::Days(14));
        assert_eq!(set.sent, Retention::default().sent);
    }

    #[test]
    fn nothing_is_purged_by_a_clock_that_the_servers_do_not_confirm() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let heard = Duration::from_secs(1_000);
        let noon = Witness { date: at("2026-11-24T12:00Z"), heard };
        let witness = Some(noon);
        let later = heard + Duration::from_secs(3_600);
        assert!(clock_is_right(at("2030-01-01T00:00Z"), later, None));
        assert!(clock_is_right(at("2026-11-24T13:00Z"), later, witness));
        assert!(clock_is_right(at("2026-11-25T13:00Z"), later, witness));
        assert!(!clock_is_right(at("2026-11-25T13:01Z"), later, witness));
        assert!(!clock_is_right(at("2026-11-23T12:59Z"), later, witness));
        // An old mail says nothing against a newer date.
        let old = Witness { date: at("2020-01-01T00:00Z"), heard: later };
        assert_eq!(noon.later(old, later), noon);
    }
}
