//! Finding a mailbox's servers from its address alone.
//!
//! All sources are asked at once, each with a limit of time; the first answer that can be trusted wins, unless a better
//! source gives one a moment later. Every candidate says where it comes from and what is doubtful in it.
//!
//! Invariant: no credentials are sent. The part of the address before the `@` goes only to the domain's own hosts over
//! https, and to where one of these leads.

mod answer;
mod autoconfig;
mod autodiscover;
mod dns;
pub mod network;
pub mod pop3;
pub mod probe;
mod web;
mod xml;

pub use crate::provider::Pop3Server;
pub use autoconfig::collection;

use crate::connect::Security;
use crate::provider::{self, Place, Provider};
use answer::{Answer, host_name};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use network::Network;
use serde::Serialize;
use std::time::Duration;
use threadline_core::address::Address;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;
use web::Missed;

/// The longest that one source may take.
const LIMIT: Duration = Duration::from_secs(8);
/// How long better sources are waited for once an answer can be trusted.
const GRACE: Duration = Duration::from_millis(800);

/// Where settings come from; the better first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case", rename = "DiscoverySource")]
pub enum Source {
    /// Threadline's own table, by the domain.
    ProviderTable,
    /// Published by the domain for mail programs.
    Autoconfig,
    /// A collection of providers, where one is set.
    Ispdb,
    /// DNS SRV records.
    Srv,
    /// The provider that receives the domain's mail.
    Mx,
    /// Exchange.
    Autodiscover,
    /// A server that answered at a usual name.
    Probe,
    /// Nothing answered; it is what many servers are called.
    Guess,
}

/// Why a person is asked before a password goes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case", rename = "DiscoveryDoubt")]
pub enum Doubt {
    /// The answer came, on part of its way, without encryption.
    PlainHttp,
    /// The answer came from another domain, to which the address's own led.
    Redirected,
    /// The servers lie in another domain, and the table does not know them.
    OtherDomain,
    /// The server's certificate is not trusted.
    Unverified,
    /// Nobody has said so.
    Guessed,
}

/// Servers that may be the right ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub imap: Place,
    pub smtp: Option<Place>,
    /// The name to sign in with.
    pub user: String,
    pub source: Source,
    /// What the table knows of whose server it is.
    pub provider: Option<&'static Provider>,
    pub doubts: Vec<Doubt>,
}

impl Candidate {
    pub fn is_trusted(&self) -> bool {
        self.doubts.is_empty()
    }
}

/// How it went with one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case", rename = "AskedOutcome")]
pub enum Outcome {
    Found,
    /// It answered, and knows nothing; or it did not answer.
    Nothing,
    TimedOut,
    /// Another one was faster.
    Cancelled,
}

/// One source that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub source: Source,
    pub outcome: Outcome,
    pub took: Duration,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The best first: trusted ones, then by source. Empty only where POP3 servers were found and nothing else.
    pub candidates: Vec<Candidate>,
    /// POP3 servers that answers named.
    pub pop3: Vec<Pop3Server>,
    /// In the order of [`Source`].
    pub asked: Vec<Asked>,
}

/// Looks for the servers of an address. `ispdb` is the collection to ask, where one is set. Takes 8 seconds at most.
pub async fn discover(address: &Address, network: &dyn Network, ispdb: Option<&Url>) -> Found {
    let begun = Instant::now();
    let table = provider::of_domain(address.domain());
    let known = table.map(|provider| dns::of_provider(provider, address, Source::ProviderTable));
    let known = known.unwrap_or_default();
    let outcome = if known.is_empty() { Outcome::Nothing } else { Outcome::Found };
    let mut asked = vec![Asked { source: Source::ProviderTable, outcome, took: begun.elapsed() }];
    let mut found = known;
    // Where the table knows the domain nobody needs to be asked; and an address in numbers has no domain to ask.
    if found.candidates.is_empty() && host_name(address.domain()).is_some() {
        found.add(ask_all(sources(address, network, ispdb), &mut asked).await);
    }
    asked.sort_by_key(|one| one.source);
    let Answer { candidates, mut pop3 } = found;
    let mut candidates = ranked(candidates);
    if !candidates.iter().any(Candidate::is_trusted) && (pop3.is_empty() || !candidates.is_empty()) {
        candidates.push(guess(address));
        candidates = ranked(candidates);
    }
    pop3.sort_by(|a, b| (&a.host, a.port).cmp(&(&b.host, b.port)));
    pop3.dedup();
    Found { candidates, pop3, asked }
}

