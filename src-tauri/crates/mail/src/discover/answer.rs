//! From what an answer names to candidates that say how far they can be trusted.

use super::{Candidate, Doubt, Pop3Server, Source, is_home};
use crate::connect::Security;
use crate::provider::{self, Place};
use threadline_core::address::{Address, normal_domain};

/// Most servers of one kind that are taken from one answer.
const MOST_SERVERS: usize = 3;
/// Longest user name taken from an answer, in bytes.
const LONGEST_USER: usize = 320;

/// What one source gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// The best first.
    pub candidates: Vec<Candidate>,
    pub pop3: Vec<Pop3Server>,
}

impl Answer {
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty() && self.pop3.is_empty()
    }

    pub fn add(&mut self, other: Answer) {
        self.candidates.extend(other.candidates);
        self.pop3.extend(other.pop3);
    }
}

/// Servers that an answer names, in its order, not judged yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Named {
    imap: Vec<Claim>,
    smtp: Vec<Claim>,
    pop3: Vec<Pop3Server>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Claim {
    place: Place,
    user: Option<String>,
}

impl Named {
    /// A server that can be used: it has a host's name, and is encrypted. Anything else is passed over.
    pub fn imap(&mut self, host: &str, port: u16, security: Option<Security>, user: Option<String>) {
        if [110, 995].contains(&port) {
            return self.pop3(host, port);
        }
        push(&mut self.imap, host, port, security, user);
    }

    pub fn smtp(&mut self, host: &str, port: u16, security: Option<Security>) {
        push(&mut self.smtp, host, port, security, None);
    }

    pub fn pop3(&mut self, host: &str, port: u16) {
        if let Some(host) = host_name(host)
            && port != 0
            && self.pop3.len() < MOST_SERVERS
        {
            self.pop3.push(Pop3Server { host, port });
        }
    }

    /// Names in other domains than the address's are in doubt, unless the table knows the server.
    pub fn judged(self, address: &Address, source: Source, doubts: &[Doubt]) -> Answer {
        let smtp = self.smtp.into_iter().next().map(|claim| claim.place);
        let candidate = |claim: Claim| {
            let hosts = [Some(&claim.place), smtp.as_ref()];
            let strange = hosts.into_iter().flatten().any(|place| !is_home(&place.host, address));
            let mut doubts = doubts.to_vec();
            if strange {
                doubts.push(Doubt::OtherDomain);
            }
            Candidate {
                provider: provider::of_server(&claim.place.host),
                imap: claim.place,
                smtp: smtp.clone(),
                user: claim.user.unwrap_or_else(|| address.to_string()),
                source,
                doubts,
            }
        };
        Answer { candidates: self.imap.into_iter().map(candidate).collect(), pop3: self.pop3 }
    }
}

fn push(claims: &mut Vec<Claim>, host: &str, port: u16, security: Option<Security>, user: Option<String>) {
    if let (Some(host), Some(security), true) = (host_name(host), security, port != 0)
        && claims.len() < MOST_SERVERS
    {
        claims.push(Claim { place: Place { host, port, security }, user });
    }
}

/// The name of a host in ASCII and lower case, with a dot in it. An address in numbers is none: no certificate that a
/// stranger's answer could be held against would be for it.
pub(super) fn host_name(text: &str) -> Option<String> {
    let host = normal_domain(text)?;
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let named = host.rsplit('.').next().is_some_and(|last| !last.bytes().all(|b| b.is_ascii_digit()));
    (host.len() <= 253 && named && host.contains('.') && host.split('.').all(label)).then_some(host)
}

/// Puts the address into a text of an answer (`%EMAILADDRESS%` and its parts); `None` where it asks for more than that, or
/// the result is no name to sign in with.
pub(super) fn filled(text: &str, address: &Address) -> Option<String> {
    let filled = text
        .replace("%EMAILADDRESS%", address.as_str())
        .replace("%EMAILLOCALPART%", address.local())
        .replace("%EMAILDOMAIN%", address.domain());
    let odd = filled.is_empty()
        || filled.len() > LONGEST_USER
        || filled.contains(char::is_control)
        || ["%EMAIL", "%REALNAME", "%MAILADDRESS"].iter().any(|mark| filled.contains(mark));
    (!odd).then_some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Address {
        Address::parse("ann@firm.example").unwrap()
    }

    #[test]
    fn servers_of_the_domain_and_of_the_table_are_trusted_and_others_are_asked_about() {
        for (host, trusted) in [
            ("imap.firm.example", true),
            ("firm.example", true),
            ("imap.gmail.com", true),
            ("imap.hoster.example", false),
            ("evilfirm.example", false),
            ("firm.example.evil.test", false),
        ] {
            let mut named = Named::default();
            named.imap(host, 993, Some(Security::Tls), None);
            let found = named.judged(&address(), Source::Srv, &[]).candidates;
            assert_eq!(found[0].is_trusted(), trusted, "{host}");
        }
        let mut named = Named::default();
        named.imap("imap.firm.example", 993, Some(Security::Tls), None);
        named.smtp("smtp.elsewhere.example", 465, Some(Security::Tls));
        assert_eq!(named.judged(&address(), Source::Srv, &[]).candidates[0].doubts, [Doubt::OtherDomain]);
    }

    #[test]
    fn what_is_no_encrypted_server_with_a_name_is_passed_over() {
        let mut named = Named::default();
        for host in [
            "",
            "localhost",
            "127.0.0.1",
            "[::1]",
            "a b.example",
            "user@x.example",
            "x.example/y",
            "a..b",
            "1.2",
        ] {
            named.imap(host, 993, Some(Security::Tls), None);
        }
        named.imap("imap.firm.example", 0, Some(Security::Tls), None);
        named.imap("imap.firm.example", 143, None, None);
        assert_eq!(named, Named::default());
        named.imap("IMAP.Bücher.example.", 993, Some(Security::Tls), None);
        assert_eq!(named.imap[0].place.host, "imap.xn--bcher-kva.example");
    }

    #[test]
    fn pop3_that_calls_itself_imap_is_pop3() {
        let mut named = Named::default();
        named.imap("mail.firm.example", 995, Some(Security::Tls), None);
        let answer = named.judged(&address(), Source::Autoconfig, &[]);
        assert_eq!(answer.pop3, [Pop3Server { host: "mail.firm.example".into(), port: 995 }]);
        assert!(answer.candidates.is_empty());
    }

    #[test]
    fn a_user_name_is_the_address_or_a_part_of_it() {
        for (text, want) in [
            ("%EMAILADDRESS%", Some("ann@firm.example")),
            ("%EMAILLOCALPART%", Some("ann")),
            ("FIRM\\%EMAILLOCALPART%", Some("FIRM\\ann")),
            ("%REALNAME%", None),
            ("%EMAILFOO%", None),
            ("a\nb", None),
            ("", None),
        ] {
            assert_eq!(filled(text, &address()).as_deref(), want, "{text}");
        }
    }
}
