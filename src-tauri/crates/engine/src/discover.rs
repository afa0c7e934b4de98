//! Finding a mailbox's settings from its address alone. Every answer says where it comes from and how far it can be trusted.
//! How it is found is `mail::discover`'s; here it becomes what a person is shown.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::settings::{Encryption, Endpoint};
use serde::Serialize;
use threadline_core::address::Address;
use threadline_mail::discover::{self as mail, pop3};
use threadline_mail::provider::Place;
use threadline_store::setting;

pub use threadline_mail::discover::network::{Detour, Internet, Network};
pub use threadline_mail::discover::pop3::Sign as Pop3Sign;
pub use threadline_mail::discover::{
    Doubt as DiscoveryDoubt, Outcome as AskedOutcome, Source as DiscoverySource,
};
pub use threadline_mail::provider::Hint as ProviderHint;

/// The name of the setting that holds the address of the collection of providers to ask.
const ISPDB: &str = "discover.ispdb";

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
    /// False: it must be confirmed before a password goes there; `doubts` says why.
    pub trusted: bool,
    pub doubts: Vec<DiscoveryDoubt>,
}

/// One source that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct AskedSource {
    pub source: DiscoverySource,
    pub outcome: AskedOutcome,
    /// Milliseconds until its answer, or until it was given up.
    pub ms: u32,
}

/// A POP3 server, which cannot be used, and the IMAP server beside it, which can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Pop3Found {
    pub sign: Pop3Sign,
    pub host: String,
    pub port: u16,
    /// The IMAP server that answered on the same host, or on the one named for IMAP beside it.
    pub imap: Option<Endpoint>,
    /// Whether a password may go to that one without asking: it proved its name by its certificate, and no answer of a
    /// stranger's led to another domain.
    pub trusted: bool,
}

/// What was found for an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Discovery {
    pub address: Address,
    /// The best first; empty only where `pop3` is there.
    pub candidates: Vec<Candidate>,
    /// Where the domain offers POP3 and no IMAP.
    pub pop3: Option<Pop3Found>,
    /// In the order of [`DiscoverySource`].
    pub asked: Vec<AskedSource>,
}

impl Engine {
    /// Finds settings for a mailbox. Nothing is stored, and no password is needed.
    pub async fn discover(&self, address: &Address, network: &dyn Network) -> Result<Discovery, EngineError> {
        let ispdb = self.ispdb().await?.as_deref().and_then(mail::collection);
        let mail::Found { candidates, pop3, asked } = mail::discover(address, network, ispdb.as_ref()).await;
        let pop3 = match pop3.first() {
            Some(server) if candidates.is_empty() => {
                let mut found = beside(&server.host, server.port, Pop3Sign::Answer, network).await;
                found.trusted &= mail::is_home(&server.host, address);
                Some(found)
            }
            _ => None,
        };
        Ok(Discovery {
            address: address.clone(),
            candidates: candidates.into_iter().map(Candidate::from).collect(),
            pop3,
            asked: asked.into_iter().map(AskedSource::from).collect(),
        })
    }

    /// The address of the collection of providers (ISPDB) that discovery asks; `None`: it asks none.
    pub async fn ispdb(&self) -> Result<Option<String>, EngineError> {
        Ok(self.shared().ledger.read(|tx| setting::get(tx, ISPDB)).await?)
    }

    /// Sets it. Fails where it is no https address. Each domain that somebody looks for is told to whoever is there.
    pub async fn set_ispdb(&self, url: Option<String>) -> Result<(), EngineError> {
        if let Some(url) = &url
            && mail::collection(url).is_none()
        {
            return Err(EngineError::BrokenSetting {
                what: format!("The address {url} of a list of providers"),
                cause: "it is not written as https://host/path/".to_owned(),
            });
        }
        self.shared()
            .ledger
            .write(move |tx| match &url {
                Some(url) => setting::set(tx, ISPDB, url),
                None => setting::remove(tx, ISPDB),
            })
            .await?;
        Ok(())
    }
}

/// What in settings that a person typed belongs to POP3.
pub fn pop3_sign(host: &str, port: u16) -> Option<Pop3Sign> {
    pop3::sign(host, port)
}

/// Looks for IMAP beside a POP3 server, known by the settings or else by its greeting.
pub async fn pop3_found(host: &str, port: u16, network: &dyn Network) -> Pop3Found {
    beside(host, port, pop3_sign(host, port).unwrap_or(Pop3Sign::Greeting), network).await
}

async fn beside(host: &str, port: u16, sign: Pop3Sign, network: &dyn Network) -> Pop3Found {
    let imap = pop3::imap_beside(network, host).await;
    Pop3Found {
        sign,
        host: host.to_owned(),
        port,
        trusted: imap.as_ref().is_some_and(|beside| beside.verified),
        imap: imap.map(|beside| endpoint(beside.place)),
    }
}

impl From<mail::Candidate> for Candidate {
    fn from(found: mail::Candidate) -> Self {
        let trusted = found.is_trusted();
        Self {
            imap: endpoint(found.imap),
            smtp: found.smtp.map(endpoint),
            user: found.user,
            source: found.source,
            provider: found.provider.map(|provider| provider.name.clone()),
            hint: found.provider.and_then(|provider| provider.hint),
            help: found.provider.and_then(|provider| provider.help.clone()),
            trusted,
            doubts: found.doubts,
        }
    }
}

impl From<mail::Asked> for AskedSource {
    fn from(asked: mail::Asked) -> Self {
        let ms = u32::try_from(asked.took.as_millis()).unwrap_or(u32::MAX);
        Self { source: asked.source, outcome: asked.outcome, ms }
    }
}

fn endpoint(place: Place) -> Endpoint {
    Endpoint { host: place.host, port: place.port, encryption: Encryption::from(place.security) }
}
