//! The times in which a mailbox or a CRM was not connected.

use crate::absence::{self, Absence};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::outage;
use crate::views::account_address;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::time::Duration;
use threadline_core::health::{Channel, State};
use threadline_core::reason::{Phase, Reason};
use threadline_store::health::{self, Owner, Period};
use threadline_store::{StoreError, Tx, account};

/// A time in which a channel was not connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Outage {
    /// The mailbox's address, or the CRM's kind.
    pub of: String,
    pub channel: Channel,
    /// Further channels of its own that the same reason cut off meanwhile.
    pub also: Vec<Channel>,
    pub state: State,
    pub reason: Option<Reason>,
    pub since: Timestamp,
    /// `None` while it lasts.
    pub until: Option<Timestamp>,
    /// How much of it is not counted, in seconds: this computer slept, or Threadline did not run.
    pub absent: u32,
    /// The server's own words.
    pub evidence: Option<String>,
}

/// A disconnect, and what came too late because of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disconnect {
    #[serde(flatten)]
    pub outage: Outage,
    /// The step that failed last.
    pub phase: Option<Phase>,
    /// What waited: `mail_received`, `mail_sent`, `sending`, `logging`.
    pub delays: &'static str,
    /// How many messages of that time were noticed only after its end; `None` while it lasts, and where it is not counted.
    pub delayed: Option<u64>,
}

/// How much of one UTC day a mailbox or a CRM was connected. A time in which Threadline did not run, or the computer slept,
/// counts for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Uptime {
    pub of: String,
    /// `2026-11-24`.
    pub day: String,
    /// How much of the day is over, in seconds.
    pub seconds: u64,
    pub connected: u64,
    /// From 0 to 1.
    pub uptime: f64,
}

/// What `threadline health` shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct History {
    /// The oldest first.
    pub disconnects: Vec<Disconnect>,
    pub days: Vec<Uptime>,
}

impl Engine {
    /// The disconnects of the last days, this one included, with what they delayed, and the uptime of each day.
    pub async fn health_history(&self, days: u32) -> Result<History, EngineError> {
        let now = self.clock().now();
        let today = now.as_second().div_euclid(DAY);
        let first = today.saturating_sub(i64::from(days.max(1)) - 1);
        let begin = Timestamp::from_second(first.saturating_mul(DAY)).unwrap_or(Timestamp::MIN);
        let read = move |tx: &Tx<'_>| {
            let mut known = Vec::new();
            for account in account::list(tx)? {
                known.push((account.address.to_string(), account.created));
            }
            let (extended, absences) = (outage::extended(tx)?, absence::list(tx)?);
            let mut disconnects = Vec::new();
            for period in health::troubles(tx, begin)? {
                if is_disconnect(&period, now, extended, &absences) {
                    disconnects.push(disconnect(tx, period, now, &absences)?);
                }
            }
            for one in &disconnects {
                if !known.iter().any(|(of, _)| *of == one.outage.of) {
                    known.push((one.outage.of.clone(), begin));
                }
            }
            Ok((known, disconnects, absences))
        };
        let (known, disconnects, absences) = self.ledger().read(read).await?;
        let days = known
            .iter()
            .flat_map(|(of, since)| {
                let times: Vec<(i64, i64)> = disconnects
                    .iter()
                    .filter(|one| one.outage.of == *of)
                    .flat_map(|one| {
                        absence::without(&absences, one.outage.since, one.outage.until.unwrap_or(now))
                    })
                    .collect();
                let since = since.as_second();
                (first..=today).filter_map(move |day| uptime(of, day, since, now.as_second(), &times))
            })
            .collect();
        Ok(History { disconnects, days })
    }

    /// The disconnects that last still or ended in the last days, the oldest first; each once, whatever number of a mailbox's
    /// channels it cut off.
    pub async fn outages(&self, days: u32) -> Result<Vec<Outage>, EngineError> {
        let now = self.clock().now();
        let after =
            now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MIN);
        let read = move |tx: &Tx<'_>| {
            let (extended, absences) = (outage::extended(tx)?, absence::list(tx)?);
            let mut outages: Vec<Outage> = Vec::new();
            for period in health::troubles(tx, after)? {
                if is_disconnect(&period, now, extended, &absences) {
                    outages.push(outage(tx, period, now, &absences)?);
                }
            }
            Ok(merged(outages, now, &absences))
        };
        Ok(self.ledger().read(read).await?)
    }
}

