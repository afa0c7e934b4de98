//! The process is killed at any instant: nothing is lost and nothing is doubled.
//!
//! It is a kill (SIGKILL), not a power cut: what the process has given to the system is there afterwards. What a boundary
//! is, is said in `kill/boundary.c`. The usual run takes every so many-th boundary and a few random instants. The whole
//! enumeration, five times each, and 200 random instants: `cargo xtask bench kill`, which is
//!
//!     THREADLINE_KILL_FULL=5 cargo test -p threadline-tests --test kill -- mail:: --nocapture --test-threads 1
#![allow(clippy::print_stdout, reason = "a test tells what it counted")]

use anyhow::{Context, Result, ensure};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;
use threadline_testkit::lab::Lab;
use threadline_tests::sinks::Place;
use threadline_tests::{Computer, preload};

pub(super) const ANN: &str = "ann@lab.test";
const CARL: &str = "carl@customer1.example";

/// How often the whole enumeration is made; 0 for the usual run.
pub(super) fn full() -> usize {
    std::env::var("THREADLINE_KILL_FULL").ok().and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// A small generator whose seed can be given, so that a failure can be seen again.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let given = std::env::var("THREADLINE_SEED").ok().and_then(|s| s.parse().ok());
        let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let seed = given.unwrap_or_else(|| now().map_or(1, |d| d.as_nanos() as u64) | 1);
        println!("THREADLINE_SEED={seed}");
        Self(seed)
    }

    /// xorshift64, from 0 to `below` - 1.
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// A mailbox and a CRM with one contact. With `rawlog` the server keeps a record of what is said.
pub(super) fn stage(place: &Place, rawlog: bool) -> Result<(Lab, Computer)> {
    let lab = Lab::builder().users([ANN]).rawlog(rawlog).start()?;
    let computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    place.set_up(&computer, &[(CARL, "Carl")])?;
    computer.once()?.ok()?;
    Ok((lab, computer))
}

/// Files a mail to Carl in Sent; gives its id without brackets. Each has a month of its own, so that a folder CRM makes a
/// folder for each.
pub(super) fn send(lab: &Lab, n: usize) -> Result<String> {
    let id = format!("sent.{n}@lab.test");
    let year = 2026 - (n / 12) % 50;
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][n % 12];
    let raw = format!(
        "From: {ANN}\r\nTo: {CARL}\r\nSubject: mail {n}\r\nDate: 2 {month} {year} 10:00:00 +0000\r\nMessage-ID: <{id}>\r\n\r\ntext {n}\r\n"
    );
    lab.append(ANN, "Sent", raw.as_bytes())?;
    Ok(id)
}

/// Carl's answer to that mail comes in.
fn answer(lab: &Lab, n: usize) -> Result<String> {
    let id = format!("reply.{n}@customer1.example");
    let raw = format!(
        "From: {CARL}\r\nTo: {ANN}\r\nSubject: Re: mail {n}\r\nDate: Mon, 2 Nov 2026 11:00:00 +0000\r\nMessage-ID: <{id}>\r\nIn-Reply-To: <sent.{n}@lab.test>\r\n\r\nanswer {n}\r\n"
    );
    lab.deliver(ANN, raw.as_bytes())?;
    Ok(id)
}

pub(super) fn with(computer: &mut Computer, library: &Path, name: &str, value: &str) {
    computer.env =
        vec![("LD_PRELOAD".into(), library.to_string_lossy().into_owned()), (name.into(), value.into())];
}

/// The number of boundaries that were counted, and how often each call was seen.
pub(super) fn boundaries(counted: &Path) -> Result<(usize, String)> {
    let text = std::fs::read_to_string(counted)?;
    let (number, calls) = text.split_once('\n').context("no count")?;
    Ok((number.parse().context("no count")?, calls.to_owned()))
}

