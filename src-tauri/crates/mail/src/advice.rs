//! What a provider wants done, where that differs from what is usual: the one next action, and the provider's own page.
//!
//! The table is `advice.json`, with the day on which its facts were looked at.

use serde::Deserialize;
use std::sync::LazyLock;
use threadline_core::reason::{Provider, Reason};

/// The one next action for a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// A sentence or two.
    pub next: &'static str,
    /// The provider's own page about it, by HTTPS.
    pub link: Option<&'static str>,
    /// What the sentence is called among this provider's, as `password`; `None` where it is what is usual.
    pub topic: Option<&'static str>,
}

/// The file. `checked` in it is for those who read and mend it.
#[derive(Debug, Deserialize)]
struct Table {
    providers: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    provider: Provider,
    /// As people call it.
    name: String,
    /// Domains of its servers, in ASCII and lower case; subdomains are meant too.
    hosts: Vec<String>,
    pages: Vec<Page>,
}

#[derive(Debug, Deserialize)]
struct Page {
    topic: String,
    reasons: Vec<Reason>,
    next: String,
    link: String,
}

static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let read = serde_json::from_str::<Table>(include_str!("advice.json"));
    // A test reads the same text.
    read.map(|table| table.providers).unwrap_or_default()
});

/// Whose server a host is, where its texts or pages are known. `host` may carry a port.
pub fn provider_of(host: &str) -> Option<Provider> {
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
    let is_of = |domain: &String| {
        host == *domain || host.strip_suffix(domain.as_str()).is_some_and(|sub| sub.ends_with('.'))
    };
    // The longest domain is the nearest: exmail.qq.com is not qq.com.
    let found = TABLE.iter().flat_map(|row| row.hosts.iter().map(move |domain| (domain, row)));
    found
        .filter(|(domain, _)| is_of(domain))
        .max_by_key(|(domain, _)| domain.len())
        .map(|(_, row)| row.provider)
}

/// The provider's name for people.
pub fn name_of(provider: Provider) -> &'static str {
    TABLE.iter().find(|row| row.provider == provider).map_or(provider.name(), |row| row.name.as_str())
}

/// What is to be done, at this provider or anywhere.
pub fn advice(reason: Reason, provider: Option<Provider>) -> Advice {
    let own = TABLE.iter().find(|row| Some(row.provider) == provider);
    let page = own.and_then(|row| row.pages.iter().find(|page| page.reasons.contains(&reason)));
    match page {
        Some(page) => Advice { next: &page.next, link: Some(&page.link), topic: Some(&page.topic) },
        None => Advice { next: reason.next_step(), link: None, topic: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_table_is_readable_and_says_nothing_twice() {
        let text = include_str!("advice.json");
        let file: serde_json::Value = serde_json::from_str(text).unwrap();
        assert!(file["checked"].as_str().unwrap().parse::<jiff::civil::Date>().is_ok());
        let table: Table = serde_json::from_str(text).unwrap();
        let mut seen = HashSet::new();
        for row in &table.providers {
            assert!(seen.insert(row.provider.name().to_owned()), "{row:?}");
            for host in &row.hosts {
                assert!(seen.insert(format!("host {host}")), "{host} stands twice");
                assert_eq!(*host, host.to_ascii_lowercase());
            }
            for page in &row.pages {
                assert!(
                    seen.insert(format!("{} topic {}", row.provider.name(), page.topic)),
                    "{page:?} stands twice"
                );
                assert!(page.link.starts_with("https://") && page.next.ends_with('.'), "{page:?}");
                for reason in &page.reasons {
                    assert!(
                        seen.insert(format!("{} {reason}", row.provider.name())),
                        "{reason} stands twice: {row:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_provider_is_known_by_its_servers() {
        for (host, want) in [
            ("imap.gmail.com", Some(Provider::Gmail)),
            ("imap.gmail.com:993", Some(Provider::Gmail)),
            ("OUTLOOK.office365.com", Some(Provider::Microsoft)),
            ("imap.exmail.qq.com", Some(Provider::QqExmail)),
            ("imap.qq.com", Some(Provider::Qq)),
            ("p01-imap.mail.me.com", Some(Provider::ICloud)),
            ("imap.firm.example", None),
            ("notgmail.com", None),
            ("", None),
        ] {
            assert_eq!(provider_of(host), want, "{host}");
        }
    }

    #[test]
    fn advice_is_the_providers_where_it_differs() {
        let gmail = advice(Reason::AppPasswordRequired, Some(Provider::Gmail));
        assert!(gmail.link.is_some_and(|link| link.contains("google")));
        assert_ne!(gmail.next, Reason::AppPasswordRequired.next_step());
        let other = advice(Reason::AppPasswordRequired, None);
        assert_eq!(other, Advice { next: Reason::AppPasswordRequired.next_step(), link: None, topic: None });
        assert_eq!(advice(Reason::DnsFailure, Some(Provider::Gmail)).link, None);
    }
}
