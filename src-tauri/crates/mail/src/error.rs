//! One error for everything that goes wrong between this computer and a mail server.

use crate::advice::{advice, provider_of};
use crate::certificate::Certificate;
use crate::guard;
use crate::tls;
use std::io;
use std::time::Duration;
use threadline_core::reason::{Evidence, Mechanism, Phase, Reason, Signal, TlsFault, classify, judge};

/// What failed, where, why, and what to do next. Its words come from the server, cleaned and cut, and never from
/// before TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{server}: {} {}{}", .reason.title(), Quoted(.evidence), advice(*.reason, .evidence.provider).next)]
pub struct MailError {
    /// `host:port`.
    pub server: String,
    pub phase: Phase,
    pub reason: Reason,
    pub evidence: Evidence,
    /// What the server showed where it was not trusted.
    pub presented: Option<Box<Certificate>>,
}

/// The step and the words, in front of the next step.
struct Quoted<'a>(&'a Evidence);

impl std::fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let phase = self.0.phase.name();
        if self.0.words.is_empty() {
            write!(f, "(Step: {phase}.) ")
        } else {
            write!(f, "(Step: {phase}. Seen: \"{}\".) ", self.0.words)
        }
    }
}

impl MailError {
    /// `server` is `host:port`. The reason comes from the evidence.
    pub fn new(server: &str, evidence: Evidence) -> Self {
        let provider = evidence.provider.or_else(|| provider_of(server));
        let evidence = Evidence { provider, ..evidence };
        Self {
            server: server.to_owned(),
            phase: evidence.phase,
            reason: classify(&evidence),
            evidence,
            presented: None,
        }
    }

    /// Judged anew by how the sign-in was tried.
    pub(crate) fn tried_by(self, mechanism: Mechanism) -> Self {
        let evidence = Evidence { mechanism: Some(mechanism), ..self.evidence };
        Self { reason: classify(&evidence), evidence, ..self }
    }

    /// How long the server asks to be left alone.
    pub fn pause(&self) -> Option<Duration> {
        judge(&self.evidence).pause_ms.map(Duration::from_millis)
    }

    /// Tells the log at which step it happened, by codes alone. The reason comes last: behind the name of a secret, which it
    /// can end with, nothing is shown to others.
    pub(crate) fn log(&self, what: &'static str) {
        tracing::debug!(step = self.phase.name(), reason = self.reason.code(), "{what}");
    }

    /// True where waiting can heal it.
    pub fn is_transient(&self) -> bool {
        self.reason.is_transient()
    }

    /// Reads the kind of an I/O error, and what the guard or TLS has put into it. Its text is not kept: it may
    /// hold what the server sent.
    pub fn from_io(server: &str, phase: Phase, err: &io::Error) -> Self {
        if let Some(violation) = guard::violation(err) {
            return Self::new(server, Evidence::new(phase, Signal::Malformed, &violation.to_string()));
        }
        if let Some(fault) = tls::fault(err) {
            // Once the handshake is over, a TLS fault is broken traffic and not a matter of certificates.
            let signal = match (phase, fault) {
                (Phase::Tls, fault) => Signal::Tls(fault),
                (_, fault) => Signal::Tls(match fault {
                    TlsFault::NotTls => TlsFault::Other,
                    other => other,
                }),
            };
            return Self::new(server, Evidence::new(phase, signal, ""));
        }
        let signal = match err.kind() {
            io::ErrorKind::TimedOut => Signal::TimedOut,
            io::ErrorKind::ConnectionRefused => Signal::Refused,
            io::ErrorKind::UnexpectedEof => Signal::Closed,
            io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::AddrNotAvailable => Signal::Unreachable,
            io::ErrorKind::PermissionDenied => Signal::Forbidden,
            io::ErrorKind::InvalidData => Signal::Malformed,
            _ => Signal::Reset,
        };
        Self::new(server, Evidence::new(phase, signal, ""))
    }

    /// Reads what lettre says: the server's code first, then what lies under it.
    pub fn from_smtp(server: &str, phase: Phase, err: &lettre::transport::smtp::Error) -> Self {
        if let Some(status) = err.status() {
            let code = u16::from(status);
            let words = std::error::Error::source(err).map(ToString::to_string).unwrap_or_default();
            let enhanced = enhanced(&words);
            return Self::new(server, Evidence::new(phase, Signal::Smtp { code, enhanced }, &words));
        }
        let mut source = std::error::Error::source(err);
        while let Some(error) = source {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                return Self::from_io(server, phase, io);
            }
            source = error.source();
        }
        let signal = if err.is_timeout() {
            Signal::TimedOut
        } else if err.is_client() && phase == Phase::Auth {
            Signal::NoMechanism
        } else {
            Signal::Malformed
        };
        Self::new(server, Evidence::new(phase, signal, ""))
    }

    /// A name that DNS does not know.
    pub(crate) fn unresolved(server: &str) -> Self {
        Self::new(server, Evidence::new(Phase::Dns, Signal::Dns, ""))
    }

    /// A step that did not end in time.
    pub fn timed_out(server: &str, phase: Phase) -> Self {
        Self::new(server, Evidence::new(phase, Signal::TimedOut, ""))
    }
}

