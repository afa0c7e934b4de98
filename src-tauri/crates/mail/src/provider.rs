//! What is known of large providers, by the domain of the address.
//!
//! The table is `providers.json`, with the day on which its facts were looked at. It is part of the program, so that it can
//! be trusted and needs no network.

use crate::connect::Security;
use serde::Deserialize;
use std::sync::LazyLock;

/// A provider of mailboxes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub name: String,
    /// In ASCII, lower case. Their subdomains are not meant, but those of `onmicrosoft.com`, of which each is a firm's.
    pub domains: Vec<String>,
    pub imap: Place,
    pub smtp: Place,
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

/// What a person must know before the sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hint {
    /// The usual password is refused: one for mail programs is to be made.
    AppPassword,
    /// No password is taken at all: the sign-in is in the browser.
    OauthOnly,
    /// IMAP is off until it is switched on.
    EnableImap,
}

/// The file. `checked` in it is for those who read and mend it.
#[derive(Debug, Deserialize)]
struct Table {
    providers: Vec<Provider>,
}

static TABLE: LazyLock<Vec<Provider>> = LazyLock::new(|| {
    let read = serde_json::from_str::<Table>(include_str!("providers.json"));
    // A test reads the same text.
    read.map(|table| table.providers).unwrap_or_default()
});

/// The provider of a domain (in ASCII, lower case).
pub fn of_domain(domain: &str) -> Option<&'static Provider> {
    const TENANTS: &str = "onmicrosoft.com";
    let is_tenant = domain.strip_suffix(TENANTS).is_some_and(|before| before.ends_with('.'));
    let domain = if is_tenant { TENANTS } else { domain };
    TABLE.iter().find(|provider| provider.domains.iter().any(|d| d == domain))
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
        assert!(table.providers.len() >= 20);
        let mut domains = HashSet::new();
        for provider in &table.providers {
            for domain in &provider.domains {
                assert!(domains.insert(domain), "{domain} stands twice");
                assert_eq!(*domain, domain.to_ascii_lowercase());
            }
            let ports = match provider.imap.security {
                Security::Tls => [993, 993],
                Security::StartTls => [143, 1143],
            };
            assert!(ports.contains(&provider.imap.port), "{provider:?}");
            assert!(provider.hint.is_none() || provider.help.is_some(), "{provider:?}");
            assert!(provider.help.iter().all(|page| page.starts_with("https://")), "{provider:?}");
        }
    }

    #[test]
    fn a_domain_is_found_whole_and_a_firms_tenant_too() {
        assert_eq!(of_domain("gmail.com").unwrap().hint, Some(Hint::AppPassword));
        assert_eq!(of_domain("firm.onmicrosoft.com").unwrap().name, "Microsoft 365");
        for unknown in ["firm.example", "notgmail.com", "x.gmail.com", "evilonmicrosoft.com", ""] {
            assert_eq!(of_domain(unknown), None, "{unknown}");
        }
    }
}
