//! The folder Threadline/Log on request, and the keyword that is written back, on a real server.

use anyhow::{Result, ensure};
use std::collections::BTreeMap;
use threadline_testkit::lab::Lab;
use threadline_tests::sinks::Place;
use threadline_tests::{Computer, texts_given};

const ANN: &str = "ann@lab.test";
const CARL: &str = "carl@customer1.example";

fn mail(id: &str, from: &str, to: &str) -> Vec<u8> {
    format!("From: {from}\r\nTo: {to}\r\nSubject: {id}\r\nMessage-ID: <{id}>\r\n\r\ntext of {id}\r\n")
        .into_bytes()
}

fn computer(lab: &Lab, dir: &std::path::Path) -> Result<Computer> {
    let computer = Computer::new()?;
    computer.add_account(lab, ANN, &[])?;
    Place::folder(dir.join("crm")).set_up(&computer, &[(CARL, "Carl")])?;
    computer.once()?.ok()?;
    Ok(computer)
}

/// The flags of a folder's messages without ours, and the UIDs of those that bear it.
type Flags = (BTreeMap<u32, Vec<String>>, Vec<u32>);

fn flags(lab: &Lab, folder: &str) -> Result<Flags> {
    let mut ours = Vec::new();
    let mut others = BTreeMap::new();
    for (uid, mut all) in lab.flags(ANN, folder)? {
        if all.iter().any(|flag| flag.eq_ignore_ascii_case("$CrmLogged")) {
            ours.push(uid);
        }
        all.retain(|flag| !flag.eq_ignore_ascii_case("$CrmLogged"));
        all.sort();
        others.insert(uid, all);
    }
    ours.sort_unstable();
    Ok((others, ours))
}

#[test]
fn the_keyword_is_written_back_and_no_other_flag_changes() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let dir = tempfile::tempdir()?;
    let computer = computer(&lab, dir.path())?;
    for (id, to) in [("1@lab.test", CARL), ("2@lab.test", "friend@private.example"), ("3@lab.test", CARL)] {
        lab.append(ANN, "Sent", &mail(id, ANN, to))?;
    }
    lab.deliver(ANN, &mail("4@third.example", "x@third.example", ANN))?;
    lab.doveadm(&["flags", "add", "-u", ANN, "\\Seen \\Flagged Work", "mailbox", "Sent", "uid", "1"])?;
    lab.doveadm(&["flags", "add", "-u", ANN, "\\Answered \\Deleted", "mailbox", "Sent", "uid", "2"])?;
    let before = (flags(&lab, "Sent")?, flags(&lab, "INBOX")?);
    ensure!(before.0.1.is_empty());
    computer.once()?.ok()?;
    let after = (flags(&lab, "Sent")?, flags(&lab, "INBOX")?);
    ensure!(after.0.1 == [1, 3] && after.1.1.is_empty(), "{after:?}");
    // What is marked as deleted is still there, too.
    ensure!((&before.0.0, &before.1.0) == (&after.0.0, &after.1.0), "{before:?} {after:?}");
    // By the server's own record: the texts of the two were read and nothing else, and what wrote read nothing.
    let sessions = lab.rawlog(ANN)?;
    let texts: usize = sessions.iter().map(texts_given).sum();
    ensure!(texts == 2, "{texts}");
    let wrote: Vec<String> =
        sessions.iter().map(|s| s.asked()).filter(|asked| asked.contains(" STORE ")).collect();
    ensure!(wrote.len() == 1, "{wrote:?}");
    for word in ["FETCH", "CLOSE", "EXPUNGE", "Seen"] {
        ensure!(!wrote[0].contains(word), "{}", wrote[0]);
    }
    let read_only = sessions.iter().map(|s| s.asked()).filter(|asked| asked.contains("FETCH"));
    ensure!(
        read_only.into_iter().all(|asked| !asked.contains(" SELECT ")),
        "a folder was opened for writing to be read"
    );
    // Nothing is left to write: no further connection is made for it.
    computer.once()?.ok()?;
    let again = lab.rawlog(ANN)?.iter().filter(|s| s.asked().contains(" STORE ")).count();
    ensure!(again == 1, "{again}");
    Ok(())
}

#[test]
fn what_is_taken_out_of_the_log_loses_it_and_it_can_be_switched_off() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let dir = tempfile::tempdir()?;
    let computer = computer(&lab, dir.path())?;
    lab.append(ANN, "Sent", &mail("1@lab.test", ANN, CARL))?;
    computer.once()?.ok()?;
    ensure!(flags(&lab, "Sent")?.1 == [1]);
    lab.doveadm(&["flags", "add", "-u", ANN, "$CrmNever", "mailbox", "Sent", "uid", "1"])?;
    computer.once()?.ok()?;
    ensure!(flags(&lab, "Sent")?.1.is_empty(), "it is not logged any more");
    computer.run(&["setting", "write-back", "false"])?.ok()?;
    lab.append(ANN, "Sent", &mail("2@lab.test", ANN, CARL))?;
    computer.once()?.ok()?;
    ensure!(flags(&lab, "Sent")?.1.is_empty());
    computer.run(&["setting", "write-back", "true"])?.ok()?;
    computer.once()?.ok()?;
    ensure!(flags(&lab, "Sent")?.1 == [2], "it is caught up");
    Ok(())
}

#[test]
fn the_engine_writes_it_within_seconds() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let dir = tempfile::tempdir()?;
    let computer = computer(&lab, dir.path())?;
    let mut running = computer.start()?;
    running.wait("watching")?;
    lab.append(ANN, "Sent", &mail("1@lab.test", ANN, CARL))?;
    running.wait("pushed")?;
    let end = std::time::Instant::now() + threadline_tests::PATIENCE;
    while flags(&lab, "Sent")?.1 != [1] {
        ensure!(std::time::Instant::now() < end, "it is not written");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    Ok(())
}

#[test]
fn the_log_folder_is_made_once_subscribed_and_watched() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let dir = tempfile::tempdir()?;
    let computer = computer(&lab, dir.path())?;
    let folders = || computer.run(&["account", "folders", ANN, "--json"])?.ok()?.json();
    ensure!(folders()?.iter().all(|f| f["logs"] == false), "{:?}", folders()?);
    for _ in 0..2 {
        let made = computer.run(&["account", "folders", ANN, "--make-log", "--json"])?.ok()?.json()?;
        ensure!(made[0]["folder"] == "Threadline/Log", "{made:?}");
    }
    ensure!(
        folders()?.iter().filter(|f| f["logs"] == true && f["role"] == "other").count() == 1,
        "{:?}",
        folders()?
    );
    let subscribed = lab.doveadm(&["mailbox", "list", "-u", ANN, "-s"])?;
    ensure!(subscribed.contains("Threadline/Log"), "{subscribed}");
    computer.once()?.ok()?;
    lab.append(ANN, "Threadline/Log", &mail("1@third.example", "x@third.example", ANN))?;
    computer.once()?.ok()?;
    let log = computer.run(&["log", "--json"])?.ok()?.json()?;
    ensure!(log[0]["rule"] == "log_folder", "{log:#?}");
    Ok(())
}
