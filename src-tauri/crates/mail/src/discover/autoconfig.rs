//! Settings that a domain publishes for mail programs, in the format of Thunderbird's autoconfiguration (clientConfig,
//! version 1.1): at the domain itself, and in a collection of providers (ISPDB).

use super::Source;
use super::answer::{Answer, Named, filled};
use super::network::Network;
use super::web::{Document, Missed, Request, fetch};
use super::xml::{self, Element};
use crate::connect::Security;
use futures::future::join;
use threadline_core::address::Address;
use url::Url;

/// Asks the domain: its two places over https, and only where neither answers the one over http, which many hosters have and
/// everybody on the way can forge. The address itself goes only to the domain's own host and over https.
pub(super) async fn of_domain(network: &dyn Network, address: &Address) -> Result<Answer, Missed> {
    let domain = address.domain();
    let host = format!("autoconfig.{domain}");
    let with_address = own(&host, "https", Some(address));
    let well_known = format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml");
    let ask = |url: Option<Url>| async move {
        let url = url.ok_or(Missed::Silent)?;
        let document = fetch(network, Request { url, post: None, home: domain, abroad: true }).await?;
        read(&document, address, Source::Autoconfig).ok_or(Missed::Silent)
    };
    let (first, second) = join(ask(with_address), ask(Url::parse(&well_known).ok())).await;
    match (first, second) {
        (Ok(mut first), Ok(second)) => {
            first.add(second);
            Ok(first)
        }
        (Ok(answer), Err(_)) | (Err(_), Ok(answer)) => Ok(answer),
        (Err(_), Err(_)) => ask(own(&host, "http", None)).await,
    }
}

fn own(host: &str, scheme: &str, address: Option<&Address>) -> Option<Url> {
    let mut url = Url::parse(&format!("{scheme}://{host}/mail/config-v1.1.xml")).ok()?;
    if let Some(address) = address {
        url.query_pairs_mut().append_pair("emailaddress", address.as_str());
    }
    Some(url)
}

/// Asks a collection of providers, by the domain alone. `base` is its address, to which the domain is added.
pub(super) async fn of_collection(
    network: &dyn Network,
    address: &Address,
    base: &Url,
) -> Result<Answer, Missed> {
    let mut url = base.clone();
    url.path_segments_mut().map_err(|()| Missed::Silent)?.pop_if_empty().push(address.domain());
    let home = base.host_str().unwrap_or_default();
    let document = fetch(network, Request { url, post: None, home, abroad: true }).await?;
    read(&document, address, Source::Ispdb).ok_or(Missed::Silent)
}

fn read(document: &Document, address: &Address, source: Source) -> Option<Answer> {
    Some(named(&document.body, address)?.judged(address, source, &document.doubts))
}

/// The servers of a clientConfig; `None` where it is none.
fn named(body: &[u8], address: &Address) -> Option<Named> {
    let root = xml::read(body)?;
    let provider = (root.name == "clientConfig").then(|| root.first("emailProvider"))??;
    let mut named = Named::default();
    for server in provider.all("incomingServer") {
        let Some((host, port)) = place(server, address) else { continue };
        match server.attribute("type") {
            Some("imap") => {
                let user = server.text_of("username").and_then(|user| filled(user, address));
                named.imap(&host, port, security(server), user);
            }
            Some("pop3") => named.pop3(&host, port),
            _ => {}
        }
    }
    for server in provider.all("outgoingServer").filter(|s| s.attribute("type") == Some("smtp")) {
        if let Some((host, port)) = place(server, address) {
            named.smtp(&host, port, security(server));
        }
    }
    Some(named)
}

fn place(server: &Element, address: &Address) -> Option<(String, u16)> {
    let host = filled(server.text_of("hostname")?, address)?;
    Some((host, server.text_of("port")?.parse().ok()?))
}

/// `plain`, and what is not known, is no way to connect.
fn security(server: &Element) -> Option<Security> {
    match server.text_of("socketType")?.to_ascii_uppercase().as_str() {
        "SSL" | "TLS" => Some(Security::Tls),
        "STARTTLS" => Some(Security::StartTls),
        _ => None,
    }
}

