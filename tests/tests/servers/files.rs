//! Files of a mail on their way from a real mailbox to HubSpot.

use anyhow::{Context, Result, ensure};
use std::sync::Arc;
use threadline_core::attachment::{Limits, NoFile, Skipped};
use threadline_core::health::State;
use threadline_core::reason::Reason;
use threadline_engine::clock::SystemClock;
use threadline_engine::files::FileFate;
use threadline_engine::settings::CrmSettings;
use threadline_testkit::hubspot::{FakeHubspot, Fault, Options};
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
    let first = desk.logged(0).await?;
    let fates = desk.engine.file_fates(first).await?;
    let told: Vec<_> = fates.iter().map(|f| (f.belongs, f.skipped)).collect();
    ensure!(told == [(Some(NoFile::Logo), None), (None, None), (None, Some(Skipped::Ending))], "{told:?}");
    // Opened from a copy that is in the person's own folder, under its safe name.
    let copy = desk.engine.open_copy(first, 1).await?;
    ensure!(std::fs::read(&copy)? == b"%PDF" && copy.starts_with(desk.engine.home().dir()));
    let program = desk.engine.open_copy(first, 2).await;
    ensure!(program.as_ref().is_err_and(|error| error.code() == "file_not_opened"), "{program:?}");
    desk.engine.delete_copies().await?;
    ensure!(!copy.exists());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_the_scope_for_files_is_told_where_the_person_looks() -> Result<()> {
    let desk = Desk::new().await?;
    let portal = FakeHubspot::start(Options::default(), Arc::new(SystemClock::start())).await?;
    portal.add_contact(CARL, "Carl", "");
    let crm = CrmSettings::Hubspot { base_url: Some(portal.url()) };
    desk.engine.set_crm(crm, Some(Zeroizing::new(Options::default().token.clone()))).await?;
    desk.engine.catch_up().await?;
    portal.set(|options| {
        let scopes = [
            "sales-email-read",
            "crm.objects.contacts.read",
            "crm.objects.contacts.write",
            "crm.objects.owners.read",
            "crm.schemas.contacts.write",
        ];
        options.scopes = Some(scopes.map(str::to_owned).to_vec());
    });
    desk.lab.append(ANN, "Sent", with_files("one@lab.test").as_bytes())?;
    desk.engine.catch_up().await?;
    ensure!(portal.emails().len() == 1 && portal.files().is_empty(), "the mail goes without its files");
    let crm = desk.engine.status().await?.crms.remove(0);
    let health = crm.health.first().context("no state")?;
    ensure!(crm.state == State::NeedsAttention && health.reason == Some(Reason::ScopeMissing), "{crm:?}");
    ensure!(health.evidence.as_deref().is_some_and(|words| words.contains("`files`")), "{health:?}");
    ensure!(crm.next_step.is_some());
    // The scope is given: with the next file all is well.
    portal.set(|options| options.scopes = None);
    desk.lab.append(ANN, "Sent", with_files("two@lab.test").as_bytes())?;
    desk.engine.catch_up().await?;
    ensure!(desk.engine.status().await?.crms[0].state == State::Connected && portal.files().len() == 2);
    Ok(())
}

