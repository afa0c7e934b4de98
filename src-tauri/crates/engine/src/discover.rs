//! Finding a mailbox's settings from its address alone. Every answer says where it comes from.

use crate::engine::Engine;
use crate::settings::{Encryption, Endpoint};
use serde::Serialize;
use std::fmt::Debug;
use threadline_core::address::Address;
use threadline_mail::connect::{self, Server};
use threadline_mail::error::MailError;
use threadline_mail::guard::Limits;
use threadline_mail::probe;
use threadline_mail::provider::{self, Hint, Place};

/// Where settings come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum DiscoverySource {
    /// Threadline's own table.
    ProviderTable,
    /// A server that answered at a usual name.
    Probe,
    /// Nothing answered; it is what many servers are called.
    Guess,
}

/// What a person must know before the sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum ProviderHint {
    AppPassword,
    OauthOnly,
    EnableImap,
}

/// Settings that may be the right ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Candidate {
    pub imap: Endpoint,
    pub smtp: Option<Endpoint>,
    pub user: String,
    pub source: DiscoverySource,
    pub provider: Option<String>,
    pub hint: Option<ProviderHint>,
    /// The provider's own page about it.
    pub help: Option<String>,
    /// False: it must be confirmed before a password goes there.
    pub trusted: bool,
}

/// What was found for an address: the best first, never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Discovery {
    pub address: Address,
    pub candidates: Vec<Candidate>,
}

/// The way to servers that may be there.
#[async_trait::async_trait]
pub trait Network: Send + Sync + Debug {
    /// Connects to an IMAP server up to its greeting, and hangs up. No credentials are sent.
    async fn greet(&self, server: &Server) -> Result<(), MailError>;
}

/// The real network.
#[derive(Debug, Clone, Copy)]
pub struct Internet;

#[async_trait::async_trait]
impl Network for Internet {
    async fn greet(&self, server: &Server) -> Result<(), MailError> {
        connect::imap(server, Limits::imap(), &probe::TIMEOUTS).await.map(drop)
    }
}

/// One way to find settings.
#[async_trait::async_trait]
trait Source: Send + Sync {
    /// The best first.
    async fn candidates(&self, address: &Address) -> Vec<Candidate>;
}

/// All of them, the best first. A source is asked only where those before it gave nothing that can be trusted.
fn sources(network: &dyn Network) -> Vec<Box<dyn Source + '_>> {
    vec![Box::new(ProviderTable), Box::new(Probe(network)), Box::new(Guess)]
}

impl Engine {
    /// Finds settings for a mailbox. Nothing is stored, and no password is needed.
    pub async fn discover(&self, address: &Address, network: &dyn Network) -> Discovery {
        let mut candidates: Vec<Candidate> = Vec::new();
        for source in sources(network) {
            for found in source.candidates(address).await {
                if !candidates.iter().any(|c| c.imap == found.imap) {
                    candidates.push(found);
                }
            }
            if candidates.iter().any(|c| c.trusted) {
                break;
            }
        }
        Discovery { address: address.clone(), candidates }
    }
}

struct ProviderTable;

#[async_trait::async_trait]
impl Source for ProviderTable {
    async fn candidates(&self, address: &Address) -> Vec<Candidate> {
        let Some(provider) = provider::of_domain(address.domain()) else { return Vec::new() };
        vec![Candidate {
            imap: endpoint(&provider.imap),
            smtp: Some(endpoint(&provider.smtp)),
            user: address.to_string(),
            source: DiscoverySource::ProviderTable,
            provider: Some(provider.name.clone()),
            hint: provider.hint.map(|hint| match hint {
                Hint::AppPassword => ProviderHint::AppPassword,
                Hint::OauthOnly => ProviderHint::OauthOnly,
                Hint::EnableImap => ProviderHint::EnableImap,
            }),
            help: provider.help.clone(),
            trusted: true,
        }]
    }
}

struct Probe<'a>(&'a dyn Network);

#[async_trait::async_trait]
impl Source for Probe<'_> {
    async fn candidates(&self, address: &Address) -> Vec<Candidate> {
        let open = |server: Server| async move { self.0.greet(&server).await };
        let found = probe::imap(address.domain(), open).await;
        let candidate =
            |f: probe::Found| bare(address, endpoint(&f.place), DiscoverySource::Probe, f.verified);
        found.into_iter().map(candidate).collect()
    }
}

struct Guess;

#[async_trait::async_trait]
impl Source for Guess {
    async fn candidates(&self, address: &Address) -> Vec<Candidate> {
        let (host, encryption) = (format!("imap.{}", address.domain()), Encryption::Tls);
        let imap = Endpoint { host, port: encryption.imap_port(), encryption };
        vec![bare(address, imap, DiscoverySource::Guess, false)]
    }
}

/// A server of which nothing else is known.
fn bare(address: &Address, imap: Endpoint, source: DiscoverySource, trusted: bool) -> Candidate {
    Candidate {
        imap,
        smtp: None,
        user: address.to_string(),
        source,
        provider: None,
        hint: None,
        help: None,
        trusted,
    }
}

fn endpoint(place: &Place) -> Endpoint {
    Endpoint { host: place.host.clone(), port: place.port, encryption: place.security.into() }
}