/// Whether the message that was being fetched may be at fault: the server refused it, failed over it or ended the
/// connection or the session over it, or its answer cannot be read. A line that failed, a server that fell silent and one that names
/// another cause (it is not available, there is a limit) are at fault themselves.
pub fn blames_message(error: &MailError) -> bool {
    error.phase == Phase::Fetch
        && match &error.evidence.signal {
            Signal::Malformed | Signal::Closed => true,
            // RFC 5530 §3: SERVERBUG is also what a server says that cannot read what it has stored.
            Signal::Imap { code: Some(code), .. } if code == "SERVERBUG" => true,
            Signal::Imap { .. } => {
                matches!(
                    error.reason,
                    Reason::Unknown
                        | Reason::ProtocolError
                        | Reason::ServerClosedConnection
                        | Reason::SessionExpired
                )
            }
            _ => false,
        }
}

/// The enhanced status code in front of a reply's words (RFC 3463).
pub(crate) fn enhanced(words: &str) -> Option<String> {
    let word = words.split_ascii_whitespace().next()?;
    let parts: Vec<&str> = word.split('.').collect();
    let number = |p: &&str| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit());
    (parts.len() == 3 && parts.iter().all(number)).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Violation;
    use threadline_core::reason::ImapStatus;

    #[test]
    fn an_error_names_the_thing_the_cause_and_the_next_step() {
        let err = MailError::new("imap.x:993", Evidence::new(Phase::Tcp, Signal::Refused, ""));
        assert_eq!(
            err.to_string(),
            "imap.x:993: Nothing answers at this port. (Step: tcp.) Wait: it is tried again. If it stays, check the port."
        );
        assert!(err.is_transient());
    }

    #[test]
    fn io_errors_are_read_by_kind_and_never_by_text() {
        for (kind, want) in [
            (io::ErrorKind::TimedOut, Signal::TimedOut),
            (io::ErrorKind::ConnectionRefused, Signal::Refused),
            (io::ErrorKind::ConnectionReset, Signal::Reset),
            (io::ErrorKind::BrokenPipe, Signal::Reset),
            (io::ErrorKind::UnexpectedEof, Signal::Closed),
            (io::ErrorKind::NetworkUnreachable, Signal::Unreachable),
            (io::ErrorKind::PermissionDenied, Signal::Forbidden),
            (io::ErrorKind::InvalidData, Signal::Malformed),
        ] {
            let err = MailError::from_io("x:1", Phase::Fetch, &io::Error::new(kind, "private words"));
            assert_eq!(err.evidence.signal, want);
            assert!(!format!("{err} {err:?}").contains("private"), "{err:?}");
        }
    }

    #[test]
    fn a_violation_inside_an_io_error_is_named() {
        let io = io::Error::new(io::ErrorKind::InvalidData, Violation::NestingTooDeep);
        let err = MailError::from_io("x:1", Phase::Fetch, &io);
        assert_eq!(err.reason, Reason::ProtocolError);
        assert_eq!(err.evidence.words, Violation::NestingTooDeep.to_string());
    }

    #[test]
    fn a_message_is_blamed_for_what_it_may_have_done_and_for_nothing_else() {
        let blamed = |phase, signal| blames_message(&MailError::new("x:1", Evidence::new(phase, signal, "")));
        let imap = |status, code: Option<&str>| Signal::Imap { status, code: code.map(str::to_owned) };
        let mut at_fault = vec![Signal::Malformed, Signal::Closed];
        let mut innocent = vec![Signal::TimedOut, Signal::Reset, Signal::Unreachable, Signal::Dns];
        for status in [ImapStatus::No, ImapStatus::Bad, ImapStatus::Bye] {
            at_fault.extend([None, Some("SERVERBUG"), Some("PARSE")].map(|code| imap(status, code)));
            innocent.extend(["UNAVAILABLE", "INUSE", "LIMIT"].map(|code| imap(status, Some(code))));
        }
        for signal in at_fault {
            assert!(blamed(Phase::Fetch, signal.clone()), "{signal:?}");
            // The folder could not be opened: no message was asked for.
            assert!(!blamed(Phase::Select, signal.clone()), "{signal:?}");
        }
        for signal in innocent {
            assert!(!blamed(Phase::Fetch, signal.clone()), "{signal:?}");
        }
    }

    #[test]
    fn enhanced_codes_are_three_numbers() {
        assert_eq!(enhanced("5.7.8 no").as_deref(), Some("5.7.8"));
        for words in ["", "no", "1.2.3.4 no", "5..8", "5.7", "a.b.c", "5.7.8888"] {
            assert_eq!(enhanced(words), None, "{words}");
        }
    }
}