/// What needs a person is a disconnect from its first moment: the engine says so of a failure that may heal only after the
/// extended period. What was only tried again must have lasted as long, with the computer awake. A computer that was offline
/// was not disconnected.
fn is_disconnect(period: &Period, now: Timestamp, extended: Duration, absences: &[Absence]) -> bool {
    let (since, until) = (period.health.since, period.until.unwrap_or(now));
    if period.health.channel == Channel::Smtp {
        // Known from checks alone: nobody knows when it began or ended.
        return false;
    }
    match period.health.state {
        State::NeedsAttention => true,
        State::Retrying => {
            let lasted = until.duration_since(since).as_secs() - absence::within(absences, since, until);
            u64::try_from(lasted).is_ok_and(|lasted| lasted >= extended.as_secs())
        }
        State::Offline | State::Connected | State::Working | State::Paused => false,
    }
}

fn outage(tx: &Tx<'_>, period: Period, now: Timestamp, absences: &[Absence]) -> Result<Outage, StoreError> {
    let mut outage = Outage {
        of: match period.owner {
            Owner::Account(id) => account_address(tx, id)?.to_string(),
            Owner::Sink(sink) => sink,
        },
        channel: period.health.channel,
        also: Vec::new(),
        state: period.health.state,
        reason: period.health.reason,
        since: period.health.since,
        until: period.until,
        evidence: period.health.evidence,
        absent: 0,
    };
    outage.count(now, absences);
    Ok(outage)
}

impl Outage {
    fn count(&mut self, now: Timestamp, absences: &[Absence]) {
        let absent = absence::within(absences, self.since, self.until.unwrap_or(now));
        self.absent = u32::try_from(absent).unwrap_or_default();
    }
}

/// Outages of one mailbox or CRM that overlap and have one reason are one. They come the oldest first.
fn merged(outages: Vec<Outage>, now: Timestamp, absences: &[Absence]) -> Vec<Outage> {
    let mut all: Vec<Outage> = Vec::new();
    for next in outages {
        let same = all.iter_mut().rev().find(|one| {
            one.of == next.of && one.reason == next.reason && one.until.unwrap_or(now) >= next.since
        });
        let Some(one) = same else {
            all.push(next);
            continue;
        };
        if next.channel != one.channel && !one.also.contains(&next.channel) {
            one.also.push(next.channel);
        }
        one.state = one.state.max(next.state);
        one.until = one.until.zip(next.until).map(|(one, next)| one.max(next));
        one.count(now, absences);
    }
    all
}

const DAY: i64 = 24 * 60 * 60;

fn disconnect(
    tx: &Tx<'_>,
    period: Period,
    now: Timestamp,
    absences: &[Absence],
) -> Result<Disconnect, StoreError> {
    let channel = period.health.channel;
    let delays = match channel {
        Channel::Inbox => "mail_received",
        Channel::Sent => "mail_sent",
        Channel::Smtp => "sending",
        Channel::Crm => "logging",
    };
    let delayed = match (&period.owner, period.until, channel) {
        (Owner::Account(id), Some(until), Channel::Inbox | Channel::Sent) => {
            Some(health::delayed(tx, *id, channel, period.health.since, until)?)
        }
        _ => None,
    };
    Ok(Disconnect { phase: period.health.phase, delays, delayed, outage: outage(tx, period, now, absences)? })
}

