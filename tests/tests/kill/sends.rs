//! The process is killed between every two steps of a send, at a real server: sent once or reported, never twice, never
//! silently lost. What a boundary is, is said in `kill/boundary.c`.
//!
//! The usual run takes every so many-th boundary. All of them: `THREADLINE_KILL_FULL=1 cargo test -p threadline-tests --test
//! kill_send -- --nocapture`.
#![allow(clippy::print_stdout, reason = "a test tells what it counted")]

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};
use threadline_testkit::lab::Lab;
use threadline_tests::{Computer, PATIENCE, preload};

const ANN: &str = "ann@lab.test";
const CAROL: &str = "carol@customer1.example";
/// A mailbox that needs the person, or something is not settled.
const NEEDS_YOU: i32 = 3;

fn stage() -> Result<(Lab, Computer)> {
    let lab = Lab::builder().users([ANN]).with_smtp().rawlog(false).start()?;
    let computer = Computer::new()?;
    let port = lab.smtps_port().to_string();
    computer.add_account(
        &lab,
        ANN,
        &["--smtp-host", "localhost", "--smtp-port", &port, "--smtp-encryption", "tls"],
    )?;
    computer.import_contacts(&[(CAROL, "Carol")])?;
    computer.once()?.ok()?;
    Ok((lab, computer))
}

fn send(computer: &Computer, n: usize) -> Result<threadline_tests::Printed> {
    let subject = format!("mail {n}.");
    let args = [
        "send",
        "--to",
        CAROL,
        "--subject",
        &subject,
        "--text",
        "-",
        "--at",
        "2020-01-01T00:00:00Z",
        "--json",
    ];
    computer.run_with(&args, "Hello\n")
}

/// How often each subject lies in a folder.
fn subjects(lab: &Lab, user: &str, folder: &str) -> Result<BTreeMap<String, usize>> {
    let query = ["-f", "tab", "fetch", "-u", user, "hdr.subject", "mailbox", folder, "all"];
    let mut found = BTreeMap::new();
    for line in lab.doveadm(&query)?.lines().skip(1) {
        *found.entry(line.trim().to_owned()).or_default() += 1;
    }
    Ok(found)
}

#[test]
fn a_kill_between_every_two_steps_of_a_send() -> Result<()> {
    let full = std::env::var("THREADLINE_KILL_FULL").is_ok_and(|n| n != "0");
    let (lab, mut computer) = stage()?;
    // The first one finds out that the server files no copies itself.
    send(&computer, 0)?.ok()?;
    let library = preload(&computer, "boundary")?.to_string_lossy().into_owned();
    let counted = computer.data.with_file_name("boundaries");
    let env = |name: &str, value: &str| {
        vec![("LD_PRELOAD".to_owned(), library.clone()), (name.to_owned(), value.to_owned())]
    };
    computer.env = env("THREADLINE_KILL_COUNT", &counted.to_string_lossy());
    send(&computer, 1)?.ok()?;
    let counted = std::fs::read_to_string(&counted)?;
    let boundaries: usize = counted.lines().next().context("no count")?.parse()?;
    ensure!(boundaries > 50, "only {boundaries} boundaries were seen: is the library loaded?");
    let stride = if full { 1 } else { boundaries.div_ceil(40) | 1 };
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos() as usize;
    let mut at = 1 + if full { 0 } else { nanos % stride };
    let (mut killed, mut n) = (0, 2);
    while at <= boundaries {
        computer.env = env("THREADLINE_KILL_AT", &at.to_string());
        let printed = send(&computer, n)?;
        killed += usize::from(printed.status.signal() == Some(9));
        ensure!(printed.status.signal() == Some(9) || printed.status.success(), "at {at}: {printed:?}");
        computer.env.clear();
        // What was interrupted is taken up, once and once more.
        for _ in 0..2 {
            let printed = computer.once()?;
            let code = printed.status.code();
            ensure!(code == Some(0) || code == Some(NEEDS_YOU), "after a kill at {at}: {printed:?}");
        }
        n += 1;
        at += stride;
    }

    let rows = computer.run(&["sends", "list", "--limit", "100000", "--json"])?.ok()?.json()?;
    let mut states: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &rows {
        let subject = row["subject"].as_str().context("no subject")?.to_owned();
        states.entry(subject).or_default().push(row["state"].as_str().context("no state")?.to_owned());
    }
    let is_sent = |subject: &str| states.get(subject).is_some_and(|s| s[..] == ["sent"]);
    let due = states.keys().filter(|subject| is_sent(subject)).count();
    let begun = Instant::now();
    // The server delivers behind its own 250.
    let delivered = loop {
        let delivered = subjects(&lab, CAROL, "INBOX")?;
        if delivered.keys().filter(|subject| is_sent(subject)).count() >= due || begun.elapsed() > PATIENCE {
            break delivered;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let copies = subjects(&lab, ANN, "Sent")?;
    let logged = computer.exported()?;
    let (mut sent, mut reported, mut not_begun, mut twice, mut lost) = (0, 0, 0, 0, 0);
    for n in 0..n {
        let subject = format!("mail {n}.");
        let count = |of: &BTreeMap<String, usize>| of.get(&subject).copied().unwrap_or_default();
        let in_crm = logged.iter().filter(|row| row["subject"] == *subject).count();
        twice += usize::from(count(&delivered) > 1 || count(&copies) > 1 || in_crm > 1);
        match states.get(&subject).map(|all| all.iter().map(String::as_str).collect::<Vec<_>>()).as_deref() {
            // It was killed before it had said that it took the mail.
            None => {
                not_begun += 1;
                lost += count(&delivered);
            }
            Some(["sent"]) => {
                sent += 1;
                let whole = count(&delivered) == 1 && count(&copies) == 1 && in_crm == 1;
                if !whole {
                    println!(
                        "{subject} delivered {}, copies {}, logged {in_crm}",
                        count(&delivered),
                        count(&copies)
                    );
                }
                lost += usize::from(!whole);
            }
            Some(["unknown"]) => reported += 1,
            other => anyhow::bail!("{subject} is {other:?}"),
        }
    }
    println!(
        "{boundaries} boundaries, every {stride}.; {killed} kills, {n} mails: {sent} sent once, {reported} reported as \
         unknown, {not_begun} not begun; twice {twice}, lost {lost}"
    );
    ensure!(killed > 20, "only {killed} kills");
    ensure!(twice == 0 && lost == 0);
    ensure!(rows.len() == sent + reported, "{} rows", rows.len());
    Ok(())
}
