//! Discovery against names, web servers and mail servers on this computer: what is found, what is trusted, what is sent.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use crate::discovery_kit::{World, greets};
use std::time::Duration;
use threadline_core::address::Address;
use threadline_mail::discover::pop3::{Beside, imap_beside};
use threadline_mail::discover::{Candidate, Doubt, Found, Outcome, Source, collection, discover};
use threadline_testkit::certs::{Authority, self_signed};
use threadline_testkit::names::Zone;
use threadline_testkit::pages::Pages;
use threadline_testkit::script::Script;

const AUTOCONFIG: &str = include_str!("discover/autoconfig.xml");
const AUTOCONFIG_POP3: &str = include_str!("discover/autoconfig-pop3.xml");
const AUTODISCOVER: &str = include_str!("discover/autodiscover.xml");

const OWN: &str = "https://autoconfig.firm.example/mail/config-v1.1.xml";
const WELL_KNOWN: &str = "https://firm.example/.well-known/autoconfig/mail/config-v1.1.xml";
const POX: &str = "https://autodiscover.firm.example/autodiscover/autodiscover.xml";

fn best(found: &Found) -> &Candidate {
    &found.candidates[0]
}

fn shown(found: &Found) -> Vec<(Source, &str, Vec<Doubt>)> {
    found.candidates.iter().map(|c| (c.source, c.imap.host.as_str(), c.doubts.clone())).collect()
}

#[tokio::test]
async fn a_domain_that_publishes_its_settings_is_believed_over_https() {
    for place in [OWN, WELL_KNOWN] {
        let world = World::of(Zone::new(), Pages::new().page(place, AUTOCONFIG)).await;
        let found = world.discover("ann.own@firm.example").await;
        let best = best(&found);
        assert_eq!(
            (best.source, best.imap.host.as_str(), best.imap.port),
            (Source::Autoconfig, "imap.firm.example", 993)
        );
        assert_eq!((best.is_trusted(), best.user.as_str()), (true, "ann.own"), "{place}");
        // The address went to the domain's own host over https and nowhere else.
        for asked in world.named("ann.own") {
            assert!(
                [OWN, POX, "https://firm.example/autodiscover/autodiscover.xml"]
                    .contains(&asked.url.as_str()),
                "{asked:?}"
            );
        }
        for asked in world.web.asked() {
            let secret = ["authorization", "cookie", "referer"];
            assert!(!asked.headers.iter().any(|h| secret.contains(&h.as_str())), "{asked:?}");
        }
    }
}

#[tokio::test]
async fn plaintext_and_other_domains_ask_first() {
    let plain = "http://autoconfig.firm.example/mail/config-v1.1.xml";
    let world = World::of(Zone::new(), Pages::new().page(plain, AUTOCONFIG)).await;
    let found = world.discover("ann.own@firm.example").await;
    assert_eq!(best(&found).doubts, [Doubt::PlainHttp]);
    assert!(world.named("ann.own").iter().all(|asked| asked.url.starts_with("https://")));

    let elsewhere = "https://hoster.example/config.xml";
    let world =
        World::of(Zone::new(), Pages::new().redirect(OWN, elsewhere).page(elsewhere, AUTOCONFIG)).await;
    assert_eq!(best(&world.discover("ann@firm.example").await).doubts, [Doubt::Redirected]);

    let foreign = AUTOCONFIG
        .replace("IMAP.firm.example", "imap.hoster.example")
        .replace("imap.%EMAILDOMAIN%", "imap.hoster.example");
    let world = World::of(Zone::new(), Pages::new().page(OWN, foreign)).await;
    let found = world.discover("ann@firm.example").await;
    assert_eq!(best(&found).doubts, [Doubt::OtherDomain]);
    // Nothing can be trusted, so the guess stands at the end.
    assert_eq!(found.candidates.last().unwrap().source, Source::Guess);

    let known = AUTOCONFIG
        .replace("IMAP.firm.example", "imap.fastmail.com")
        .replace("imap.%EMAILDOMAIN%", "imap.fastmail.com");
    let world = World::of(Zone::new(), Pages::new().page(OWN, known)).await;
    let found = world.discover("ann@firm.example").await;
    assert!(best(&found).is_trusted());
    assert_eq!(best(&found).provider.unwrap().name, "Fastmail");
}