/// One day (counted from 1970) of what is known since a second, without the times in which it was not connected; these may
/// overlap. `None` where nothing of the day is known.
fn uptime(of: &str, day: i64, since: i64, now: i64, broken: &[(i64, i64)]) -> Option<Uptime> {
    let (begin, end) = ((day * DAY).max(since), ((day + 1) * DAY).min(now));
    let seconds = u64::try_from(end - begin).ok().filter(|seconds| *seconds > 0)?;
    let mut times: Vec<(i64, i64)> =
        broken.iter().map(|(from, to)| ((*from).max(begin), (*to).min(end))).collect();
    times.sort_unstable();
    let mut counted = begin;
    let mut down: u64 = 0;
    for (from, to) in times {
        down += u64::try_from(to - from.max(counted)).unwrap_or_default();
        counted = counted.max(to);
    }
    let connected = seconds.saturating_sub(down);
    let uptime = (connected as f64 / seconds as f64 * 10_000.0).round() / 10_000.0;
    let day = Timestamp::from_second(day * DAY).ok()?.strftime("%Y-%m-%d").to_string();
    Some(Uptime { of: of.to_owned(), day, seconds, connected, uptime })
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadline_core::health::Health;

    #[test]
    fn a_days_uptime_counts_overlapping_disconnects_once() {
        let up = |since, now, broken: &[(i64, i64)]| {
            uptime("x", 1, since, now, broken).map(|up| (up.seconds, up.connected, up.uptime))
        };
        let (begin, end) = (DAY, 2 * DAY);
        let full = DAY as u64;
        assert_eq!(up(0, end * 9, &[]), Some((full, full, 1.0)));
        assert_eq!(
            up(0, end, &[(0, begin + 3_600), (begin + 1_800, begin + 7_200)]),
            Some((full, full - 7_200, 0.9167))
        );
        assert_eq!(up(0, end, &[(0, end * 9)]), Some((full, 0, 0.0)));
        assert_eq!(up(begin + 100, begin + 300, &[(begin + 100, begin + 200)]), Some((200, 100, 0.5)));
        assert_eq!(up(end, end * 2, &[]), None, "nothing is known of it");
        assert_eq!(uptime("x", 1, 0, end, &[]).unwrap().day, "1970-01-02");
    }

    #[test]
    fn a_short_outage_is_no_disconnect_unless_a_person_is_needed() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let long = outage::EXTENDED.as_secs() as i64;
        for (state, seconds, want) in [
            (State::NeedsAttention, 1, true),
            (State::Retrying, long - 1, false),
            (State::Retrying, long, true),
            (State::Offline, long * 9, false),
            (State::Paused, long * 9, false),
            (State::Working, long * 9, false),
        ] {
            for lasts in [false, true] {
                let health = Health {
                    channel: Channel::Inbox,
                    state,
                    phase: None,
                    reason: None,
                    since: at(1_000),
                    evidence: None,
                    next_try: None,
                };
                let until = (!lasts).then(|| at(1_000 + seconds));
                let period = Period { id: 1, owner: Owner::Account(1), health, until };
                let now = if lasts { at(1_000 + seconds) } else { at(9_999_999) };
                assert_eq!(is_disconnect(&period, now, outage::EXTENDED, &[]), want, "{state:?} {seconds}");
            }
        }
    }

    fn seen(channel: Channel, reason: Reason, since: i64, until: Option<i64>) -> Outage {
        let at = |second| Timestamp::from_second(second).unwrap();
        Outage {
            of: "ann@firm.example".into(),
            channel,
            also: Vec::new(),
            state: State::NeedsAttention,
            reason: Some(reason),
            since: at(since),
            until: until.map(at),
            evidence: None,
            absent: 0,
        }
    }

    #[test]
    fn a_night_is_no_part_of_an_outage_and_two_channels_are_one() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let night: Vec<Absence> =
            serde_json::from_value(serde_json::json!([{ "from": at(100), "to": at(40_000) }])).unwrap();
        let health = Health {
            channel: Channel::Inbox,
            state: State::Retrying,
            phase: None,
            reason: None,
            since: at(10),
            evidence: None,
            next_try: None,
        };
        let period = Period { id: 1, owner: Owner::Account(1), health, until: Some(at(40_010)) };
        assert!(is_disconnect(&period, at(50_000), outage::EXTENDED, &[]));
        assert!(!is_disconnect(&period, at(50_000), outage::EXTENDED, &night));
        let changed = Reason::PasswordChanged;
        let one = merged(
            vec![
                seen(Channel::Inbox, changed, 10, None),
                seen(Channel::Sent, changed, 11, Some(40_010)),
                seen(Channel::Sent, Reason::FolderMissing, 20, Some(30)),
                seen(Channel::Inbox, changed, 40_020, Some(40_030)),
            ],
            at(40_050),
            &night,
        );
        assert_eq!(one.len(), 2, "{one:#?}");
        assert_eq!(
            (one[0].also.as_slice(), one[0].until, one[0].absent),
            (&[Channel::Sent][..], None, 39_900)
        );
    }
}
