//! Whether a page on which a person must sign in answers in a mail server's place: on systems that do not say so themselves,
//! its own answer does.

use crate::discover::network::is_outside;
use crate::error::MailError;
use crate::plain::{self, Head};
use std::net::IpAddr;
use threadline_core::reason::{Evidence, Phase, Signal, TlsFault};
use url::{Host, Url};

/// The error as it is, or the page's where somebody else answered and says in plaintext that a sign-in is wanted.
pub(crate) async fn judged(error: MailError, host: &str) -> MailError {
    let by_another = matches!(
        error.evidence.signal,
        Signal::Tls(TlsFault::NotTls | TlsFault::UnknownIssuer | TlsFault::NameMismatch)
    );
    if !by_another {
        return error;
    }
    match plain::ask(host).await {
        Some((head, from)) if is_portal(&head, from) => {
            let words = format!("HTTP {} ({host})", head.status);
            let evidence = Evidence::new(Phase::Tls, Signal::Portal, &words);
            // Where the page has nothing to do with it, the certificate can still be looked at.
            MailError { presented: error.presented, ..MailError::new(&error.server, evidence) }
        }
        _ => error,
    }
}

/// RFC 6585 §6, or a server out there that leads into the local network.
fn is_portal(head: &Head, from: IpAddr) -> bool {
    const NETWORK_AUTHENTICATION_REQUIRED: u16 = 511;
    let local = || {
        let to = head.location.as_deref().and_then(|location| Url::parse(location).ok())?;
        match to.host()? {
            Host::Ipv4(ip) => Some(!is_outside(ip.into())),
            Host::Ipv6(ip) => Some(!is_outside(ip.into())),
            Host::Domain(_) => None,
        }
    };
    head.status == NETWORK_AUTHENTICATION_REQUIRED
        || ((300..400).contains(&head.status) && is_outside(from) && local() == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_page_says_so_or_leads_into_the_local_network() {
        let head = |status, location: &str| Head {
            status,
            date: None,
            location: Some(location.to_owned()).filter(|location| !location.is_empty()),
        };
        let [out, here] = ["8.8.8.8", "192.168.1.2"].map(|ip| ip.parse().unwrap());
        for (status, location, from, want) in [
            (511, "", out, true),
            (511, "", here, true),
            (302, "http://192.168.1.1/login", out, true),
            (307, "http://[fe80::1]/login", out, true),
            // A server in the local network leads where it likes.
            (302, "https://192.168.1.2/", here, false),
            (302, "https://www.firm.example/", out, false),
            (302, "/webmail", out, false),
            (302, "", out, false),
            (200, "http://192.168.1.1/login", out, false),
        ] {
            assert_eq!(is_portal(&head(status, location), from), want, "{status} {location} {from}");
        }
    }
}
