//! What the engine tells those who listen: the terminal and the window.

use jiff::Timestamp;
use serde::Serialize;
use threadline_core::address::Address;
use threadline_core::health::{Channel, Health};
use threadline_core::reason::Reason;
use threadline_core::record::Direction;
use threadline_core::rule::Rule;

/// One step of one mail, or a change of state. No event carries a body, a subject of mail that is not logged,
/// or a secret.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A channel changed its state: of a mailbox, by its address, or of a CRM, by its kind.
    Health { of: String, health: Health },
    /// A connection of a mailbox has read its folders to the end and waits for news; once a connection.
    Watching { account: Address },
    /// A message was seen and decided about.
    Decided {
        account: Address,
        message: i64,
        folder: String,
        direction: Direction,
        verdict: VerdictName,
        rule: Rule,
        /// Only where it is logged or asked.
        subject: Option<String>,
        /// The first address outside, only where it is logged or asked.
        with: Option<Address>,
        at: Timestamp,
    },
    /// The body of a message that is to be logged was fetched.
    Fetched { account: Address, message: i64, bytes: u64, truncated: bool },
    /// A CRM took a message, or already had it.
    Pushed {
        sink: String,
        message: i64,
        remote_id: Option<String>,
        how: String,
        /// From the time the server stored it, where that is known, in milliseconds.
        at: Timestamp,
    },
    /// A push failed; it is tried again at `next_try`, or was set aside where that is `None`.
    PushFailed { sink: String, message: i64, reason: Reason, words: String, next_try: Option<Timestamp> },
    /// A message that cannot be read was put aside; the others go on.
    SetAside { account: Address, folder: String, uid: u32, why: String },
    /// Contacts were read from a CRM.
    Contacts { sink: String, read: u64, complete: bool },
    /// The events were more than the listener took; `status` has the truth.
    Missed { events: u64 },
}

/// A verdict without what hangs on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictName {
    Log,
    Ignore,
    Ask,
    Hold,
}

impl Event {
    /// The channel whose health it tells, if it does.
    pub fn channel(&self) -> Option<Channel> {
        match self {
            Event::Health { health, .. } => Some(health.channel),
            _ => None,
        }
    }
}
