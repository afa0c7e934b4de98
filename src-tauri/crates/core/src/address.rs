//! Mail addresses, normalised for comparison.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An `addr-spec` (RFC 5322 §3.4.1) in the one form in which two of them are compared: lower case,
/// the domain in its ASCII form (RFC 5890 A-label), no comment, no angle brackets.
///
/// The local part is lowered too. RFC 5321 lets a server tell `Ann@` from `ann@`; none that people use does.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

/// The text is not a mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a mail address; write it as name@domain")]
pub struct NotAnAddress;

impl Address {
    /// Longest address accepted, in bytes (RFC 5321 §4.5.3.1.3 allows 256 with brackets).
    pub const MAX: usize = 320;

    /// Reads an address. White space around it is ignored.
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        let text = text.trim().trim_start_matches('<').trim_end_matches('>').trim();
        if text.len() > Self::MAX || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(NotAnAddress);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(NotAnAddress)?;
        if local.is_empty() {
            return Err(NotAnAddress);
        }
        let domain = normal_domain(domain).ok_or(NotAnAddress)?;
        Ok(Self(format!("{}@{domain}", local.to_lowercase())))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(l, _)| l)
    }

    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, d)| d)
    }

    /// The address without what stands behind a `+` in its local part (RFC 5233): mail to `ann+x@` goes to `ann@`.
    pub fn untagged(&self) -> Self {
        match self.0.rsplit_once('@').and_then(|(local, domain)| Some((local.split_once('+')?.0, domain))) {
            Some((local, domain)) if !local.is_empty() && !local.starts_with('"') => {
                Self(format!("{local}@{domain}"))
            }
            _ => self.clone(),
        }
    }

    /// The address with `+tag` behind its local part.
    pub fn tagged(&self, tag: &str) -> Self {
        Self(format!("{}+{tag}@{}", self.local(), self.domain()))
    }

    /// True when the domain is `domain` or lies below it.
    pub fn is_under(&self, domain: &str) -> bool {
        let own = self.domain();
        own == domain || own.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    }
}

/// A domain in lower-case ASCII form without a final dot; `None` where it is no domain.
pub fn normal_domain(domain: &str) -> Option<String> {
    let domain = domain.trim().trim_end_matches('.');
    if domain.is_empty() || domain.contains('@') {
        return None;
    }
    if domain.starts_with('[') {
        return domain.ends_with(']').then(|| domain.to_lowercase());
    }
    idna::domain_to_ascii(domain).ok().filter(|d| !d.is_empty())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Addresses are private text: a debug print, which may reach a log, shows the domain only.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address(…@{})", self.domain())
    }
}

impl TryFrom<String> for Address {
    type Error = NotAnAddress;
    fn try_from(text: String) -> Result<Self, NotAnAddress> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(a: Address) -> String {
        a.0
    }
}

impl std::str::FromStr for Address {
    type Err = NotAnAddress;
    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        Self::parse(text)
    }
}

/// In TypeScript it is the string that it is in JSON.
#[cfg(feature = "specta")]
impl specta::Type for Address {
    fn definition(types: &mut specta::Types) -> specta::datatype::DataType {
        String::definition(types)
    }
}

/// A `mailbox` (RFC 5322 §3.4): an address and the name shown beside it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Mailbox {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub address: Address,
}

impl Mailbox {
    pub fn new(name: Option<String>, address: Address) -> Self {
        Self { name, address }
    }

    /// Reads what a person writes: `name@firm.example`, or `Name <name@firm.example>`, its name in quotes or not.
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        let (name, address) = match text.rsplit_once('<') {
            Some((name, rest)) => {
                (name.trim().trim_matches('"').trim(), rest.trim_end().trim_end_matches('>'))
            }
            None => ("", text),
        };
        Ok(Self::new((!name.is_empty()).then(|| name.to_owned()), Address::parse(address)?))
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.address, f)
    }
}

