//! A clock that moves only when a test turns it.

use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use threadline_core::clock::Clock;

/// Shared by clone; both of its times stand still until [`HandClock::advance`].
#[derive(Debug, Clone)]
pub struct HandClock(Arc<Mutex<(Timestamp, Duration)>>);

impl HandClock {
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new((now, Duration::ZERO))))
    }

    /// Moves both clocks forward.
    pub fn advance(&self, by: Duration) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let signed = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        times.0 = times.0.saturating_add(signed).unwrap_or(Timestamp::MAX);
        times.1 += by;
    }

    /// Sets the wall clock alone, as a person does.
    pub fn set(&self, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = now;
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}
