//! The times in which a mailbox or a CRM was not connected.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::outage::EXTENDED;
use crate::views::account_address;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::time::Duration;
use threadline_core::health::{Channel, State};
use threadline_core::reason::Reason;
use threadline_store::health::{self, Owner, Period};
use threadline_store::{StoreError, Tx};

/// A time in which a channel was not connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Outage {
    /// The mailbox's address, or the CRM's kind.
    pub of: String,
    pub channel: Channel,
    pub state: State,
    pub reason: Option<Reason>,
    pub since: Timestamp,
    /// `None` while it lasts.
    pub until: Option<Timestamp>,
    /// The server's own words.
    pub evidence: Option<String>,
}

impl Engine {
    /// The disconnects that last still or ended in the last days, the oldest first.
    pub async fn outages(&self, days: u32) -> Result<Vec<Outage>, EngineError> {
        let now = self.clock().now();
        let after =
            now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MIN);
        let read = move |tx: &Tx<'_>| {
            let periods = health::troubles(tx, after)?;
            periods.into_iter().filter(|p| is_disconnect(p, now)).map(|p| outage(tx, p)).collect()
        };
        Ok(self.ledger().read(read).await?)
    }
}

/// What needs a person is a disconnect from its first moment: the engine says so of a failure that may heal only after the
/// extended period. What was only tried again, and a computer that was offline, must have lasted as long.
fn is_disconnect(period: &Period, now: Timestamp) -> bool {
    let lasted = period.until.unwrap_or(now).duration_since(period.health.since);
    match period.health.state {
        State::NeedsAttention => true,
        State::Retrying | State::Offline => Duration::try_from(lasted).is_ok_and(|lasted| lasted >= EXTENDED),
        State::Connected | State::Working | State::Paused => false,
    }
}

fn outage(tx: &Tx<'_>, period: Period) -> Result<Outage, StoreError> {
    Ok(Outage {
        of: match period.owner {
            Owner::Account(id) => account_address(tx, id)?.to_string(),
            Owner::Sink(sink) => sink,
        },
        channel: period.health.channel,
        state: period.health.state,
        reason: period.health.reason,
        since: period.health.since,
        until: period.until,
        evidence: period.health.evidence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadline_core::health::Health;

    #[test]
    fn a_short_outage_is_no_disconnect_unless_a_person_is_needed() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let long = EXTENDED.as_secs() as i64;
        for (state, seconds, want) in [
            (State::NeedsAttention, 1, true),
            (State::Retrying, long - 1, false),
            (State::Retrying, long, true),
            (State::Offline, long - 1, false),
            (State::Offline, long, true),
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
                assert_eq!(is_disconnect(&period, now), want, "{state:?} {seconds}");
            }
        }
    }
}
