//! What a person is shown of the settings found for an address; no test leaves this computer. How they are found is tested
//! where it is done, in `mail`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use std::collections::BTreeMap;
use std::sync::Arc;
use threadline_core::address::Address;
use threadline_engine::clock::SystemClock;
use threadline_engine::discover::{
    AskedOutcome, Detour, Discovery, DiscoveryDoubt, DiscoverySource, Internet, Pop3Sign, ProviderHint,
    pop3_found,
};
use threadline_engine::settings::Encryption;
use threadline_engine::{Engine, Home};
use threadline_secrets::Memory;
use threadline_testkit::certs::{Authority, self_signed};
use threadline_testkit::names::{Nameserver, Zone};
use threadline_testkit::script::{Script, Scripted};

fn engine() -> (tempfile::TempDir, Engine) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(&dir.path().join("data")).unwrap();
    let (engine, _) =
        Engine::open(home, Arc::new(Memory::new()), Arc::new(SystemClock::start()), None).unwrap();
    (dir, engine)
}

/// A network of these names and mail servers, without web servers.
async fn network(
    zone: Zone,
    mail: &[(&str, u16, &Scripted)],
    authority: &Authority,
) -> (Nameserver, Internet) {
    let names = zone.serve().await.unwrap();
    let mail = mail.iter().map(|(host, port, server)| (((*host).to_owned(), *port), server.port())).collect();
    let authority = authority.pem().to_owned();
    let detour = Detour { nameserver: names.address(), web: BTreeMap::new(), mail, authority };
    (names, Internet::detoured(detour))
}

async fn discover(
    address: &str,
    zone: Zone,
    mail: &[(&str, u16, &Scripted)],
    authority: &Authority,
) -> Discovery {
    let (_dir, engine) = engine();
    let (_names, network) = network(zone, mail, authority).await;
    engine.discover(&Address::parse(address).unwrap(), &network).await.unwrap()
}

async fn imap(authority: &Authority) -> Scripted {
    let identity = authority.issue(&["localhost"]).unwrap();
    Script::new().tls(&identity).send("* OK ready\r\n").hang().serve().await.unwrap()
}

#[tokio::test]
async fn a_large_provider_is_known_without_asking_anybody() {
    let (_dir, engine) = engine();
    let (names, network) = network(Zone::new(), &[], &Authority::new().unwrap()).await;
    let found = engine.discover(&Address::parse("ann@gmail.com").unwrap(), &network).await.unwrap();
    let [only] = &found.candidates[..] else { panic!("{found:?}") };
    assert_eq!((only.imap.host.as_str(), only.imap.port), ("imap.gmail.com", 993));
    assert_eq!(only.smtp.as_ref().unwrap().host, "smtp.gmail.com");
    assert_eq!((only.source, only.trusted), (DiscoverySource::ProviderTable, true));
    assert_eq!(only.hint, Some(ProviderHint::AppPassword));
    assert!(only.help.as_ref().unwrap().starts_with("https://support.google.com/"));
    assert_eq!(names.asked(), Vec::<String>::new());
    assert_eq!(found.asked.len(), 1);
}

#[tokio::test]
async fn a_firms_own_domain_gets_its_providers_hint() {
    let zone = Zone::new().mx("firm.example", 0, "firm-example.mail.protection.outlook.com");
    let found = discover("ann@firm.example", zone, &[], &Authority::new().unwrap()).await;
    let best = &found.candidates[0];
    assert_eq!((best.source, best.hint), (DiscoverySource::Mx, Some(ProviderHint::OauthOnly)));
    assert!(best.help.is_some());
    let mx = found.asked.iter().find(|asked| asked.source == DiscoverySource::Mx).unwrap();
    assert_eq!(mx.outcome, AskedOutcome::Found);
}

