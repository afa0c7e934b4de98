//! Links: which stay, and where they lead.

use url::Url;

/// Longest address of a link, in bytes.
const MOST: usize = 8 * 1024;
/// The fields of a `mailto:` that stay (RFC 6068); `attach` and `bcc` are not among them.
const FIELDS: [&str; 4] = ["to", "cc", "subject", "body"];

/// The address of a link as it may be opened: `http`, `https` or `mailto`. The host is written in ASCII, so that letters
/// that look like others are seen; a user name before it, which looks like a host, is left out. `None` for everything else.
pub fn safe(address: &str) -> Option<Url> {
    if address.len() > MOST {
        return None;
    }
    let mut url = Url::parse(address.trim()).ok()?;
    match url.scheme() {
        "http" | "https" => {
            url.host_str().filter(|host| !host.is_empty())?;
            url.set_username("").ok()?;
            url.set_password(None).ok()?;
            Some(url)
        }
        "mailto" => {
            let kept: Vec<(String, String)> = url
                .query_pairs()
                .filter(|(name, _)| FIELDS.contains(&name.to_ascii_lowercase().as_str()))
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            url.set_query(None);
            url.set_fragment(None);
            if !kept.is_empty() {
                // A mail program takes `+` as it is.
                let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
                url.set_query(Some(&query.replace('+', "%20")));
            }
            Some(url)
        }
        _ => None,
    }
}

/// Where a link really leads: the host in ASCII (`xn--…` where it has other letters), or the address of a `mailto:`.
/// `None` where it is none that [`safe`] lets through.
pub fn link_host(address: &str) -> Option<String> {
    let url = safe(address)?;
    Some(url.host_str().unwrap_or_else(|| url.path()).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_host_is_shown() {
        for (address, host) in [
            ("https://www.bank.example/login?x=1", Some("www.bank.example")),
            ("HTTP://BANK.example:8080/", Some("bank.example")),
            ("https://bank.example@evil.example/", Some("evil.example")),
            ("https:\\\\evil.example\\bank", Some("evil.example")),
            ("https://b\u{430}nk.example/", Some("xn--bnk-6cd.example")),
            ("https://bank.example\u{2024}evil.example/", None),
            (" ht\ntps://bank.example/", Some("bank.example")),
            ("mailto:bob@firm.example?subject=x", Some("bob@firm.example")),
            ("javascript:alert(1)", None),
            ("java\nscript:alert(1)", None),
            ("data:text/html,x", None),
            ("tel:+4930123", None),
            ("file:///etc/passwd", None),
            ("smb://host/share", None),
            ("ms-word:ofe|u|https://evil.example", None),
            ("/relative", None),
            ("//evil.example/", None),
            ("", None),
        ] {
            assert_eq!(link_host(address).as_deref(), host, "{address}");
        }
    }

    #[test]
    fn a_mail_link_attaches_and_hides_nothing() {
        let url =
            safe("mailto:a@x.example?Subject=Hello%20you&attach=/etc/passwd&bcc=spy@x.example#f").unwrap();
        assert_eq!(url.as_str(), "mailto:a@x.example?Subject=Hello%20you");
        assert_eq!(safe("mailto:a@x.example?attach=/etc/passwd").unwrap().as_str(), "mailto:a@x.example");
    }

    #[test]
    fn an_address_without_end_is_no_link() {
        assert_eq!(safe(&format!("https://x.example/{}", "a".repeat(MOST))), None);
    }
}
