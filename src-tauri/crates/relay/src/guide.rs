//! How each mail program is told to send through the relay: a page for each.

/// A mail program with a page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    Outlook,
    AppleMail,
    Thunderbird,
}

/// What stands in the pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    /// The name to sign in with: the mailbox's address.
    pub user: String,
    pub tls_port: u16,
    pub starttls_port: u16,
    /// SHA-256 of the certificate.
    pub fingerprint: String,
}

impl Client {
    pub const ALL: &[Client] = &[Client::Outlook, Client::AppleMail, Client::Thunderbird];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Client::Outlook => "outlook",
            Client::AppleMail => "apple-mail",
            Client::Thunderbird => "thunderbird",
        }
    }

    /// The whole page.
    pub fn page(self, values: &Values) -> String {
        let steps = match self {
            Client::Outlook => include_str!("guide/outlook.txt"),
            Client::AppleMail => include_str!("guide/apple-mail.txt"),
            Client::Thunderbird => include_str!("guide/thunderbird.txt"),
        };
        [steps, include_str!("guide/all.txt")]
            .join("\n")
            .replace("{user}", &values.user)
            .replace("{tls}", &values.tls_port.to_string())
            .replace("{starttls}", &values.starttls_port.to_string())
            .replace("{fingerprint}", &values.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_whole() {
        let values = Values {
            user: "ann@firm.example".into(),
            tls_port: 1_465,
            starttls_port: 1_587,
            fingerprint: "AB:CD".into(),
        };
        for client in Client::ALL {
            let page = client.page(&values);
            assert!(!page.contains(['{', '}']), "{page}");
            for part in ["ann@firm.example", "AB:CD", "127.0.0.1", "threadline relay password"] {
                assert!(page.contains(part), "{}: {part}", client.name());
            }
            assert!(page.lines().all(|line| line.chars().count() <= 100), "{}", client.name());
        }
    }
}
