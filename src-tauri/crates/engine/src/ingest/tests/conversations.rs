//! Whole conversations as the programs of today write them (`tests/data/conversations`), in every order of arrival: they come out
//! whole, and private mail stays out. `cargo xtask bench packs` prints the numbers.
//!
//! A file holds mails, each behind a line `@@ FOLDER CONVERSATION`. The conversation `out` is mail that is not logged, `ask` mail
//! about which the person is asked.
#![allow(clippy::print_stdout, reason = "the numbers are read")]

use super::{ANN, due};
use crate::contacts::LOCAL;
use crate::ingest::{Mailbox, recheck, store_one};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use threadline_core::address::Address;
use threadline_core::arrival::{Arrival, Role};
use threadline_core::contact::Contact;
use threadline_core::envelope::Envelope;
use threadline_core::rule::Rules;
use threadline_store::job::{self, Kind};
use threadline_store::message::{self, Outcome};
use threadline_store::{Key, Ledger, StoreError, Tx, account, contact, folder};

/// Who is a contact. The support's address of one of them is not, nor is anybody private.
const CONTACTS: [&str; 3] = ["bob@client.example", "dora@second.example", "carol@third.example"];

/// What does not come out yet: a forward that comes up behind both the mail and the answer of a colleague of the contact. By then
/// the colleague takes part in the old conversation, and the forward joins it.
const WEAK: &str = "forward-colleague";
const FORWARD: usize = 1;
const ANSWER: usize = 2;

/// True for an order that is not asked for.
fn is_weak(file: &str, order: &[usize]) -> bool {
    let at = |mail| order.iter().position(|one| *one == mail);
    file == WEAK && at(FORWARD) > at(0) && at(FORWARD) > at(ANSWER)
}

#[derive(Clone)]
struct Mail {
    file: String,
    folder: String,
    conversation: String,
    arrival: Arrival,
}

impl Mail {
    fn id(&self) -> String {
        self.arrival.envelope.ids[0].to_string()
    }
}

/// The mails of each file.
fn files() -> BTreeMap<String, Vec<Mail>> {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/data/conversations");
    let mut uid = 0;
    let mut files = BTreeMap::new();
    let mut paths: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let mails = text.split("\n@@ ").skip(1).map(|mail| {
            let (head, header) = mail.split_once('\n').unwrap();
            let (folder, conversation) = head.split_once(' ').unwrap();
            let envelope =
                Envelope::parse(format!("{}\r\n\r\n", header.trim_end().replace('\n', "\r\n")).as_bytes());
            uid += 1;
            let arrival = Arrival {
                uid,
                internal_date: envelope.date.unwrap(),
                size: 5_000,
                flags: Vec::new(),
                labels: None,
                envelope,
            };
            let (folder, conversation) = (folder.to_owned(), conversation.to_owned());
            Mail { file: file.clone(), folder, conversation, arrival }
        });
        files.insert(file.clone(), mails.collect());
    }
    files
}

/// The ids of what is logged, as sets of one conversation each, and of what is asked about.
#[derive(Debug, PartialEq, Eq)]
struct CameOut {
    logged: BTreeSet<BTreeSet<String>>,
    asked: BTreeSet<String>,
}

/// What is to come out of these mails.
fn wanted(mails: &[Mail]) -> CameOut {
    let mut logged: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    let mut asked = BTreeSet::new();
    for mail in mails {
        match mail.conversation.as_str() {
            "out" => {}
            "ask" => drop(asked.insert(mail.id())),
            other => drop(logged.entry((&mail.file, other)).or_default().insert(mail.id())),
        }
    }
    CameOut { logged: logged.into_values().collect(), asked }
}

/// Takes the mails in, in this order; where `pauses` says so, what is to be decided again is so after each.
fn take_in(
    tx: &Tx<'_>,
    mailbox: &Mailbox,
    mails: &[Mail],
    order: &[usize],
    pauses: bool,
) -> Result<CameOut, StoreError> {
    let role = |name: &str| if name == "Sent" { Role::Sent } else { Role::Inbox };
    let again = || {
        loop {
            let jobs: Vec<_> =
                due(tx, mailbox.id)?.into_iter().filter(|job| job.kind == Kind::Recheck).collect();
            if jobs.is_empty() {
                return Ok::<_, StoreError>(());
            }
            for one in jobs {
                let arrival =
                    mails.iter().find(|mail| mail.arrival.uid == one.place.uid).map(|mail| &mail.arrival);
                let folder = folder::get(tx, one.place.folder)?;
                recheck(tx, mailbox, &folder.unwrap(), one.place, arrival.unwrap(), Timestamp::UNIX_EPOCH)?;
                job::done(tx, one.id)?;
            }
        }
    };
    for mail in order.iter().map(|index| &mails[*index]) {
        let folder = folder::ensure(tx, mailbox.id, &mail.folder, role(&mail.folder))?;
        store_one(tx, mailbox, &folder, 1, &mail.arrival, Timestamp::UNIX_EPOCH)?;
        if pauses {
            again()?;
        }
    }
    again()?;
    let mut threads: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for row in message::logged_page(tx, 0, 1_000)? {
        let id = row.headers.unwrap().ids[0].to_string();
        threads.entry(row.thread.unwrap()).or_default().insert(id);
    }
    let asked = message::of_outcome(tx, mailbox.id, Outcome::Ask, 0, 1_000)?;
    let asked = asked.into_iter().map(|row| row.headers.unwrap().ids[0].to_string()).collect();
    Ok(CameOut { logged: threads.into_values().collect(), asked })
}

