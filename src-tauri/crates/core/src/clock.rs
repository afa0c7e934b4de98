//! Time is passed in, so that a test can turn it by hand.

use jiff::Timestamp;
use std::time::Duration;

/// The two clocks a program may read.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The wall clock, which a person or the network can set at any moment.
    fn now(&self) -> Timestamp;
    /// Time since some fixed moment, never running backwards. Back-off and the
    /// extended period are measured by this one.
    fn monotonic(&self) -> Duration;
}

/// A message's own time: its `Date`, or `INTERNALDATE` where the two differ by more than a day.
pub fn message_time(date: Option<Timestamp>, internal: Timestamp) -> Timestamp {
    const DAY: i64 = 86_400;
    match date {
        Some(d) if (d.as_second() - internal.as_second()).abs() <= DAY => d,
        _ => internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_within_a_day_is_believed() {
        let t = |s| Timestamp::from_second(s).unwrap();
        assert_eq!(message_time(Some(t(1_000)), t(86_400)), t(1_000));
        assert_eq!(message_time(Some(t(0)), t(86_400)), t(0));
        assert_eq!(message_time(Some(t(0)), t(86_401)), t(86_401));
        assert_eq!(message_time(None, t(5)), t(5));
    }
}