#[tokio::test]
async fn dns_names_the_servers_by_the_domains_own_records() {
    let zone = Zone::new()
        .srv("_imaps._tcp.firm.example", 10, 5, 993, "mail.firm.example")
        .srv("_imaps._tcp.firm.example", 5, 5, 9930, "first.firm.example")
        .srv("_submissions._tcp.firm.example", 0, 0, 0, "")
        .srv("_submission._tcp.firm.example", 0, 1, 587, "mail.firm.example")
        .srv("_pop3s._tcp.firm.example", 0, 1, 995, "mail.firm.example");
    let world = World::of(zone, Pages::new()).await;
    let found = world.discover("ann@firm.example").await;
    assert_eq!((best(&found).source, best(&found).is_trusted()), (Source::Srv, true));
    assert_eq!((best(&found).imap.host.as_str(), best(&found).imap.port), ("first.firm.example", 9930));
    assert_eq!(best(&found).smtp.as_ref().unwrap().port, 587);
    assert!(world.names.asked().iter().all(|name| !name.contains("ann")));

    let zone = Zone::new().srv("_imaps._tcp.firm.example", 0, 1, 993, "imap.evil.example");
    let found = World::of(zone, Pages::new()).await.discover("ann@firm.example").await;
    assert_eq!(best(&found).doubts, [Doubt::OtherDomain]);
}

#[tokio::test]
async fn the_provider_that_takes_the_mail_is_known_with_its_hint() {
    let zone = Zone::new().mx("firm.example", 10, "firm-example.mail.protection.outlook.com").mx(
        "firm.example",
        20,
        "mx.firm.example",
    );
    let found = World::of(zone, Pages::new()).await.discover("ann@firm.example").await;
    let best = best(&found);
    assert_eq!((best.source, best.imap.host.as_str()), (Source::Mx, "outlook.office365.com"));
    assert_eq!((best.is_trusted(), best.provider.unwrap().name.as_str()), (true, "Microsoft 365"));
}

#[tokio::test]
async fn an_exchange_server_tells_its_settings() {
    let world = World::of(Zone::new(), Pages::new().page(POX, AUTODISCOVER)).await;
    let found = world.discover("ann@firm.example").await;
    assert_eq!((best(&found).source, best(&found).user.as_str()), (Source::Autodiscover, "FIRM\\ann"));
    assert!(best(&found).is_trusted());
    let asked = world.web.asked();
    let posted = asked.iter().find(|asked| asked.url == POX).unwrap();
    assert_eq!(posted.method, "POST");
    assert!(posted.body.contains("<EMailAddress>ann@firm.example</EMailAddress>"));
}

#[tokio::test]
async fn an_exchange_servers_redirects_are_followed_as_far_as_they_can_be_trusted() {
    let plain = "http://autodiscover.firm.example/autodiscover/autodiscover.xml";
    let cloud = "https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml";
    let stranger = "https://evil.example/autodiscover/autodiscover.xml";

    // The provider is known by its place: nobody needs to be told the address.
    let world = World::of(Zone::new(), Pages::new().redirect(plain, cloud).page(cloud, AUTODISCOVER)).await;
    let found = world.discover("ann.own@firm.example").await;
    assert_eq!((best(&found).imap.host.as_str(), best(&found).is_trusted()), ("outlook.office365.com", true));
    assert!(!world.web.asked().iter().any(|asked| asked.url == cloud));
    assert!(world.named("ann.own").iter().all(|asked| asked.url == POX), "{:?}", world.named("ann.own"));

    // Anybody on the way can write a redirect in plaintext.
    let world =
        World::of(Zone::new(), Pages::new().redirect(plain, stranger).page(stranger, AUTODISCOVER)).await;
    let found = world.discover("ann.own@firm.example").await;
    assert_eq!(best(&found).source, Source::Guess);
    assert!(!world.web.asked().iter().any(|asked| asked.url == stranger));

    // The domain's own https server may lead elsewhere; it is asked about.
    let hosted = "https://mail.hoster.example/autodiscover/autodiscover.xml";
    let world = World::of(Zone::new(), Pages::new().redirect(POX, hosted).page(hosted, AUTODISCOVER)).await;
    let found = world.discover("ann@firm.example").await;
    assert_eq!(
        (best(&found).source, &best(&found).doubts[..]),
        (Source::Autodiscover, &[Doubt::Redirected][..])
    );

    // DNS may name another host of the domain.
    let zone = Zone::new().srv("_autodiscover._tcp.firm.example", 0, 0, 443, "mail.firm.example");
    let other = "https://mail.firm.example/autodiscover/autodiscover.xml";
    let found =
        World::of(zone, Pages::new().page(other, AUTODISCOVER)).await.discover("ann@firm.example").await;
    assert_eq!((best(&found).source, best(&found).is_trusted()), (Source::Autodiscover, true));
}