/// Reads the setting that names a collection: an https address without user, query and fragment; `None` where it is none.
pub fn collection(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    (url.scheme() == "https" && url.host_str().is_some() && plain && url.fragment().is_none()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::Pop3Server;
    use crate::provider::Place;
    use proptest::prelude::*;

    const WHOLE: &str = include_str!("../../tests/it/discover/autoconfig.xml");
    const POP3: &str = include_str!("../../tests/it/discover/autoconfig-pop3.xml");

    fn address() -> Address {
        Address::parse("ann@firm.example").unwrap()
    }

    /// Not doubtful by the way it came.
    fn sound(body: &str) -> Document {
        Document { body: body.as_bytes().to_vec(), doubts: Vec::new() }
    }

    #[test]
    fn a_configuration_gives_its_encrypted_servers_in_order() {
        let answer = read(&sound(WHOLE), &address(), Source::Autoconfig).unwrap();
        let [first, second] = &answer.candidates[..] else { panic!("{answer:?}") };
        let place = |host: &str, port, security| Place { host: host.into(), port, security };
        assert_eq!(first.imap, place("imap.firm.example", 993, Security::Tls));
        assert_eq!(first.smtp, Some(place("smtp.firm.example", 587, Security::StartTls)));
        assert_eq!((first.user.as_str(), first.is_trusted()), ("ann", true));
        assert_eq!(second.imap, place("imap.firm.example", 143, Security::StartTls));
        assert_eq!(second.user, "ann@firm.example");
        assert_eq!(answer.pop3, [Pop3Server { host: "pop.firm.example".into(), port: 995 }]);
    }

    #[test]
    fn a_configuration_with_pop3_alone_says_so() {
        let answer = read(&sound(POP3), &address(), Source::Autoconfig).unwrap();
        assert!(answer.candidates.is_empty());
        assert_eq!(answer.pop3, [Pop3Server { host: "mail.firm.example".into(), port: 110 }]);
    }

    #[test]
    fn what_is_no_configuration_is_nothing() {
        for body in [
            "",
            "<html/>",
            "<clientConfig/>",
            "<!DOCTYPE x []><clientConfig><emailProvider/></clientConfig>",
            "<autodiscover><emailProvider/></autodiscover>",
        ] {
            assert_eq!(read(&sound(body), &address(), Source::Autoconfig), None, "{body}");
        }
        let empty = read(&sound("<clientConfig><emailProvider/></clientConfig>"), &address(), Source::Ispdb);
        assert!(empty.unwrap().is_empty());
    }

    #[test]
    fn the_address_goes_along_over_https_alone() {
        let with = own("autoconfig.firm.example", "https", Some(&address())).unwrap();
        assert_eq!(
            with.as_str(),
            "https://autoconfig.firm.example/mail/config-v1.1.xml?emailaddress=ann%40firm.example"
        );
        let without = own("autoconfig.firm.example", "http", None).unwrap();
        assert_eq!(without.as_str(), "http://autoconfig.firm.example/mail/config-v1.1.xml");
    }

    #[test]
    fn a_collection_is_an_https_address() {
        assert!(collection("https://autoconfig.example/v1.1/").is_some());
        for bad in ["", "http://x.example/", "x.example", "https://a:b@x.example/", "https://x.example/?q=1"]
        {
            assert_eq!(collection(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_in_it_only_encrypted_named_servers_come_out(
            texts in proptest::collection::vec("[ -~]{0,30}", 8),
            kind in prop::sample::select(vec!["imap", "pop3", "smtp", "exchange"]),
            socket in prop::sample::select(vec!["SSL", "STARTTLS", "plain", "TLS", ""]),
        ) {
            let [host, port, user, rest @ ..] = &texts[..] else { unreachable!() };
            let e = |text: &str| quick_xml::escape::escape(text).into_owned();
            let body = format!(
                "<clientConfig><emailProvider id='{}'><incomingServer type='{kind}'><hostname>{}</hostname><port>{}</port><socketType>{socket}</socketType><username>{}</username></incomingServer>{}</emailProvider></clientConfig>",
                e(&rest[0]), e(host), e(port), e(user), e(&rest[1]),
            );
            let answer = read(&sound(&body), &address(), Source::Autoconfig).unwrap();
            for candidate in answer.candidates {
                prop_assert!(candidate.imap.host.contains('.') && candidate.imap.port != 0);
                prop_assert!(!candidate.user.is_empty());
            }
        }
    }
}
