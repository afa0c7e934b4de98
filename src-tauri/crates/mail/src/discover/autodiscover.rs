//! Exchange Autodiscover in its oldest form (POX, MS-OXDSCLI): an XML document is posted to the domain, with the address in
//! it, since the protocol has no other way. No credentials are sent: a server that asks for them has told that it is there,
//! and nothing more.

use super::answer::{Answer, Named, filled};
use super::network::Network;
use super::web::{Document, Missed, Request, fetch};
use super::xml::{self, Element};
use super::{Source, dns};
use crate::connect::Security;
use crate::provider::{self, is_within};
use futures::future::{join, join_all};
use quick_xml::escape::escape;
use threadline_core::address::Address;
use url::Url;

const PATH: &str = "/autodiscover/autodiscover.xml";

/// Asks the domain's two usual places over https, then follows where its redirect over http and its SRV record lead. Where
/// a way leads out of the domain, the address is not sent along: either the table knows whose place that is, or the way
/// ends. Only the domain's own https server may pass the address on.
pub(super) async fn ask(network: &dyn Network, address: &Address) -> Result<Answer, Missed> {
    let domain = address.domain();
    let places = [domain.to_owned(), format!("autodiscover.{domain}")];
    let answers = join_all(places.iter().map(|host| post(network, address, host, true))).await;
    if let Some(answer) = best(answers, address) {
        return Ok(answer);
    }
    let (redirected, by_dns) = join(redirect(network, domain), srv(network, domain)).await;
    for target in [redirected, by_dns].into_iter().flatten() {
        if let Some(provider) = provider::of_host(&target) {
            return Ok(dns::of_provider(provider, address, Source::Autodiscover));
        }
        if is_within(&target, domain)
            && let Ok(answer) = post(network, address, &target, false).await
        {
            return Ok(answer);
        }
    }
    Err(Missed::Silent)
}

/// The first useful answer; a redirect to a place that the table knows is one too.
fn best(answers: Vec<Result<Answer, Missed>>, address: &Address) -> Option<Answer> {
    let mut known = None;
    for answer in answers {
        match answer {
            Ok(answer) if !answer.is_empty() => return Some(answer),
            Err(Missed::Elsewhere(url)) => known = known.or(url.host_str().and_then(provider::of_host)),
            _ => {}
        }
    }
    known.map(|provider| dns::of_provider(provider, address, Source::Autodiscover))
}

async fn post(network: &dyn Network, address: &Address, host: &str, abroad: bool) -> Result<Answer, Missed> {
    let url = Url::parse(&format!("https://{host}{PATH}")).map_err(|_| Missed::Silent)?;
    let home = address.domain();
    let document = match fetch(network, Request { url, post: Some(request(address)), home, abroad: false })
        .await
    {
        // A known provider's place needs no answer; another one is asked where the domain itself led there.
        Err(Missed::Elsewhere(to))
            if abroad && to.scheme() == "https" && to.host_str().and_then(provider::of_host).is_none() =>
        {
            fetch(network, Request { url: to, post: Some(request(address)), home, abroad: false }).await?
        }
        other => other?,
    };
    read(&document, address)
}

/// What the domain's plaintext web server redirects to: a host, reached by https. Nothing is told to it.
async fn redirect(network: &dyn Network, domain: &str) -> Option<String> {
    let url = Url::parse(&format!("http://autodiscover.{domain}{PATH}")).ok()?;
    match fetch(network, Request { url, post: None, home: domain, abroad: false }).await {
        Err(Missed::Elsewhere(to)) if to.scheme() == "https" => to.host_str().map(str::to_owned),
        _ => None,
    }
}

/// The place that DNS names (KB940881 of Microsoft's).
async fn srv(network: &dyn Network, domain: &str) -> Option<String> {
    let mut records = network.srv(&format!("_autodiscover._tcp.{domain}")).await.ok()?;
    records.retain(|srv| srv.port == 443 && !srv.target.is_empty());
    records.into_iter().min_by_key(|srv| srv.priority).map(|srv| srv.target)
}

fn request(address: &Address) -> String {
    const SCHEMA: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook";
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <Autodiscover xmlns=\"{SCHEMA}/requestschema/2006\"><Request><EMailAddress>{}</EMailAddress>\
         <AcceptableResponseSchema>{SCHEMA}/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>",
        escape(address.as_str())
    )
}

fn read(document: &Document, address: &Address) -> Result<Answer, Missed> {
    let account = account(&document.body).ok_or(Missed::Silent)?;
    // `redirectAddr` names another mailbox, and is not followed: whose it is, nobody can tell.
    if let Some(url) = account.text_of("RedirectUrl") {
        return Err(Url::parse(url).map_or(Missed::Silent, Missed::Elsewhere));
    }
    let mut named = Named::default();
    for protocol in account.all("Protocol") {
        let (Some(kind), Some(host)) = (protocol.text_of("Type"), protocol.text_of("Server")) else {
            continue;
        };
        let port = |usual| protocol.text_of("Port").map_or(Some(usual), |text| text.parse().ok());
        match kind.to_ascii_uppercase().as_str() {
            "IMAP" => {
                let Some(port) = port(993) else { continue };
                let user = protocol.text_of("LoginName").and_then(|user| filled(user, address));
                named.imap(host, port, security(protocol, port), user);
            }
            "SMTP" => {
                let Some(port) = port(587) else { continue };
                named.smtp(host, port, security(protocol, port));
            }
            "POP3" => named.pop3(host, port(995).unwrap_or_default()),
            _ => {}
        }
    }
    Ok(named.judged(address, Source::Autodiscover, &document.doubts))
}

