//! The last days of a mailbox: the dry run says what reading them then does.

use anyhow::{Context, Result, ensure};
use std::collections::HashSet;
use threadline_core::address::Address;
use threadline_core::arrival::Role;
use threadline_core::rule::Rule;
use threadline_engine::history::{DryRun, ScanProgress};
use threadline_store::message::Outcome;
use threadline_store::{account, folder};
use threadline_testkit::lab::Lab;
use threadline_tests::desk::{ANN, CARL, Desk};
use threadline_tests::maildir::lay;
use threadline_tests::{events_of, texts_given};

/// A mailbox with a past: conversations with Carl and a colleague of his, questions, noise, and one mail that is too old.
async fn with_a_past() -> Result<Desk> {
    let desk = Desk::on(Lab::builder().maildir()).await?;
    for folder in ["INBOX", "Sent"] {
        // The server makes the folder.
        desk.lab.append(ANN, folder, b"From: ann@lab.test\r\n\r\n")?;
        desk.lab.expunge(ANN, folder, &[])?;
    }
    let sent = |id: &str, to: &str, more: &str, days: u64| {
        let raw = format!("From: {ANN}\r\nTo: {to}\r\nMessage-ID: <{id}@lab.test>\r\n{more}\r\nhello\r\n");
        lay(&desk.lab, ANN, "Sent", id, days, &raw)
    };
    let got = |id: &str, from: &str, more: &str, days: u64| {
        let raw = format!("From: {from}\r\nTo: {ANN}\r\nMessage-ID: <{id}@x>\r\n{more}\r\nhello\r\n");
        lay(&desk.lab, ANN, "INBOX", id, days, &raw)
    };
    for n in 1..=6 {
        sent(&format!("s{n}"), CARL, &format!("Subject: Offer {n}\r\n"), 9)?;
    }
    got("r1", CARL, "In-Reply-To: <s1@lab.test>\r\n", 8)?;
    // A colleague of Carl's takes over, and Ann answers to him alone: nobody of the contacts is on that mail.
    got("r2", "dora@customer1.example", "In-Reply-To: <s2@lab.test>\r\n", 8)?;
    sent("s7", "dora@customer1.example", "In-Reply-To: <r2@x>\r\n", 7)?;
    sent("s8", "zoe@new.example", "", 6)?;
    got("q1", CARL, "Subject: Something new\r\n", 5)?;
    got("n1", "news@list.example", "List-Id: <news.list.example>\r\n", 4)?;
    got("u1", "who@strange.example", "", 3)?;
    sent("s0", CARL, "", 60)?;
    // The mailbox begins at its end.
    ensure!(desk.engine.catch_up().await?.is_well());
    ensure!(desk.engine.status().await?.mailboxes[0].logged == 0);
    Ok(desk)
}

/// All of the ledger that a dry run must leave alone.
async fn everything(desk: &Desk) -> Result<String> {
    let dir = tempfile::tempdir()?;
    desk.engine.export(&dir.path().join("all"), |_| {}).await?;
    let cursors = desk.engine.ledger().read(|tx| folder::list(tx, account::list(tx)?.remove(0).id)).await?;
    let status = desk.engine.status().await?;
    let messages = std::fs::read_to_string(dir.path().join("all/messages.jsonl"))?;
    Ok(format!("{cursors:?} {:?} {messages}", status.mailboxes))
}

