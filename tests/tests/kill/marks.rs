//! Killed between the log and the keyword that is written back: after the restart it is there, and nothing is doubled.

#![allow(clippy::print_stdout, reason = "a test tells what it counted")]

use super::mail::{ANN, boundaries, full, nothing_waits, send, stage, with};
use anyhow::{Result, ensure};
use std::os::unix::process::ExitStatusExt;
use threadline_testkit::lab::Lab;
use threadline_tests::preload;
use threadline_tests::sinks::Place;

/// How many messages of Sent bear the keyword, and how many there are.
fn marked(lab: &Lab) -> Result<(usize, usize)> {
    let flags = lab.flags(ANN, "Sent")?;
    let ours = |all: &[String]| all.iter().any(|flag| flag.eq_ignore_ascii_case("$CrmLogged"));
    Ok((flags.iter().filter(|(_, all)| ours(all)).count(), flags.len()))
}

/// How often the server was told to write it.
fn written(lab: &Lab) -> Result<usize> {
    Ok(lab.rawlog(ANN)?.iter().filter(|session| session.asked().contains(" STORE ")).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_log_and_write_back() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let place = Place::folder(dir.path().join("crm"));
    let (lab, mut computer) = stage(&place, true)?;
    let library = preload(&computer, "boundary")?;
    let counted = computer.data.with_file_name("boundaries");
    let mut manifest = vec![send(&lab, 0)?];
    with(&mut computer, &library, "THREADLINE_KILL_COUNT", &counted.to_string_lossy());
    computer.once()?.ok()?;
    let (all, _) = boundaries(&counted)?;
    ensure!(marked(&lab)? == (1, 1), "{:?}", marked(&lab)?);
    // The keyword is written last: the usual run visits about forty of the last third.
    let stride = if full() == 0 { (all / 120).max(1) } else { 1 };
    let (mut at, mut killed, mut between, mut behind) = (all - all / 3, 0, 0, 0);
    while at <= all {
        manifest.push(send(&lab, manifest.len())?);
        with(&mut computer, &library, "THREADLINE_KILL_AT", &at.to_string());
        let printed = computer.once()?;
        let was_killed = printed.status.signal() == Some(9);
        ensure!(was_killed || printed.status.success(), "at {at}: {printed:?}");
        killed += usize::from(was_killed);
        let (marks, mails) = marked(&lab)?;
        let (lost, _) = place.compare(&manifest)?;
        between += usize::from(was_killed && lost == 0 && marks < mails);
        behind += usize::from(was_killed && lost == 0 && marks == mails);
        computer.env.clear();
        let printed = computer.once()?;
        ensure!(printed.status.success(), "after a kill at {at}: {printed:?}");
        let (marks, mails) = marked(&lab)?;
        ensure!(marks == mails, "{marks} of {mails} are marked after a kill at {at}");
        at += stride;
    }
    let (lost, doubled) = place.compare(&manifest)?;
    let stores = written(&lab)?;
    println!(
        "folder, keyword: {all} boundaries, every {stride}. of the last third; {killed} kills, {between} of them between log and \
         keyword, {behind} behind it; {} mails: lost {lost}, doubled {doubled}; written {stores} times",
        manifest.len()
    );
    ensure!(lost == 0 && doubled == 0);
    ensure!(between > 3 && behind > 0, "{between} kills between log and keyword, {behind} behind it");
    // Once for each mail, and once more at most where the server had done it and the ledger did not know.
    ensure!(stores >= manifest.len() && stores <= manifest.len() + killed, "{stores}");
    // What is written stays, and is not written again.
    computer.once()?.ok()?;
    ensure!(written(&lab)? == stores && marked(&lab)? == (manifest.len(), manifest.len()));
    nothing_waits(&computer)
}