fn mailbox() -> (tempfile::TempDir, Ledger, Mailbox) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("ledger.db"), &Key::from_bytes([7; 32])).unwrap();
    let address = Address::parse(ANN).unwrap();
    let of = address.clone();
    let id = ledger
        .write_blocking(move |tx| {
            let contacts = CONTACTS.map(|a| Contact {
                remote_id: a.to_owned(),
                addresses: vec![Address::parse(a).unwrap()],
                name: None,
            });
            contact::upsert(tx, LOCAL, &contacts, Timestamp::UNIX_EPOCH)?;
            account::insert(tx, &of, "{}", Timestamp::UNIX_EPOCH)
        })
        .unwrap();
    let rules = Rules::for_mailbox(&address);
    let mailbox =
        Mailbox { id, epoch: 0, address, rules, contact_sources: vec![LOCAL.into()], history: false };
    (dir, ledger, mailbox)
}

/// Every order of so many things.
fn orders(number: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..number {
        let longer = |order: Vec<usize>| {
            (0..=order.len()).map(move |at| {
                let mut longer = order.clone();
                longer.insert(at, next);
                longer
            })
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

/// How many of these orders came out as wanted: every conversation whole, nothing private logged, the rest asked.
#[derive(Default)]
struct Score {
    orders: usize,
    whole: usize,
    private_out: usize,
    right: usize,
}

async fn run(
    ledger: &Ledger,
    mailbox: &Mailbox,
    mails: &[Mail],
    orders: &[Vec<usize>],
) -> (Score, Option<String>) {
    let wanted = wanted(mails);
    let private: BTreeSet<String> = mails
        .iter()
        .filter(|mail| matches!(mail.conversation.as_str(), "out" | "ask"))
        .map(Mail::id)
        .collect();
    let (mut score, mut first) = (Score::default(), None);
    for (n, order) in orders.iter().enumerate() {
        let (of, all, by) = (mailbox.clone(), mails.to_vec(), order.clone());
        let rehearsed = ledger.rehearse(move |tx| take_in(tx, &of, &all, &by, n % 2 == 1));
        let came = rehearsed.await.unwrap();
        score.orders += 1;
        score.whole += usize::from(wanted.logged.iter().all(|one| came.logged.contains(one)));
        score.private_out += usize::from(came.logged.iter().flatten().all(|id| !private.contains(id)));
        score.right += usize::from(came == wanted);
        if came != wanted && first.is_none() {
            first = Some(format!("in the order {order:?} {came:#?} is not {wanted:#?}"));
        }
    }
    (score, first)
}

#[tokio::test]
async fn packs_conversations_come_out_whole_in_every_order() {
    let (_dir, ledger, mailbox) = mailbox();
    let mut wrong = Vec::new();
    for (file, mails) in files() {
        let mut orders = orders(mails.len());
        orders.retain(|order| !is_weak(&file, order));
        let (score, first) = run(&ledger, &mailbox, &mails, &orders).await;
        let Score { orders, whole, private_out, right } = score;
        println!(
            "conversations/{file}: {} mails, {orders} orders: whole in {whole}, private mail out in {private_out}, all as wanted in {right}",
            mails.len()
        );
        wrong.extend(first.map(|first| format!("{file}: {first}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All of them in one mailbox, among each other.
#[tokio::test]
async fn packs_conversations_do_not_mix() {
    let (_dir, ledger, mailbox) = mailbox();
    let mails: Vec<Mail> = files().into_values().flatten().filter(|mail| mail.file != WEAK).collect();
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let shuffled: Vec<Vec<usize>> = (0..60)
        .map(|_| {
            let mut order: Vec<usize> = (0..mails.len()).collect();
            for at in (1..order.len()).rev() {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                order.swap(at, (random % (at as u64 + 1)) as usize);
            }
            order
        })
        .collect();
    let (score, first) = run(&ledger, &mailbox, &mails, &shuffled).await;
    let Score { orders, whole, private_out, right } = score;
    println!(
        "conversations, all {} mails at once: {orders} orders: whole in {whole}, private mail out in {private_out}, all as wanted in {right}",
        mails.len()
    );
    assert!(first.is_none(), "{}", first.unwrap_or_default());
}