fn count(run: &DryRun, rule: Rule) -> u32 {
    run.by_rule.iter().filter(|r| r.rule == rule).map(|r| r.count).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dry_run_says_what_reading_then_logs_and_a_second_reading_logs_nothing() -> Result<()> {
    let desk = with_a_past().await?;
    let ann = Address::parse(ANN)?;
    let before = everything(&desk).await?;
    let mut told: Vec<ScanProgress> = Vec::new();
    let dry = desk.engine.dry_run(&ann, 30, |at| told.push(at)).await?;
    ensure!(everything(&desk).await? == before, "the dry run stored something");
    ensure!(told.iter().any(|at| at.folder == "Sent" && (at.seen, at.of) == (8, 8)), "{told:?}");
    ensure!((dry.days, dry.seen, dry.log, dry.ask, dry.ignore) == (30, 13, 9, 2, 2), "{dry:?}");
    ensure!(count(&dry, Rule::SentToContact) == 6 && count(&dry, Rule::ReplyInLoggedThread) == 2, "{dry:?}");
    ensure!(count(&dry, Rule::SentInLoggedThread) == 1, "{dry:?}");
    ensure!(count(&dry, Rule::UnknownRecipient) == 1 && count(&dry, Rule::NewFromContact) == 1, "{dry:?}");
    let outcomes: Vec<Outcome> = dry.lines.iter().map(|line| line.outcome).collect();
    ensure!(outcomes.is_sorted_by(|a, b| a >= b) && dry.lines.len() == 13, "{dry:?}");
    let offer = dry.lines.iter().find(|line| line.subject == "Offer 3").context("a subject is missing")?;
    ensure!(offer.with.iter().all(|m| m.address.as_str() == CARL) && offer.with.len() == 1);
    let texts: usize = desk.lab.rawlog(ANN)?.iter().map(texts_given).sum();
    ensure!(texts == 0, "{texts} bodies were fetched");

    let read = desk.engine.read_history(&ann, 30, |_| {}).await?;
    ensure!((read.seen, read.logged, read.asked) == (dry.seen, dry.log, dry.ask), "{read:?} {dry:?}");
    let status = desk.engine.status().await?;
    ensure!(status.mailboxes[0].logged == 9 && status.mailboxes[0].asked == 2, "{status:?}");
    ensure!(desk.engine.catch_up().await?.crms[0].pushed == Some(9));

    let again = desk.engine.read_history(&ann, 30, |_| {}).await?;
    ensure!((again.seen, again.logged, again.asked) == (13, 0, 0), "{again:?}");
    let dry = desk.engine.dry_run(&ann, 30, |_| {}).await?;
    ensure!((dry.seen, dry.log, dry.ask, dry.ignore) == (13, 0, 0, 0), "{dry:?}");
    ensure!(desk.engine.catch_up().await?.crms[0].pushed == Some(0));
    let folders = desk.engine.folders(&ann).await?;
    let shown: Vec<_> = folders.iter().map(|f| (f.name.as_str(), f.role)).collect();
    ensure!(shown == [("INBOX", Role::Inbox), ("Sent", Role::Sent)], "{shown:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_beside_the_watch_doubles_nothing_and_moves_no_cursor_back() -> Result<()> {
    let desk = with_a_past().await?;
    let ann = Address::parse(ANN)?;
    let _at_work = desk.run().await?;
    let cursors = || desk.engine.ledger().read(|tx| folder::list(tx, account::list(tx)?.remove(0).id));
    let before = cursors().await?;
    desk.send("live1@lab.test")?;
    let (one, two) =
        tokio::join!(desk.engine.read_history(&ann, 90, |_| {}), desk.engine.read_history(&ann, 90, |_| {}));
    one?;
    two?;
    desk.send("live2@lab.test")?;
    // Ten of the past, the old one among them, and two new ones.
    desk.until("everything in the folder", || async { Ok(desk.engine.status().await?.crms[0].done == 12) })
        .await?;
    let stored = events_of(&desk.engine.home().default_export_dir())?;
    let keys: HashSet<String> = stored.iter().map(|event| event["key"].to_string()).collect();
    ensure!(stored.len() == 12 && keys.len() == 12, "{} lines, {} keys", stored.len(), keys.len());
    for (old, new) in before.iter().zip(cursors().await?) {
        let (old, new) = (old.cursor.context("no cursor")?, new.cursor.context("no cursor")?);
        ensure!(new.next_uid >= old.next_uid && new.uidvalidity == old.uidvalidity);
    }
    Ok(())
}
