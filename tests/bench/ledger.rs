//! What a mail weighs in the ledger: one that is not logged, a logged one, and one with its text that a CRM has.

use crate::filled::{self, Mail};
use crate::{ANN, decide};
use anyhow::{Result, ensure};
use jiff::Timestamp;
use threadline_core::address::Address;
use threadline_core::arrival::Role;
use threadline_core::record::Direction;
use threadline_store::job::{self, Kind};
use threadline_store::message::{self};
use threadline_store::outbox::{self, Accepted};
use threadline_store::{StoreError, Tx, account, folder};

const MAILS: u32 = 20_000;
/// Mails of one transaction.
const BATCH: u32 = 5_000;
/// Bytes of each text, and ids in the References of each mail that is not logged.
const TEXT: usize = 4_000;
const REFERENCES: u32 = 3;

pub fn run(runtime: &tokio::runtime::Runtime) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let ledger = filled::ledger(dir.path())?;
    let ann = Address::parse(ANN)?;
    let (account, inbox, sent) = ledger.write_blocking(move |tx| {
        let account = account::insert(tx, &ann, "{}", Timestamp::UNIX_EPOCH)?;
        let folder = |name, role| folder::ensure(tx, account, name, role).map(|folder| folder.id);
        Ok((account, folder("INBOX", Role::Inbox)?, folder("Sent", Role::Sent)?))
    })?;
    let bytes = || -> Result<u64> {
        runtime.block_on(ledger.checkpoint())?;
        Ok(std::fs::metadata(ledger.path())?.len())
    };
    let mut before = bytes()?;
    let mut tell = |what: &str| -> Result<()> {
        let now = bytes()?;
        println!("    {what:<64} {:>6.0} bytes", (now - before) as f64 / f64::from(MAILS));
        before = now;
        Ok(())
    };
    println!("  {MAILS} mails of each kind; the ledger's file, a mail");
    for from in (0..MAILS).step_by(BATCH as usize) {
        ledger.write_blocking(move |tx| fill(tx, account, inbox, from))?;
    }
    tell(&format!("not logged: hashes of its id and of {REFERENCES} that it answers"))?;
    for from in (0..MAILS).step_by(BATCH as usize) {
        ledger.write_blocking(move |tx| decide::fill(tx, account, sent, from))?;
    }
    tell("logged, without its text, in conversations of five")?;
    let mut read = 0;
    let mut after = 0;
    loop {
        let (done, last) = ledger.write_blocking(move |tx| texts(tx, after))?;
        let Some(last) = last else { break };
        (read, after) = (read + done, last);
    }
    ensure!(read == MAILS as usize, "{read} texts");
    tell(&format!("more with a text of {TEXT} bytes that one CRM has"))
}

fn fill(tx: &Tx<'_>, account: i64, folder: i64, from: u32) -> Result<(), StoreError> {
    for n in from..from + BATCH {
        let references: Vec<String> =
            (0..REFERENCES).map(|i| format!("<{n}.{i}@elsewhere.example>")).collect();
        let header = format!(
            "Message-ID: <in{n}@elsewhere.example>\r\nFrom: p{n}@elsewhere.example\r\nTo: {ANN}\r\nSubject: News {n}\r\nReferences: {}\r\n\r\n",
            references.join(" ")
        );
        let mail = Mail {
            account,
            folder,
            uid: n + 1,
            header: &header,
            direction: Direction::Incoming,
            time: Timestamp::UNIX_EPOCH,
            size: 20_000,
        };
        mail.ignore(tx)?;
    }
    Ok(())
}

/// Reads and pushes the texts of a page of logged mails; gives how many, and the last one.
fn texts(tx: &Tx<'_>, after: i64) -> Result<(usize, Option<i64>), StoreError> {
    let now = Timestamp::UNIX_EPOCH;
    let rows = message::logged_page(tx, after, 1_000)?;
    for row in &rows {
        let Some(place) = threadline_store::hidden::places(tx, row.id)?.first().copied() else { continue };
        // No two words alike: what is packed together would weigh less than mail does.
        let mut text = String::new();
        for word in 0_u64.. {
            if text.len() >= TEXT {
                break;
            }
            let odd = (row.id.unsigned_abs() + 1).wrapping_mul(word.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
            text.push_str(&format!("{:x} ", odd >> 24));
        }
        text.truncate(TEXT);
        let job = job::add(tx, Kind::Body, row.id, place, job::AT_ONCE)?;
        job::finish_body(tx, job, text.as_bytes(), false, &["hubspot"], now)?;
        for entry in outbox::of_message(tx, row.id)? {
            let remote_id = Some(format!("{}", 10_000_000_000 + row.id));
            outbox::accept(
                tx,
                entry.id,
                &Accepted { remote_id, link: None, how: "created".into(), at: now },
            )?;
        }
    }
    Ok((rows.len(), rows.last().map(|row| row.id)))
}
