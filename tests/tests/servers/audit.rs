//! The coverage audit finds what is deleted from the ledger behind the engine's back.

use anyhow::{Result, ensure};
use std::collections::BTreeMap;
use threadline_core::address::Address;
use threadline_core::audit::Miss;
use threadline_core::rule::Rule;
use threadline_engine::audit::{AuditReport, NightlyAudit};
use threadline_store::message::Outcome;
use threadline_store::{account, message};
use threadline_testkit::lab::Lab;
use threadline_tests::desk::{ANN, CARL, Desk};
use threadline_tests::{events_of, texts_given};

/// A mailbox that was read to its end: four conversations with Carl, a question, noise, and a stranger's mail.
async fn read_to_its_end() -> Result<Desk> {
    let desk = Desk::on(Lab::builder()).await?;
    desk.engine.catch_up().await?;
    for n in 1..=4 {
        desk.send(&format!("s{n}@lab.test"))?;
    }
    let got = |id: &str, from: &str, more: &str| {
        let raw = format!("From: {from}\r\nTo: {ANN}\r\nMessage-ID: <{id}@x>\r\n{more}\r\nhello\r\n");
        desk.lab.append(ANN, "INBOX", raw.as_bytes())
    };
    got("r1", CARL, "In-Reply-To: <s1@lab.test>\r\n")?;
    got("r2", CARL, "References: <s2@lab.test>\r\n")?;
    got("q1", CARL, "Subject: Something new\r\n")?;
    got("n1", "news@list.example", "List-Id: <news.list.example>\r\n")?;
    got("u1", "who@strange.example", "")?;
    ensure!(desk.engine.catch_up().await?.is_well());
    Ok(desk)
}

async fn audit(desk: &Desk, fix: bool) -> Result<AuditReport> {
    Ok(desk.engine.audit(&Address::parse(ANN)?, 30, fix, |_| {}).await?)
}

fn missed(report: &AuditReport) -> BTreeMap<Miss, u32> {
    report.missed_by.iter().map(|by| (by.why, by.count)).collect()
}

/// Deletes and spoils rows of the ledger's file by a connection that is not the engine's. The second statement of each pair
/// says what must have been hit.
fn spoil(desk: &Desk, statements: &[&str]) -> Result<()> {
    let key = desk.ledger_key()?;
    let file = rusqlite::Connection::open(desk.engine.ledger().path())?;
    file.execute_batch(&format!("PRAGMA key = \"x'{}'\"; PRAGMA foreign_keys = ON;", key.as_str()))?;
    file.busy_timeout(std::time::Duration::from_secs(10))?;
    for statement in statements {
        ensure!(file.execute(statement, [])? > 0, "nothing was hit by {statement}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_from_the_ledger_is_found_and_put_on_its_way() -> Result<()> {
    let desk = read_to_its_end().await?;
    let whole = audit(&desk, false).await?;
    ensure!((whole.messages, whole.logged, whole.asked, whole.unruled) == (9, 6, 1, 1), "{whole:?}");
    ensure!(whole.missed == 0 && whole.waiting == 0 && whole.samples.len() == 1, "{whole:?}");
    ensure!(whole.ignored.len() == 1 && whole.ignored[0].rule == Rule::Newsletter, "{whole:?}");
    let texts = || -> Result<usize> { Ok(desk.lab.rawlog(ANN)?.iter().map(texts_given).sum()) };
    let before = texts()?;

    let ids = desk
        .engine
        .ledger()
        .read(|tx| {
            let account = account::list(tx)?.remove(0).id;
            let logged = message::of_outcome(tx, account, Outcome::Log, 0, 99)?;
            let of = |id: &str| {
                let found =
                    logged.iter().find(|m| m.headers.as_ref().is_some_and(|h| h.ids[0].as_str() == id));
                found.map(|m| m.id)
            };
            Ok((of("s1@lab.test"), of("s3@lab.test"), of("s4@lab.test"), of("r2@x")))
        })
        .await?;
    let (Some(s1), Some(s3), Some(s4), Some(r2)) = ids else { anyhow::bail!("not all is logged: {ids:?}") };
    spoil(
        &desk,
        &[
            // One is gone as if it had never been seen.
            &format!("DELETE FROM message WHERE id = {s3}"),
            // One was never queued.
            &format!("DELETE FROM outbox WHERE message = {s4}"),
            // The text of one was never read.
            &format!("DELETE FROM body WHERE message = {s1}"),
            &format!("DELETE FROM outbox WHERE message = {s1}"),
            &format!("UPDATE message SET body_at = NULL WHERE id = {s1}"),
            // One was decided wrongly, by the rule that nothing speaks against.
            &format!("DELETE FROM association WHERE message = {r2}"),
            &format!(
                "UPDATE message SET verdict = 'ignore', rule = 'unknown_sender', thread = NULL, key = NULL, headers = NULL
                 WHERE id = {r2}"
            ),
        ],
    )?;
    let found = audit(&desk, false).await?;
    let expected = BTreeMap::from([
        (Miss::NotInLedger, 1),
        (Miss::NotQueued, 1),
        (Miss::NoText, 1),
        (Miss::AnswersLogged, 1),
    ]);
    ensure!(missed(&found) == expected, "{found:?}");
    ensure!((found.logged, found.missed, found.fixed) == (2, 4, 0), "{found:?}");
    ensure!(texts()? == before, "the audit fetched a text");
    ensure!(desk.engine.last_audits().await?[0].missed == 4);

    let fixed = audit(&desk, true).await?;
    ensure!((fixed.missed, fixed.fixed) == (4, 4), "{fixed:?}");
    ensure!(desk.engine.catch_up().await?.is_well());
    let after = audit(&desk, false).await?;
    ensure!((after.logged, after.missed, after.messages) == (6, 0, 9), "{after:?}");
    // The CRM had all of it before: nothing is there twice.
    ensure!(events_of(&desk.engine.home().default_export_dir())?.len() == 6);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_has_one_audit_and_what_is_not_read_yet_waits() -> Result<()> {
    let desk = read_to_its_end().await?;
    desk.send("later@lab.test")?;
    let report = audit(&desk, false).await?;
    ensure!((report.waiting, report.missed) == (1, 0), "{report:?}");
    ensure!(!desk.engine.audit_if_due().await?, "it is off at first");
    let on = NightlyAudit { on: true, days: 7, fix: false, last: None };
    ensure!(desk.engine.set_nightly_audit(on).await?.on);
    // Before three in the morning none is due; from then on there is one a day.
    let ran = desk.engine.audit_if_due().await?;
    ensure!(ran == desk.engine.nightly_audit().await?.last.is_some());
    ensure!(!ran || !desk.engine.audit_if_due().await?);
    ensure!(!ran || desk.engine.last_audits().await?[0].days == 7);
    Ok(())
}
