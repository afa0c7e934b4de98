//! Why something does not work: one code, from one classifier, with words for a person.

mod classify;
mod letter;
mod pause;
mod read;
mod rule;
mod rules;
mod seen;
mod source;
mod table;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod texts;

pub use classify::{Blame, Finding, classify, judge};
pub use letter::for_it;
pub use read::read;
use serde::{Deserialize, Serialize};
pub use source::{Mechanism, Protocol, Provider};
pub use table::Reason;

/// Who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// It heals by itself.
    Nobody,
    User,
    Administrator,
}

/// When to connect again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// After a pause that grows, or that the server asked for.
    Soon,
    /// After the longest pause: a person must act, and may do so somewhere else, at the server or in another network.
    Seldom,
    /// When a person has acted here. Trying a refused password again and again locks accounts.
    Never,
}

/// What kind of answer a reason asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Nothing works until a person acts.
    UserAction,
    /// Waiting can heal it.
    Transient,
    /// A new access token first.
    RefreshToken,
    /// What was seen does not decide it.
    Ambiguous,
}

/// The step at which a connection is, or at which it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Keychain,
    Dns,
    Tcp,
    Tls,
    Greeting,
    Auth,
    Select,
    Idle,
    Fetch,
    Append,
    /// MAIL, RCPT and DATA: a mail on its way to the server.
    Send,
    Push,
}

impl Phase {
    pub fn name(self) -> &'static str {
        match self {
            Phase::Keychain => "keychain",
            Phase::Dns => "dns",
            Phase::Tcp => "tcp",
            Phase::Tls => "tls",
            Phase::Greeting => "greeting",
            Phase::Auth => "auth",
            Phase::Select => "select",
            Phase::Idle => "idle",
            Phase::Fetch => "fetch",
            Phase::Append => "append",
            Phase::Send => "send",
            Phase::Push => "push",
        }
    }
}

/// Why a TLS handshake failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsFault {
    /// The peer does not speak TLS at this port.
    NotTls,
    UnknownIssuer,
    NameMismatch,
    Expired,
    NotYetValid,
    Revoked,
    Other,
}

/// A protocol that answered where another one was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spoken {
    Imap,
    Pop3,
    Smtp,
    Http,
    Ssh,
    Other,
}

/// What is wrong with the proxy on the way to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyFault {
    Unreachable,
    /// It wants a sign-in, or does not allow the server.
    Refused,
    /// What is set names no proxy.
    Unusable,
}

/// The word an IMAP server ends an answer with (RFC 9051 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImapStatus {
    No,
    Bad,
    Bye,
}

/// What was seen, in the form that the classifier reads first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    Dns,
    Refused,
    TimedOut,
    Reset,
    Unreachable,
    /// This computer did not let the connection out.
    Forbidden,
    /// The proxy in between, and not the server.
    Proxy(ProxyFault),
    /// The peer closed the connection without a word.
    Closed,
    Tls(TlsFault),
    /// The certificate is out of date by this computer's clock alone.
    LocalClock,
    /// A page on which a person must sign in answered in the server's place.
    Portal,
    /// No STARTTLS is offered, or it was refused.
    NoStartTls,
    /// Bytes came in plaintext that may only come inside TLS.
    PlaintextLeftOver,
    Spoken(Spoken),
    /// The code is a response code (RFC 5530) in upper case, without brackets.
    Imap {
        status: ImapStatus,
        code: Option<String>,
    },
    /// The enhanced code is RFC 3463's, such as `5.7.8`. The code is 0 where only the enhanced one was seen.
    Smtp {
        code: u16,
        enhanced: Option<String>,
    },
    /// An answer of a token endpoint or a consent page: the `error` (RFC 6749 §5.2), and Microsoft's numbers.
    OAuth {
        error: Option<String>,
        numbers: Vec<u32>,
    },
    /// Words without a structure that is known.
    Said(Protocol),
    /// An answer that broke a limit or the grammar.
    Malformed,
    NoMechanism,
    KeychainLocked,
    KeychainMissing,
    FolderMissing,
    SentFolderUnknown,
    WrongAccount,
}

/// Everything known about one failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub phase: Phase,
    pub signal: Signal,
    /// The server's own words: cleaned, at most [`MOST_WORDS`] characters, never from before TLS, never a secret.
    pub words: String,
    /// Whether the same secret was accepted before.
    pub worked_before: bool,
    /// Who runs the server, where that is known.
    #[serde(default)]
    pub provider: Option<Provider>,
    /// How the sign-in was tried, where that is known.
    #[serde(default)]
    pub mechanism: Option<Mechanism>,
    /// Whether the access token was as new as can be: then its age is not the cause.
    #[serde(default)]
    pub fresh_token: bool,
}

/// Most characters kept of a server's words.
pub const MOST_WORDS: usize = 500;

impl Evidence {
    pub fn new(phase: Phase, signal: Signal, words: &str) -> Self {
        let words = crate::envelope::clean(words, MOST_WORDS);
        Self {
            phase,
            signal,
            words,
            worked_before: false,
            provider: None,
            mechanism: None,
            fresh_token: false,
        }
    }

    /// Whether the secret that was shown may be why a sign-in was refused.
    pub fn blame(&self) -> Blame {
        classify::blame(self)
    }
}
