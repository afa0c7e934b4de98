//! The list of conversations over a large ledger: any page with its total, searches and filters.

use crate::filled::{self, Mail};
use crate::{ANN, spread};
use anyhow::{Context, Result};
use std::time::{Duration, Instant};
use threadline_core::address::Address;
use threadline_core::arrival::Role;
use threadline_core::conversation::ThreadState;
use threadline_core::decide::Thread;
use threadline_core::envelope::Envelope;
use threadline_core::record::{Association, Direction};
use threadline_engine::threads::ThreadQuery;
use threadline_store::outbox::{self, Accepted};
use threadline_store::{StoreError, Tx, folder};

const THREADS: u32 = 100_000;
/// Threads stored in one transaction.
const BATCH: u32 = 2_000;
const CUSTOMERS: u32 = 5_000;
const ROUNDS: usize = 20;
const WORDS: [&str; 10] = [
    "offer",
    "invoice",
    "meeting",
    "question",
    "contract",
    "delivery",
    "project",
    "Angebot",
    "Rückfrage",
    "sample",
];

pub fn run(runtime: &tokio::runtime::Runtime) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (engine, account) = filled::engine_with_ann(dir.path(), runtime)?;
    let begun = Instant::now();
    for from in (0..THREADS).step_by(BATCH as usize) {
        engine.ledger().write_blocking(move |tx| fill(tx, account, from))?;
    }
    let mb = std::fs::metadata(engine.ledger().path())?.len() as f64 / 1e6;
    println!(
        "  {THREADS} threads, {} messages, stored in {:.1} s; the ledger has {mb:.0} MB",
        THREADS + THREADS / 2,
        begun.elapsed().as_secs_f64()
    );
    let page = |offset, limit| ThreadQuery { offset, limit, ..ThreadQuery::default() };
    let search = |words: &str| ThreadQuery { search: Some(words.to_owned()), ..page(0, 100) };
    let contact = Address::parse(&customer(4_711))?;
    for (name, query) in [
        ("first 100", page(0, 100)),
        ("first 500", page(0, 500)),
        ("100 from the middle", page(THREADS / 2, 100)),
        ("last 100", page(THREADS - 100, 100)),
        ("search: one customer", search("person4711")),
        ("search: two words", search("customer69 ruck")),
        ("search: a tenth of all", search("angebot")),
        ("search: all", search("example")),
        ("search: none", search("nobody")),
        ("a contact", ThreadQuery { contact: Some(contact), ..page(0, 100) }),
        ("replied", ThreadQuery { state: Some(ThreadState::Replied), ..page(0, 100) }),
        ("silent for 7 days", ThreadQuery { silent_days: Some(7), ..page(0, 100) }),
    ] {
        let mut times = Vec::new();
        let mut total = 0;
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            total = runtime.block_on(engine.threads_page(query.clone()))?.total;
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        }
        println!("    {name:<24} {}   of {total}", spread(&mut times));
    }
    let newest = runtime.block_on(engine.threads_page(page(0, 1)))?;
    let id = newest.rows.first().context("no thread")?.id;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        runtime.block_on(engine.thread(id))?;
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    println!("    {:<24} {}", "opening one", spread(&mut times));
    Ok(())
}

fn customer(n: u32) -> String {
    format!("person{n}@customer{}.example", n % 700)
}

/// Stores threads: a mail, every second one with its reply, each pushed.
fn fill(tx: &Tx<'_>, account: i64, from: u32) -> Result<(), StoreError> {
    let sent = folder::ensure(tx, account, "Sent", Role::Sent)?.id;
    let inbox = folder::ensure(tx, account, "INBOX", Role::Inbox)?.id;
    for n in from..from + BATCH {
        let to = customer(n.wrapping_mul(7_919) % CUSTOMERS);
        let word = |k: u32| WORDS[(n.wrapping_mul(k) / 7 % 10) as usize];
        let subject = format!("{} {} {n}", word(3), word(11));
        let header = format!("Message-ID: <{n}@x>\r\nFrom: {ANN}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\n");
        let mail = |folder, header, direction| Mail {
            account,
            folder,
            uid: n + 1,
            header,
            direction,
            // A minute apart, up to now.
            time: jiff::Timestamp::now() - Duration::from_secs(60 * u64::from(THREADS - n)),
            size: 2_000,
        };
        let thread = store(tx, &mail(sent, &header, Direction::Outgoing), Thread::New, &to)?;
        if n % 2 == 0 {
            let header = format!(
                "Message-ID: <r{n}@x>\r\nIn-Reply-To: <{n}@x>\r\nFrom: {to}\r\nTo: {ANN}\r\nSubject: Re: {subject}\r\n\r\n"
            );
            store(tx, &mail(inbox, &header, Direction::Incoming), Thread::Join(thread), &to)?;
        }
    }
    Ok(())
}

/// Stores a mail that a CRM has; gives its conversation.
fn store(tx: &Tx<'_>, mail: &Mail<'_>, thread: Thread, to: &str) -> Result<i64, StoreError> {
    let contacts = Address::parse(to)
        .map(|address| Association {
            name: Some(format!("Person {}", address.local())),
            remote_id: Some(to.to_owned()),
            may_create: false,
            address,
        })
        .into_iter()
        .collect();
    let recorded = mail.log(tx, thread, contacts)?;
    let key = Envelope::parse(mail.header.as_bytes()).key;
    outbox::add(tx, "folder", recorded.message, &key, mail.time)?;
    let entry = outbox::of_message(tx, recorded.message)?.into_iter().next();
    if let Some(entry) = entry {
        let accepted = Accepted { remote_id: None, link: None, how: "created".into(), at: mail.time };
        outbox::accept(tx, entry.id, &accepted)?;
    }
    recorded.thread.ok_or(StoreError::NotFound { what: "thread", id: recorded.message })
}
