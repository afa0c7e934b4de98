//! Retention on real servers: what is purged is gone, and the receipts serve.

use anyhow::{Context, Result, ensure};
use std::sync::Arc;
use std::time::Duration;
use threadline_core::retention::{Clock, Keep, Period, Retention};
use threadline_engine::retention::PurgeHeld;
use threadline_engine::settings::CrmSettings;
use threadline_engine::views::MessageView;
use threadline_store::message::Outcome;
use threadline_store::{account, message};
use threadline_testkit::clock::HandClock;
use threadline_testkit::hubspot::{FakeHubspot, Options};
use threadline_testkit::lab::Lab;
use threadline_tests::desk::{ANN, CARL, Desk};
use threadline_tests::events_of;
use zeroize::Zeroizing;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Everything that may go goes at once.
fn at_once() -> Retention {
    let keep = Keep { headers: Period::Days(0), body: Period::Days(0) };
    Retention { metadata: keep, gesture: keep, noticed: keep, sent: keep, deleted: keep, hold: false }
}

/// A desk whose clock shows the time, and stands still.
async fn desk() -> Result<(Desk, HandClock)> {
    let clock = HandClock::at(jiff::Timestamp::now());
    let desk = Desk::by(Lab::builder(), Arc::new(clock.clone())).await?;
    desk.engine.catch_up().await?;
    Ok((desk, clock))
}

fn got(desk: &Desk, id: &str, from: &str, more: &str) -> Result<()> {
    let raw = format!("From: {from}\r\nTo: {ANN}\r\nMessage-ID: <{id}@x>\r\n{more}\r\nhello\r\n");
    desk.lab.append(ANN, "INBOX", raw.as_bytes())?;
    Ok(())
}

async fn logged(desk: &Desk) -> Result<Vec<message::Message>> {
    let read = |tx: &threadline_store::Tx<'_>| {
        message::of_outcome(tx, account::list(tx)?.remove(0).id, Outcome::Log, 0, 999)
    };
    Ok(desk.engine.ledger().read(read).await?)
}