#[tokio::test]
async fn a_server_that_proves_its_name_comes_first_and_gets_no_credentials() {
    let authority = Authority::new().unwrap();
    let good = authority.issue(&["localhost"]).unwrap();
    let strange = self_signed(&["localhost"], false).unwrap();
    let starttls = Script::new().send("* OK [CAPABILITY IMAP4rev1 STARTTLS] x\r\n").starttls(&good).hang();
    let mut verified = starttls.serve().await.unwrap();
    let unverified = Script::new().tls(&strange).send("* OK ready\r\n").hang().serve().await.unwrap();
    let mail = [("imap.firm.example", 993, &unverified), ("mail.firm.example", 143, &verified)];
    let found = discover("ann@firm.example", Zone::new(), &mail, &authority).await.candidates;
    let shown: Vec<_> = found.iter().map(|c| (c.imap.host.as_str(), c.imap.port, c.trusted)).collect();
    assert_eq!(shown, [("mail.firm.example", 143, true), ("imap.firm.example", 993, false)]);
    assert_eq!(found[0].imap.encryption, Encryption::Starttls);
    assert_eq!(found[1].doubts, [DiscoveryDoubt::Unverified]);
    assert!(found.iter().all(|c| c.source == DiscoverySource::Probe && c.user == "ann@firm.example"));
    let said = verified.transcript().await;
    assert_eq!(said.tls_text(), "", "nothing was to be said");
    assert!(!said.plain_text().contains("ann"));
}

#[tokio::test]
async fn where_nothing_answers_a_guess_says_that_it_is_one() {
    let found = discover("ann@firm.example", Zone::new(), &[], &Authority::new().unwrap()).await.candidates;
    let [only] = &found[..] else { panic!("{found:?}") };
    assert_eq!((only.imap.host.as_str(), only.imap.port), ("imap.firm.example", 993));
    assert_eq!((only.source, only.trusted), (DiscoverySource::Guess, false));
    assert_eq!(only.doubts, [DiscoveryDoubt::Guessed]);
}

#[tokio::test]
async fn a_domain_with_pop3_alone_is_told_with_the_imap_server_beside_it() {
    let authority = Authority::new().unwrap();
    let server = imap(&authority).await;
    let pop3 = || Zone::new().srv("_pop3s._tcp.firm.example", 0, 1, 995, "pop.mailer.example");
    let found =
        discover("ann@firm.example", pop3(), &[("imap.mailer.example", 993, &server)], &authority).await;
    let told = found.pop3.unwrap();
    assert_eq!((told.sign, told.host.as_str(), told.port), (Pop3Sign::Answer, "pop.mailer.example", 995));
    // The server proved its name, but it lies in another domain, to which anybody's answer could have led.
    assert_eq!((told.imap.unwrap().host.as_str(), told.trusted), ("imap.mailer.example", false));
    assert!(found.candidates.is_empty());

    let alone = discover("ann@firm.example", pop3(), &[], &authority).await.pop3.unwrap();
    assert_eq!((alone.imap, alone.trusted), (None, false));
    let own = Zone::new().srv("_pop3s._tcp.firm.example", 0, 1, 995, "pop.in.firm.example");
    let found =
        discover("ann@firm.example", own, &[("imap.in.firm.example", 993, &server)], &authority).await;
    assert!(found.pop3.unwrap().trusted);

    let beside =
        discover("ann@firm.example", pop3(), &[("imap.firm.example", 993, &server)], &authority).await;
    assert_eq!((beside.pop3, beside.candidates[0].imap.host.as_str()), (None, "imap.firm.example"));
}

#[tokio::test]
async fn a_pop3_server_is_known_by_settings_and_greeting_and_imap_is_looked_for_beside_it() {
    let authority = Authority::new().unwrap();
    let server = imap(&authority).await;
    let (_names, network) = network(Zone::new(), &[("mail.firm.example", 993, &server)], &authority).await;
    for (host, port, sign, found) in [
        ("mail.firm.example", 110, Pop3Sign::Port, true),
        ("pop3.firm.example", 993, Pop3Sign::Host, false),
        ("mail.firm.example", 1110, Pop3Sign::Greeting, true),
    ] {
        let told = pop3_found(host, port, &network).await;
        assert_eq!((told.sign, told.imap.is_some()), (sign, found), "{host}:{port}");
    }
}

#[tokio::test]
async fn the_list_of_providers_to_ask_is_a_setting_and_off_at_first() {
    let (_dir, engine) = engine();
    assert_eq!(engine.ispdb().await.unwrap(), None);
    let error = engine.set_ispdb(Some("http://list.example/".into())).await.unwrap_err();
    assert_eq!(error.code(), "broken_setting");
    let url = "https://list.example/v1.1/".to_owned();
    engine.set_ispdb(Some(url.clone())).await.unwrap();
    assert_eq!(engine.ispdb().await.unwrap(), Some(url));
    engine.set_ispdb(None).await.unwrap();
    assert_eq!(engine.ispdb().await.unwrap(), None);
}
