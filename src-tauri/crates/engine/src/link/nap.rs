//! A computer that slept, noticed by its clocks. Every system suspends the programs; not every one tells them.

use super::Heard;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use threadline_core::clock::Clock;

const TICK: Duration = Duration::from_secs(20);
/// What a busy computer may be late.
const LATE: SignedDuration = SignedDuration::from_secs(30);

pub async fn follow(clock: &dyn Clock, tell: &impl Fn(Heard)) {
    loop {
        let before = clock.now();
        tokio::time::sleep(TICK).await;
        if slept(before, clock.now()) {
            tell(Heard::Woke);
        }
    }
}

/// Whether more time went by than a tick takes. A clock that was set forward looks the same, and costs one question to
/// the server.
fn slept(before: Timestamp, after: Timestamp) -> bool {
    let tick = SignedDuration::try_from(TICK).unwrap_or_default();
    after.duration_since(before) > tick + LATE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_between_two_ticks_is_sleep() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        assert!(!slept(at(1_000), at(1_020)));
        assert!(!slept(at(1_000), at(1_050)));
        assert!(slept(at(1_000), at(4_600)));
        // Set back.
        assert!(!slept(at(4_600), at(1_000)));
    }
}