/// Kills the way of one mail at boundary after boundary.
fn at_every_boundary(place: &Place) -> Result<()> {
    let (lab, mut computer) = stage(place, false)?;
    let library = preload(&computer, "boundary")?;
    let counted = computer.data.with_file_name("boundaries");
    let mut manifest = vec![send(&lab, 0)?];
    with(&mut computer, &library, "THREADLINE_KILL_COUNT", &counted.to_string_lossy());
    computer.once()?.ok()?;
    let (boundaries, calls) = boundaries(&counted)?;
    println!("{}: {boundaries} boundaries: {}", place.name(), calls.trim_end().replace('\n', ", "));
    ensure!(boundaries > 50, "only {boundaries} boundaries were seen: is the library loaded?");
    for call in ["pwrite64 ", "fsync ", "open64 ", "unlink ", "writev ", "recv "] {
        ensure!(calls.lines().any(|line| line.starts_with(call)), "no {call}was seen:\n{calls}");
    }

    // The usual run visits about forty, another set each time. An odd stride comes to both sides of the calls.
    let (stride, rounds) = if full() == 0 { (boundaries.div_ceil(40) | 1, 1) } else { (1, full()) };
    let mut at = 1 + if stride > 1 { Random::new().next(stride as u64) as usize } else { 0 };
    let mut killed = 0;
    let mut n = 1;
    while at <= boundaries {
        for _ in 0..rounds {
            manifest.push(send(&lab, n)?);
            n += 1;
            with(&mut computer, &library, "THREADLINE_KILL_AT", &at.to_string());
            let printed = computer.once()?;
            // Boundaries differ a little from run to run: one near the end may lie behind it.
            killed += usize::from(printed.status.signal() == Some(9));
            ensure!(printed.status.signal() == Some(9) || printed.status.success(), "at {at}: {printed:?}");
            computer.env.clear();
            let printed = computer.once()?;
            ensure!(printed.status.success(), "after a kill at {at}: {printed:?}");
        }
        at += stride;
    }
    let (lost, doubled) = place.compare(&manifest)?;
    println!(
        "{}: {boundaries} boundaries, every {stride}., {rounds} times; {killed} kills, {} mails: lost {lost}, doubled \
         {doubled}{}",
        place.name(),
        manifest.len(),
        again(place)
    );
    ensure!(killed > 20, "only {killed} kills");
    ensure!(lost == 0 && doubled == 0);
    // One mail is on its way at a time, so a kill makes one attempt more at most.
    let repeated = place.repeated().unwrap_or(0);
    ensure!(repeated <= killed, "{repeated} repeated attempts after {killed} kills");
    nothing_waits(&computer)
}

/// What is told of attempts that came again; nothing where none can be counted.
fn again(place: &Place) -> String {
    place.repeated().map_or_else(String::new, |again| format!("; sent again {again}"))
}

/// Neither the mailbox nor the CRM has anything left to do, and nothing was given up.
pub(super) fn nothing_waits(computer: &Computer) -> Result<()> {
    let status = computer.run(&["status", "--json"])?.json()?;
    let mailbox = &status[0]["mailboxes"][0];
    ensure!(
        mailbox["waiting"] == 0 && mailbox["set_aside"].as_array().is_some_and(Vec::is_empty),
        "{mailbox:#}"
    );
    let crms = status[0]["crms"].as_array().context("no CRMs")?;
    ensure!(!crms.is_empty(), "no CRM: {status:#?}");
    for crm in crms {
        ensure!(crm["waiting"] == 0 && crm["set_aside"] == 0, "{crm:#}");
    }
    Ok(())
}

