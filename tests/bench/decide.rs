//! Decisions a second on one core with a million known ids: of `core::decide` alone, and with what the ledger is asked.

use crate::ANN;
use crate::filled::{self, Mail};
use anyhow::{Context, Result};
use jiff::Timestamp;
use std::collections::HashSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use threadline_core::address::Address;
use threadline_core::arrival::{Arrival, Role};
use threadline_core::contact::Contact;
use threadline_core::decide::{Known, Seen, Thread, decide};
use threadline_core::envelope::Envelope;
use threadline_core::id::MessageId;
use threadline_core::matching::{Clue, KnownThread, clues};
use threadline_core::record::{Association, Direction};
use threadline_core::rule::Rules;
use threadline_store::{StoreError, Tx, account, contact, folder, thread};

const IDS: u32 = 1_000_000;
/// Messages of one conversation.
const LENGTH: u32 = 5;
const CUSTOMERS: u32 = 5_000;
/// Each is run for so long.
const TIME: Duration = Duration::from_secs(5);
/// Messages stored in one transaction.
const BATCH: u32 = 5_000;

pub fn run() -> Result<()> {
    let rules = Rules::for_mailbox(&Address::parse(ANN)?);
    let mail = [
        ("a reply, by References", answer(777_777, "References: <1@x> <777777@firm.example>")),
        ("a reply, by In-Reply-To", answer(777_777, "In-Reply-To: Ann's mail <777777@firm.example>")),
        ("a stranger's, ten unknown ids", stranger()),
    ];
    println!("  {IDS} known ids in {} conversations", IDS / LENGTH);
    in_memory(&rules, &mail)?;
    in_a_ledger(&rules, &mail)
}

fn in_memory(rules: &Rules, mail: &[(&str, Arrival)]) -> Result<()> {
    let mut known = Known { contacts_complete: true, crm_has_contacts: true, ..Known::default() };
    for n in 0..IDS {
        let first = n / LENGTH * LENGTH;
        let clue = |n: u32| Ok::<_, anyhow::Error>(Clue::Id(MessageId::parse(&id(n)).context("no id")?));
        let thread = match first == n {
            false => known.threads.get(&clue(first)?).cloned().context("no thread")?,
            true => vec![Arc::new(KnownThread {
                id: i64::from(n / LENGTH),
                participants: HashSet::from([Address::parse(ANN)?, Address::parse(&customer(n))?]),
                contacts: vec![association(n)?],
                last: Timestamp::UNIX_EPOCH,
            })],
        };
        known.threads.insert(clue(n)?, thread);
    }
    for n in 0..CUSTOMERS {
        let address = Address::parse(&customer(n * LENGTH))?;
        known.contacts.insert(address.clone(), person(address));
    }
    for (name, arrival) in mail {
        let seen = Seen { role: Role::Inbox, folder: "INBOX", begins: None };
        rate(&format!("in memory: {name}"), || {
            black_box(decide(black_box(arrival), seen, &known, rules));
            anyhow::Ok(())
        })?;
    }
    let header = header(777_777, "References: <1@x> <777777@firm.example>");
    rate("in memory: reading the header too", || {
        let arrival = Arrival { envelope: Envelope::parse(header.as_bytes()), ..mail[0].1.clone() };
        let seen = Seen { role: Role::Inbox, folder: "INBOX", begins: None };
        black_box(decide(&arrival, seen, &known, rules));
        anyhow::Ok(())
    })
}

