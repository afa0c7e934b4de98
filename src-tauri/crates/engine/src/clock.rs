//! The computer's own clocks.

use jiff::Timestamp;
use std::time::{Duration, Instant};
use threadline_core::clock::Clock;

/// The real clock. Its monotonic time begins when it is made.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock(Instant);

impl SystemClock {
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}
