//! Settings are found from the address alone, with their source; no test leaves this computer.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use std::collections::HashMap;
use std::sync::Arc;
use threadline_core::address::Address;
use threadline_core::reason::{Evidence, Phase, Signal};
use threadline_engine::clock::SystemClock;
use threadline_engine::discover::{Candidate, DiscoverySource, Network, ProviderHint};
use threadline_engine::settings::Encryption;
use threadline_engine::{Engine, Home};
use threadline_mail::connect::{self, Server};
use threadline_mail::error::MailError;
use threadline_mail::guard::Limits;
use threadline_mail::probe;
use threadline_mail::tls::Trust;
use threadline_secrets::Memory;
use threadline_testkit::certs::{Authority, Identity, self_signed};
use threadline_testkit::script::{Script, Scripted};

/// Names and ports of a made-up network, each a server on this computer. All trust one authority.
#[derive(Debug, Default)]
struct MadeUp {
    servers: HashMap<(String, u16), u16>,
    authority: String,
}

#[async_trait::async_trait]
impl Network for MadeUp {
    async fn greet(&self, server: &Server) -> Result<(), MailError> {
        let Some(port) = self.servers.get(&(server.host.clone(), server.port)) else {
            return Err(MailError::new(&server.name(), Evidence::new(Phase::Dns, Signal::Dns, "")));
        };
        let mut trust = Trust::default();
        trust.add_authority("localhost", &self.authority).unwrap();
        let server = Server { host: "localhost".into(), port: *port, trust, ..server.clone() };
        connect::imap(&server, Limits::imap(), &probe::TIMEOUTS).await.map(drop)
    }
}

fn engine() -> (tempfile::TempDir, Engine) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(&dir.path().join("data")).unwrap();
    let (engine, _) =
        Engine::open(home, Arc::new(Memory::new()), Arc::new(SystemClock::start()), None).unwrap();
    (dir, engine)
}

async fn discover(address: &str, network: &MadeUp) -> Vec<Candidate> {
    let (_dir, engine) = engine();
    engine.discover(&Address::parse(address).unwrap(), network).await.candidates
}

async fn tls(identity: &Identity) -> Scripted {
    Script::new().tls(identity).send("* OK ready\r\n").hang().serve().await.unwrap()
}

#[tokio::test]
async fn a_large_provider_is_known_without_asking_anybody() {
    let found = discover("ann@gmail.com", &MadeUp::default()).await;
    let [only] = &found[..] else { panic!("{found:?}") };
    assert_eq!((only.imap.host.as_str(), only.imap.port), ("imap.gmail.com", 993));
    assert_eq!(only.smtp.as_ref().unwrap().host, "smtp.gmail.com");
    assert_eq!((only.source, only.trusted), (DiscoverySource::ProviderTable, true));
    assert_eq!(only.hint, Some(ProviderHint::AppPassword));
    assert!(only.help.as_ref().unwrap().starts_with("https://support.google.com/"));
}

#[tokio::test]
async fn a_server_that_proves_its_name_comes_first_and_gets_no_credentials() {
    let authority = Authority::new().unwrap();
    let good = authority.issue(&["localhost"]).unwrap();
    let strange = self_signed(&["localhost"], false).unwrap();
    let starttls = Script::new().send("* OK [CAPABILITY IMAP4rev1 STARTTLS] x\r\n").starttls(&good).hang();
    let (mut verified, unverified) = (starttls.serve().await.unwrap(), tls(&strange).await);
    let servers = [
        (("imap.firm.example".to_owned(), 993), unverified.port()),
        (("mail.firm.example".to_owned(), 143), verified.port()),
    ];
    let network = MadeUp { servers: servers.into(), authority: authority.pem().to_owned() };
    let found = discover("ann@firm.example", &network).await;
    let shown: Vec<_> = found.iter().map(|c| (c.imap.host.as_str(), c.imap.port, c.trusted)).collect();
    assert_eq!(shown, [("mail.firm.example", 143, true), ("imap.firm.example", 993, false)]);
    assert_eq!(found[0].imap.encryption, Encryption::Starttls);
    assert!(found.iter().all(|c| c.source == DiscoverySource::Probe && c.user == "ann@firm.example"));
    let said = verified.transcript().await;
    assert_eq!(said.tls_text(), "", "nothing was to be said");
    assert!(!said.plain_text().contains("ann"));
}

#[tokio::test]
async fn where_nothing_answers_a_guess_says_that_it_is_one() {
    let found = discover("ann@firm.example", &MadeUp::default()).await;
    let [only] = &found[..] else { panic!("{found:?}") };
    assert_eq!((only.imap.host.as_str(), only.imap.port), ("imap.firm.example", 993));
    assert_eq!((only.source, only.trusted), (DiscoverySource::Guess, false));
}

#[tokio::test]
async fn a_server_without_a_trusted_certificate_is_listed_before_the_guess() {
    let strange = self_signed(&["localhost"], false).unwrap();
    let server = tls(&strange).await;
    let servers = [(("firm.example".to_owned(), 993), server.port())].into();
    let network = MadeUp { servers, authority: Authority::new().unwrap().pem().to_owned() };
    let found = discover("ann@firm.example", &network).await;
    let sources: Vec<_> = found.iter().map(|c| (c.source, c.trusted)).collect();
    assert_eq!(sources, [(DiscoverySource::Probe, false), (DiscoverySource::Guess, false)]);
}
