//! Why something does not work: one code, from one classifier, with words for a person.

mod classify;
mod table;

pub use classify::classify;
use serde::{Deserialize, Serialize};
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
    /// The peer closed the connection without a word.
    Closed,
    Tls(TlsFault),
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
    /// The enhanced code is RFC 3463's, such as `5.7.8`.
    Smtp {
        code: u16,
        enhanced: Option<String>,
    },
    /// An answer of a token endpoint or a consent page: the `error` (RFC 6749 §5.2), and Microsoft's numbers.
    OAuth {
        error: Option<String>,
        numbers: Vec<u32>,
    },
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
}

/// Most characters kept of a server's words.
pub const MOST_WORDS: usize = 500;

impl Evidence {
    pub fn new(phase: Phase, signal: Signal, words: &str) -> Self {
        Self { phase, signal, words: crate::envelope::clean(words, MOST_WORDS), worked_before: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_words_are_whole_sentences() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
            assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{}\"", reason.code()));
            assert!(reason.title().ends_with('.') && reason.next_step().ends_with('.'), "{reason}");
        }
    }

    #[test]
    fn a_refused_password_is_changed_only_where_it_worked() {
        let code = Some("AUTHENTICATIONFAILED".to_owned());
        let mut evidence = Evidence::new(Phase::Auth, Signal::Imap { status: ImapStatus::No, code }, "no");
        assert_eq!(classify(&evidence), Reason::CredentialsRejected);
        evidence.worked_before = true;
        assert_eq!(classify(&evidence), Reason::PasswordChanged);
    }

    #[test]
    fn a_no_without_a_code_is_not_read_as_a_wrong_password() {
        let mut evidence =
            Evidence::new(Phase::Auth, Signal::Imap { status: ImapStatus::No, code: None }, "no");
        assert_eq!(classify(&evidence), Reason::AuthRejected);
        evidence.worked_before = true;
        assert_eq!(classify(&evidence), Reason::AuthRejected);
    }

    #[test]
    fn a_mailbox_without_a_free_connection_is_not_refused_for_good() {
        for code in [None, Some("AUTHENTICATIONFAILED"), Some("ALERT")] {
            let signal = Signal::Imap { status: ImapStatus::No, code: code.map(str::to_owned) };
            let words = "Too many simultaneous connections. (Failure)";
            let mut evidence = Evidence::new(Phase::Auth, signal, words);
            evidence.worked_before = true;
            assert_eq!(classify(&evidence), Reason::TooManyConnections, "{code:?}");
            assert!(classify(&evidence).is_transient());
        }
    }

    #[test]
    fn words_are_cleaned_and_cut() {
        let evidence = Evidence::new(Phase::Auth, Signal::Closed, &format!("a\r\nb{}", "x".repeat(9_999)));
        assert!(evidence.words.starts_with("abx"));
        assert_eq!(evidence.words.len(), MOST_WORDS);
    }
}