/// The conversation's messages.
async fn items(desk: &Desk, thread: i64) -> Result<Vec<MessageView>> {
    Ok(desk.engine.thread(thread).await?.items)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_every_clock_ran_out_a_reply_joins_its_thread_and_nothing_is_doubled_or_lost() -> Result<()> {
    let (desk, clock) = desk().await?;
    for n in 1..=3 {
        desk.send(&format!("s{n}@lab.test"))?;
    }
    ensure!(desk.engine.catch_up().await?.is_well());
    let first = logged(&desk).await?.remove(0);
    let thread = first.thread.context("it is logged")?;
    let goes = items(&desk, thread).await?.remove(0).goes;
    ensure!(
        goes.clock == Some(Clock::Noticed) && goes.text.is_some() && goes.text == goes.headers,
        "{goes:?}"
    );

    desk.engine.set_retention(at_once()).await?;
    let dry = desk.engine.purge(true).await?;
    ensure!((dry.texts, dry.headers, dry.held) == (3, 3, None), "{dry:?}");
    ensure!(items(&desk, thread).await?.remove(0).text.is_some(), "a dry run took something");
    let report = desk.engine.purge(false).await?;
    ensure!((report.texts, report.headers) == (3, 3), "{report:?}");
    let item = items(&desk, thread).await?.remove(0);
    ensure!(item.text.is_none() && item.contacts.is_empty() && item.decided.to.is_empty(), "{item:?}");
    ensure!(item.goes.headers_gone.is_some() && item.crm[0].state == "done", "{:?}", item.goes);

    // Nothing that names Carl is left in the file, but the contact list.
    let file = rusqlite::Connection::open(desk.engine.ledger().path())?;
    file.execute_batch(&format!("PRAGMA key = \"x'{}'\";", desk.ledger_key()?.as_str()))?;
    let pages = file.serialize(rusqlite::MAIN_DB)?.to_vec();
    for word in ["hello", "s1@lab.test"] {
        let found = pages.windows(word.len()).any(|window| window == word.as_bytes());
        ensure!(!found, "{word} is left in the file");
    }
    drop(file);

    // The text is read again to be shown, and is not stored.
    let again = desk.engine.read_again(first.id).await?;
    ensure!(again.text.trim() == "hello" && again.to[0].address.as_str() == CARL, "{again:?}");
    ensure!(items(&desk, thread).await?.remove(0).text.is_none());

    // A late reply of Carl's, and one of a colleague of his.
    got(&desk, "r1", CARL, "In-Reply-To: <s1@lab.test>\r\n")?;
    got(&desk, "r2", "dora@customer1.example", "References: <s2@lab.test>\r\n")?;
    got(&desk, "r3", "mallory@evil.example", "References: <s3@lab.test>\r\n")?;
    ensure!(desk.engine.catch_up().await?.is_well());
    ensure!(items(&desk, thread).await?.len() == 2, "the reply did not join its thread");
    let all = logged(&desk).await?;
    ensure!(all.len() == 5, "{all:?}");
    ensure!(desk.engine.status().await?.mailboxes[0].asked == 1, "a stranger is asked about");

    // The folders are numbered anew: nothing is doubled.
    for folder in ["INBOX", "Sent"] {
        desk.lab.set_uidvalidity(ANN, folder, 77_777)?;
    }
    ensure!(desk.engine.catch_up().await?.is_well());
    ensure!(logged(&desk).await?.len() == 5);

    // Forty days away: what was sent meanwhile is logged, all of it and once.
    for n in 10..30 {
        desk.send(&format!("s{n}@lab.test"))?;
    }
    got(&desk, "r4", CARL, "In-Reply-To: <s2@lab.test>\r\n")?;
    clock.advance(40 * DAY);
    ensure!(desk.engine.catch_up().await?.is_well());
    ensure!(logged(&desk).await?.len() == 26);
    let stored = events_of(&desk.engine.home().default_export_dir())?;
    let keys: std::collections::HashSet<String> =
        stored.iter().map(|event| event["key"].to_string()).collect();
    ensure!(stored.len() == 26 && keys.len() == 26, "{} lines, {} keys", stored.len(), keys.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_purged_while_the_clock_is_wrong_or_under_legal_hold() -> Result<()> {
    let (desk, clock) = desk().await?;
    desk.send("s1@lab.test")?;
    ensure!(desk.engine.catch_up().await?.is_well());
    // Somebody sets the clock a year ahead: by it, all is due.
    let now = jiff::Timestamp::now();
    clock.set(now + jiff::SignedDuration::from_hours(366 * 24));
    let report = desk.engine.purge(false).await?;
    ensure!((report.held, report.headers) == (Some(PurgeHeld::ClockDiffers), 0), "{report:?}");
    clock.set(now);
    let mut wanted = at_once();
    wanted.hold = true;
    desk.engine.set_retention(wanted).await?;
    ensure!(desk.engine.purge(false).await?.held == Some(PurgeHeld::LegalHold));
    desk.engine.set_retention(at_once()).await?;
    let thread = logged(&desk).await?[0].thread.context("it is logged")?;
    desk.engine.hold_thread(thread, true).await?;
    ensure!(desk.engine.purge(false).await?.headers == 0);
    desk.engine.hold_thread(thread, false).await?;
    ensure!(desk.engine.purge(false).await?.headers == 1);
    // Once a day, by the program's own clock.
    ensure!(desk.engine.purge_if_due().await?.is_none());
    clock.advance(DAY);
    ensure!(desk.engine.purge_if_due().await?.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_in_the_crm_is_noticed_and_pushed_again_only_when_restored() -> Result<()> {
    let (desk, _clock) = desk().await?;
    let portal =
        FakeHubspot::start(Options::default(), Arc::new(threadline_engine::clock::SystemClock::start()))
            .await?;
    portal.add_contact(CARL, "Carl", "");
    let crm = CrmSettings::Hubspot { base_url: Some(portal.url()) };
    desk.engine.set_crm(crm, Some(Zeroizing::new(Options::default().token.clone()))).await?;
    for n in 1..=2 {
        desk.send(&format!("s{n}@lab.test"))?;
    }
    ensure!(desk.engine.catch_up().await?.is_well());
    let emails = portal.emails();
    ensure!(emails.len() == 2);
    portal.archive_email(emails[0].id);
    let at_work = desk.run().await?;
    desk.until("the deleted record in the trash", || async { Ok(!desk.engine.trash(9).await?.is_empty()) })
        .await?;
    let trash = desk.engine.trash(9).await?;
    ensure!(trash.len() == 1 && trash[0].in_crm.as_deref() == Some("hubspot"), "{trash:?}");
    ensure!(
        trash[0]
            .until
            .is_some_and(|until| until > trash[0].deleted_at + 80 * jiff::SignedDuration::from_hours(24))
    );
    let crm = desk.engine.status().await?.crms.remove(0);
    ensure!(portal.emails().len() == 1 && crm.waiting == 0, "it is pushed again");
    desk.engine.restore(trash[0].message).await?;
    desk.until("the restored mail in the CRM", || async { Ok(portal.emails().len() == 2) }).await?;
    ensure!(desk.engine.trash(9).await?.is_empty());
    drop(at_work);
    Ok(())
}
