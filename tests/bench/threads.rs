//! The list of conversations over a large ledger: any page with its total, searches and filters.

use crate::{ANN, spread};
use anyhow::{Context, Result};
use std::sync::Arc;
use std::time::{Duration, Instant};
use threadline_core::address::Address;
use threadline_core::arrival::Role;
use threadline_core::conversation::ThreadState;
use threadline_core::decide::{Decision, Thread, Verdict};
use threadline_core::envelope::Envelope;
use threadline_core::record::{Association, Direction};
use threadline_core::rule::Rule;
use threadline_engine::clock::SystemClock;
use threadline_engine::settings::{AccountSettings, Encryption};
use threadline_engine::threads::ThreadQuery;
use threadline_engine::{Engine, Home};
use threadline_secrets::Memory;
use threadline_store::message::{self, NewDecision};
use threadline_store::outbox::{self, Accepted};
use threadline_store::place::Place;
use threadline_store::{StoreError, Tx, folder};
use zeroize::Zeroizing;

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
    let home = Home::open(&dir.path().join("data"))?;
    let (engine, _) = Engine::open(home, Arc::new(Memory::new()), Arc::new(SystemClock::start()), None)?;
    let ann = Address::parse(ANN)?;
    let settings = AccountSettings::new(ann.clone(), "localhost".into(), Encryption::Tls);
    runtime.block_on(engine.add_account(settings, Some(Zeroizing::new("secret".into()))))?;
    let account = runtime.block_on(engine.account(&ann))?.id;
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
        let thread = store(tx, account, sent, n, &header, Direction::Outgoing, Thread::New, &to)?;
        if n % 2 == 0 {
            let header = format!(
                "Message-ID: <r{n}@x>\r\nIn-Reply-To: <{n}@x>\r\nFrom: {to}\r\nTo: {ANN}\r\nSubject: Re: {subject}\r\n\r\n"
            );
            store(tx, account, inbox, n, &header, Direction::Incoming, Thread::Join(thread), &to)?;
        }
    }
    Ok(())
}

#[allow(clippy::too_many_arguments, reason = "the parts of one mail")]
fn store(
    tx: &Tx<'_>,
    account: i64,
    folder: i64,
    n: u32,
    header: &str,
    direction: Direction,
    thread: Thread,
    to: &str,
) -> Result<i64, StoreError> {
    let envelope = Envelope::parse(header.as_bytes());
    // A minute apart, up to now.
    let time = jiff::Timestamp::now() - Duration::from_secs(60 * u64::from(THREADS - n));
    let contacts = Address::parse(to)
        .map(|address| Association {
            name: Some(format!("Person {}", address.local())),
            remote_id: Some(to.to_owned()),
            may_create: false,
            address,
        })
        .into_iter()
        .collect();
    let (rule, outgoing) = (Rule::SentToContact, direction == Direction::Outgoing);
    let rule = if outgoing { rule } else { Rule::ReplyInLoggedThread };
    let recorded = message::record(
        tx,
        &NewDecision {
            account,
            place: Some(Place { folder, uidvalidity: 1, uid: n + 1 }),
            envelope: &envelope,
            decision: &Decision {
                verdict: Verdict::Log { thread, contacts },
                rule,
                direction,
                link: None,
                apart_from: None,
                hidden: Vec::new(),
            },
            rule_version: 1,
            time,
            size: 2_000,
            at: time,
        },
    )?;
    outbox::add(tx, "folder", recorded.message, &envelope.key, time)?;
    let entry = outbox::of_message(tx, recorded.message)?.into_iter().next();
    if let Some(entry) = entry {
        let accepted = Accepted { remote_id: None, link: None, how: "created".into(), at: time };
        outbox::accept(tx, entry.id, &accepted)?;
    }
    recorded.thread.ok_or(StoreError::NotFound { what: "thread", id: recorded.message })
}