/// Kills a run under load at random instants.
fn at_random_instants(place: &Place) -> Result<()> {
    let (lab, computer) = stage(place, false)?;
    let mut random = Random::new();
    let (kills, mails) = if full() == 0 { (12, 24) } else { (200, 100) };
    let mut manifest = Vec::new();
    let mut sent = 0;
    for kill in 0..kills {
        let running = computer.start()?;
        let due = mails * (kill + 1) / kills;
        while sent < due {
            manifest.push(send(&lab, sent)?);
            manifest.push(answer(&lab, sent)?);
            sent += 1;
        }
        // The instant is the point of the test: nothing is waited for.
        std::thread::sleep(Duration::from_millis(random.next(900)));
        running.kill()?;
    }
    computer.once()?.ok()?;
    let (lost, doubled) = place.compare(&manifest)?;
    println!(
        "{}: {kills} kills, {} mails: lost {lost}, doubled {doubled}{}",
        place.name(),
        manifest.len(),
        again(place)
    );
    ensure!(lost == 0 && doubled == 0);
    nothing_waits(&computer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_each_boundary_folder() -> Result<()> {
    let dir = tempfile::tempdir()?;
    at_every_boundary(&Place::folder(dir.path().join("crm")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_each_boundary_webhook() -> Result<()> {
    at_every_boundary(&Place::webhook().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_each_boundary_hubspot() -> Result<()> {
    at_every_boundary(&Place::hubspot().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_random_instants_folder() -> Result<()> {
    let dir = tempfile::tempdir()?;
    at_random_instants(&Place::folder(dir.path().join("crm")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_random_instants_webhook() -> Result<()> {
    at_random_instants(&Place::webhook().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_random_instants_hubspot() -> Result<()> {
    at_random_instants(&Place::hubspot().await?)
}

/// Files a mail to Carl with a file of its own in Sent; gives the file's name.
fn send_a_file(lab: &Lab, n: usize) -> Result<String> {
    let name = format!("offer-{n}.pdf");
    let raw = format!(
        "From: {ANN}\r\nTo: {CARL}\r\nSubject: file {n}\r\nMessage-ID: <file.{n}@lab.test>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\n\
         Content-Type: application/pdf\r\nContent-Disposition: attachment; filename={name}\r\n\r\nPDF {n}\r\n--b--\r\n"
    );
    lab.append(ANN, "Sent", raw.as_bytes())?;
    Ok(name)
}

/// Each file is stored once, and its mail has it, wherever the process is killed between reading the mail and pushing it.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_files_are_stored_hubspot() -> Result<()> {
    let place = Place::hubspot().await?;
    let Place::Hubspot(portal) = &place else { unreachable!() };
    let (lab, mut computer) = stage(&place, false)?;
    let library = preload(&computer, "boundary")?;
    let counted = computer.data.with_file_name("boundaries");
    let mut names = vec![send_a_file(&lab, 0)?];
    with(&mut computer, &library, "THREADLINE_KILL_COUNT", &counted.to_string_lossy());
    computer.once()?.ok()?;
    let (boundaries, _) = boundaries(&counted)?;
    // The usual run visits about thirty, mostly of the second half, where files and mail go.
    let stride = if full() == 0 { (boundaries / 60).max(1) | 1 } else { 1 };
    let (mut at, mut killed) = (boundaries / 2, 0);
    while at <= boundaries {
        names.push(send_a_file(&lab, names.len())?);
        with(&mut computer, &library, "THREADLINE_KILL_AT", &at.to_string());
        let printed = computer.once()?;
        killed += usize::from(printed.status.signal() == Some(9));
        computer.env.clear();
        let printed = computer.once()?;
        ensure!(printed.status.success(), "after a kill at {at}: {printed:?}");
        at += stride;
    }
    let stored: Vec<String> = portal.files().into_iter().map(|(_, name, _)| name).collect();
    let lost = names.iter().filter(|name| !stored.contains(name)).count();
    println!(
        "hubspot, files: {boundaries} boundaries, every {stride}. of the second half; {killed} kills, {} files: lost {lost}, doubled {}; \
         uploads {}",
        names.len(),
        (stored.len() + lost).saturating_sub(names.len()),
        portal.count("POST /files/v3/files")
    );
    ensure!(killed > 10, "only {killed} kills");
    ensure!(lost == 0 && stored.len() == names.len(), "{} of {}", stored.len(), names.len());
    let emails = portal.emails();
    ensure!(emails.len() == names.len(), "{} mails", emails.len());
    for email in &emails {
        let subject = email.get("hs_email_subject").replace("file ", "offer-") + ".pdf";
        let of =
            portal.files().into_iter().find(|(_, name, _)| *name == subject).map(|(id, ..)| id.to_string());
        ensure!(of.as_deref() == Some(email.get("hs_attachment_ids")), "{email:?}");
    }
    nothing_waits(&computer)
}
