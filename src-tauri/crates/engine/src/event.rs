//! What the engine tells those who listen: the terminal and the window.

use jiff::Timestamp;
use serde::Serialize;
use threadline_core::address::Address;
use threadline_core::health::{Channel, Health};
use threadline_core::reason::Reason;
use threadline_core::record::Direction;
use threadline_core::rule::Rule;
use threadline_store::send::Copy;
pub use threadline_store::send::State as SendState;

/// How the first reading after a connection goes. The numbers are counted where each thing happens, so that a gap shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct CatchUp {
    pub address: Address,
    /// Messages that the server was found to hold beyond what was read before.
    pub missed: u32,
    /// Of these, the ones whose decision is stored. One that is set aside is not.
    pub checked: u32,
    /// Of these, the ones that are logged.
    pub logged: u32,
    /// Every folder is read to its end.
    pub done: bool,
}

/// One step of one mail, or a change of state. No event carries a body, a subject of mail that is not logged,
/// or a secret.
#[derive(Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A channel changed its state: of a mailbox, by its address, or of a CRM, by its kind.
    Health { of: String, health: Health },
    /// A connection of a mailbox has read its folders to the end and waits for news; once a connection.
    Watching { account: Address },
    /// The first reading after a connection goes on, or is done. Where the connection breaks in between, the next one goes
    /// on counting.
    CatchUp(CatchUp),
    /// A message was seen and decided about.
    Decided {
        account: Address,
        message: i64,
        folder: String,
        direction: Direction,
        verdict: VerdictName,
        rule: Rule,
        /// Only where it is logged.
        subject: Option<String>,
        /// The first address outside, only where it is logged.
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
    /// A mailbox was compared with the ledger, by night or because a person wanted it.
    Audited { account: Address, messages: u32, missed: u32, unruled: u32, fixed: u32 },
    /// A mail that goes out through here is in another state, or its copy is.
    Send { account: Address, send: i64, state: SendState, copy: Option<Copy>, words: Option<String> },
    /// A mail went through the relay to the provider, or was refused there.
    Relayed {
        account: Address,
        outcome: RelayOutcome,
        /// The provider's code, where it refused.
        code: Option<u16>,
        recipients: u32,
        at: Timestamp,
    },
    /// The question of the day: people whom the person wrote to and whom the CRM does not know.
    Question { people: u32 },
    /// The events were more than the listener took; `status` has the truth.
    Missed { events: u64 },
}

/// What a provider did with a mail from the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RelayOutcome {
    Accepted,
    Refused,
    /// The connection broke before the answer.
    Unknown,
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

/// Without mail text and names of folders and files: debug prints reach logs.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Event::Health { of, health } => {
                f.debug_struct("Health").field("of", of).field("health", health).finish()
            }
            Event::Watching { account } => f.debug_tuple("Watching").field(account).finish(),
            Event::CatchUp(progress) => f.debug_tuple("CatchUp").field(progress).finish(),
            Event::Decided { message, direction, verdict, rule, .. } => f
                .debug_struct("Decided")
                .field("message", message)
                .field("direction", direction)
                .field("verdict", verdict)
                .field("rule", rule)
                .finish_non_exhaustive(),
            Event::Fetched { message, bytes, .. } => f
                .debug_struct("Fetched")
                .field("message", message)
                .field("bytes", bytes)
                .finish_non_exhaustive(),
            Event::Pushed { sink, message, how, .. } => f
                .debug_struct("Pushed")
                .field("sink", sink)
                .field("message", message)
                .field("how", how)
                .finish_non_exhaustive(),
            Event::PushFailed { sink, message, reason, next_try, .. } => f
                .debug_struct("PushFailed")
                .field("sink", sink)
                .field("message", message)
                .field("reason", reason)
                .field("next_try", next_try)
                .finish_non_exhaustive(),
            Event::SetAside { uid, .. } => {
                f.debug_struct("SetAside").field("uid", uid).finish_non_exhaustive()
            }
            Event::Contacts { sink, read, complete } => f
                .debug_struct("Contacts")
                .field("sink", sink)
                .field("read", read)
                .field("complete", complete)
                .finish(),
            Event::Audited { account, messages, missed, unruled, fixed } => f
                .debug_struct("Audited")
                .field("account", account)
                .field("messages", messages)
                .field("missed", missed)
                .field("unruled", unruled)
                .field("fixed", fixed)
                .finish(),
            Event::Send { send, state, copy, .. } => f
                .debug_struct("Send")
                .field("send", send)
                .field("state", state)
                .field("copy", copy)
                .finish_non_exhaustive(),
            Event::Relayed { outcome, code, recipients, .. } => f
                .debug_struct("Relayed")
                .field("outcome", outcome)
                .field("code", code)
                .field("recipients", recipients)
                .finish_non_exhaustive(),
            Event::Question { people } => f.debug_tuple("Question").field(people).finish(),
            Event::Missed { events } => f.debug_tuple("Missed").field(events).finish(),
        }
    }
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
