//! From nothing to the first logged mail.

use crate::{ANN, CARL};
use anyhow::{Result, ensure};
use threadline_testkit::lab::Lab;
use threadline_testkit::lab::player::Letter;
use threadline_tests::desktop::{Desktop, until};

#[test]
fn the_first_run_leads_to_the_first_logged_mail() -> Result<()> {
    let lab = Lab::builder().with_smtp().users([ANN, CARL]).start()?;
    let old = format!("From: {CARL}\r\nTo: {ANN}\r\nSubject: An old question\r\n\r\nAre there desks?\r\n");
    lab.deliver(ANN, old.as_bytes())?;
    let desk = Desktop::new()?;
    let (tray, texts) = (desk.tray()?, &desk.texts);
    let app = desk.open(&[])?;
    let page = &app.page;

    page.shows(texts.text("setup.address.welcome")?)?;
    tray.wait_for_line(texts.text("tray.no_mailbox")?)?;
    desk.screen.photograph("first-run-1-address")?;
    page.fill(texts.text("setup.field.address")?, ANN)?;
    let next = texts.text("common.continue")?;
    page.press(next)?;

    // Nobody publishes the lab's settings.
    page.shows(texts.text("setup.account.heading")?)?;
    let (imap, smtp) = (texts.text("setup.field.imap")?, texts.text("setup.field.smtp")?);
    let (host, port) = (texts.text("setup.field.host")?, texts.text("setup.field.port")?);
    let encryption = texts.text("setup.field.encryption")?;
    page.unfold(texts.text("setup.account.settings")?)?;
    page.turn_on(texts.text("setup.field.sending")?)?;
    for (group, number, how) in [(imap, lab.imaps_port(), "tls"), (smtp, lab.submission_port(), "starttls")] {
        page.choose_in(group, encryption, how)?;
        page.fill_in(group, host, "localhost")?;
        page.fill_in(group, port, &number.to_string())?;
    }
    page.paste(texts.text("setup.field.authority")?, lab.ca_pem())?;
    page.fill(texts.text("setup.field.password")?, &lab.password(ANN)?)?;
    desk.screen.photograph("first-run-2-sign-in")?;
    page.press(next)?;

    // One screen says what is read, what goes to the CRM and what never does.
    for part in ["setup.crm.heading", "setup.read.title", "setup.goes.title.folder", "setup.never.title"] {
        page.shows(texts.text(part)?)?;
    }
    page.press(texts.text("setup.mode.everyone_outside")?)?;
    desk.screen.photograph("first-run-3-crm")?;
    page.press(next)?;

    page.shows(texts.text("setup.check.fine")?)?;
    for step in ["dns", "tcp", "tls", "greeting", "sign_in", "capabilities", "inbox", "sent", "smtp", "crm"] {
        page.shows(texts.text(&format!("check.step.{step}"))?)?;
    }
    desk.screen.photograph("first-run-4-check")?;
    page.press(texts.text("setup.connect")?)?;

    page.shows(texts.text("setup.mail.heading")?)?;
    page.shows("Sent")?;
    tray.wait_for_icon("connected")?;
    let sent = lab.player(ANN)?.send(&Letter::to(CARL, "Offer for forty desks", "In May."))?;
    page.shows(texts.text("setup.mail.seen")?)?;
    page.shows("Offer for forty desks")?;
    desk.screen.photograph("first-run-5-mail")?;
    page.press(next)?;

    // A trial over the last days logs nothing.
    page.press(texts.text("setup.history.look")?)?;
    page.shows("An old question")?;
    desk.screen.photograph("first-run-6-history")?;
    page.press(texts.text("setup.history.no")?)?;
    page.shows(texts.text("overview.title")?)?;
    page.shows(ANN)?;
    desk.screen.photograph("first-run-7-overview")?;

    let logged = until("the mail in the CRM", || {
        let logged = desk.computer.exported()?;
        Ok((!logged.is_empty()).then_some(logged))
    })?;
    ensure!(logged.len() == 1, "{logged:#?}");
    let id = format!("<{}>", logged[0]["message_id"].as_str().unwrap_or_default());
    ensure!(id == sent && logged[0]["contacts"][0]["address"] == CARL, "{:#}", logged[0]);
    Ok(())
}
