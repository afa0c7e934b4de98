//! The account and its folders.

use super::{ANN, Port, Stage};
use anyhow::{Result, ensure};
use std::time::Instant;
use threadline_testkit::lab::Lab;
use threadline_tests::Computer;

/// Without NOTIFY each folder has a connection of its own; Sent is not made anew by the server.
fn lab() -> Result<Lab> {
    let lab = Lab::builder().users([ANN]).caps("IMAP4rev1 IDLE SPECIAL-USE UIDPLUS").start()?;
    lab.reconfigure("namespace inbox {\n  mailbox Sent {\n    auto = no\n  }\n}")?;
    lab.doveadm(&["mailbox", "create", "-u", ANN, "Sent"])?;
    Ok(lab)
}

#[test]
fn a_user_who_is_disabled_is_told() -> Result<()> {
    let mut stage = Stage::set(Port::Imaps)?;
    let fault = Instant::now();
    stage.lab.set_fields(ANN, "nologin=y")?;
    stage.told("user disabled", "mailbox_disabled", fault)?;
    stage.lab.set_fields(ANN, "")?;
    stage.heals("user disabled")
}

#[test]
fn a_sent_folder_that_was_deleted_is_told() -> Result<()> {
    let lab = lab()?;
    let port = lab.imaps_port();
    let mut stage = Stage::through(lab, Port::Imaps, port, Computer::new()?)?;
    let fault = Instant::now();
    stage.lab.doveadm(&["mailbox", "delete", "-u", ANN, "Sent"])?;
    stage.told("folder deleted", "sent_folder_unknown", fault)?;
    let channels = stage.computer.run(&["status", "--json"])?.json()?;
    let channels = &channels[0]["mailboxes"][0]["channels"];
    ensure!(channels[0]["channel"] == "inbox" && channels[0]["state"] != "needs_attention", "{channels:#}");
    stage.lab.doveadm(&["mailbox", "create", "-u", ANN, "Sent"])?;
    stage.heals("folder deleted")?;
    let well = |event: &serde_json::Value| {
        event["health"]["channel"] == "sent" && event["health"]["state"] == "connected"
    };
    stage.running.wait_for("Sent", well)?;
    Ok(())
}

/// Threadline writes nothing into a mailbox, so one that is full is read as before. What a server says that refuses to open
/// a full mailbox is played in `engine/tests/it/check.rs`.
#[test]
fn a_full_mailbox_is_read_as_before() -> Result<()> {
    let mut stage = Stage::set(Port::Imaps)?;
    stage.lab.reconfigure(
        "mail_plugins = quota\nprotocol imap {\n  mail_plugins = quota imap_quota\n}\n\
         plugin {\n  quota = count:User quota\n  quota_rule = *:storage=1B\n  quota_rule2 = Sent:ignore\n  \
         quota_vsizes = yes\n}",
    )?;
    stage.heals("quota full")?;
    let refused = stage.lab.append(ANN, "INBOX", b"Subject: x\r\n\r\nx\r\n");
    ensure!(refused.is_err_and(|error| error.to_string().contains("OVERQUOTA")), "the mailbox is not full");
    // What comes up after that, in the folder that the quota leaves out, is read on the same connection.
    let before = stage.running.seen().len();
    let mail =
        format!("From: {ANN}\r\nTo: nobody@customer1.example\r\nMessage-ID: <full@lab.test>\r\n\r\nx\r\n");
    stage.lab.append(ANN, "Sent", mail.as_bytes())?;
    stage.running.wait_for("the mail after it", |event| event["rule"] == "unknown_recipient")?;
    let mut since = stage.running.seen().iter().skip(before);
    ensure!(since.all(|event| event["health"]["state"] != "retrying"), "it broke off");
    let status = stage.computer.run(&["status", "--json"])?.ok()?.json()?;
    ensure!(status[0]["mailboxes"][0]["state"] == "connected", "{status:#?}");
    println!("quota full: read as before, nothing is written");
    Ok(())
}
