//! A mail that is written in the window.

use crate::{ANN, CARL};
use anyhow::{Result, ensure};
use threadline_testkit::lab::Lab;
use threadline_tests::desktop::{Desktop, until};

#[test]
fn a_mail_from_the_window_arrives_and_stands_as_sent() -> Result<()> {
    let lab = Lab::builder().with_smtp().users([ANN, CARL]).start()?;
    let desk = Desktop::new()?;
    let port = lab.submission_port().to_string();
    let smtp = ["--smtp-host", "localhost", "--smtp-port", &port, "--smtp-encryption", "starttls"];
    desk.computer.add_account(&lab, ANN, &smtp)?;
    desk.computer.import_contacts(&[(CARL, "Carl Customer")])?;
    let (tray, texts) = (desk.tray()?, &desk.texts);
    let app = desk.open(&[])?;
    let page = &app.page;
    tray.wait_for_icon("connected")?;

    page.press(texts.text("nav.compose")?)?;
    page.fill(texts.text("compose.to")?, CARL)?;
    page.fill(texts.text("compose.name")?, "Ann Lee")?;
    page.fill(texts.text("compose.subject")?, "Forty desks")?;
    page.paste(texts.text("compose.text")?, "Dear Carl,\n\nin May.\n")?;
    desk.screen.photograph("compose-1-written")?;
    page.press(texts.text("compose.send")?)?;

    page.shows(texts.text("outgoing.title")?)?;
    page.shows("Forty desks")?;
    let folder = texts.with("outgoing.copy.in", &[("folder", "Sent")])?;
    page.shows(texts.text("outgoing.state.sent")?)?;
    page.shows(&folder)?;
    desk.screen.photograph("compose-2-sent")?;

    let raw = until("the mail at the customer", || {
        let uids = lab.uids(CARL, "INBOX")?;
        uids.first().map(|uid| lab.message(CARL, "INBOX", *uid)).transpose()
    })?;
    let raw = String::from_utf8_lossy(&raw);
    for part in ["Subject: Forty desks\r\n", "Ann Lee", "in May."] {
        ensure!(raw.contains(part), "no {part:?} in {raw}");
    }
    ensure!(lab.uids(ANN, "Sent")?.len() == 1, "its copy lies in Sent once");
    let logged = until("the mail in the CRM", || {
        let logged = desk.computer.exported()?;
        Ok((!logged.is_empty()).then_some(logged))
    })?;
    ensure!(logged.len() == 1 && logged[0]["contacts"][0]["address"] == CARL, "{logged:#?}");
    Ok(())
}
