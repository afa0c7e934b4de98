//! The ledger's tests, over real files in folders of their own.

mod activity;
mod contacts;
mod decisions;
mod edit;
mod health;
mod hidden;
mod jobs;
mod marks;
mod notices;
mod opening;
mod orders;
mod outbox;
pub(crate) mod plan;
mod relayed;
mod retention;
mod sends;
mod small;
mod standing;
mod taken_out;
mod threads;
mod transactions;
mod upgrade;

use crate::message::{self, NewDecision, Recorded};
use crate::place::Place;
use crate::tx::{Salt, Tx};
use crate::{Key, account, folder, open, setting};
use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;
use threadline_core::address::Address;
use threadline_core::arrival::Role;
use threadline_core::decide::{Decision, Thread, Verdict};
use threadline_core::envelope::Envelope;
use threadline_core::id::MessageId;
use threadline_core::record::{Association, Direction};
use threadline_core::rule::Rule;

pub(crate) fn key() -> Key {
    Key::from_bytes([7; 32])
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(crate) fn id(text: &str) -> MessageId {
    MessageId::parse(text).unwrap()
}

/// A header from ann@firm.example to bob@client.example; `more` are further fields.
pub(crate) fn mail(id: &str, more: &str) -> Envelope {
    let text = format!(
        "Message-ID: <{id}>\nFrom: Ann <ann@firm.example>\nTo: Bob <bob@client.example>\nSubject: About {id}\n{more}\n\n"
    );
    Envelope::parse(text.replace('\n', "\r\n").as_bytes())
}

pub(crate) fn contact(address_: &str) -> Association {
    Association {
        address: address(address_),
        name: Some("Bob".to_owned()),
        remote_id: Some("c1".to_owned()),
        may_create: true,
    }
}

pub(crate) fn log(thread: Thread) -> Decision {
    Decision {
        verdict: Verdict::Log { thread, contacts: vec![contact("bob@client.example")] },
        rule: Rule::SentToContact,
        direction: Direction::Outgoing,
        link: None,
        apart_from: None,
        hidden: Vec::new(),
    }
}

/// The verdict on a message in a thread that is there.
pub(crate) fn joined(thread: i64) -> Verdict {
    Verdict::Log { thread: Thread::Join(thread), contacts: vec![contact("bob@client.example")] }
}

pub(crate) fn other(verdict: Verdict, rule: Rule) -> Decision {
    Decision {
        verdict,
        rule,
        direction: Direction::Incoming,
        link: None,
        apart_from: None,
        hidden: Vec::new(),
    }
}

pub(crate) fn ignore() -> Decision {
    other(Verdict::Ignore, Rule::UnknownSender)
}

pub(crate) fn ask() -> Decision {
    other(Verdict::Ask, Rule::UnknownRecipient)
}

pub(crate) fn hold() -> Decision {
    other(Verdict::Hold, Rule::ContactsNotLoaded)
}

/// A ledger with one mailbox and two folders. Its statements are run on the test's own thread.
pub(crate) struct Bed {
    pub conn: Connection,
    salt: Salt,
    pub account: i64,
    pub inbox: i64,
    pub sent: i64,
    _dir: TempDir,
}

impl Bed {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = open::writer(&dir.path().join("ledger.db"), &key()).unwrap();
        let salt = setting::salt(&mut conn).unwrap();
        let tx = Tx::new(&conn, &salt);
        let account = account::insert(&tx, &address("ann@firm.example"), "{}", at(0)).unwrap();
        let inbox = folder::ensure(&tx, account, "INBOX", Role::Inbox).unwrap().id;
        let sent = folder::ensure(&tx, account, "Sent", Role::Sent).unwrap().id;
        Self { conn, salt, account, inbox, sent, _dir: dir }
    }

    pub fn tx(&self) -> Tx<'_> {
        Tx::new(&self.conn, &self.salt)
    }

    pub fn new_decision<'a>(
        &self,
        place: Place,
        envelope: &'a Envelope,
        decision: &'a Decision,
    ) -> NewDecision<'a> {
        NewDecision {
            account: self.account,
            place: Some(place),
            envelope,
            decision,
            rule_version: 3,
            time: at(1_000 + i64::from(place.uid)),
            size: 2_000,
            at: at(5_000),
        }
    }

    pub fn record(&self, folder: i64, uid: u32, envelope: &Envelope, decision: &Decision) -> Recorded {
        let place = Place { folder, uidvalidity: 1, uid };
        message::record(&self.tx(), &self.new_decision(place, envelope, decision)).unwrap()
    }

    pub fn decide_again(&self, folder: i64, uid: u32, envelope: &Envelope, decision: &Decision) -> Recorded {
        let place = Place { folder, uidvalidity: 1, uid };
        message::decide_again(&self.tx(), &self.new_decision(place, envelope, decision)).unwrap()
    }

    /// A number from the file.
    pub fn number(&self, sql: &str) -> i64 {
        self.conn.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}
