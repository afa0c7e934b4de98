//! One error for everything that goes wrong between this computer and a mail server.

use crate::guard;
use crate::tls;
use std::io;
use threadline_core::reason::{Evidence, Phase, Reason, Signal, TlsFault, classify};

/// What failed, where, why, and what to do next. Its words come from the server, cleaned and cut, and never from
/// before TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{server}: {} {}{}", .reason.title(), Quoted(.evidence), .reason.next_step())]
pub struct MailError {
    /// `host:port`.
    pub server: String,
    pub phase: Phase,
    pub reason: Reason,
    pub evidence: Evidence,
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
        Self { server: server.to_owned(), phase: evidence.phase, reason: classify(&evidence), evidence }
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
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::PermissionDenied => Signal::Unreachable,
            io::ErrorKind::InvalidData => Signal::Malformed,
            _ => Signal::Reset,
        };
        Self::new(server, Evidence::new(phase, signal, ""))
    }

    /// A step that did not end in time.
    pub fn timed_out(server: &str, phase: Phase) -> Self {
        Self::new(server, Evidence::new(phase, Signal::TimedOut, ""))
    }
}
