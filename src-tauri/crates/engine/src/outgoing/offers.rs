//! What a mailbox's server said of itself when mail was sent last, so that a mail that it cannot take is told of before it is
//! given to it.

use super::Outgoing;
use serde::{Deserialize, Serialize};
use threadline_core::address::Address;
use threadline_mail::submit::{Extensions, Session};
use threadline_store::{StoreError, Tx, setting};

/// What a server takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offers {
    /// `host:port`.
    server: String,
    most_bytes: Option<u64>,
    /// RFC 6531.
    utf8: bool,
}

fn key(account: i64) -> String {
    format!("send.offers:{account}")
}

impl Offers {
    pub fn new(server: &str, extensions: &Extensions) -> Self {
        Self { server: server.to_owned(), most_bytes: extensions.most_bytes, utf8: extensions.utf8 }
    }

    /// As they were when mail was sent last; none where that was by another server.
    pub fn known(tx: &Tx<'_>, account: i64, server: &str) -> Result<Option<Self>, StoreError> {
        let known: Option<Self> = setting::get(tx, &key(account))?;
        Ok(known.filter(|offers| offers.server == server))
    }

    /// Why the server cannot take a mail.
    pub fn objection(&self, bytes: u64, people: &[Address]) -> Option<Objection> {
        if let Some(most) = self.most_bytes.filter(|most| bytes > *most) {
            return Some(Objection::TooLarge { bytes, most, server: self.server.clone() });
        }
        let odd = people.iter().find(|address| !address.as_str().is_ascii()).filter(|_| !self.utf8)?;
        Some(Objection::Letters { address: odd.clone(), server: self.server.clone() })
    }
}

/// Why a mail cannot go as it is. The text names the thing, the cause and the next step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    #[error(
        "The mail has {} with its files, and {server} takes {} at most. Send a link to the files instead.",
        megabytes(*.bytes), megabytes(*.most)
    )]
    TooLarge { bytes: u64, most: u64, server: String },
    #[error(
        "The address {address} has letters that {server} cannot pass on (it does not offer SMTPUTF8). Ask the person for another address."
    )]
    Letters { address: Address, server: String },
    #[error("The mail goes to {people} people, and {most} are the most in one mail. Send it in parts.")]
    TooMany { people: usize, most: usize },
}

impl Objection {
    /// A stable code for scripts and the window.
    pub fn code(&self) -> &'static str {
        match self {
            Objection::TooLarge { .. } => "mail_too_large",
            Objection::Letters { .. } => "address_letters",
            Objection::TooMany { .. } => "too_many_recipients",
        }
    }

    /// What its text names.
    pub fn values(&self) -> Vec<(&'static str, String)> {
        match self {
            Objection::TooLarge { bytes, most, server } => {
                vec![("size", megabytes(*bytes)), ("most", megabytes(*most)), ("server", server.clone())]
            }
            Objection::Letters { address, server } => {
                vec![("address", address.to_string()), ("server", server.clone())]
            }
            Objection::TooMany { people, most } => {
                vec![("people", people.to_string()), ("most", most.to_string())]
            }
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

impl Outgoing {
    pub(super) async fn note_offers(&self, session: &Session) -> Result<(), StoreError> {
        let (id, offers) = (self.mailbox.id, Offers::new(session.name(), session.extensions()));
        let note = move |tx: &Tx<'_>| match setting::get::<Offers>(tx, &key(id))? {
            Some(known) if known == offers => Ok(()),
            _ => setting::set(tx, &key(id), &offers),
        };
        self.shared().ledger.write(note).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_cannot_take_is_said_in_words() {
        let people = ["ann@x.example", "jörg@x.example"].map(|a| Address::parse(a).unwrap());
        let mut offers = Offers { server: "mx:465".into(), most_bytes: Some(25_000_000), utf8: false };
        assert_eq!(offers.objection(25_000_000, &people[..1]), None);
        let large = offers.objection(26_260_000, &people[..1]).unwrap();
        assert_eq!(
            large.to_string(),
            "The mail has 26.2 MB with its files, and mx:465 takes 25.0 MB at most. Send a link to the files instead."
        );
        assert!(offers.objection(1, &people).unwrap().to_string().contains("jörg@x.example"));
        offers.utf8 = true;
        offers.most_bytes = None;
        assert_eq!(offers.objection(u64::MAX, &people), None);
    }
}
