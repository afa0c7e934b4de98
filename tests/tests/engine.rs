//! The engine inside this process, with a keychain in memory whose faults a test can choose.

use anyhow::{Result, ensure};
use threadline_core::address::Address;
use threadline_engine::settings::CrmSettings;
use threadline_engine::threads::ThreadQuery;
use threadline_secrets::{SecretError, Secrets};
use threadline_testkit::webhook::WebhookReceiver;
use threadline_tests::desk::{ANN, Desk};
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
