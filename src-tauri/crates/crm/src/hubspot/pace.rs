//! Staying below the portal's limits, so that 429 is the exception.

use std::collections::VecDeque;
use std::time::Duration;

/// At most so many requests in an interval that rolls.
#[derive(Debug)]
pub(super) struct Pace {
    most: usize,
    interval: Duration,
    sent: VecDeque<Duration>,
    /// Nothing before this moment: the portal said that nothing is left.
    blocked_until: Duration,
}

impl Pace {
    pub fn new(most: u32, interval: Duration) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
        Self { most, interval, sent: VecDeque::new(), blocked_until: Duration::ZERO }
    }

    /// Takes a place at `now` (monotonic), or says how long to wait for one.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        while self.sent.front().is_some_and(|t| now.saturating_sub(*t) >= self.interval) {
            self.sent.pop_front();
        }
        let blocked = self.blocked_until.saturating_sub(now);
        let full = match self.sent.front() {
            Some(first) if self.sent.len() >= self.most => (*first + self.interval).saturating_sub(now),
            _ => Duration::ZERO,
        };
        let wait = blocked.max(full);
        if wait.is_zero() {
            self.sent.push_back(now);
            Ok(())
        } else {
            Err(wait)
        }
    }

    /// What the answer's headers say: the limit, what is left of it, and the interval. Another program may use the
    /// same limit, so an empty remainder is believed although we sent less.
    pub fn learn(&mut self, most: u32, left: u32, interval: Duration, now: Duration) {
        if most > 0 && !interval.is_zero() {
            // One in twenty stays free for requests that other parts of the program make.
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            self.most = (most - most / 20).max(1);
            self.interval = interval.min(Duration::from_secs(60));
        }
        if left == 0 {
            self.blocked_until = now + self.interval / 5;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_interval_waits_for_its_first_request() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::new(2, second);
        assert_eq!(pace.take(second), Ok(()));
        assert_eq!(pace.take(second + second / 4), Ok(()));
        assert_eq!(pace.take(second + second / 2), Err(second / 2));
        assert_eq!(pace.take(second * 2), Ok(()));
    }

    #[test]
    fn the_portal_s_word_counts() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::new(100, second * 10);
        pace.learn(20, 7, second * 10, second);
        for _ in 0..19 {
            assert_eq!(pace.take(second), Ok(()));
        }
        assert_eq!(pace.take(second), Err(second * 10), "19 of 20 are ours");
        let mut pace = Pace::new(100, second * 10);
        pace.learn(20, 0, second * 10, second);
        assert_eq!(pace.take(second), Err(second * 2));
    }
}
