//! Mail servers that are not Dovecot: what is sent and what is answered is logged exactly once on each.

#![cfg(target_os = "linux")]

use anyhow::{Context, Result, ensure};
use std::path::Path;
use threadline_testkit::lab::PASSWORD;
use threadline_testkit::lab::courier::{self, Courier};
use threadline_testkit::lab::cyrus::{self, Cyrus};
use threadline_tests::Computer;

/// The mailbox; the servers know its user without the domain.
const ALICE: &str = "alice@lab.test";
const CARL: &str = "carl@customer1.example";
const SKIPPED: &str = "skipped, 0 of 1 ran: the server is not unpacked; `cargo xtask setup` does it";

fn raw(id: &str, from: &str, to: &str, more: &str) -> Vec<u8> {
    let date = jiff::Zoned::now().strftime("%a, %d %b %Y %H:%M:%S %z");
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {id}\r\nDate: {date}\r\nMessage-ID: <{id}>\r\n{more}\r\ntext of {id}\r\n"
    )
    .into_bytes()
}

/// Puts a message into a folder.
type Append<'a> = &'a dyn Fn(&str, &[u8]) -> Result<u32>;

/// Signs in, watches, and counts what is logged: of mail that comes while it watches, while it is away, and while it is
/// killed and started anew.
fn is_logged_once(port: u16, ca: &Path, user: &str, sent: &str, append: Append<'_>) -> Result<()> {
    let computer = Computer::new()?;
    let (port, ca) = (port.to_string(), ca.to_str().context("not UTF-8")?);
    let add = ["account", "add", ALICE, "--host", "localhost", "--port", &port, "--user", user, "--ca", ca];
    computer.run_with(&add, &format!("{PASSWORD}\n"))?.ok()?;
    computer.import_contacts(&[(CARL, "Carl")])?;
    computer.once()?.ok()?;
    let answers = |id: &str| format!("In-Reply-To: <{id}>\r\nReferences: <{id}>\r\n");

    let mut running = computer.start()?;
    running.wait("watching")?;
    append(sent, &raw("1@lab.test", ALICE, CARL, ""))?;
    running.wait("pushed")?;
    append("INBOX", &raw("2@customer1.example", CARL, ALICE, &answers("1@lab.test")))?;
    running.wait("pushed")?;
    append("INBOX", &raw("private@other.example", "eve@other.example", ALICE, ""))?;
    running.kill()?;

    append(sent, &raw("3@lab.test", ALICE, CARL, &answers("2@customer1.example")))?;
    append("INBOX", &raw("4@customer1.example", CARL, ALICE, &answers("3@lab.test")))?;
    computer.once()?.ok()?;
    computer.once()?.ok()?;
    let logged = computer.exported()?;
    let mut ids: Vec<&str> = logged.iter().filter_map(|event| event["message_id"].as_str()).collect();
    ids.sort_unstable();
    ensure!(ids == ["1@lab.test", "2@customer1.example", "3@lab.test", "4@customer1.example"], "{ids:?}");
    let status = computer.run(&["status", "--json"])?.json()?;
    let mailbox = &status[0]["mailboxes"][0];
    ensure!(mailbox["state"] == "connected" && mailbox["set_aside"] == serde_json::json!([]), "{mailbox:#}");
    let check = computer.run(&["check", ALICE])?.ok()?.out;
    ensure!(check.contains(&format!("{sent} (")), "{check}");
    Ok(())
}

#[test]
fn on_cyrus_what_is_sent_and_answered_is_logged_once() -> Result<()> {
    if Cyrus::unpacked().is_none() {
        println!("{SKIPPED}");
        return Ok(());
    }
    let server = Cyrus::start()?;
    let append = |folder: &str, raw: &[u8]| server.append(folder, raw);
    is_logged_once(server.imaps_port(), &server.ca_file(), cyrus::USER, "Sent", &append)
}

#[test]
fn on_courier_what_is_sent_and_answered_is_logged_once() -> Result<()> {
    if Courier::unpacked().is_none() {
        println!("{SKIPPED}");
        return Ok(());
    }
    let server = Courier::start()?;
    let append = |folder: &str, raw: &[u8]| server.append(folder, raw);
    is_logged_once(server.imaps_port(), &server.ca_file(), courier::USER, courier::SENT, &append)
}
