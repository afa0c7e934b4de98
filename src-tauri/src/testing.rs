//! Statuses for tests, told in a few words.

use jiff::Timestamp;
use threadline_core::address::Address;
use threadline_core::health::{Channel, Health, State, combine};
use threadline_core::reason::Reason;
use threadline_engine::settings::CrmSettings;
use threadline_engine::views::{CrmStatus, MailboxStatus, Status};

pub const ANN: &str = "ann@firm.example";
pub const BOB: &str = "bob@firm.example";

/// A moment of 2 March 2026, UTC: `at("14:02")`.
pub fn at(time: &str) -> Timestamp {
    format!("2026-03-02T{time}:00Z").parse().unwrap()
}

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub fn health(channel: Channel, state: State, reason: Option<Reason>, since: &str) -> Health {
    Health { channel, state, phase: None, reason, since: at(since), evidence: None, next_try: None }
}

/// A mailbox whose INBOX has been so since then.
pub fn mailbox(name: &str, state: State, reason: Option<Reason>, since: &str) -> MailboxStatus {
    let channels = vec![
        health(Channel::Inbox, state, reason, since),
        health(Channel::Sent, State::Connected, None, "08:00"),
    ];
    MailboxStatus {
        address: address(name),
        provider: "imap.firm.example".into(),
        state: combine(&channels),
        paused_until: None,
        channels,
        next_step: None,
        advice: None,
        logged: 0,
        asked: 0,
        held: 0,
        ignored: 0,
        bodies_never_read: 0,
        waiting: 0,
        to_read: 0,
        refused: 0,
        last_seen: None,
        set_aside: Vec::new(),
    }
}

pub fn connected(name: &str) -> MailboxStatus {
    mailbox(name, State::Connected, None, "08:00")
}

pub fn broken(name: &str, reason: Reason, since: &str) -> MailboxStatus {
    mailbox(name, State::NeedsAttention, Some(reason), since)
}

/// A mailbox that is paused until then; without a time until the person resumes.
pub fn paused(name: &str, until: Option<&str>) -> MailboxStatus {
    let until = until.map_or(threadline_engine::engine::UNTIL_RESUMED, at);
    MailboxStatus { state: State::Paused, paused_until: Some(until), ..connected(name) }
}

pub fn hubspot(state: State, reason: Option<Reason>, since: &str) -> CrmStatus {
    let health = vec![health(Channel::Crm, state, reason, since)];
    CrmStatus {
        settings: CrmSettings::Hubspot { base_url: None },
        state,
        health,
        next_step: None,
        waiting: 0,
        set_aside: 0,
        done: 0,
        contacts: 0,
        contacts_complete: true,
    }
}

pub fn status(mailboxes: Vec<MailboxStatus>) -> Status {
    Status {
        running: None,
        mailboxes,
        crms: vec![hubspot(State::Connected, None, "08:00")],
        unusable_crms: Vec::new(),
    }
}
