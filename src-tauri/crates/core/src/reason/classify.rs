//! One reason of what was seen: the structure first, then the words, then what the step allows to be said.

use super::pause::pause_ms;
use super::rule::{Rule, Seen};
use super::seen::Text;
use super::{
    Again, Evidence, ImapStatus, Mechanism, Phase, Protocol, ProxyFault, Reason, Signal, Spoken, TlsFault,
    rules,
};
use std::collections::HashSet;

/// A reason, and how it was come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    pub reason: Reason,
    /// The name of the rule that decided.
    pub rule: &'static str,
    /// How long the server asks to be left alone, in milliseconds, at most a day.
    pub pause_ms: Option<u64>,
}

/// Says why. A sharper reason than the evidence supports is never given.
pub fn classify(evidence: &Evidence) -> Reason {
    judge(evidence).reason
}

/// As [`classify`], with the rule that decided and the pause that the server asks for.
pub fn judge(evidence: &Evidence) -> Finding {
    judge_among(evidence, &|_| true)
}

/// As [`judge`], by those rules alone that are allowed.
pub(super) fn judge_among(evidence: &Evidence, allowed: &dyn Fn(&Rule) -> bool) -> Finding {
    let (reason, rule) = match by_kind(evidence) {
        Some(found) => found,
        None => {
            let seen = Seen::new(evidence);
            let (reason, rule) = by_rules(&seen, allowed).unwrap_or_else(|| by_step(&seen));
            (by_history(evidence, reason), rule)
        }
    };
    Finding { reason, rule, pause_ms: pause_ms(&evidence.words) }
}

/// What needs no words: the kind of error is the reason.
fn by_kind(evidence: &Evidence) -> Option<(Reason, &'static str)> {
    Some(match &evidence.signal {
        Signal::Dns => (Reason::DnsFailure, "dns"),
        Signal::Refused => (Reason::ConnectionRefused, "refused"),
        Signal::TimedOut => (Reason::ConnectionTimeout, "timed-out"),
        // A line that is cut before anything was said may be the network's doing; later it is the server that hangs up.
        Signal::Reset => match evidence.phase {
            Phase::Keychain | Phase::Dns | Phase::Tcp | Phase::Tls => (Reason::ConnectionReset, "reset"),
            _ => (Reason::ServerClosedConnection, "reset-later"),
        },
        Signal::Unreachable => (Reason::NetworkUnreachable, "unreachable"),
        Signal::Forbidden => (Reason::LocalFirewall, "forbidden"),
        Signal::Proxy(ProxyFault::Unreachable) => (Reason::ProxyUnreachable, "proxy-unreachable"),
        Signal::Proxy(ProxyFault::Refused) => (Reason::ProxyRefused, "proxy-refused"),
        Signal::Proxy(ProxyFault::Unusable) => (Reason::SettingUnusable, "proxy-unusable"),
        Signal::Closed => (Reason::ServerClosedConnection, "closed"),
        Signal::Tls(fault) => match fault {
            TlsFault::NotTls => (Reason::TlsPlaintextPort, "not-tls"),
            TlsFault::NameMismatch => (Reason::TlsNameMismatch, "certificate-name"),
            TlsFault::Expired | TlsFault::NotYetValid => (Reason::TlsExpired, "certificate-dates"),
            TlsFault::UnknownIssuer | TlsFault::Revoked => (Reason::TlsUntrusted, "certificate-trust"),
            TlsFault::Other => (Reason::ProtocolError, "tls"),
        },
        Signal::LocalClock => (Reason::LocalClockWrong, "local-clock"),
        Signal::Portal => (Reason::CaptivePortal, "sign-in-page"),
        Signal::NoStartTls => (Reason::TlsRequired, "no-starttls"),
        Signal::PlaintextLeftOver | Signal::Malformed => (Reason::ProtocolError, "malformed"),
        Signal::Spoken(Spoken::Pop3) => (Reason::Pop3Configured, "speaks-pop3"),
        Signal::Spoken(_) => (Reason::WrongPortOrProtocol, "speaks-another"),
        Signal::NoMechanism => (Reason::AuthMechanismUnsupported, "no-mechanism"),
        Signal::KeychainLocked => (Reason::KeychainLocked, "keychain-locked"),
        Signal::KeychainMissing => (Reason::KeychainMissing, "keychain-missing"),
        Signal::FolderMissing => (Reason::FolderMissing, "folder-missing"),
        Signal::SentFolderUnknown => (Reason::SentFolderUnknown, "sent-folder-unknown"),
        Signal::WrongAccount => (Reason::WrongAccount, "wrong-account"),
        Signal::Imap { .. } | Signal::Smtp { .. } | Signal::OAuth { .. } | Signal::Said(_) => return None,
    })
}

fn by_rules(seen: &Seen<'_>, allowed: &dyn Fn(&Rule) -> bool) -> Option<(Reason, &'static str)> {
    let first = |seen: &Seen<'_>, rules: &[&[Rule]]| {
        rules.iter().copied().flatten().find(|rule| allowed(rule) && rule.holds(seen)).copied()
    };
    if let Some(rule) = first(seen, rules::STRUCTURE) {
        return Some((rule.reason, rule.name));
    }
    if let Some(rule) = first(seen, rules::WORDS) {
        // "Wrong password or IMAP is off": the server itself does not know which.
        let signing_in = seen.evidence.phase == Phase::Auth
            && matches!(seen.protocol(), Some(Protocol::Imap | Protocol::Smtp));
        if signing_in && contradicted(rule.reason, seen) {
            return Some((Reason::AuthRejected, "names-the-password-too"));
        }
        if signing_in {
            let of_part = |part: Text| first(&seen.with(part), rules::WORDS).map(|rule| rule.reason);
            let named: HashSet<Reason> = seen.text.alternatives().into_iter().filter_map(of_part).collect();
            if named.len() > 1 {
                return Some((Reason::AuthRejected, "names-alternatives"));
            }
        }
        return Some((rule.reason, rule.name));
    }
    first(seen, rules::COARSE).map(|rule| (rule.reason, rule.name))
}

