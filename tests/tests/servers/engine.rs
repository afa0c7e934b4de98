//! The engine inside this process, with a keychain in memory whose faults a test can choose.

use anyhow::{Result, ensure};
use threadline_core::address::Address;
use threadline_core::conversation::ThreadState;
use threadline_engine::settings::CrmSettings;
use threadline_engine::threads::ThreadQuery;
use threadline_secrets::{SecretError, Secrets};
use threadline_testkit::webhook::WebhookReceiver;
use threadline_tests::desk::{ANN, CARL, Desk};
use zeroize::Zeroizing;

#[tokio::test(flavor = "multi_thread")]
async fn mail_waits_for_a_crm_whose_secret_is_gone() -> Result<()> {
    let desk = Desk::new().await?;
    let receiver = WebhookReceiver::start().await?;
    let secret = || Some(Zeroizing::new(receiver.secret().to_owned()));
    let crm = CrmSettings::Webhook { url: receiver.url() };
    desk.engine.set_crm(crm.clone(), secret()).await?;
    ensure!(desk.engine.catch_up().await?.is_well());
    desk.secrets.delete(&desk.engine.home().secret_name("crm:webhook"))?;
    desk.send("1@lab.test")?;
    let report = desk.engine.catch_up().await?;
    ensure!(report.mailboxes.iter().all(|m| m.problem.is_none()), "{report:?}");
    ensure!(report.crms.iter().any(|c| c.name == "webhook" && c.problem.is_some()), "{report:?}");
    ensure!(desk.engine.status().await?.crms[0].waiting == 1, "the mail does not wait");
    desk.engine.set_crm(crm, secret()).await?;
    ensure!(desk.engine.catch_up().await?.is_well());
    ensure!(receiver.stored().len() == 1, "{:?}", receiver.stored());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keychain_stops_nothing_for_good() -> Result<()> {
    let desk = Desk::new().await?;
    ensure!(desk.engine.catch_up().await?.is_well());
    desk.send("1@lab.test")?;
    desk.secrets.fail_with(Some(SecretError::Locked { words: "locked".into() }));
    let report = desk.engine.catch_up().await?;
    ensure!(report.mailboxes[0].reason.as_deref() == Some("keychain_locked"), "{report:?}");
    desk.secrets.fail_with(None);
    let report = desk.engine.catch_up().await?;
    ensure!(report.is_well() && report.crms[0].pushed == Some(1), "{report:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_ledger_alone_nothing_leaves_and_nothing_waits() -> Result<()> {
    let desk = Desk::new().await?;
    desk.engine.set_crm(CrmSettings::Ledger, None).await?;
    ensure!(desk.engine.catch_up().await?.is_well());
    desk.send("1@lab.test")?;
    ensure!(desk.engine.catch_up().await?.is_well());
    let threads = desk.engine.threads_page(ThreadQuery::default()).await?.rows;
    ensure!(threads.len() == 1 && threads[0].crm.is_empty(), "{threads:?}");
    ensure!(!desk.engine.home().default_export_dir().exists(), "a folder was made all the same");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_mailbox_is_left_alone_and_caught_up_afterwards() -> Result<()> {
    let desk = Desk::new().await?;
    let ann = Address::parse(ANN)?;
    ensure!(desk.engine.catch_up().await?.is_well());
    desk.engine.pause(&ann, Some(threadline_engine::engine::UNTIL_RESUMED)).await?;
    desk.send("1@lab.test")?;
    let sessions = desk.lab.rawlog(ANN)?.len();
    ensure!(desk.engine.catch_up().await?.mailboxes.is_empty());
    ensure!(desk.lab.rawlog(ANN)?.len() == sessions, "a paused mailbox was connected to");
    desk.engine.pause(&ann, None).await?;
    ensure!(desk.engine.catch_up().await?.crms[0].pushed == Some(1));
    Ok(())
}

/// As Postfix writes it: the report names no id in its own header, and a warning came before it.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_marks_the_mail_and_the_address() -> Result<()> {
    let desk = Desk::new().await?;
    ensure!(desk.engine.catch_up().await?.is_well());
    desk.send("1@lab.test")?;
    ensure!(desk.engine.catch_up().await?.is_well());
    let report = |id: &str, action: &str, status: &str| {
        format!(
            "From: MAILER-DAEMON@mx.lab.test\r\nTo: {ANN}\r\nSubject: Undelivered Mail Returned to Sender\r\nMessage-ID: <{id}>\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
             <{CARL}>: host mx said: 550 {status}\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n\
             Final-Recipient: rfc822; {CARL}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
             Message-ID: <1@lab.test>\r\n\r\n--b--\r\n"
        )
    };
    desk.lab.append(ANN, "INBOX", report("w@mx", "delayed", "4.4.7").as_bytes())?;
    ensure!(desk.engine.catch_up().await?.is_well());
    ensure!(desk.engine.bounced().await?.is_empty(), "a warning is no failure");
    desk.lab.append(ANN, "INBOX", report("r@mx", "failed", "5.1.1").as_bytes())?;
    ensure!(desk.engine.catch_up().await?.is_well());
    let bounced = desk.engine.bounced().await?;
    ensure!(bounced.len() == 1 && bounced[0].code.as_deref() == Some("5.1.1"), "{bounced:?}");
    ensure!(bounced[0].address.as_str() == CARL, "{bounced:?}");
    let threads = desk.engine.threads_page(ThreadQuery::default()).await?.rows;
    ensure!(threads.len() == 1 && threads[0].state == ThreadState::Bounced, "{threads:?}");
    Ok(())
}
