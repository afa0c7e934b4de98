//! POP3 is not used, and this says how it is known and what there is beside it.
//!
//! POP3 (RFC 1939) downloads the mail and usually removes it from the server; then neither another device nor Threadline can
//! see it. A host that has POP3 mostly has IMAP too.

use super::network::Network;
use super::probe;
use crate::provider::Place;
use serde::Serialize;

/// How POP3 was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case", rename = "Pop3Sign")]
pub enum Sign {
    /// 110, or 995 with TLS (IANA).
    Port,
    /// A host that begins with `pop`, `pop3`, `pops` or `pop3s`.
    Host,
    /// The server said `+OK`.
    Greeting,
    /// An answer of the domain names POP3 servers and no IMAP server.
    Answer,
}

/// What in these settings belongs to POP3; the port is the surer sign.
pub fn sign(host: &str, port: u16) -> Option<Sign> {
    if [110, 995].contains(&port) {
        return Some(Sign::Port);
    }
    sibling(host).map(|_| Sign::Host)
}

/// The host of this name's IMAP server where it is named after POP3: `imap.firm.example` for `pop.firm.example`.
fn sibling(host: &str) -> Option<String> {
    let (first, rest) = host.split_once('.')?;
    let lower = first.to_ascii_lowercase();
    let (word, behind) = lower.split_once('-').map_or((lower.as_str(), ""), |(word, behind)| (word, behind));
    let named = ["pop", "pop3", "pops", "pop3s"].contains(&word);
    let behind = if behind.is_empty() { String::new() } else { format!("-{behind}") };
    named.then(|| format!("imap{behind}.{rest}"))
}

/// An IMAP server beside a POP3 one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    pub place: Place,
    /// It proved by its certificate that it has this name.
    pub verified: bool,
}

/// Probes the same host for IMAP (993 and 143), and the host that is named for IMAP where this one is named for POP3. The
/// same host comes first.
pub async fn imap_beside(network: &dyn Network, host: &str) -> Option<Beside> {
    let hosts: Vec<String> = [Some(host.to_ascii_lowercase()), sibling(host)].into_iter().flatten().collect();
    let found = probe::imap(network, &hosts).await;
    let best = found.into_iter().find(|found| !found.pop3)?;
    Some(Beside { place: best.place, verified: best.verified })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_belong_to_pop3_are_known() {
        for (host, port, want) in [
            ("mail.firm.example", 110, Some(Sign::Port)),
            ("mail.firm.example", 995, Some(Sign::Port)),
            ("pop.firm.example", 993, Some(Sign::Host)),
            ("POP3.firm.example", 993, Some(Sign::Host)),
            ("pop3s.firm.example", 993, Some(Sign::Host)),
            ("pop-mail.firm.example", 993, Some(Sign::Host)),
            ("imap.firm.example", 993, None),
            ("popular.example", 993, None),
            ("mail.pop.example", 993, None),
            ("pop", 993, None),
        ] {
            assert_eq!(sign(host, port), want, "{host}:{port}");
        }
        assert_eq!(sibling("pop-mail.firm.example").as_deref(), Some("imap-mail.firm.example"));
        assert_eq!(sibling("Pop3.firm.example").as_deref(), Some("imap.firm.example"));
    }
}
