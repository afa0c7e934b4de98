//! How long something has been failing.

use std::time::Duration;

/// How long failures that may heal must last before they are called a disconnect.
pub const EXTENDED: Duration = Duration::from_secs(30 * 60);

/// Failures in a row, on the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    since: Option<Duration>,
}

impl Outage {
    /// Notes a failure at `now`; true where the failures have lasted for the extended period.
    pub fn failed(&mut self, now: Duration) -> bool {
        now.saturating_sub(*self.since.get_or_insert(now)) >= EXTENDED
    }

    /// It works.
    pub fn over(&mut self) {
        self.since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_extended_after_its_period_and_not_across_a_success() {
        let mut outage = Outage::default();
        let at = Duration::from_secs;
        assert!(!outage.failed(at(10)));
        assert!(!outage.failed(at(9) + EXTENDED));
        assert!(outage.failed(at(10) + EXTENDED));
        outage.over();
        assert!(!outage.failed(at(20) + EXTENDED));
    }
}
