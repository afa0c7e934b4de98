//! A sent mail and its reply reach the CRM, exactly once, and nothing else does.

use anyhow::{Result, ensure};
use threadline_testkit::lab::Lab;
use threadline_testkit::lab::player::Letter;
use threadline_tests::{Computer, texts_given};

const ANN: &str = "ann@lab.test";
const CARL: &str = "carl@customer1.example";

/// A lab with the salesperson and a customer, and a computer that knows the customer as a contact.
fn stage() -> Result<(Lab, Computer)> {
    let lab = Lab::builder().with_smtp().users([ANN, CARL]).start()?;
    let computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    computer.import_contacts(&[(CARL, "Carl Customer")])?;
    Ok((lab, computer))
}

fn field<'a>(event: &'a serde_json::Value, name: &str) -> &'a str {
    event[name].as_str().unwrap_or_default()
}

#[test]
fn a_sent_mail_and_its_reply_are_logged_in_one_thread_and_nothing_else_is_read() -> Result<()> {
    let (lab, computer) = stage()?;
    let (ann, carl) = (lab.player(ANN)?, lab.player(CARL)?);
    lab.deliver(ANN, b"From: old@else.example\r\nTo: ann@lab.test\r\nSubject: before\r\n\r\nOLD-BODY\r\n")?;

    let mut running = computer.start()?;
    running.wait("watching")?;
    ann.send(&Letter::to("friend@private.example", "Sunday", "PRIVATE-BODY"))?;
    running.wait_for("the private mail", |e| e["rule"] == "unknown_recipient")?;
    let sent = ann
        .send(&Letter { html: Some("<p>Our offer</p>".into()), ..Letter::to(CARL, "Offer", "Our offer") })?;
    let (_, decided) = running.wait_for("the decision", |e| e["rule"] == "sent_to_contact")?;
    ensure!(decided["folder"] == "Sent" && decided["direction"] == "outgoing", "{decided}");
    running.wait("pushed")?;
    let reply = carl.reply(&sent, "Fine, we take it")?;
    let (_, decided) = running.wait_for("the reply", |e| e["rule"] == "reply_in_logged_thread")?;
    ensure!(decided["folder"] == "INBOX" && decided["direction"] == "incoming", "{decided}");
    running.wait("pushed")?;

    let logged = computer.exported()?;
    ensure!(logged.len() == 2, "{logged:#?}");
    let (first, second) = (&logged[0], &logged[1]);
    ensure!(format!("<{}>", field(first, "message_id")) == sent, "{first:#}");
    ensure!(format!("<{}>", field(second, "message_id")) == reply, "{second:#}");
    ensure!(first["thread"] == second["thread"], "{first:#} {second:#}");
    ensure!(field(first, "subject") == "Offer" && field(first, "text").contains("Our offer"), "{first:#}");
    ensure!(field(first, "html").contains("<p>Our offer</p>"), "{first:#}");
    ensure!(field(second, "text").contains("we take it"), "{second:#}");
    ensure!(first["contacts"][0]["address"] == CARL && first["contacts"][0]["name"] == "Carl Customer");

    // The server's own record: it gave the texts of exactly these two, and no flag was changed. (It records no sessions of
    // the lab's own tools, and so none of the salesperson's mail client.)
    let sessions = lab.rawlog(ANN)?;
    let asked: String = sessions.iter().map(|s| s.asked()).collect();
    ensure!(asked.contains("HEADER.FIELDS"), "no session of ours was recorded");
    let texts: usize = sessions.iter().map(texts_given).sum();
    ensure!(texts == 2, "{texts} texts were given:\n{asked}");
    ensure!(!asked.contains("BODY[") && !asked.contains("RFC822.TEXT"), "{asked}");
    let mut stores = asked.lines().filter(|line| line.contains(" STORE "));
    ensure!(stores.all(|line| line.ends_with(" +FLAGS.SILENT ($CrmLogged)")), "{asked}");
    for folder in ["INBOX", "Sent"] {
        for (uid, flags) in lab.flags(ANN, folder)? {
            let seen = flags.iter().any(|f| f == "\\Seen");
            // The salesperson's own client files its copies as read.
            ensure!(!seen || folder == "Sent", "message {uid} in {folder} was marked as read");
        }
    }
    Ok(())
}
