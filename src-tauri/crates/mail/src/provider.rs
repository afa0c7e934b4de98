//! What is known of large providers, by the domain of the address and by the names of their servers.
//!
//! The table is `providers.json`, with the day on which its facts were looked at. It is part of the program, so that it can
//! be trusted and needs no network.

use crate::connect::Security;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use threadline_core::address::Address;

/// A provider of mailboxes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub name: String,
    /// In ASCII, lower case. Their subdomains are not meant, but those of `onmicrosoft.com`, of which each is a firm's.
    pub domains: Vec<String>,
    /// Names of its servers, or the ends of these, to which the DNS of its customers' domains leads.
    #[serde(default)]
    pub hosts: Vec<String>,
    imap: Option<Place>,
    /// The POP3 server of a provider that names no IMAP server.
    pop3: Option<Pop3Server>,
    smtp: Option<Place>,
    #[serde(default)]
    user: UserForm,
    /// Whoever sends by its SMTP server finds the mail in the folder of sent mail without having put it there.
    #[serde(default)]
    pub files_sent: bool,
    pub hint: Option<Hint>,
    /// The provider's own page about it.
    pub help: Option<String>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub host: String,
    pub port: u16,
    pub security: Security,
}

/// A POP3 server (RFC 1939). Nothing is fetched from it: it is told to the person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pop3Server {
    pub host: String,
    pub port: u16,
}

/// What to sign in with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UserForm {
    #[default]
    Address,
    LocalPart,
}

/// What a person must know before the sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case", rename = "ProviderHint")]
pub enum Hint {
    /// The usual password is refused: one for mail programs is to be made.
    AppPassword,
    /// No password is taken at all: the sign-in is in the browser.
    OauthOnly,
    /// IMAP is off until it is switched on.
    EnableImap,
}

impl Provider {
    /// The IMAP server for a mailbox of this domain; `None` where the provider names none.
    pub fn imap(&self, domain: &str) -> Option<Place> {
        self.imap.as_ref().map(|place| place.of(domain))
    }

    /// The server that takes mail to be sent, over TLS.
    pub fn smtp(&self, domain: &str) -> Option<Place> {
        self.smtp.as_ref().map(|place| place.of(domain))
    }

    /// The POP3 server, where the provider names no IMAP server.
    pub fn pop3(&self, domain: &str) -> Option<Pop3Server> {
        self.pop3
            .as_ref()
            .map(|server| Pop3Server { host: server.host.replace(DOMAIN, domain), port: server.port })
    }

    /// What to sign in with. A customer's own domain has no local parts of the provider's.
    pub fn user(&self, address: &Address) -> String {
        match self.user {
            UserForm::LocalPart if self.has_domain(address.domain()) => address.local().to_owned(),
            _ => address.to_string(),
        }
    }

    fn has_domain(&self, domain: &str) -> bool {
        self.domains.iter().any(|own| own == domain)
    }
}

/// Stands for the address's domain in the name of a server.
const DOMAIN: &str = "%EMAILDOMAIN%";

impl Place {
    fn of(&self, domain: &str) -> Place {
        Place { host: self.host.replace(DOMAIN, domain), ..self.clone() }
    }
}

/// The file.
#[derive(Debug, Deserialize)]
struct Table {
    /// The day on which its facts were looked at.
    checked: Date,
    providers: Vec<Provider>,
}

static TABLE: LazyLock<Option<Table>> = LazyLock::new(|| {
    // A test reads the same text.
    serde_json::from_str(include_str!("providers.json")).ok()
});

/// The whole table.
pub fn all() -> &'static [Provider] {
    TABLE.as_ref().map_or(&[], |table| &table.providers)
}

/// When the table was looked at; the program was made later.
pub(crate) fn checked() -> Option<Timestamp> {
    Some(TABLE.as_ref()?.checked.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The provider of a domain (in ASCII, lower case).
pub fn of_domain(domain: &str) -> Option<&'static Provider> {
    const TENANTS: &str = "onmicrosoft.com";
    let is_tenant = domain.strip_suffix(TENANTS).is_some_and(|before| before.ends_with('.'));
    let domain = if is_tenant { TENANTS } else { domain };
    all().iter().find(|provider| provider.has_domain(domain))
}

/// The provider to which a customer's domain leads by this name, of a server that takes its mail or tells its settings. The
/// longest name in the table counts. Only a provider with an IMAP server is one.
pub fn of_host(host: &str) -> Option<&'static Provider> {
    all()
        .iter()
        .filter(|provider| provider.imap.is_some())
        .flat_map(|provider| provider.hosts.iter().chain(&provider.domains).map(move |end| (end, provider)))
        .filter(|(end, _)| is_within(host, end))
        .max_by_key(|(end, _)| end.len())
        .map(|(_, provider)| provider)
}