fn account(body: &[u8]) -> Option<Element> {
    let root = xml::read(body)?;
    if root.name != "Autodiscover" {
        return None;
    }
    root.first("Response")?.first("Account").cloned()
}

/// `Encryption` says it; else `SSL`, which is on where nothing is said, with the port.
fn security(protocol: &Element, port: u16) -> Option<Security> {
    let value = |name: &str| protocol.text_of(name).map(str::to_ascii_lowercase);
    let by_port = if [143, 587, 25].contains(&port) { Security::StartTls } else { Security::Tls };
    match (value("Encryption").as_deref(), value("SSL").as_deref()) {
        (Some("ssl"), _) => Some(Security::Tls),
        (Some("tls"), _) => Some(Security::StartTls),
        (Some("none"), _) => None,
        (_, Some("off")) => None,
        _ => Some(by_port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::Pop3Server;
    use crate::provider::Place;
    use proptest::prelude::*;

    const WHOLE: &str = include_str!("../../tests/it/discover/autodiscover.xml");

    fn address() -> Address {
        Address::parse("ann@firm.example").unwrap()
    }

    fn read_sound(body: &str) -> Result<Answer, Missed> {
        read(&Document { body: body.as_bytes().to_vec(), doubts: Vec::new() }, &address())
    }

    fn with_protocol(protocol: &str) -> Answer {
        read_sound(&format!(
            "<Autodiscover><Response><Account><Protocol>{protocol}</Protocol></Account></Response></Autodiscover>"
        ))
        .unwrap()
    }

    #[test]
    fn an_answer_gives_its_servers() {
        let answer = read_sound(WHOLE).unwrap();
        let [only] = &answer.candidates[..] else { panic!("{answer:?}") };
        let place = |host: &str, port, security| Place { host: host.into(), port, security };
        assert_eq!(only.imap, place("mail.firm.example", 143, Security::StartTls));
        assert_eq!(only.smtp, Some(place("mail.firm.example", 587, Security::StartTls)));
        assert_eq!(only.user, "FIRM\\ann");
        assert_eq!(answer.pop3, [Pop3Server { host: "mail.firm.example".into(), port: 995 }]);
    }

    #[test]
    fn encryption_is_read_from_its_own_word_then_from_ssl_and_port() {
        for (words, want) in [
            ("<Port>993</Port>", Some(Security::Tls)),
            ("<Port>993</Port><SSL>on</SSL>", Some(Security::Tls)),
            ("<Port>143</Port><SSL>on</SSL>", Some(Security::StartTls)),
            ("<Port>143</Port><Encryption>TLS</Encryption>", Some(Security::StartTls)),
            ("<Port>1993</Port><Encryption>SSL</Encryption>", Some(Security::Tls)),
            ("<Port>143</Port><Encryption>None</Encryption>", None),
            ("<Port>143</Port><SSL>off</SSL>", None),
            ("<Port>70000</Port>", None),
            ("", Some(Security::Tls)),
        ] {
            let answer = with_protocol(&format!("<Type>IMAP</Type><Server>m.firm.example</Server>{words}"));
            assert_eq!(answer.candidates.first().map(|c| c.imap.security), want, "{words}");
        }
    }

    #[test]
    fn a_redirect_inside_an_answer_is_told_and_not_followed() {
        let told = read_sound(
            "<Autodiscover><Response><Account><Action>redirectUrl</Action><RedirectUrl>https://a.example/x</RedirectUrl></Account></Response></Autodiscover>",
        );
        assert_eq!(told, Err(Missed::Elsewhere(Url::parse("https://a.example/x").unwrap())));
        let other = read_sound(
            "<Autodiscover><Response><Account><Action>redirectAddr</Action><RedirectAddr>eve@evil.example</RedirectAddr></Account></Response></Autodiscover>",
        );
        assert_eq!(other, Ok(Answer::default()));
        for nothing in ["", "<html/>", "<Autodiscover><Response><Error/></Response></Autodiscover>"] {
            assert_eq!(read_sound(nothing), Err(Missed::Silent), "{nothing}");
        }
    }

    #[test]
    fn an_address_cannot_break_out_of_the_request() {
        let odd = Address::parse("a<b>&\"'c@firm.example").unwrap();
        let root = xml::read(request(&odd).as_bytes()).unwrap();
        let inside = root.first("Request").unwrap();
        assert_eq!(inside.text_of("EMailAddress"), Some(odd.as_str()));
        assert_eq!(inside.children.len(), 2);
    }

    proptest! {
        #[test]
        fn whatever_stands_in_it_only_named_servers_come_out(texts in proptest::collection::vec("[ -~]{0,20}", 5)) {
            let e: Vec<String> = texts.iter().map(|text| escape(text.as_str()).into_owned()).collect();
            let answer = with_protocol(&format!(
                "<Type>IMAP</Type><Server>{}</Server><Port>{}</Port><SSL>{}</SSL><Encryption>{}</Encryption><LoginName>{}</LoginName>",
                e[0], e[1], e[2], e[3], e[4],
            ));
            for candidate in answer.candidates {
                prop_assert!(candidate.imap.host.contains('.') && candidate.imap.port != 0);
            }
        }
    }
}
