//! `threadline diagnostics` after real mail and real failures: what helps is in it, and nothing private in any encoding.

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::Write as _;
use threadline_testkit::lab::Lab;
use threadline_tests::Computer;

const ANN: &str = "ann@lab.test";
const CARL: &str = "carl@customer1.example";
const SUBJECT: &str = "Offer for the green pavilion";
const BODY: &str = "The price of seven lanterns is still open.";
const PASSWORD: &str = "tr0ub4dor-and-3";

/// The ways in which a program can have written it.
fn written(text: &str) -> Vec<String> {
    let hex = |glue: &str| text.bytes().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(glue);
    vec![
        text.to_owned(),
        STANDARD.encode(text),
        STANDARD.encode(format!("x{text}")),
        STANDARD.encode(format!("xy{text}")),
        text.bytes().map(|b| format!("%{b:02X}")).collect(),
        text.bytes().map(|b| format!("={b:02X}")).collect(),
        format!("{:?}", text.as_bytes()),
        hex(""),
        hex(" "),
    ]
}

/// A mailbox of which one sent mail is logged, in the folder CRM.
fn with_a_logged_mail() -> Result<(Lab, Computer)> {
    let lab = Lab::builder().user(ANN, PASSWORD).start()?;
    let computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    computer.import_contacts(&[(CARL, "Carl Caspari")])?;
    computer.once()?.ok()?;
    let date = jiff::Zoned::now().strftime("%a, %d %b %Y %H:%M:%S %z").to_string();
    let mail = format!(
        "From: Ann Arbor <{ANN}>\r\nTo: {CARL}\r\nSubject: {SUBJECT}\r\nMessage-ID: <o1@lab.test>\r\nDate: {date}\r\n\r\n{BODY}\r\n"
    );
    lab.append(ANN, "Sent", mail.as_bytes())?;
    computer.once()?.ok()?;
    ensure!(computer.exported()?.len() == 1, "the mail is not logged");
    Ok((lab, computer))
}

#[test]
fn nothing_private_is_in_the_diagnostics_and_what_helps_is() -> Result<()> {
    let (lab, computer) = with_a_logged_mail()?;
    let planted = [SUBJECT, BODY, PASSWORD, CARL, ANN, "Carl Caspari", "Ann Arbor"];
    // The server's own words, as it says them when it signs nobody in; its settings hold no other signs. Words that repeat
    // the user or the password are not kept at all.
    let words = [SUBJECT, BODY, CARL, "Carl Caspari"]
        .iter()
        .flat_map(|text| written(text))
        .filter(|way| !way.contains([' ', '"', ',', '=', '%', ':']));
    let words: Vec<String> = words.collect();
    lab.set_fields(ANN, &format!("nologin=y reason=Moved-away-{}", words.join("|")))?;
    let failed = computer.once()?;
    ensure!(failed.status.code() == Some(3), "{failed:?}");
    // And the log, had a line ever held such a thing.
    let log = computer.data.join("threadline.log");
    let mut file = std::fs::File::options().append(true).open(&log).context("`run` kept no log")?;
    for way in planted.iter().flat_map(|text| written(text)) {
        writeln!(
            file,
            "2026-11-24T12:00:00Z Debug threadline_mail::session the server said: {way} and hung up"
        )?;
    }
    drop(file);

    let shown = computer.run(&["diagnostics", "--print"])?.ok()?.out;
    ensure!(words.len() > 6, "{words:?}");
    for way in planted.iter().flat_map(|text| written(text)).chain(words) {
        ensure!(!shown.contains(&way), "{way} is in:\n{shown}");
    }
    for helps in [
        "Threadline 0.",
        "<mailbox 1>: imap localhost:",
        "[CONTACTADMIN]",
        "phase auth",
        "the server said: <",
        "logged 1",
        "threadline run begins",
    ] {
        ensure!(shown.contains(helps), "{helps} is not in:\n{shown}");
    }

    let file = computer.folder().join("diagnostics.txt");
    let name = file.to_str().context("not UTF-8")?;
    let saved = computer.run(&["diagnostics", name])?.ok()?;
    ensure!(saved.out.contains(name), "{saved:?}");
    let text = std::fs::read_to_string(&file)?;
    ensure!(text.contains("==== health.txt") && !text.contains(SUBJECT), "{text}");
    let again = computer.run(&["diagnostics", name])?;
    ensure!(again.status.code() == Some(1) && again.err.contains("is there already"), "{again:?}");
    ensure!(std::fs::read_to_string(&file)? == text, "it was written over");
    let nowhere = computer.run(&["diagnostics", "/nowhere/d.txt", "--json"])?;
    ensure!(nowhere.status.code() == Some(1) && nowhere.err.contains("\"not_written\""), "{nowhere:?}");
    Ok(())
}

#[test]
fn a_healthy_run_leaves_a_log_that_says_what_was_done_and_not_whose_mail_it_was() -> Result<()> {
    let (_lab, computer) = with_a_logged_mail()?;
    let log = std::fs::read_to_string(computer.data.join("threadline.log"))?;
    for told in [
        "threadline run begins version=",
        "threadline_mail::dial a step to the server is done mailbox=1 step=tls ms=",
        "threadline_mail::session signed in mailbox=1 ms=",
        "a channel's state mailbox=1 channel=inbox state=connected",
        "the first reading is done mailbox=1 missed=1 checked=1 logged=1",
        "a mail was decided about mailbox=1 mail=",
        " direction=outgoing verdict=log rule=sent_to_contact",
        "a mail's text was read mailbox=1 mail=",
        "threadline_crm::outbox pushing crm=folder rows=1",
        "a mail was pushed crm=folder sink=folder mail=",
        "a channel's state crm=folder channel=crm state=connected",
    ] {
        ensure!(log.contains(told), "{told} is not in:\n{log}");
    }
    for private in [SUBJECT, BODY, PASSWORD, CARL, ANN, "Carl Caspari", "Ann Arbor", "lab.test", "localhost"]
    {
        ensure!(!log.contains(private), "{private} is in:\n{log}");
    }
    // Whoever is sent the diagnostics reads the same: nothing in these lines is taken for something private.
    let shown = computer.run(&["diagnostics", "--print"])?.ok()?.out;
    for line in log.lines() {
        ensure!(shown.contains(line), "{line}\nis not in:\n{shown}");
    }
    Ok(())
}

#[test]
fn a_ledger_that_cannot_be_opened_still_gives_diagnostics() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let mut computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    computer.lock()?;
    let shown = computer.run(&["diagnostics", "--print"])?.ok()?.out;
    ensure!(shown.contains("the ledger cannot be read") && shown.contains("keychain"), "{shown}");
    ensure!(shown.contains("Threadline 0.") && !shown.contains(ANN), "{shown}");
    Ok(())
}
