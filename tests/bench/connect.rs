//! Round trips and bytes from TCP connect to watching, by size of the folder.

use crate::{ANN, CARL};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};
use threadline_testkit::lab::Lab;
use threadline_tests::{Computer, proxy};

pub fn run(million: bool) -> Result<()> {
    println!("  A row a connection; they are opened one after the other.");
    println!(
        "  TURNS: how often the client spoke after the server had, from the first byte after the sign-in to the last"
    );
    println!("  IDLE accepted; pipelined commands count once. The sign-in is not counted: it is one more.");
    println!("  BYTES: with TLS, both ways, from TCP connect on.");
    println!(
        "  AT 50 MS: from the start of the program to watching on all connections, at a round trip of 50 ms; with the"
    );
    println!("  program's own start, TCP, TLS and the sign-in.");
    println!(
        "  {:>9}  {:<16}{:<14}{:>5}{:>9}{:>11}{:>12}",
        "MAILS", "SERVER", "CONTACT", "CONN", "TURNS", "BYTES", "AT 50 MS"
    );
    let sizes: &[usize] = if million { &[1_000_000] } else { &[10, 10_000, 100_000] };
    for size in sizes {
        for (label, caps) in
            [("NOTIFY, QRESYNC", None), ("IDLE alone", Some("IMAP4rev1 IDLE UIDPLUS SPECIAL-USE"))]
        {
            one(*size, label, caps)?;
        }
    }
    Ok(())
}

fn one(size: usize, label: &str, caps: Option<&str>) -> Result<()> {
    let builder = Lab::builder().users([ANN]);
    let lab = match caps {
        Some(caps) => builder.caps(caps).start()?,
        None => builder.start()?,
    };
    lab.seed(ANN, size)?;
    // Dovecot rebuilds the index of a mailbox that was written past it: not a part of connecting.
    lab.doveadm(&["force-resync", "-u", ANN, "*"])?;
    let (far, traffic) = proxy::start(lab.imaps_port(), Duration::from_millis(25))?;
    let computer = Computer::new()?;
    let ca = lab.ca_file();
    computer.add_broken_account(ANN, far, &ca, &lab.password(ANN)?)?;
    computer.import_contacts(&[(CARL, "Carl")])?;
    let connections = if caps.is_some() { 2 } else { 1 };
    for contact in ["first", "coming back"] {
        let (before, connected) = (lab.rawlog(ANN)?.len(), traffic.connections().len());
        let begun = Instant::now();
        let mut running = computer.start()?;
        let mut last = begun;
        for _ in 0..connections {
            last = running.wait("watching")?.0;
        }
        let time = last.duration_since(begun);
        let bytes = traffic.connections();
        drop(running);
        let sessions = lab.rawlog(ANN)?;
        let bytes = bytes.iter().skip(connected).map(|ways| ways.iter().sum::<u64>());
        let new = sessions.iter().skip(before).zip(bytes);
        for (at, (session, bytes)) in new.enumerate() {
            let time = if at == 0 { format!("{} ms", time.as_millis()) } else { String::new() };
            let (turns, at) = (session.turns(), at + 1);
            println!("  {size:>9}  {label:<16}{contact:<14}{at:>5}{turns:>9}{bytes:>11}{time:>12}");
        }
        ensure!(sessions.len() == before + connections, "{} sessions", sessions.len() - before);
    }
    Ok(())
}