/// The provider of which this is the IMAP or SMTP server, name by name.
pub fn of_server(host: &str) -> Option<&'static Provider> {
    all()
        .iter()
        .find(|provider| [&provider.imap, &provider.smtp].into_iter().flatten().any(|p| p.host == host))
}

/// Whether a host is this domain or lies below it.
pub(crate) fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_table_is_readable_and_says_nothing_twice() {
        let text = include_str!("providers.json");
        let file: serde_json::Value = serde_json::from_str(text).unwrap();
        assert!(file["checked"].as_str().unwrap().parse::<jiff::civil::Date>().is_ok());
        let table: Table = serde_json::from_str(text).unwrap();
        let mut domains = HashSet::new();
        for provider in &table.providers {
            for domain in &provider.domains {
                assert!(domains.insert(domain), "{domain} stands twice");
            }
            for name in provider.domains.iter().chain(&provider.hosts) {
                assert_eq!(threadline_core::address::normal_domain(name).as_ref(), Some(name));
            }
            assert!(provider.imap.is_some() != provider.pop3.is_some(), "{provider:?}");
            if let Some(imap) = &provider.imap {
                let ports = match imap.security {
                    Security::Tls => [993, 993],
                    Security::StartTls => [143, 1143],
                };
                assert!(ports.contains(&imap.port), "{provider:?}");
            }
            if let Some(smtp) = &provider.smtp {
                let ports = match smtp.security {
                    Security::Tls => [465, 465, 465],
                    Security::StartTls => [587, 1025, 25],
                };
                assert!(ports.contains(&smtp.port), "{provider:?}");
            }
            assert!(provider.hint.is_none() || provider.help.is_some(), "{provider:?}");
            assert!(provider.help.iter().all(|page| page.starts_with("https://")), "{provider:?}");
        }
        let with_imap = table.providers.iter().filter(|p| p.imap.is_some()).count();
        println!(
            "{} providers, {with_imap} of them with IMAP, {} domains",
            table.providers.len(),
            domains.len()
        );
        assert!(with_imap >= 100 && domains.len() >= 800);
    }

    #[test]
    fn a_domain_is_found_whole_and_a_firms_tenant_too() {
        assert_eq!(of_domain("gmail.com").unwrap().hint, Some(Hint::AppPassword));
        assert_eq!(of_domain("firm.onmicrosoft.com").unwrap().name, "Microsoft 365");
        for unknown in ["firm.example", "notgmail.com", "x.gmail.com", "evilonmicrosoft.com", ""] {
            assert_eq!(of_domain(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_customers_domain_leads_to_its_provider_by_the_longest_name() {
        for (host, provider) in [
            ("aspmx.l.google.com", "Gmail"),
            ("firm-example.mail.protection.outlook.com", "Microsoft 365"),
            ("outlook-com.olc.protection.outlook.com", "Outlook.com"),
            ("mx00.ionos.de", "IONOS"),
            ("in1-smtp.messagingengine.com", "Fastmail"),
            ("mx.zoho.eu", "Zoho Mail"),
        ] {
            assert_eq!(of_host(host).map(|p| p.name.as_str()), Some(provider), "{host}");
        }
        for unknown in ["mx.firm.example", "evilgoogle.com", "com", "", "google.com.evil.example"] {
            assert_eq!(of_host(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_server_is_known_by_its_whole_name() {
        assert_eq!(of_server("imap.gmail.com").unwrap().name, "Gmail");
        assert_eq!(of_server("smtp.office365.com").unwrap().name, "Microsoft 365");
        assert_eq!(of_server("evil.imap.gmail.com"), None);
    }

    #[test]
    fn a_user_name_and_a_host_can_follow_from_the_address() {
        let address = |text: &str| Address::parse(text).unwrap();
        let free = of_domain("free.fr").unwrap();
        assert_eq!(free.user(&address("ann@free.fr")), "ann");
        assert_eq!(free.user(&address("ann@firm.example")), "ann@firm.example");
        let inbox = of_domain("inbox.lt").unwrap();
        assert_eq!(inbox.imap("inbox.lt").unwrap().host, "mail.inbox.lt");
        let nifty = of_domain("nifty.com").unwrap();
        let pop3 = Pop3Server { host: "pop.nifty.com".into(), port: 110 };
        assert_eq!((nifty.imap("nifty.com"), nifty.pop3("nifty.com")), (None, Some(pop3)));
    }
}
