//! What a running engine takes up, and what it leaves alone.

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use threadline_core::address::Address;
use threadline_core::health::State;
use threadline_core::rule::Rule;
use threadline_engine::answers::AskedAnswer;
use threadline_engine::settings::CrmSettings;
use threadline_engine::threads::ThreadQuery;
use threadline_secrets::{SecretError, Secrets};
use threadline_store::job::{self, Kind};
use threadline_store::{account, folder, message, place};
use threadline_testkit::webhook::WebhookReceiver;
use threadline_tests::desk::{ANN, Desk};
use zeroize::Zeroizing;

fn webhook(receiver: &WebhookReceiver) -> (CrmSettings, Option<Zeroizing<String>>) {
    (CrmSettings::Webhook { url: receiver.url() }, Some(Zeroizing::new(receiver.secret().to_owned())))
}

/// Messages that the only CRM has.
async fn done(desk: &Desk) -> Result<u64> {
    Ok(desk.engine.status().await?.crms[0].done)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_crm_does_not_connect_the_mailbox_again() -> Result<()> {
    let desk = Desk::new().await?;
    let at_work = desk.run().await?;
    let sessions = desk.lab.rawlog(ANN)?.len();
    let receiver = WebhookReceiver::start().await?;
    let (crm, secret) = webhook(&receiver);
    desk.engine.set_crm(crm, secret).await?;
    desk.engine
        .import_contacts("email\nzoe@customer2.example\ncarl@customer1.example\n".as_bytes(), |_| {})
        .await?;
    desk.until("the webhook at work", || async {
        Ok(desk.engine.status().await?.crms.iter().any(|c| c.state == State::Connected))
    })
    .await?;
    desk.send("1@lab.test")?;
    desk.until("the mail at the webhook", || async { Ok(receiver.stored().len() == 1) }).await?;
    ensure!(desk.lab.rawlog(ANN)?.len() == sessions, "the mailbox was connected again");
    drop(at_work);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crm_whose_secret_comes_back_is_used_without_being_set_again() -> Result<()> {
    let desk = Desk::new().await?;
    let receiver = WebhookReceiver::start().await?;
    let (crm, secret) = webhook(&receiver);
    desk.engine.set_crm(crm, secret).await?;
    let name = desk.engine.home().secret_name("crm:webhook");
    desk.secrets.delete(&name)?;
    let _at_work = desk.run().await?;
    desk.send("1@lab.test")?;
    desk.until("the mail in the outbox", || async { Ok(desk.engine.status().await?.crms[0].waiting == 1) })
        .await?;
    ensure!(desk.engine.status().await?.crms[0].state == State::NeedsAttention);
    desk.secrets.set(&name, receiver.secret())?;
    desk.until("the mail at the webhook", || async { Ok(receiver.stored().len() == 1) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_put_off_is_done_when_its_time_has_come() -> Result<()> {
    let desk = Desk::new().await?;
    desk.engine.catch_up().await?;
    desk.send("1@lab.test")?;
    let _at_work = desk.run().await?;
    desk.until("the mail in the folder", || async { Ok(done(&desk).await? == 1) }).await?;
    // No news comes from the server any more. The import lets the connection look once, before the time.
    let due = Timestamp::now() + SignedDuration::from_secs(5);
    let id = desk
        .engine
        .ledger()
        .write(move |tx| {
            let message = message::logged_page(tx, 0, 1)?.remove(0).id;
            let place = place::of_message(tx, message)?.remove(0);
            job::add(tx, Kind::Recheck, message, place, due)
        })
        .await?;
    desk.engine
        .import_contacts("email\nzoe@customer2.example\ncarl@customer1.example\n".as_bytes(), |_| {})
        .await?;
    desk.until("the job", || async {
        Ok(desk.engine.ledger().read(move |tx| job::get(tx, id)).await?.is_none())
    })
    .await?;
    ensure!(Timestamp::now() >= due, "the job was done before its time");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_in_a_folder_that_is_not_watched_any_more_is_done_elsewhere_or_listed() -> Result<()> {
    let desk = Desk::new().await?;
    desk.engine.catch_up().await?;
    desk.send("1@lab.test")?;
    desk.send("2@lab.test")?;
    desk.engine.catch_up().await?;
    let (moved, lost) = desk
        .engine
        .ledger()
        .write(|tx| {
            let account = account::list(tx)?.remove(0).id;
            let old = folder::ensure(tx, account, "Old", threadline_core::arrival::Role::Sent)?.id;
            let messages = message::logged_page(tx, 0, 2)?;
            let there = |uid| place::Place { folder: old, uidvalidity: 1, uid };
            let moved = job::add(tx, Kind::Body, messages[0].id, there(1), Timestamp::UNIX_EPOCH)?;
            let lost = job::add(tx, Kind::Body, messages[1].id, there(2), Timestamp::UNIX_EPOCH)?;
            for place in place::of_message(tx, messages[1].id)? {
                place::remove(tx, place)?;
            }
            Ok((moved, lost))
        })
        .await?;
    desk.engine.catch_up().await?;
    let jobs = desk.engine.ledger().read(move |tx| Ok((job::get(tx, moved)?, job::get(tx, lost)?))).await?;
    ensure!(jobs.0.is_none(), "the job was not done where the message lies as well: {jobs:?}");
    ensure!(jobs.1.as_ref().is_some_and(|j| j.set_aside), "the job hangs: {jobs:?}");
    let status = desk.engine.status().await?;
    ensure!(status.mailboxes[0].set_aside.len() == 1, "{:?}", status.mailboxes[0].set_aside);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_heals_by_itself_is_not_stored_as_a_disconnect() -> Result<()> {
    let desk = Desk::new().await?;
    ensure!(desk.engine.catch_up().await?.is_well());
    desk.lab.stop_imap();
    let report = desk.engine.catch_up().await?;
    ensure!(report.mailboxes[0].reason.as_deref() == Some("connection_refused"), "{report:?}");
    ensure!(!report.is_well());
    ensure!(desk.engine.status().await?.mailboxes[0].state == State::Retrying);
    desk.lab.start_imap()?;
    ensure!(desk.engine.catch_up().await?.is_well());
    ensure!(desk.engine.status().await?.mailboxes[0].state == State::Connected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_catch_up_could_not_push_is_in_its_report() -> Result<()> {
    let desk = Desk::new().await?;
    let receiver = WebhookReceiver::start().await?;
    let (crm, secret) = webhook(&receiver);
    desk.engine.set_crm(crm, secret).await?;
    desk.engine.catch_up().await?;
    desk.send("1@lab.test")?;
    receiver.inject(threadline_testkit::hubspot::Fault::Status(422));
    let report = desk.engine.catch_up().await?;
    ensure!(report.crms[0].set_aside == 1 && !report.is_well(), "{report:?}");
    // What was put aside before is told by the status, not by each later run.
    ensure!(desk.engine.catch_up().await?.is_well());
    ensure!(desk.engine.status().await?.crms[0].set_aside == 1);
    ensure!(desk.engine.retry_push("webhook", None).await? == 1);
    ensure!(desk.engine.catch_up().await?.is_well());
    ensure!(receiver.stored().len() == 1);
    let nonsense = desk.engine.retry_push("nonsense", None).await.err().context("nonsense was retried")?;
    ensure!(nonsense.code() == "no_crm", "{nonsense}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_stays_where_its_secret_cannot_be_removed() -> Result<()> {
    let desk = Desk::new().await?;
    let ann = Address::parse(ANN)?;
    desk.secrets.fail_with(Some(SecretError::Locked { words: "locked".into() }));
    ensure!(desk.engine.remove_account(&ann).await.is_err());
    ensure!(desk.engine.accounts().await?.len() == 1, "its secret is left behind for good");
    desk.secrets.fail_with(None);
    desk.engine.remove_account(&ann).await?;
    let name = desk.engine.home().secret_name(&format!("imap:{ANN}"));
    ensure!(desk.secrets.get(&name)?.is_none() && desk.engine.accounts().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_was_asked_about_is_logged_or_not_as_the_person_says() -> Result<()> {
    let desk = Desk::new().await?;
    desk.engine.catch_up().await?;
    for (id, to) in [("1@lab.test", "zoe@new.example"), ("2@lab.test", "eve@new.example")] {
        let raw = format!("From: {ANN}\r\nTo: {to}\r\nMessage-ID: <{id}>\r\n\r\nhello\r\n");
        desk.lab.append(ANN, "Sent", raw.as_bytes())?;
    }
    desk.engine.catch_up().await?;
    let asked = desk.engine.asked(10).await?;
    ensure!(
        asked.len() == 2 && desk.engine.threads_page(ThreadQuery::default()).await?.total == 0,
        "{asked:?}"
    );
    let of = |to: &str| {
        let found = asked.iter().find(|d| d.to[0].address.as_str() == to);
        found.map(|d| d.message).with_context(|| format!("{to} is not asked about"))
    };
    desk.engine.answer(&[of("zoe@new.example")?], AskedAnswer::Log).await?;
    desk.engine.answer(&[of("eve@new.example")?], AskedAnswer::Ignore).await?;
    ensure!(desk.engine.catch_up().await?.is_well());
    ensure!(desk.engine.asked(10).await?.is_empty());
    let logged = desk.engine.log(10).await?;
    let rule =
        |to: &str| logged.iter().find(|d| d.to.iter().any(|m| m.address.as_str() == to)).map(|d| d.rule);
    ensure!(rule("zoe@new.example") == Some(Rule::ToldToLog), "{logged:?}");
    ensure!(logged.iter().any(|d| d.rule == Rule::ToldNotTo), "{logged:?}");
    ensure!(done(&desk).await? == 1);
    let error = desk.engine.answer(&[of("eve@new.example")?], AskedAnswer::Log).await.err();
    ensure!(error.context("it was answered twice")?.code() == "not_asked");
    // Never again: the next mail is not even asked about.
    let ann = Address::parse(ANN)?;
    desk.engine.never_log(&ann, "eve@new.example").await?;
    let raw = format!("From: {ANN}\r\nTo: eve@new.example\r\nMessage-ID: <3@lab.test>\r\n\r\nhello\r\n");
    desk.lab.append(ANN, "Sent", raw.as_bytes())?;
    desk.engine.catch_up().await?;
    ensure!(desk.engine.asked(10).await?.is_empty());
    ensure!(desk.engine.log(1).await?[0].rule == Rule::NeverAddress);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_whole_or_not_there() -> Result<()> {
    let desk = Desk::new().await?;
    desk.engine.catch_up().await?;
    desk.send("1@lab.test")?;
    desk.engine.catch_up().await?;
    let place = tempfile::tempdir()?;
    let dir = place.path().join("export");
    let exported = desk.engine.export(&dir, |_| {}).await?;
    ensure!((exported.messages, exported.bodies, exported.egress) == (1, 1, 2), "{exported:?}");
    ensure!(std::fs::read_to_string(dir.join("egress.jsonl"))?.lines().count() == 2);
    for file in ["messages", "threads", "outbox", "health", "contacts", "egress"] {
        let text = std::fs::read_to_string(dir.join(format!("{file}.jsonl")))?;
        let row: serde_json::Value = serde_json::from_str(text.lines().next().context(file)?)?;
        ensure!(fields_of(&row) == promised(&format!("`{file}.jsonl`"))?, "{file}: {row:#}");
    }
    let error = desk.engine.export(&dir, |_| {}).await.err().context("it wrote over an export")?;
    ensure!(error.code() == "export" && dir.join("messages.jsonl").exists());
    let left: Vec<_> = std::fs::read_dir(place.path())?.map(|e| Ok(e?.file_name())).collect::<Result<_>>()?;
    ensure!(left.len() == 1, "{left:?}");
    Ok(())
}

/// The fields of a row, and after a point those of what it lists.
fn fields_of(row: &serde_json::Value) -> BTreeSet<String> {
    let names = |of: &serde_json::Value| of.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>());
    let mut found = BTreeSet::new();
    for name in names(row).unwrap_or_default() {
        for below in row[&name].as_array().and_then(|list| names(list.first()?)).unwrap_or_default() {
            found.insert(format!("{name}.{below}"));
        }
        found.insert(name);
    }
    found
}

/// The same, as the README promises them to scripts.
fn promised(file: &str) -> Result<BTreeSet<String>> {
    let readme = include_str!("../../../README.md");
    let line = readme.lines().find(|line| line.starts_with(&format!("| {file}"))).context("no such file")?;
    let cell = line.split('|').nth(3).context("no fields")?;
    let (mut found, mut field, mut deep) = (BTreeSet::new(), String::new(), false);
    for (at, part) in cell.split('`').enumerate() {
        if at % 2 == 1 && !deep {
            field = part.to_owned();
            found.insert(field.clone());
        } else if at % 2 == 1 && ["contacts", "crm"].contains(&field.as_str()) {
            found.insert(format!("{field}.{part}"));
        } else if at % 2 == 0 {
            deep = part.rfind(['(', ')']).map_or(deep, |at| part[at..].starts_with('('));
            if part.contains("as above") {
                found.extend(
                    ["address", "name", "remote_id", "may_create"].map(|below| format!("{field}.{below}")),
                );
            }
        }
    }
    Ok(found)
}
