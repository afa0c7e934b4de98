//! Files of a mail on their way from a real mailbox to HubSpot.

use anyhow::{Context, Result, ensure};
use std::sync::Arc;
use threadline_core::attachment::{Limits, NoFile, Skipped};
use threadline_engine::clock::SystemClock;
use threadline_engine::settings::CrmSettings;
use threadline_store::message::Outcome;
use threadline_store::{account, message};
use threadline_testkit::hubspot::{FakeHubspot, Options};
use threadline_tests::desk::{ANN, CARL, Desk};
use zeroize::Zeroizing;

/// A mail with a logo, an offer and a program.
fn with_files(id: &str) -> String {
    format!(
        "From: {ANN}\r\nTo: {CARL}\r\nMessage-ID: <{id}>\r\nSubject: Offer\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
         --r\r\nContent-Type: text/html\r\n\r\n<p>Hi</p><img src=\"cid:logo@x\">\r\n\
         --r\r\nContent-Type: image/png; name=image001.png\r\nContent-ID: <logo@x>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n--r--\r\n\
         --m\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"../offer.pdf\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n\
         --m\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=setup.exe\r\n\r\nMZ\r\n--m--\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_attached_lands_on_the_contact_once_and_nothing_else() -> Result<()> {
    let desk = Desk::new().await?;
    let portal = FakeHubspot::start(Options::default(), Arc::new(SystemClock::start())).await?;
    portal.add_contact(CARL, "Carl", "");
    let crm = CrmSettings::Hubspot { base_url: Some(portal.url()) };
    desk.engine.set_crm(crm, Some(Zeroizing::new(Options::default().token.clone()))).await?;
    desk.engine
        .set_attachment_limits(Limits { never_endings: vec!["exe".into()], ..Limits::default() })
        .await?;
    desk.engine.catch_up().await?;
    for id in ["one@lab.test", "two@lab.test"] {
        desk.lab.append(ANN, "Sent", with_files(id).as_bytes())?;
    }
    ensure!(desk.engine.catch_up().await?.is_well());
    let files = portal.files();
    ensure!(files.len() == 1 && files[0].1 == "_offer.pdf" && files[0].2 == 4, "{files:?}");
    let emails = portal.emails();
    ensure!(emails.len() == 2);
    for email in &emails {
        ensure!(
            email.get("hs_attachment_ids") == files[0].0.to_string(),
            "{}",
            email.get("hs_attachment_ids")
        );
    }
    let read = |tx: &threadline_store::Tx<'_>| {
        message::of_outcome(tx, account::list(tx)?.remove(0).id, Outcome::Log, 0, 9)
    };
    let first = desk.engine.ledger().read(read).await?.first().context("nothing is logged")?.id;
    let fates = desk.engine.file_fates(first).await?;
    let told: Vec<_> = fates.iter().map(|f| (f.belongs, f.skipped)).collect();
    ensure!(told == [(Some(NoFile::Logo), None), (None, None), (None, Some(Skipped::Ending))], "{told:?}");
    // Opened from a copy that is in the person's own folder, under its safe name.
    let copy = desk.engine.open_copy(first, 1).await?;
    ensure!(std::fs::read(&copy)? == b"%PDF" && copy.starts_with(desk.engine.home().dir()));
    desk.engine.delete_copies().await?;
    ensure!(!copy.exists());
    Ok(())
}