#[tokio::test]
async fn a_collection_is_asked_where_one_is_set_and_by_the_domain_alone() {
    let page = "https://ispdb.example/v1.1/firm.example";
    let world = World::of(Zone::new(), Pages::new().page(page, AUTOCONFIG)).await;
    let address = Address::parse("ann.own@firm.example").unwrap();
    let base = collection("https://ispdb.example/v1.1/").unwrap();
    let found = discover(&address, world.internet(), Some(&base)).await;
    assert_eq!((best(&found).source, best(&found).is_trusted()), (Source::Ispdb, true));
    assert!(world.named("ann.own").iter().all(|asked| !asked.url.contains("ispdb")));
    let without = discover(&address, world.internet(), None).await;
    assert!(without.asked.iter().all(|asked| asked.source != Source::Ispdb));
}

#[tokio::test]
async fn a_collection_that_leads_elsewhere_is_followed_with_a_doubt() {
    let base = collection("https://ispdb.example/v1.1/").unwrap();
    let page = "https://ispdb.example/v1.1/firm.example";
    let address = Address::parse("ann.own@firm.example").unwrap();
    for (to, doubts) in [
        ("https://new.ispdb.example/firm.example", vec![]),
        ("https://other.example/firm.example", vec![Doubt::Redirected]),
        ("http://ispdb.example/v2/firm.example", vec![Doubt::PlainHttp]),
    ] {
        let pages = Pages::new().redirect(page, to).page(to, AUTOCONFIG);
        let world = World::of(Zone::new(), pages).await;
        let found = discover(&address, world.internet(), Some(&base)).await;
        let told = found.candidates.iter().find(|candidate| candidate.source == Source::Ispdb);
        assert_eq!(told.map(|candidate| &candidate.doubts), Some(&doubts), "{to}");
        assert!(world.named("ann.own").iter().all(|asked| !asked.url.contains("ispdb")));
    }
    // In circles, and into the local network by number.
    let local = "https://192.168.1.1/firm.example";
    for (to, pages) in [(page, Pages::new()), (local, Pages::new().page(local, AUTOCONFIG))] {
        let world = World::of(Zone::new(), pages.redirect(page, to)).await;
        let found = discover(&address, world.internet(), Some(&base)).await;
        assert!(found.candidates.iter().all(|candidate| candidate.source != Source::Ispdb), "{to}");
    }
}

#[tokio::test]
async fn servers_at_the_usual_names_are_found_and_told_nothing() {
    let authority = Authority::new().unwrap();
    let mut imap = greets(&authority).await;
    let identity = authority.issue(&["localhost"]).unwrap();
    let smtp = Script::new()
        .tls(&identity)
        .send("220 mx\r\n")
        .expect("EHLO")
        .send("250 mx\r\n")
        .hang()
        .serve()
        .await
        .unwrap();
    let mail = [("mail.firm.example", 993, &imap), ("smtp.firm.example", 465, &smtp)];
    let world = World::new(Zone::new(), Pages::new(), &mail, authority).await;
    let found = world.discover("ann@firm.example").await;
    assert_eq!(shown(&found), [(Source::Probe, "mail.firm.example", vec![])]);
    assert_eq!(best(&found).smtp.as_ref().unwrap().host, "smtp.firm.example");
    assert_eq!(imap.transcript().await.tls_text(), "");
}

