//! Mails that go out through Threadline, on real servers: what arrives, what lies in Sent, what is in the CRM.

use anyhow::{Context, Result, ensure};
use std::time::{Duration, Instant};
use threadline_testkit::lab::Lab;
use threadline_tests::{Computer, PATIENCE};

const ANN: &str = "ann@lab.test";
const CAROL: &str = "carol@customer1.example";
const DAVE: &str = "dave@customer2.example";

/// A mailbox that can send, and a contact.
fn stage() -> Result<(Lab, Computer)> {
    let lab = Lab::builder().users([ANN]).with_smtp().start()?;
    let computer = Computer::new()?;
    let port = lab.submission_port().to_string();
    let smtp = ["--smtp-host", "localhost", "--smtp-port", &port, "--smtp-encryption", "starttls"];
    computer.add_account(&lab, ANN, &smtp)?;
    computer.import_contacts(&[(CAROL, "Carol Meier")])?;
    computer.once()?.ok()?;
    Ok((lab, computer))
}

/// Waits until so many mails lie in somebody's INBOX; gives the last one.
fn arrived(lab: &Lab, user: &str, count: usize) -> Result<String> {
    let begun = Instant::now();
    loop {
        let uids = lab.uids(user, "INBOX")?;
        ensure!(uids.len() <= count, "{} mails in {user}'s INBOX", uids.len());
        if let (true, Some(last)) = (uids.len() == count, uids.last()) {
            return Ok(String::from_utf8(lab.message(user, "INBOX", *last)?)?);
        }
        ensure!(begun.elapsed() < PATIENCE, "{} of {count} mails in {user}'s INBOX", uids.len());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_mail_arrives_is_logged_once_lies_in_sent_once_and_its_answer_threads() -> Result<()> {
    let (lab, computer) = stage()?;
    let dir = computer.folder();
    let (text, file) = (dir.join("offer.txt"), dir.join("Angebot für Carol.pdf"));
    std::fs::write(&text, "Dear {{first_name}},\n.\nregards, {{my_name}}\n")?;
    std::fs::write(&file, [0_u8, 13, 10, 46, 13, 10, 255])?;
    let (text, file) = (text.to_str().context("UTF-8")?, file.to_str().context("UTF-8")?);
    computer.run(&["templates", "set", "offer", "--subject", "For {{name}}", "--text", text])?.ok()?;
    let sent = computer
        .run(&[
            "send",
            "--template",
            "offer",
            "--to",
            CAROL,
            "--bcc",
            DAVE,
            "--attach",
            file,
            "--from-name",
            "Ann Lee",
            "--at",
            "2020-01-01T00:00:00Z",
            "--json",
        ])?
        .ok()?
        .json()?;
    let sent = sent.last().context("nothing was printed")?;
    ensure!(sent["state"] == "sent" && sent["subject"] == "For Carol Meier", "{sent:#}");
    ensure!(sent["copy"] == "appended" && sent["copy_rule"] == "special_use", "{sent:#}");
    ensure!(sent["copy_folder"] == "Sent", "{sent:#}");
    let id = sent["message_id"].as_str().context("no id")?;
    ensure!(id.ends_with("@lab.test"), "{id}");

    for user in [CAROL, DAVE] {
        let raw = arrived(&lab, user, 1)?;
        ensure!(
            raw.contains(&format!("Message-ID: <{id}>\r\n"))
                && raw.contains("From: \"Ann Lee\" <ann@lab.test>")
                || raw.contains("From: Ann Lee <ann@lab.test>"),
            "{raw}"
        );
        ensure!(!raw.to_lowercase().contains("\nbcc:") && !raw.contains("References:"), "{raw}");
        ensure!(raw.contains("Dear Carol,\r\n.\r\nregards, Ann Lee\r\n"), "{raw}");
        ensure!(user == DAVE || !raw.contains(DAVE), "{raw}");
    }
    let copies = lab.flags(ANN, "Sent")?;
    ensure!(copies.len() == 1 && copies[0].1.iter().any(|flag| flag == "\\Seen"), "{copies:?}");
    let copy = String::from_utf8(lab.message(ANN, "Sent", copies[0].0)?)?;
    ensure!(copy.starts_with(&format!("Bcc: {DAVE}\r\n")) && copy.contains(id), "{copy}");

    // It is logged before any folder shows it, and stays one when the folder does.
    computer.once()?.ok()?;
    computer.once()?.ok()?;
    // Who got a blind copy has an entry of their own, and neither entry names the other.
    let logged = computer.exported()?;
    ensure!(logged.len() == 2, "{logged:#?}");
    ensure!(logged[0]["message_id"] == id, "{:#}", logged[0]);
    for (entry, own, other) in [(&logged[0], CAROL, DAVE), (&logged[1], DAVE, CAROL)] {
        let named = format!("{}{}{}", entry["to"], entry["cc"], entry["contacts"]);
        ensure!(entry["rule"] == "sent_by_threadline" && entry["direction"] == "outgoing", "{entry:#}");
        ensure!(named.contains(own) && !named.contains(other), "{entry:#}");
    }
    ensure!(lab.uids(ANN, "Sent")?.len() == 1);

    let reply = format!(
        "From: {CAROL}\r\nTo: {ANN}\r\nSubject: Re: For Carol Meier\r\nMessage-ID: <r1@customer1.example>\r\nIn-Reply-To: <{id}>\r\nReferences: <{id}>\r\n\r\nyes\r\n"
    );
    lab.deliver(ANN, reply.as_bytes())?;
    computer.once()?.ok()?;
    let logged = computer.exported()?;
    ensure!(logged.len() == 3 && logged[2]["rule"] == "reply_in_logged_thread", "{logged:#?}");
    ensure!(logged[0]["thread"] == logged[2]["thread"], "{logged:#?}");
    let threads = computer.run(&["threads", "--json"])?.ok()?.json()?;
    let replied = threads.iter().filter(|thread| thread["state"] == "replied").count();
    ensure!(threads.len() == 2 && replied == 1, "{threads:#?}");
    Ok(())
}

#[test]
fn a_mail_waits_can_be_taken_back_and_goes_from_a_running_threadline() -> Result<()> {
    let (lab, computer) = stage()?;
    let line = |printed: threadline_tests::Printed| -> Result<serde_json::Value> {
        printed.ok()?.json()?.pop().context("nothing was printed")
    };
    let mut running = computer.start()?;
    running.wait("watching")?;
    let send = |subject: &str| {
        computer.run_with(&["send", "--to", CAROL, "--subject", subject, "--text", "-", "--json"], "Hello\n")
    };
    let taken_back = line(send("first")?)?;
    let goes = line(send("second")?)?;
    ensure!(taken_back["state"] == "waiting" && goes["state"] == "waiting", "{taken_back:#} {goes:#}");
    computer.run(&["sends", "undo", &taken_back["id"].to_string()])?.ok()?;
    let id = goes["id"].clone();
    let (_, told) = running.wait_for("that it is sent", |e| {
        e["event"] == "send" && e["send"] == id && e["copy"] == "appended"
    })?;
    ensure!(told["state"] == "sent", "{told:#}");
    let raw = arrived(&lab, CAROL, 1)?;
    ensure!(raw.contains("Subject: second\r\n"), "{raw}");
    let late = computer.run(&["sends", "undo", &id.to_string()])?;
    ensure!(late.status.code() == Some(1) && late.err.contains("it is sent"), "{late:?}");
    let list = computer.run(&["sends", "list", "--json"])?.ok()?.json()?;
    ensure!(list.len() == 2 && list[1]["state"] == "cancelled", "{list:#?}");
    // The copy is seen by the connection that watches, and is the same mail.
    if !running.seen().iter().any(|e| e["event"] == "pushed") {
        running.wait_for("that the CRM has it", |e| e["event"] == "pushed")?;
    }
    running.kill()?;
    computer.once()?.ok()?;
    ensure!(computer.exported()?.len() == 1 && lab.uids(ANN, "Sent")?.len() == 1);
    arrived(&lab, CAROL, 1)?;
    Ok(())
}

#[test]
fn a_missing_value_a_missing_server_and_an_unknown_address_are_told_in_words() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    for (args, code, words) in [
        (
            &["send", "--account", ANN, "--to", CAROL, "--subject", "x", "--html", "/dev/null"][..],
            1,
            "no server for sending",
        ),
        (&["send", "--to", CAROL, "--subject", "x"], 1, "No mailbox can send"),
        (&["sends", "show", "7"], 1, "There is no mail 7"),
        (&["templates", "show", "offer"], 1, "There is no template offer"),
        (&["templates", "set", "x", "--subject", "{{First}}"], 1, "cannot be read at"),
    ] {
        let printed = computer.run(args)?;
        ensure!(printed.status.code() == Some(code) && printed.err.contains(words), "{args:?}: {printed:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_crm_asks_for_is_sent_once() -> Result<()> {
    let receiver = threadline_testkit::webhook::WebhookReceiver::start().await?;
    let (lab, computer) = stage()?;
    let secret = format!("{}\n", receiver.secret());
    computer.run_with(&["crm", "set", "webhook", &receiver.url()], &secret)?.ok()?;
    computer.run(&["sends", "from-crm", &receiver.sends_url()])?.ok()?;
    let to = serde_json::json!([{ "address": CAROL }]);
    let at = "2020-01-01T00:00:00Z";
    receiver.want(serde_json::json!({"id": "r1", "to": to, "subject": "asked", "text": "Hello", "at": at}));
    receiver.want(serde_json::json!({"id": "r2", "to": to, "template": "none"}));
    // The answer gets lost: the same is listed again.
    receiver.forget_answers(true);
    for _ in 0..2 {
        computer.once()?.ok()?;
    }
    receiver.forget_answers(false);
    computer.once()?.ok()?;
    ensure!(receiver.wanted().is_empty(), "{:?}", receiver.wanted());
    let answers = receiver.answers();
    ensure!(answers.len() == 6, "{answers:#?}");
    ensure!(answers.iter().all(|a| a["taken"] == (a["id"] == "r1")), "{answers:#?}");
    ensure!(
        answers[1]["reason"].as_str().is_some_and(|r| r.contains("There is no template none")),
        "{answers:#?}"
    );
    let raw = arrived(&lab, CAROL, 1)?;
    ensure!(raw.contains("Subject: asked\r\n"), "{raw}");
    // What was told to the receiver is in the list of what left, each time: why the second one was not taken too.
    let left = computer.run(&["log", "--egress", "--limit", "500", "--json"])?.ok()?.json()?;
    let told: Vec<_> = left.iter().filter(|row| row["object"] == "send").collect();
    let reasons = told.iter().filter(|row| row["field"] == "reason" && row["remote_id"] == "r2");
    ensure!(told.len() == 3 * 5 && reasons.count() == 3, "{told:#?}");
    computer.once()?.ok()?;
    arrived(&lab, CAROL, 1)?;
    let stored = receiver.stored();
    ensure!(stored.len() == 1, "{stored:#?}");
    Ok(())
}
