//! Whether a refused address is bad for good, from codes and, where these say nothing, from words.

use super::status::{find_code, find_smtp};

/// How lasting a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lasting {
    /// The address takes no mail: it does not exist, or it is closed.
    Hard,
    /// This mail was not taken, another one can be: a full mailbox, a size, a policy, a server that did not answer.
    Soft,
}

/// Words of servers about addresses that do not exist, in lower case.
#[rustfmt::skip]
const HARD: &[&str] = &[
    "user unknown", "unknown user", "no such user", "no such recipient", "no such mailbox",
    "no such address", "no such person", "does not exist", "doesn't exist", "not exist", "not found",
    "couldn't be found", "could not be found", "unknown recipient", "recipient unknown", "unknown address",
    "address unknown", "invalid recipient", "invalid address", "invalid mailbox", "recipient rejected",
    "address rejected", "mailbox unavailable", "no mailbox", "mailbox not found", "not a valid",
    "bad address", "not listed in", "no longer", "has been disabled", "is disabled", "account disabled",
    "deactivated", "inactive", "has moved", "not our customer", "unrouteable address",
    "unrouteable mail domain", "host unknown", "domain not found", "name or service not known",
    "host or domain name not found", "user is unknown", "unbekannt", "existiert nicht", "nicht gefunden",
    "nicht vorhanden", "ungültig", "inconnu", "n'existe pas", "introuvable", "no existe", "desconocido",
    "non esiste", "sconosciuto", "inesistente", "não existe", "bestaat niet", "onbekend", "finns inte",
    "okänd", "findes ikke", "nie istnieje", "nieznany", "neexistuje", "не существует", "не найден",
    "неизвест", "存在しません", "見つかりません", "不存在",
];

/// Words about what will pass, or is about this one mail.
#[rustfmt::skip]
const SOFT: &[&str] = &[
    "mailbox full", "mailbox is full", "over quota", "overquota", "quota exceeded", "exceeded quota",
    "exceeds quota", "insufficient", "out of storage", "storage exceeded", "is full", "too large",
    "size limit", "exceeds size", "too big", "timed out", "timeout", "connection refused", "temporarily",
    "try again", "try later", "greylist", "deferred", "too many", "rate limit", "blocked", "spam",
    "blacklist", "blocklist", "policy", "spf", "dkim", "dmarc", "reputation", "not permitted",
    "access denied", "relay", "virus", "could not be reached", "unreachable", "loop", "voll",
    "überschritten", "pleine", "lleno", "llena", "piena", "cheia", "vol ", "full", "переполнен", "容量",
];

/// Judges by the enhanced code, else by the code of the server in its words, else by these words. `None` where nothing tells.
pub(super) fn lasting(status: Option<&str>, words: &str) -> Option<Lasting> {
    let stated = status.and_then(of_code);
    let said = find_code(words).as_deref().and_then(of_code);
    if let Some(known) = stated.or(said) {
        return Some(known);
    }
    let lower = words.to_lowercase();
    let soft = SOFT.iter().any(|w| lower.contains(w));
    if soft {
        return Some(Lasting::Soft);
    }
    if HARD.iter().any(|w| lower.contains(w)) {
        return Some(Lasting::Hard);
    }
    match (status.map(|s| s.as_bytes().first()), find_smtp(words)) {
        (Some(Some(b'4')), _) | (_, Some(400..=499)) | (_, Some(552)) => Some(Lasting::Soft),
        (Some(Some(b'5')), _) | (_, Some(500..=599)) => Some(Lasting::Hard),
        _ => None,
    }
}

/// What an enhanced code says (RFC 3463 §3); `None` for those that say nothing more than "failed".
fn of_code(code: &str) -> Option<Lasting> {
    let mut parts = code.split('.');
    let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
    match (class, subject, detail) {
        ("4", ..) => Some(Lasting::Soft),
        // A mailbox that is full or takes no mail of this size.
        ("5", "2", "2" | "3") => Some(Lasting::Soft),
        // The sender's own address.
        ("5", "1", "7" | "8") => Some(Lasting::Soft),
        ("5", "1", _) | ("5", "2", "1") => Some(Lasting::Hard),
        // The name of the host is not known.
        ("5", "4", "4" | "310") => Some(Lasting::Hard),
        // The system, the way, the content, the policy.
        ("5", "3" | "4" | "6" | "7", _) => Some(Lasting::Soft),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_before_words_and_words_before_classes() {
        for (status, words, want) in [
            (Some("5.1.1"), "", Some(Lasting::Hard)),
            (Some("5.2.2"), "mailbox full", Some(Lasting::Soft)),
            (Some("4.4.7"), "", Some(Lasting::Soft)),
            (Some("5.7.1"), "blocked", Some(Lasting::Soft)),
            (Some("5.0.0"), "550 5.1.1 User Unknown", Some(Lasting::Hard)),
            (Some("5.0.0"), "550 user unknown", Some(Lasting::Hard)),
            (Some("5.0.0"), "552 Mailbox full", Some(Lasting::Soft)),
            (Some("5.0.0"), "", Some(Lasting::Hard)),
            (None, "421 busy", Some(Lasting::Soft)),
            (None, "Postfach voll", Some(Lasting::Soft)),
            (None, "Empfänger unbekannt", Some(Lasting::Hard)),
            (None, "something", None),
        ] {
            assert_eq!(lasting(status, words), want, "{status:?} {words}");
        }
    }
}