#[tokio::test]
async fn a_server_that_cannot_prove_its_name_comes_after_those_that_can() {
    let authority = Authority::new().unwrap();
    let strange = self_signed(&["localhost"], false).unwrap();
    let unverified = Script::new().tls(&strange).send("* OK ready\r\n").hang().serve().await.unwrap();
    let verified = greets(&authority).await;
    let mail = [("imap.firm.example", 993, &unverified), ("firm.example", 993, &verified)];
    let world = World::new(Zone::new(), Pages::new(), &mail, authority).await;
    let found = world.discover("ann@firm.example").await;
    assert_eq!(
        shown(&found),
        [
            (Source::Probe, "firm.example", vec![]),
            (Source::Probe, "imap.firm.example", vec![Doubt::Unverified])
        ]
    );
}

#[tokio::test]
async fn a_better_source_that_is_a_little_slower_still_wins_and_a_silent_one_is_cancelled() {
    let zone = Zone::new().mx("firm.example", 10, "aspmx.l.google.com").srv(
        "_imaps._tcp.firm.example",
        0,
        1,
        993,
        "imap.firm.example",
    );
    let pages = Pages::new().page(OWN, AUTOCONFIG).silent(POX);
    let world = World::of(zone, pages).await;
    let begun = std::time::Instant::now();
    let found = world.discover("ann@firm.example").await;
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert_eq!(best(&found).source, Source::Autoconfig);
    let exchange = found.asked.iter().find(|asked| asked.source == Source::Autodiscover).unwrap();
    assert_eq!(exchange.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn what_is_hostile_on_the_web_gives_nothing() {
    let bomb = "<!DOCTYPE a [<!ENTITY x \"xxxx\"><!ENTITY y \"&x;&x;\">]><clientConfig>&y;</clientConfig>";
    let large = vec![b' '; 2 * 1024 * 1024];
    for body in [bomb.as_bytes().to_vec(), large, b"\xff\xfe\x00".to_vec(), "<a>".repeat(60_000).into_bytes()]
    {
        let pages = Pages::new().page(OWN, body.clone()).page(WELL_KNOWN, body.clone()).page(POX, body);
        let found = World::of(Zone::new(), pages).await.discover("ann@firm.example").await;
        assert_eq!(shown(&found), [(Source::Guess, "imap.firm.example", vec![Doubt::Guessed])]);
    }
}

#[tokio::test]
async fn where_nobody_answers_there_is_a_guess_that_says_so() {
    let found = World::of(Zone::new(), Pages::new()).await.discover("ann@firm.example").await;
    assert_eq!(shown(&found), [(Source::Guess, "imap.firm.example", vec![Doubt::Guessed])]);
    assert!(found.asked.iter().all(|asked| asked.outcome == Outcome::Nothing), "{:?}", found.asked);
}

#[tokio::test]
async fn pop3_alone_is_told_and_imap_beside_it_is_found() {
    let authority = Authority::new().unwrap();
    let imap = greets(&authority).await;
    let mail = [("imap.firm.example", 993, &imap), ("mail.firm.example", 993, &imap)];
    let world = World::new(Zone::new(), Pages::new(), &mail, authority).await;
    let beside = |host: &'static str| imap_beside(world.internet(), host);
    let host = |found: Option<Beside>| found.map(|b| (b.place.host, b.verified));
    assert_eq!(host(beside("mail.firm.example").await), Some(("mail.firm.example".to_owned(), true)));
    assert_eq!(host(beside("pop3.firm.example").await), Some(("imap.firm.example".to_owned(), true)));
    assert_eq!(host(beside("other.firm.example").await), None);

    let world = World::of(Zone::new(), Pages::new().page(OWN, AUTOCONFIG_POP3)).await;
    let found = world.discover("ann@firm.example").await;
    assert!(found.candidates.is_empty(), "{found:?}");
    assert_eq!((found.pop3[0].host.as_str(), found.pop3[0].port), ("mail.firm.example", 110));
}
