//! Looks for an IMAP server at the names that are usual for a domain. Nothing but the way to the greeting is gone: no name
//! and no password is sent.

use crate::connect::{Security, Server, Timeouts};
use crate::error::MailError;
use crate::provider::Place;
use crate::tls::Trust;
use futures::future::join_all;
use std::future::Future;
use std::time::Duration;
use threadline_core::reason::Phase;

/// The longest that one probe may take: nobody waits at a form for a server that keeps silent.
pub const LIMIT: Duration = Duration::from_secs(5);

/// The time limits of a probe's connection.
pub const TIMEOUTS: Timeouts =
    Timeouts { dns: LIMIT, tcp: LIMIT, tls: LIMIT, greeting: LIMIT, command: LIMIT };

/// A server that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub place: Place,
    /// It proved by its certificate that it has this name.
    pub verified: bool,
}

/// Probes `imap.`, `mail.` and the domain itself, ports 993 and 143, all at once; gives those that answer, verified ones
/// first, then in this order. `open` connects up to the greeting, as [`crate::connect::imap`] does.
pub async fn imap<T, F: Future<Output = Result<T, MailError>>>(
    domain: &str,
    open: impl Fn(Server) -> F,
) -> Vec<Found> {
    let ports = [(993, Security::Tls), (143, Security::StartTls)];
    let hosts = [format!("imap.{domain}"), format!("mail.{domain}"), domain.to_owned()];
    let places: Vec<Place> = ports
        .into_iter()
        .flat_map(|(port, security)| {
            hosts.iter().map(move |host| Place { host: host.clone(), port, security })
        })
        .collect();
    let probes = places.iter().map(|place| {
        let Place { host, port, security } = place.clone();
        let opened = open(Server { host, port, security, trust: Trust::default() });
        async { tokio::time::timeout(LIMIT, opened).await.ok() }
    });
    let answers = join_all(probes).await;
    let mut found: Vec<Found> = places
        .into_iter()
        .zip(answers)
        .filter_map(|(place, answer)| match answer? {
            Ok(_) => Some(Found { place, verified: true }),
            // There is a server, but whose?
            Err(error) if error.phase == Phase::Tls && error.presented.is_some() => {
                Some(Found { place, verified: false })
            }
            Err(_) => None,
        })
        .collect();
    found.sort_by_key(|f| !f.verified);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadline_core::reason::{Evidence, Signal};

    #[tokio::test(start_paused = true)]
    async fn a_server_that_keeps_silent_does_not_hold_the_others_up() {
        let begun = tokio::time::Instant::now();
        let found = imap("firm.example", |server| async move {
            match (server.host.as_str(), server.port) {
                ("mail.firm.example", 143) => Ok(()),
                ("imap.firm.example", _) => std::future::pending().await,
                _ => Err(MailError::new(&server.name(), Evidence::new(Phase::Tcp, Signal::Refused, ""))),
            }
        })
        .await;
        assert_eq!(begun.elapsed(), LIMIT);
        let place = Place { host: "mail.firm.example".into(), port: 143, security: Security::StartTls };
        assert_eq!(found, [Found { place, verified: true }]);
    }
}