fn in_a_ledger(rules: &Rules, mail: &[(&str, Arrival)]) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let ledger = filled::ledger(dir.path())?;
    let begun = Instant::now();
    let ann = Address::parse(ANN)?;
    let (account, folder) = ledger.write_blocking(move |tx| {
        let account = account::insert(tx, &ann, "{}", Timestamp::UNIX_EPOCH)?;
        Ok((account, folder::ensure(tx, account, "Sent", Role::Sent)?.id))
    })?;
    for from in (0..IDS).step_by(BATCH as usize) {
        ledger.write_blocking(move |tx| fill(tx, account, folder, from))?;
    }
    let people: Vec<Contact> =
        (0..CUSTOMERS).map(|n| Ok(person(Address::parse(&customer(n * LENGTH))?))).collect::<Result<_>>()?;
    ledger.write_blocking(move |tx| contact::upsert(tx, "crm", &people, Timestamp::UNIX_EPOCH))?;
    let mb = std::fs::metadata(ledger.path())?.len() as f64 / 1e6;
    println!("    the ledger: {mb:.0} MB, filled in {:.0} s", begun.elapsed().as_secs_f64());
    for (name, arrival) in mail {
        let (rules, one, name) = (rules.clone(), arrival.clone(), format!("from the ledger: {name}"));
        ledger.read_blocking(move |tx| {
            let seen = Seen { role: Role::Inbox, folder: "INBOX", begins: None };
            let all = clues(&one.envelope);
            let from: Vec<Address> = one.envelope.from.iter().map(|m| m.address.clone()).collect();
            rate(&name, || {
                let known = Known {
                    threads: thread::known(tx, account, all.iter().map(|(_, clue)| clue.clone()))?,
                    contacts: contact::lookup(tx, "crm", &from)?,
                    contacts_complete: true,
                    answer: None,
                    sent_here: false,
                    relayed: None,
                    crm_has_contacts: true,
                    crm_addresses: Vec::new(),
                };
                black_box(decide(&one, seen, &known, &rules));
                Ok(())
            })
        })?;
    }
    Ok(())
}

/// Logs so many mails, in conversations of five.
pub(crate) fn fill(tx: &Tx<'_>, account: i64, folder: i64, from: u32) -> Result<(), StoreError> {
    let refused = |what: &str| StoreError::Unreadable { column: what.to_owned() };
    let mut last = None;
    for n in from..from + BATCH {
        let thread = match last.filter(|_| !n.is_multiple_of(LENGTH)) {
            Some(id) => Thread::Join(id),
            None => Thread::New,
        };
        let header = format!(
            "Message-ID: <{}>\r\nFrom: {ANN}\r\nTo: {}\r\nSubject: Offer {n}\r\n\r\n",
            id(n),
            customer(n)
        );
        let contacts = vec![association(n).map_err(|_| refused("address"))?];
        let mail = Mail {
            account,
            folder,
            uid: n + 1,
            header: &header,
            direction: Direction::Outgoing,
            time: Timestamp::UNIX_EPOCH,
            size: 2_000,
        };
        last = mail.log(tx, thread, contacts)?.thread;
    }
    Ok(())
}

/// Runs it for [`TIME`], and prints how often that was a second.
fn rate<E>(name: &str, mut one: impl FnMut() -> Result<(), E>) -> Result<(), E> {
    let begun = Instant::now();
    let mut number = 0_u32;
    while begun.elapsed() < TIME {
        for _ in 0..64 {
            one()?;
        }
        number += 64;
    }
    println!("    {name:<52} {:>10.0} a second", f64::from(number) / begun.elapsed().as_secs_f64());
    Ok(())
}

fn id(n: u32) -> String {
    format!("{n}@firm.example")
}

/// The customer of a message's conversation.
fn customer(n: u32) -> String {
    let of = n / LENGTH % CUSTOMERS;
    format!("person{of}@customer{of}.example")
}

fn association(n: u32) -> Result<Association> {
    let address = Address::parse(&customer(n))?;
    Ok(Association { remote_id: Some(address.to_string()), address, name: None, may_create: false })
}

fn person(address: Address) -> Contact {
    Contact { remote_id: address.to_string(), addresses: vec![address], name: None }
}

fn header(n: u32, more: &str) -> String {
    format!(
        "Message-ID: <reply{n}@customer.example>\r\nFrom: {}\r\nTo: {ANN}\r\nSubject: Re: Offer {n}\r\n{more}\r\n\r\n",
        customer(n)
    )
}

fn answer(n: u32, more: &str) -> Arrival {
    arrival(&header(n, more))
}

fn stranger() -> Arrival {
    let ids: Vec<String> = (0..10).map(|n| format!("<{n}@nowhere.example>")).collect();
    arrival(&format!(
        "Message-ID: <s@nowhere.example>\r\nFrom: someone@nowhere.example\r\nTo: {ANN}\r\nSubject: Re: something\r\nReferences: {}\r\n\r\n",
        ids.join(" ")
    ))
}

fn arrival(header: &str) -> Arrival {
    Arrival {
        uid: 1,
        internal_date: Timestamp::UNIX_EPOCH,
        size: 2_000,
        flags: Vec::new(),
        labels: None,
        envelope: Envelope::parse(header.as_bytes()),
    }
}
