//! One reason of what was seen: the structure first.

use super::{Evidence, ImapStatus, Phase, Reason, Signal, Spoken, TlsFault};

/// Says why, from the structure of what was seen. A sharper reason than the evidence supports is never given.
pub fn classify(evidence: &Evidence) -> Reason {
    match &evidence.signal {
        Signal::Dns => Reason::DnsFailure,
        Signal::Refused => Reason::ConnectionRefused,
        Signal::TimedOut => Reason::ConnectionTimeout,
        Signal::Reset => Reason::ConnectionReset,
        Signal::Unreachable => Reason::NetworkUnreachable,
        Signal::Closed => Reason::ServerClosedConnection,
        Signal::Tls(fault) => match fault {
            TlsFault::NotTls => Reason::TlsPlaintextPort,
            TlsFault::NameMismatch => Reason::TlsNameMismatch,
            TlsFault::Expired => Reason::TlsExpired,
            TlsFault::UnknownIssuer | TlsFault::NotYetValid | TlsFault::Revoked => Reason::TlsUntrusted,
            TlsFault::Other => Reason::ProtocolError,
        },
        Signal::NoStartTls => Reason::TlsRequired,
        Signal::PlaintextLeftOver | Signal::Malformed => Reason::ProtocolError,
        Signal::Spoken(Spoken::Pop3) => Reason::Pop3Configured,
        Signal::Spoken(_) => Reason::WrongPortOrProtocol,
        Signal::Imap { status, code } => imap(evidence, *status, code.as_deref()),
        Signal::Smtp { code, enhanced } => smtp(evidence, *code, enhanced.as_deref()),
        Signal::OAuth { error, .. } => match error.as_deref() {
            Some("invalid_grant") => Reason::AccessRevoked,
            Some("temporarily_unavailable" | "server_error" | "slow_down") => Reason::ServerUnavailable,
            Some("consent_required" | "interaction_required") => Reason::ConsentRequired,
            _ => Reason::AuthRejected,
        },
        Signal::NoMechanism => Reason::AuthMechanismUnsupported,
        Signal::KeychainLocked => Reason::KeychainLocked,
        Signal::KeychainMissing => Reason::KeychainMissing,
        Signal::FolderMissing => Reason::FolderMissing,
        Signal::SentFolderUnknown => Reason::SentFolderUnknown,
        Signal::WrongAccount => Reason::WrongAccount,
    }
}

/// RFC 5530 response codes first, then what the step allows to be said.
fn imap(evidence: &Evidence, status: ImapStatus, code: Option<&str>) -> Reason {
    match code {
        Some("UNAVAILABLE" | "SERVERBUG" | "INUSE") => return Reason::ServerUnavailable,
        Some("AUTHENTICATIONFAILED") if too_many(evidence) => return Reason::TooManyConnections,
        Some("AUTHENTICATIONFAILED") => return rejected(evidence, Reason::CredentialsRejected),
        Some("AUTHORIZATIONFAILED" | "NOPERM") if evidence.phase == Phase::Auth => {
            return Reason::AuthRejected;
        }
        Some("EXPIRED") => return Reason::PasswordExpired,
        Some("PRIVACYREQUIRED") => return Reason::TlsRequired,
        Some("CONTACTADMIN") if evidence.phase == Phase::Auth => return Reason::AuthRejected,
        Some("NONEXISTENT") if evidence.phase == Phase::Select => return Reason::FolderMissing,
        Some("OVERQUOTA") => return Reason::OverQuota,
        Some("LIMIT") => return Reason::Throttled,
        Some("REFERRAL") => return Reason::MailboxMigrated,
        Some("CLIENTBUG") => return Reason::ProtocolState,
        _ => {}
    }
    match (status, evidence.phase) {
        (ImapStatus::Bye, _) => Reason::ServerClosedConnection,
        (ImapStatus::No, _) if too_many(evidence) => Reason::TooManyConnections,
        // Without a code a NO may mean anything: a limit, a shut-off protocol, a fault. It says nothing of the password.
        (ImapStatus::No, Phase::Auth) => Reason::AuthRejected,
        (ImapStatus::Bad, _) => Reason::ProtocolError,
        (ImapStatus::No, Phase::Greeting) => Reason::ServerUnavailable,
        (ImapStatus::No, _) => Reason::Unknown,
    }
}

/// What servers without a code of their own for it say when a mailbox has no connection left: Gmail, Dovecot, Courier.
fn too_many(evidence: &Evidence) -> bool {
    let words = evidence.words.to_ascii_lowercase();
    evidence.phase == Phase::Auth
        && ["too many simultaneous connections", "maximum number of connections", "too many connections"]
            .iter()
            .any(|phrase| words.contains(phrase))
}

/// "Password changed" is said only where the same secret was accepted before.
fn rejected(evidence: &Evidence, otherwise: Reason) -> Reason {
    if evidence.worked_before && evidence.phase == Phase::Auth { Reason::PasswordChanged } else { otherwise }
}

fn smtp(evidence: &Evidence, code: u16, enhanced: Option<&str>) -> Reason {
    match (code, enhanced) {
        (421, _) => Reason::ServerUnavailable,
        (454, _) if evidence.phase == Phase::Tls => Reason::TlsRequired,
        (535, _) | (_, Some("5.7.8")) => rejected(evidence, Reason::CredentialsRejected),
        (530, Some("5.7.0")) if evidence.phase == Phase::Tls => Reason::TlsRequired,
        (530, _) => Reason::AuthRequired,
        (534, _) | (_, Some("5.7.9")) => Reason::AuthMechanismUnsupported,
        (538, _) => Reason::TlsRequired,
        (_, Some("4.2.2" | "5.2.2")) => Reason::OverQuota,
        (500..=504, _) => Reason::ProtocolError,
        (400..=499, _) => Reason::ServerUnavailable,
        (554, _) if evidence.phase == Phase::Greeting => Reason::ServerUnavailable,
        (200..=399, _) => Reason::ProtocolError,
        _ if evidence.phase == Phase::Auth => Reason::AuthRejected,
        _ => Reason::Unknown,
    }
}
