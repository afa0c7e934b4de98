//! Looks for mail servers at the names that are usual for a domain. Nothing but the way to the greeting is gone: no name
//! and no password is sent.

use super::answer::Answer;
use super::network::Network;
use super::web::Missed;
use super::{Candidate, Doubt, Source};
use crate::connect::{Security, Server, Timeouts};
use crate::error::MailError;
use crate::provider::Place;
use crate::tls::Trust;
use futures::StreamExt;
use futures::future::{BoxFuture, join};
use futures::stream::FuturesUnordered;
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::reason::{Phase, Signal, Spoken};
use tokio::time::{Instant, timeout, timeout_at};

/// The longest that one probe may take: nobody waits at a form for a server that keeps silent.
pub const LIMIT: Duration = Duration::from_secs(5);
/// How long the others are waited for once a server has answered.
const GRACE: Duration = Duration::from_millis(700);

/// The time limits of a probe's connection.
pub const TIMEOUTS: Timeouts =
    Timeouts { dns: LIMIT, tcp: LIMIT, tls: LIMIT, greeting: LIMIT, command: LIMIT, asks_web: false };

/// A server that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub place: Place,
    /// It proved by its certificate that it has this name.
    pub verified: bool,
    /// It speaks POP3 and not what was looked for.
    pub pop3: bool,
}

/// Probes `imap.`, `mail.` and the domain itself for IMAP, and `smtp.`, `mail.` and the domain itself for a server that
/// takes mail to be sent, all at once.
pub(super) async fn usual_names(network: &dyn Network, address: &Address) -> Result<Answer, Missed> {
    let domain = address.domain();
    let names = |first: &str| [format!("{first}.{domain}"), format!("mail.{domain}"), domain.to_owned()];
    let (imap, smtp) = join(imap(network, &names("imap")), smtp(network, &names("smtp"))).await;
    let smtp = smtp.into_iter().find(|found| found.verified).map(|found| found.place);
    let candidates = imap.into_iter().filter(|found| !found.pop3).map(|found| Candidate {
        imap: found.place,
        smtp: smtp.clone(),
        user: address.to_string(),
        source: Source::Probe,
        provider: None,
        doubts: if found.verified { Vec::new() } else { vec![Doubt::Unverified] },
    });
    Ok(Answer { candidates: candidates.collect(), pop3: Vec::new() })
}

/// Probes these hosts for IMAP, ports 993 and 143; gives those that answer, verified ones first, then in this order.
pub(crate) async fn imap(network: &dyn Network, hosts: &[String]) -> Vec<Found> {
    let ports = [(993, Security::Tls), (143, Security::StartTls)];
    answering(hosts, ports, |server| Box::pin(async move { network.imap(&server).await })).await
}

async fn smtp(network: &dyn Network, hosts: &[String]) -> Vec<Found> {
    let ports = [(465, Security::Tls), (587, Security::StartTls)];
    answering(hosts, ports, |server| Box::pin(async move { network.smtp(&server).await })).await
}

async fn answering<'a>(
    hosts: &[String],
    ports: [(u16, Security); 2],
    open: impl Fn(Server) -> BoxFuture<'a, Result<(), MailError>>,
) -> Vec<Found> {
    let places = ports.into_iter().flat_map(|(port, security)| {
        hosts.iter().map(move |host| Place { host: host.clone(), port, security })
    });
    let mut running: FuturesUnordered<_> = places
        .enumerate()
        .map(|(rank, place)| {
            let Place { host, port, security } = place.clone();
            let opened = open(Server { host, port, security, trust: Trust::default() });
            async move { (rank, place, timeout(LIMIT, opened).await.ok()) }
        })
        .collect();
    let mut found: Vec<(usize, Found)> = Vec::new();
    let mut until = Instant::now() + LIMIT;
    while let Ok(Some((rank, place, answer))) = timeout_at(until, running.next()).await {
        let Some(one) = answer.and_then(|answer| judged(place, answer)) else { continue };
        if one.verified {
            until = until.min(Instant::now() + GRACE);
        }
        found.push((rank, one));
    }
    found.sort_by_key(|(rank, one)| (one.pop3, !one.verified, *rank));
    found.into_iter().map(|(_, one)| one).collect()
}

fn judged(place: Place, answer: Result<(), MailError>) -> Option<Found> {
    match answer {
        Ok(()) => Some(Found { place, verified: true, pop3: false }),
        Err(error) if error.evidence.signal == Signal::Spoken(Spoken::Pop3) => {
            Some(Found { place, verified: false, pop3: true })
        }
        // There is a server, but whose?
        Err(error) if error.phase == Phase::Tls && error.presented.is_some() => {
            Some(Found { place, verified: false, pop3: false })
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadline_core::reason::Evidence;

    fn refused(server: &Server) -> MailError {
        MailError::new(&server.name(), Evidence::new(Phase::Tcp, Signal::Refused, ""))
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_keeps_silent_holds_the_others_up_no_longer_than_a_moment() {
        let begun = Instant::now();
        let hosts = ["imap.firm.example".to_owned(), "mail.firm.example".to_owned()];
        let ports = [(993, Security::Tls), (143, Security::StartTls)];
        let found = answering(&hosts, ports, |server| {
            Box::pin(async move {
                match (server.host.as_str(), server.port) {
                    ("mail.firm.example", 143) => Ok(()),
                    ("imap.firm.example", _) => std::future::pending().await,
                    _ => Err(refused(&server)),
                }
            })
        })
        .await;
        assert_eq!(begun.elapsed(), GRACE);
        let place = Place { host: "mail.firm.example".into(), port: 143, security: Security::StartTls };
        assert_eq!(found, [Found { place, verified: true, pop3: false }]);
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_answers_the_wait_has_an_end() {
        let begun = Instant::now();
        let hosts = ["imap.firm.example".to_owned()];
        let ports = [(993, Security::Tls), (143, Security::StartTls)];
        let found = answering(&hosts, ports, |_| Box::pin(std::future::pending())).await;
        assert_eq!((begun.elapsed(), found), (LIMIT, Vec::new()));
    }
}
