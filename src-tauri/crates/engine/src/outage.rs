//! How long something has been failing, and from when on that is called a disconnect.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::shared::Shared;
use std::time::Duration;
use threadline_store::{StoreError, Tx, setting};

/// How long failures that may heal must last before they are called a disconnect, unless the person says otherwise.
pub const EXTENDED: Duration = Duration::from_secs(30 * 60);
/// The longest that can be set.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The setting that holds it, in seconds.
const SETTING: &str = "extended_period";

/// Failures in a row, on the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    since: Option<Duration>,
}

impl Outage {
    /// Notes a failure at `now`; true where the failures have lasted for the extended period.
    pub fn failed(&mut self, now: Duration, extended: Duration) -> bool {
        now.saturating_sub(*self.since.get_or_insert(now)) >= extended
    }

    /// It works.
    pub fn over(&mut self) {
        self.since = None;
    }
}

/// The extended period that is set.
pub(crate) fn extended(tx: &Tx<'_>) -> Result<Duration, StoreError> {
    let set: Option<u64> = setting::get(tx, SETTING)?;
    Ok(set.map_or(EXTENDED, Duration::from_secs).min(LONGEST))
}

impl Shared {
    /// The extended period that is set; the usual one where the ledger fails, which has a state of its own.
    pub async fn extended(&self) -> Duration {
        self.ledger.read(extended).await.unwrap_or(EXTENDED)
    }
}

impl Engine {
    /// How long failures that may heal must last before they are called a disconnect.
    pub async fn extended_period(&self) -> Result<Duration, EngineError> {
        Ok(self.ledger().read(extended).await?)
    }

    /// Sets it, in whole seconds up to [`LONGEST`]; it counts from the next failure on.
    pub async fn set_extended_period(&self, period: Duration) -> Result<(), EngineError> {
        if period > LONGEST {
            return Err(EngineError::BrokenSetting {
                what: "The time until a disconnect".to_owned(),
                cause: "it is longer than a day".to_owned(),
            });
        }
        let seconds = period.as_secs();
        Ok(self.ledger().write(move |tx| setting::set(tx, SETTING, &seconds)).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_extended_after_its_period_and_not_across_a_success() {
        let mut outage = Outage::default();
        let at = Duration::from_secs;
        assert!(!outage.failed(at(10), EXTENDED));
        assert!(!outage.failed(at(9) + EXTENDED, EXTENDED));
        assert!(outage.failed(at(9) + EXTENDED, at(60)));
        assert!(outage.failed(at(10) + EXTENDED, EXTENDED));
        outage.over();
        assert!(!outage.failed(at(20) + EXTENDED, EXTENDED));
    }
}