/// Whether the server says of the password itself that it is wrong, beside a cause that would have it tried again and again.
/// A code for a wrong password outweighs a cause that passes by itself, unless the words name a limit.
fn contradicted(reason: Reason, seen: &Seen<'_>) -> bool {
    let again = reason.again();
    if again == Again::Never || seen.evidence.mechanism == Some(Mechanism::Token) {
        return false;
    }
    let is_limit =
        matches!(reason, Reason::TooManyConnections | Reason::Throttled | Reason::AccessTokenRejected);
    rules::CREDENTIALS.iter().any(|rule| rule.holds(seen))
        || (again == Again::Soon && !is_limit && rules::PASSWORD_CODES.iter().any(|rule| rule.holds(seen)))
}

/// Whether a refused sign-in may be the secret's fault: then showing it again can lock the account, whatever else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    No,
    /// The server refuses and does not rule it out.
    Perhaps,
    /// A code or the words say so.
    Likely,
}

pub(super) fn blame(evidence: &Evidence) -> Blame {
    let refused = match &evidence.signal {
        Signal::Imap { code, .. } => code.as_deref().is_none_or(|code| !PASSING.contains(&code)),
        Signal::Smtp { code, .. } => (500..=599).contains(code),
        _ => false,
    };
    if evidence.phase != Phase::Auth || !refused {
        return Blame::No;
    }
    let seen = Seen::new(evidence);
    let said =
        [rules::PASSWORD_CODES, rules::CREDENTIALS].into_iter().flatten().any(|rule| rule.holds(&seen));
    match said && evidence.mechanism != Some(Mechanism::Token) {
        true => Blame::Likely,
        false => Blame::Perhaps,
    }
}

/// Codes of a server that names its own trouble (RFC 5530), or a limit.
const PASSING: &[&str] =
    &["UNAVAILABLE", "SERVERBUG", "INUSE", "CORRUPTION", "SYS/TEMP", "LIMIT", "THROTTLED", "OVERQUOTA"];

/// Nothing is known of the words: what the step allows to be said.
fn by_step(seen: &Seen<'_>) -> (Reason, &'static str) {
    let phase = seen.evidence.phase;
    match &seen.evidence.signal {
        Signal::Imap { status: ImapStatus::Bye, .. } => (Reason::ServerClosedConnection, "bye"),
        Signal::Imap { status: ImapStatus::Bad, .. } => (Reason::ProtocolError, "bad"),
        Signal::Imap { status: ImapStatus::No, .. } => match phase {
            // It may mean anything: a limit, a shut-off protocol, a fault. It says nothing of the password.
            Phase::Auth => (Reason::AuthRejected, "refused-sign-in"),
            Phase::Greeting => (Reason::ServerUnavailable, "refused-greeting"),
            _ => (Reason::Unknown, "no"),
        },
        Signal::Smtp { code: 400..=499, .. } => (Reason::ServerUnavailable, "smtp-4xx"),
        Signal::Smtp { code: 0, enhanced: Some(code) } if code.starts_with('4') => {
            (Reason::ServerUnavailable, "smtp-4xx")
        }
        Signal::Smtp { code: 200..=399, .. } => (Reason::ProtocolError, "smtp-out-of-turn"),
        Signal::Smtp { .. } if phase == Phase::Greeting => (Reason::ServerUnavailable, "refused-greeting"),
        Signal::Smtp { .. } if phase == Phase::Auth => (Reason::AuthRejected, "refused-sign-in"),
        Signal::Said(Protocol::Tls | Protocol::Tcp) => (Reason::ProtocolError, "nothing-known"),
        Signal::Said(Protocol::Dns) => (Reason::DnsFailure, "dns"),
        Signal::OAuth { .. } => (Reason::AuthRejected, "refused-sign-in"),
        Signal::Said(_) if phase == Phase::Auth => (Reason::AuthRejected, "nothing-known"),
        _ => (Reason::Unknown, "nothing-known"),
    }
}

/// What only the account's history can say: the same words answer a bad password and a stale token, and a password that
/// was accepted before was changed.
fn by_history(evidence: &Evidence, reason: Reason) -> Reason {
    let signing_in = evidence.phase == Phase::Auth;
    let oauth = matches!(evidence.signal, Signal::OAuth { .. });
    match reason {
        // Another token would be refused as well, and the server does not say why.
        Reason::AccessTokenRejected | Reason::CredentialsRejected
            if evidence.fresh_token && signing_in && !oauth =>
        {
            Reason::AuthRejected
        }
        Reason::AuthRejected if evidence.fresh_token => reason,
        Reason::CredentialsRejected | Reason::AuthRejected
            if signing_in && !oauth && evidence.mechanism == Some(Mechanism::Token) =>
        {
            Reason::AccessTokenRejected
        }
        Reason::CredentialsRejected if signing_in && evidence.worked_before && !oauth => {
            Reason::PasswordChanged
        }
        reason => reason,
    }
}
