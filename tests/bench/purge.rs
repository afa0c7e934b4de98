//! Retention: a purge of 10,000 mails with their texts, and the dry run before it.

use crate::filled::{self, Mail};
use crate::{ANN, peak};
use anyhow::{Result, ensure};
use std::time::Instant;
use threadline_core::address::Address;
use threadline_core::arrival::Role;
use threadline_core::decide::Thread;
use threadline_core::record::{Association, Direction};
use threadline_core::retention::{Keep, Period, Retention};
use threadline_store::job::{self, Kind};
use threadline_store::outbox::{self, Accepted};
use threadline_store::{StoreError, Tx, folder};

const MAILS: u32 = 10_000;
const BATCH: u32 = 500;
/// Bytes of each text.
const TEXT: usize = 20_000;

pub fn run(runtime: &tokio::runtime::Runtime) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (engine, account) = filled::engine_with_ann(dir.path(), runtime)?;
    for from in (0..MAILS).step_by(BATCH as usize) {
        engine.ledger().write_blocking(move |tx| fill(tx, account, from))?;
    }
    runtime.block_on(async {
        engine.ledger().checkpoint().await?;
        let mb = |path: &std::path::Path| std::fs::metadata(path).map_or(0.0, |m| m.len() as f64 / 1e6);
        println!("  {MAILS} mails of {TEXT} bytes; the ledger has {:.0} MB", mb(engine.ledger().path()));
        let keep = Keep { headers: Period::Days(0), body: Period::Days(0) };
        engine.set_retention(Retention { noticed: keep, ..Retention::default() }).await?;
        for dry_run in [true, false] {
            std::fs::write("/proc/self/clear_refs", "5")?;
            let begun = Instant::now();
            let report = engine.purge(dry_run).await?;
            let time = begun.elapsed().as_secs_f64();
            ensure!((report.headers, report.texts) == (MAILS, MAILS), "{report:?}");
            println!(
                "    {:<8} {MAILS} headers and texts in {time:.1} s; most memory {:.0} MB",
                if dry_run { "dry run" } else { "purge" },
                peak(std::process::id())? as f64 / 1024.0
            );
        }
        let begun = Instant::now();
        ensure!(engine.purge(false).await?.headers == 0);
        println!("    {:<8} nothing due: {:.1} ms", "again", begun.elapsed().as_secs_f64() * 1_000.0);
        Ok(())
    })
}

fn fill(tx: &Tx<'_>, account: i64, from: u32) -> Result<(), StoreError> {
    let sent = folder::ensure(tx, account, "Sent", Role::Sent)?.id;
    let now = jiff::Timestamp::now();
    for n in from..from + BATCH {
        let to = format!("person{n}@customer{}.example", n % 700);
        let header = format!("Message-ID: <{n}@x>\r\nFrom: {ANN}\r\nTo: {to}\r\nSubject: Offer {n}\r\n\r\n");
        let contacts = Address::parse(&to)
            .map(|address| Association {
                name: None,
                remote_id: Some(format!("c{n}")),
                may_create: false,
                address,
            })
            .into_iter()
            .collect();
        let mail = Mail {
            account,
            folder: sent,
            uid: n + 1,
            header: &header,
            direction: Direction::Outgoing,
            time: now,
            size: 20_000,
        };
        let recorded = mail.log(tx, Thread::New, contacts)?;
        let job = job::add(tx, Kind::Body, recorded.message, mail.place(), job::AT_ONCE)?;
        job::finish_body(tx, job, &"x".repeat(TEXT).into_bytes(), false, &["hubspot"], now)?;
        for entry in outbox::of_message(tx, recorded.message)? {
            let accepted =
                Accepted { remote_id: Some(n.to_string()), link: None, how: "created".into(), at: now };
            outbox::accept(tx, entry.id, &accepted)?;
        }
    }
    Ok(())
}
