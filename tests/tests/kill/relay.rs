//! The relay is killed between every two steps of a mail that passes through it, at a real server: the mail program hears the
//! provider's own answer or a broken connection, no mail arrives twice, and what the person said of a mail is known afterwards.
//! What a boundary is, is said in `kill/boundary.c`.
//!
//! The usual run takes every so many-th boundary. All of them: `THREADLINE_KILL_FULL=1 cargo test -p threadline-tests --test kill --
//! relay:: --nocapture`.
#![allow(clippy::print_stdout, reason = "a test tells what it counted")]

use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use threadline_mail::connect::Security;
use threadline_mail::submit::Session;
use threadline_tests::relayed::{Relayed, hand_in};
use threadline_tests::{PATIENCE, preload};

const ANN: &str = "ann@lab.test";
const CARL: &str = "carl@customer1.example";
/// How many mails in a row must come through alive before all boundaries are taken for visited.
const ALIVE: usize = 3;

fn id(n: usize) -> String {
    format!("relayed.{n}@lab.test")
}

/// A mail as Ann's mail program writes it. Nothing but her word in the subject makes it one that is logged.
fn mail(n: usize) -> String {
    format!(
        "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nFrom: {ANN}\r\nTo: {CARL}\r\nSubject: +log mail {n}\r\n\
         Message-ID: <{}>\r\n\r\nhello\r\n",
        id(n)
    )
}

/// A session with the relay as soon as that listens.
async fn session(relayed: &Relayed) -> Result<Session> {
    let begun = Instant::now();
    loop {
        match relayed.through(Security::Tls).await {
            Ok(session) => return Ok(session),
            Err(error) => ensure!(begun.elapsed() < PATIENCE, "{error:#}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The ids of what came to Carl, once the provider has delivered all that it took.
fn delivered(relayed: &Relayed) -> Result<Vec<String>> {
    let begun = Instant::now();
    let queue = relayed.lab.dir().join("postfix/queue");
    loop {
        let mut waiting = 0;
        for part in ["maildrop", "incoming", "active"] {
            waiting += std::fs::read_dir(queue.join(part))?.count();
        }
        if waiting == 0 {
            break;
        }
        ensure!(begun.elapsed() < PATIENCE, "{waiting} mails wait in the provider's queue");
        std::thread::sleep(Duration::from_millis(50));
    }
    let query = ["-f", "tab", "fetch", "-u", CARL, "hdr.message-id", "mailbox", "INBOX", "all"];
    let lines = relayed.lab.doveadm(&query)?;
    Ok(lines.lines().skip(1).map(|line| line.trim().trim_matches(['<', '>']).to_owned()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_every_two_steps_of_a_mail_in_the_relay() -> Result<()> {
    let full = std::env::var("THREADLINE_KILL_FULL").is_ok_and(|n| n != "0");
    let mut relayed = Relayed::new(ANN, &[CARL])?;
    relayed.computer.import_contacts(&[(CARL, "Carl")])?;
    relayed.computer.run(&["account", "set", ANN, "--mode", "only-when-i-say"])?.ok()?;
    relayed.computer.once()?.ok()?;
    let library = preload(&relayed.computer, "boundary")?.to_string_lossy().into_owned();
    let armed = relayed.computer.data.with_file_name("armed");
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos() as usize;
    let stride = if full { 1 } else { 13 };
    let mut at = 1 + nanos % stride;
    let (mut killed, mut alive, mut n) = (0, 0, 0);
    let mut heard_yes = BTreeSet::new();
    while alive < if full { ALIVE } else { 1 } {
        ensure!(at < 2_000, "the mail never comes through alive");
        relayed.computer.env = vec![
            ("LD_PRELOAD".to_owned(), library.clone()),
            ("THREADLINE_KILL_AT".to_owned(), at.to_string()),
            ("THREADLINE_KILL_WHILE".to_owned(), armed.to_string_lossy().into_owned()),
        ];
        let mut running = relayed.computer.start()?;
        let mut program = session(&relayed).await?;
        std::fs::write(&armed, "")?;
        let answer = hand_in(&mut program, ANN, &[CARL], mail(n).as_bytes()).await;
        std::fs::remove_file(&armed)?;
        match &answer {
            Ok(answer) => {
                ensure!(answer.is_yes() && answer.words().contains("queued as"), "at {at}: {answer}");
                heard_yes.insert(id(n));
                let ended = running.has_ended()?;
                killed += usize::from(ended);
                alive = if ended { 0 } else { alive + 1 };
            }
            Err(error) => {
                // Nothing was said that the provider had not said: the connection broke, because the relay is gone.
                let begun = Instant::now();
                while !running.has_ended()? {
                    ensure!(
                        begun.elapsed() < PATIENCE,
                        "at {at}: it lives, and the mail program hears {error:#}"
                    );
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                killed += 1;
                alive = 0;
            }
        }
        drop(running);
        n += 1;
        at += stride;
    }
    relayed.computer.env.clear();
    let arrived = delivered(&relayed)?;
    let once: BTreeSet<&String> = arrived.iter().collect();
    let lost = heard_yes.iter().filter(|id| !once.contains(id)).count();
    // The mail program files what arrived, whatever it had heard: her word is known for each.
    for n in (0..n).filter(|n| once.contains(&id(*n))) {
        relayed.lab.append(ANN, "Sent", mail(n).as_bytes())?;
    }
    relayed.computer.once()?.ok()?;
    let logged = relayed.computer.exported()?;
    let right = logged.iter().filter(|row| row["rule"] == "relay_log").count();
    println!(
        "every {stride}. boundary up to {at}: {killed} kills, {n} mails: {} heard a yes, {} arrived, {} of them twice, {lost} lost, \
         {right} logged by her word",
        heard_yes.len(),
        once.len(),
        arrived.len() - once.len()
    );
    ensure!(killed > 2, "only {killed} kills");
    ensure!(arrived.len() == once.len() && lost == 0);
    ensure!(
        logged.len() == once.len() && right == logged.len(),
        "{} in the CRM, {right} by her word",
        logged.len()
    );
    let state = relayed.status()?;
    let mailbox = &state["mailboxes"][0];
    ensure!(mailbox["accepted"].as_u64() >= Some(1), "{state:#}");
    Ok(())
}
