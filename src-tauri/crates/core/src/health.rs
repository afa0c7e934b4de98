//! How a mailbox is, channel by channel, and the one rule that makes one state of them.

use crate::reason::{Phase, Reason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A way in or out of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
// In TypeScript `Channel` is the way of a stream.
#[serde(rename_all = "snake_case", rename = "HealthChannel")]
pub enum Channel {
    Inbox,
    Sent,
    Smtp,
    Crm,
}

impl Channel {
    pub fn name(self) -> &'static str {
        match self {
            Channel::Inbox => "inbox",
            Channel::Sent => "sent",
            Channel::Smtp => "smtp",
            Channel::Crm => "crm",
        }
    }
}

/// The state of a channel or of a whole mailbox, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum State {
    Connected,
    Working,
    Retrying,
    Offline,
    NeedsAttention,
    Paused,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Connected => "connected",
            State::Working => "working",
            State::Retrying => "retrying",
            State::Offline => "offline",
            State::NeedsAttention => "needs_attention",
            State::Paused => "paused",
        }
    }
}

/// One channel's health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Health {
    pub channel: Channel,
    pub state: State,
    /// The step that it is at, or that failed.
    pub phase: Option<Phase>,
    pub reason: Option<Reason>,
    /// When this state began.
    pub since: Timestamp,
    /// The server's own words, cleaned and capped; never from before TLS.
    pub evidence: Option<String>,
    pub next_try: Option<Timestamp>,
}

/// A mailbox's state: the worst of its channels. What a person must mend outranks being offline, which mends itself. A
/// mailbox without channels is working: it was only just started.
pub fn combine(channels: &[Health]) -> State {
    channels.iter().map(|h| h.state).max().unwrap_or(State::Working)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_channel_speaks_for_the_mailbox() {
        let health = |state| Health {
            channel: Channel::Inbox,
            state,
            phase: None,
            reason: None,
            since: Timestamp::UNIX_EPOCH,
            evidence: None,
            next_try: None,
        };
        assert_eq!(combine(&[]), State::Working);
        assert_eq!(combine(&[health(State::Connected), health(State::Retrying)]), State::Retrying);
        assert_eq!(combine(&[health(State::NeedsAttention), health(State::Offline)]), State::NeedsAttention);
        assert_eq!(combine(&[health(State::Connected)]), State::Connected);
    }
}