/// Domains of providers where anybody can get an address, so that two people under one are not colleagues.
pub fn is_public_provider(domain: &str) -> bool {
    const PUBLIC: &[&str] = &[
        "126.com",
        "163.com",
        "aol.com",
        "att.net",
        "bluewin.ch",
        "btinternet.com",
        "comcast.net",
        "fastmail.com",
        "free.fr",
        "freenet.de",
        "gmail.com",
        "gmx.at",
        "gmx.ch",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hey.com",
        "hotmail.co.uk",
        "hotmail.com",
        "hotmail.de",
        "hotmail.fr",
        "icloud.com",
        "laposte.net",
        "libero.it",
        "live.com",
        "mac.com",
        "mail.com",
        "mail.ru",
        "mailbox.org",
        "me.com",
        "msn.com",
        "naver.com",
        "o2.pl",
        "orange.fr",
        "outlook.com",
        "outlook.de",
        "outlook.fr",
        "posteo.de",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "rediffmail.com",
        "seznam.cz",
        "sfr.fr",
        "t-online.de",
        "tutanota.com",
        "verizon.net",
        "wanadoo.fr",
        "web.de",
        "wp.pl",
        "yahoo.co.jp",
        "yahoo.co.uk",
        "yahoo.com",
        "yahoo.de",
        "yahoo.fr",
        "yandex.com",
        "yandex.ru",
        "ymail.com",
        "zoho.com",
    ];
    PUBLIC.binary_search(&domain).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_named_as_in_mail_programs() {
        for (text, name, address) in [
            ("carl@x.example", None, "carl@x.example"),
            ("<carl@x.example>", None, "carl@x.example"),
            ("Carl Meier <Carl@X.example>", Some("Carl Meier"), "carl@x.example"),
            ("\"Meier, Carl\" <carl@x.example>", Some("Meier, Carl"), "carl@x.example"),
        ] {
            let person = Mailbox::parse(text).unwrap();
            assert_eq!((person.name.as_deref(), person.address.as_str()), (name, address), "{text}");
        }
        assert!(Mailbox::parse("Carl").is_err());
    }

    #[test]
    fn case_brackets_and_idn_are_folded() {
        for (raw, want) in [
            ("Ann@Example.COM", "ann@example.com"),
            (" <ann@example.com.> ", "ann@example.com"),
            ("ann@bücher.example", "ann@xn--bcher-kva.example"),
            ("\"a@b\"@example.com", "\"a@b\"@example.com"),
            ("ann@[192.0.2.1]", "ann@[192.0.2.1]"),
        ] {
            assert_eq!(Address::parse(raw).unwrap().as_str(), want);
        }
    }

    #[test]
    fn a_tag_is_taken_off() {
        for (raw, want) in [
            ("ann+crm@x.example", "ann@x.example"),
            ("ann+a+b@x.example", "ann@x.example"),
            ("ann@x.example", "ann@x.example"),
            ("+ann@x.example", "+ann@x.example"),
            ("\"a+b\"@x.example", "\"a+b\"@x.example"),
        ] {
            assert_eq!(Address::parse(raw).unwrap().untagged().as_str(), want);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for raw in ["", "ann", "@example.com", "ann@", "a b@example.com", "ann@exa\r\nmple.com"] {
            assert_eq!(Address::parse(raw), Err(NotAnAddress), "{raw:?}");
        }
    }

    #[test]
    fn a_debug_print_hides_the_person() {
        let a = Address::parse("ann@example.com").unwrap();
        assert_eq!(format!("{a:?}"), "Address(…@example.com)");
    }

    #[test]
    fn under_a_domain_means_at_a_dot() {
        let a = Address::parse("ann@mail.example.com").unwrap();
        assert!(a.is_under("example.com") && a.is_under("mail.example.com"));
        assert!(!a.is_under("ample.com"));
    }

    #[test]
    fn the_list_of_public_providers_is_sorted() {
        assert!(
            is_public_provider("126.com")
                && is_public_provider("zoho.com")
                && is_public_provider("gmail.com")
        );
        assert!(!is_public_provider("example.com"));
    }
}