/// A file that the portal refuses holds nothing up: its mail is there, and the file is listed with the reason.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_goes_without_a_file_that_the_crm_refuses_and_it_is_told() -> Result<()> {
    let desk = Desk::new().await?;
    let portal = FakeHubspot::start(Options::default(), Arc::new(SystemClock::start())).await?;
    portal.add_contact(CARL, "Carl", "");
    let crm = CrmSettings::Hubspot { base_url: Some(portal.url()) };
    desk.engine.set_crm(crm, Some(Zeroizing::new(Options::default().token.clone()))).await?;
    let limits = Limits { never_endings: vec!["exe".into()], ..Limits::default() };
    desk.engine.set_attachment_limits(limits).await?;
    desk.engine.catch_up().await?;
    portal.inject("POST /files/v3/files", Fault::Status(400));
    desk.lab.append(ANN, "Sent", with_files("one@lab.test").as_bytes())?;
    ensure!(desk.engine.catch_up().await?.is_well());
    ensure!(portal.emails().len() == 1 && portal.files().is_empty(), "the mail goes without its file");
    let told = |fates: Vec<FileFate>| fates.iter().map(|f| f.skipped).collect::<Vec<_>>();
    let refused = told(desk.engine.file_fates(desk.logged(0).await?).await?);
    ensure!(refused == [None, Some(Skipped::Refused), Some(Skipped::Ending)], "{refused:?}");
    // With the next mail it is offered again, and taken.
    desk.lab.append(ANN, "Sent", with_files("two@lab.test").as_bytes())?;
    ensure!(desk.engine.catch_up().await?.is_well());
    ensure!(portal.files().len() == 1);
    let taken = told(desk.engine.file_fates(desk.logged(1).await?).await?);
    ensure!(taken == [None, None, Some(Skipped::Ending)], "{taken:?}");
    ensure!(
        told(desk.engine.file_fates(desk.logged(0).await?).await?) == refused,
        "the first mail is without it"
    );
    Ok(())
}

/// By the server's own record: of a large mail the text and the file that the limits let through are read, each part by itself,
/// and the file that they keep back is not read at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_mail_is_read_part_by_part_and_what_stays_here_is_not_read() -> Result<()> {
    let desk = Desk::new().await?;
    let portal = FakeHubspot::start(Options::default(), Arc::new(SystemClock::start())).await?;
    portal.add_contact(CARL, "Carl", "");
    let crm = CrmSettings::Hubspot { base_url: Some(portal.url()) };
    desk.engine.set_crm(crm, Some(Zeroizing::new(Options::default().token.clone()))).await?;
    let limits = Limits { most_bytes: 1024 * 1024, ..Limits::default() };
    desk.engine.set_attachment_limits(limits).await?;
    desk.engine.catch_up().await?;
    let lines = |word: &str, count: usize| format!("{:-<74}\r\n", word).repeat(count);
    let mail = format!(
        "From: {ANN}\r\nTo: {CARL}\r\nMessage-ID: <large@lab.test>\r\nSubject: Large\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/alternative; boundary=\"a b\"\r\n\r\n\
         --a b\r\nContent-Type: text/plain\r\n\r\nHi Carl\r\n--a b\r\nContent-Type: text/html\r\n\r\n<p>Hi Carl</p>\r\n--a b--\r\n\
         --m\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=small.bin\r\n\r\n{}\r\n\
         --m\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=huge.bin\r\n\r\n{}\r\n--m--\r\n",
        lines("SMALL", 9_000),
        lines("HUGE", 30_000),
    );
    desk.lab.append(ANN, "Sent", mail.as_bytes())?;
    ensure!(desk.engine.catch_up().await?.is_well());
    let answered: String = desk.lab.rawlog(ANN)?.iter().map(|s| s.answered()).collect();
    ensure!(answered.contains("SMALL---") && !answered.contains("HUGE---"), "the file that stays was read");
    let files = portal.files();
    ensure!(files.len() == 1 && files[0].1 == "small.bin" && files[0].2 == 9_000 * 76, "{files:?}");
    let email = portal.emails().remove(0);
    ensure!(email.get("hs_email_text").trim() == "Hi Carl", "{}", email.get("hs_email_text"));
    ensure!(email.get("hs_email_html").contains("<p>Hi Carl</p>"));
    let first = desk.logged(0).await?;
    let fates = desk.engine.file_fates(first).await?;
    let told: Vec<_> = fates.iter().map(|f| (f.file.name.as_str(), f.skipped)).collect();
    ensure!(told == [("small.bin", None), ("huge.bin", Some(Skipped::TooLarge))], "{told:?}");
    Ok(())
}