type Question<'a> = BoxFuture<'a, Result<Answer, Missed>>;

fn sources<'a>(
    address: &'a Address,
    network: &'a dyn Network,
    ispdb: Option<&'a Url>,
) -> Vec<(Source, Question<'a>)> {
    let mut all: Vec<(Source, Question<'a>)> = vec![
        (Source::Autoconfig, Box::pin(autoconfig::of_domain(network, address))),
        (Source::Srv, Box::pin(dns::srv(network, address))),
        (Source::Mx, Box::pin(dns::mx(network, address))),
        (Source::Autodiscover, Box::pin(autodiscover::ask(network, address))),
        (Source::Probe, Box::pin(probe::usual_names(network, address))),
    ];
    if let Some(base) = ispdb {
        all.push((Source::Ispdb, Box::pin(autoconfig::of_collection(network, address, base))));
    }
    all
}

/// Asks all at once, until an answer can be trusted that no better source could still better.
async fn ask_all(sources: Vec<(Source, Question<'_>)>, asked: &mut Vec<Asked>) -> Answer {
    let begun = Instant::now();
    let mut waiting: Vec<Source> = sources.iter().map(|(source, _)| *source).collect();
    let mut running: FuturesUnordered<_> = sources
        .into_iter()
        .map(|(source, question)| async move { (source, timeout(LIMIT, question).await) })
        .collect();
    let mut found = Answer::default();
    let mut until = begun + LIMIT;
    while let Ok(Some((source, answer))) = timeout_at(until, running.next()).await {
        waiting.retain(|other| *other != source);
        let (outcome, answer) = match answer {
            Ok(Ok(answer)) if !answer.is_empty() => (Outcome::Found, answer),
            Ok(_) => (Outcome::Nothing, Answer::default()),
            Err(_) => (Outcome::TimedOut, Answer::default()),
        };
        asked.push(Asked { source, outcome, took: begun.elapsed() });
        found.add(answer);
        let best = found.candidates.iter().filter(|c| c.is_trusted()).map(|c| c.source).min();
        if let Some(best) = best {
            until = until.min(Instant::now() + GRACE);
            if waiting.iter().all(|other| *other > best) {
                break;
            }
        }
    }
    let outcome = if begun.elapsed() < LIMIT { Outcome::Cancelled } else { Outcome::TimedOut };
    asked.extend(waiting.into_iter().map(|source| Asked { source, outcome, took: begun.elapsed() }));
    found
}

/// Trusted ones first, then by source. Of several with one IMAP server the best stays, with the SMTP server of the next
/// where it has none; what is in doubt adds nothing to what is not.
fn ranked(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by_key(|c| (!c.is_trusted(), c.source));
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        match kept.iter_mut().find(|c| c.imap == candidate.imap) {
            Some(better) if candidate.is_trusted() || !better.is_trusted() => {
                better.smtp = better.smtp.take().or(candidate.smtp);
            }
            Some(_) => {}
            None => kept.push(candidate),
        }
    }
    kept
}

/// Whether a host lies in the address's own domain, or is a server that the table knows.
pub fn is_home(host: &str, address: &Address) -> bool {
    provider::is_within(host, address.domain()) || provider::of_server(host).is_some()
}

fn guess(address: &Address) -> Candidate {
    let domain = address.domain();
    // An address in numbers names its host itself (RFC 5321 §4.1.3).
    let number = domain.strip_prefix('[').map(|rest| rest.trim_end_matches(']').to_owned());
    let host = number.unwrap_or_else(|| format!("imap.{domain}"));
    Candidate {
        imap: Place { host, port: 993, security: Security::Tls },
        smtp: None,
        user: address.to_string(),
        source: Source::Guess,
        provider: None,
        doubts: vec![Doubt::Guessed],
    }
}
