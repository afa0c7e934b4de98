//! Mail that HubSpot logs by itself, from a real mailbox: it is found and linked, and never there twice.

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::clock::Clock;
use threadline_core::reason::Reason;
use threadline_engine::own_record::{MissingAnswer, PATIENCE};
use threadline_engine::settings::CrmSettings;
use threadline_store::outbox::{self, State};
use threadline_store::{Tx, message};
use threadline_testkit::clock::HandClock;
use threadline_testkit::hubspot::{FakeHubspot, Options};
use threadline_testkit::lab::Lab;
use threadline_tests::desk::{ANN, CARL, Desk};
use zeroize::Zeroizing;

const OWN: &str = "log@crm.example";

async fn stage() -> Result<(Desk, FakeHubspot, HandClock)> {
    let clock = HandClock::at(Timestamp::now());
    let desk = Desk::by(Lab::builder(), Arc::new(clock.clone())).await?;
    let portal = FakeHubspot::start(Options::default(), Arc::new(clock.clone())).await?;
    portal.add_contact(CARL, "Carl", "");
    let crm = CrmSettings::Hubspot { base_url: Some(portal.url()) };
    desk.engine.set_crm(crm, Some(Zeroizing::new(Options::default().token))).await?;
    desk.engine.set_crm_addresses("hubspot", vec![Address::parse(OWN)?]).await?;
    desk.engine.catch_up().await?;
    Ok((desk, portal, clock))
}

fn send(desk: &Desk, id: &str) -> Result<()> {
    let raw = format!(
        "From: {ANN}\r\nTo: {CARL}\r\nBcc: {OWN}\r\nMessage-ID: <{id}>\r\nSubject: {id}\r\n\r\nhello\r\n"
    );
    desk.lab.append(ANN, "Sent", raw.as_bytes())?;
    Ok(())
}

/// The state of every push, oldest first.
async fn pushes(desk: &Desk) -> Result<Vec<(State, Option<String>)>> {
    let read = |tx: &Tx<'_>| Ok(outbox::page(tx, 0, 99)?.into_iter().map(|e| (e.state, e.how)).collect());
    Ok(desk.engine.ledger().read(read).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn hubspots_own_record_is_found_when_it_comes_and_linked() -> Result<()> {
    let (desk, portal, clock) = stage().await?;
    send(&desk, "1@lab.test")?;
    desk.engine.catch_up().await?;
    ensure!(portal.emails().is_empty(), "nothing is pushed");
    ensure!(pushes(&desk).await? == [(State::Waiting, None)], "{:?}", pushes(&desk).await?);
    // Minutes later HubSpot's logger has it.
    let own = portal.add_own_email("<1@lab.test>", "1@lab.test");
    clock.advance(Duration::from_secs(120));
    ensure!(desk.engine.catch_up().await?.is_well());
    ensure!(pushes(&desk).await? == [(State::Done, Some("linked".into()))], "{:?}", pushes(&desk).await?);
    let emails = portal.emails();
    ensure!(emails.len() == 1 && emails[0].get("hs_email_text") == "as HubSpot logged it", "{emails:?}");
    ensure!(portal.links(own).len() == 1);
    ensure!(desk.engine.missing_records().await?.is_empty());
    // Its thread is open: the answer belongs to it.
    let answer =
        format!("From: {CARL}\r\nTo: {ANN}\r\nMessage-ID: <2@c>\r\nIn-Reply-To: <1@lab.test>\r\n\r\nyes\r\n");
    desk.lab.deliver(ANN, answer.as_bytes())?;
    ensure!(desk.engine.catch_up().await?.is_well());
    ensure!(portal.emails().len() == 2);
    let threads = |tx: &Tx<'_>| {
        let page = outbox::page(tx, 0, 99)?;
        page.iter()
            .map(|e| Ok(message::get(tx, e.message)?.and_then(|row| row.thread)))
            .collect::<Result<Vec<_>, _>>()
    };
    let threads: Vec<Option<i64>> = desk.engine.ledger().read(threads).await?;
    ensure!(threads.len() == 2 && threads[0].is_some() && threads[0] == threads[1], "{threads:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_does_not_come_is_asked_about_and_not_pushed_unasked() -> Result<()> {
    let (desk, portal, clock) = stage().await?;
    send(&desk, "1@lab.test")?;
    send(&desk, "2@lab.test")?;
    desk.engine.catch_up().await?;
    for _ in 0..3 {
        clock.advance(Duration::from_secs(9 * 60));
        desk.engine.catch_up().await?;
    }
    ensure!(desk.engine.missing_records().await?.is_empty(), "it may come yet");
    clock.advance(Duration::try_from(PATIENCE - SignedDuration::from_mins(26))?);
    desk.engine.catch_up().await?;
    let missing = desk.engine.missing_records().await?;
    ensure!(missing.len() == 2 && portal.emails().is_empty(), "{missing:?}");
    let reason = |tx: &Tx<'_>| Ok(outbox::page(tx, 0, 1)?.remove(0).reason);
    ensure!(desk.engine.ledger().read(reason).await? == Some(Reason::CrmRecordMissing));
    let id = |subject: &str| {
        let line = missing.iter().find(|l| l.subject.as_deref() == Some(subject));
        line.map(|l| l.outbox).context("it is not listed")
    };
    desk.engine.answer_missing(id("1@lab.test")?, MissingAnswer::Push).await?;
    desk.engine.answer_missing(id("2@lab.test")?, MissingAnswer::Leave).await?;
    ensure!(desk.engine.catch_up().await?.is_well());
    let emails = portal.emails();
    ensure!(emails.len() == 1 && emails[0].get("hs_email_subject") == "1@lab.test", "{emails:?}");
    // The record that comes late after all: the one that is left is not touched, and nothing is doubled.
    portal.add_own_email("<2@lab.test>", "2@lab.test");
    clock.advance(Duration::from_secs(3600));
    desk.engine.catch_up().await?;
    ensure!(portal.emails().len() == 2 && desk.engine.missing_records().await?.is_empty());
    ensure!(clock.now() > Timestamp::UNIX_EPOCH);
    Ok(())
}
