//! The relay beside handing in directly: time, throughput, memory, and the bytes that differ.

use crate::{ANN, CARL, peak, spread};
use anyhow::{Context, Result, ensure};
use std::time::{Duration, Instant};
use threadline_mail::connect::Security;
use threadline_tests::relayed::{Relayed, hand_in, without_trace};

const PAIRS: usize = 100;
const CONNECTIONS: usize = 10;
const EACH: usize = 20;
const LARGE: usize = 25 * 1024 * 1024;

fn mail(id: &str, body: &str) -> Vec<u8> {
    format!(
        "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nFrom: {ANN}\r\nTo: {CARL}\r\nSubject: {id}\r\nMessage-ID: <{id}@bench>\r\n\r\n\
         {body}\r\n"
    )
    .into_bytes()
}

pub fn run(runtime: &tokio::runtime::Runtime) -> Result<()> {
    let relayed = Relayed::new(ANN, &[CARL])?;
    let running = relayed.start()?;
    runtime.block_on(latency(&relayed))?;
    runtime.block_on(throughput(&relayed))?;
    runtime.block_on(memory(&relayed, running.pid()))?;
    runtime.block_on(bytes(&relayed))
}

/// The way to the provider.
#[derive(Clone, Copy)]
enum Way {
    /// By STARTTLS: as the relay goes itself, so that what lies between both is the relay alone.
    Direct,
    DirectTls,
    /// With TLS from the first byte, as mail programs are told to.
    Through,
}

const BOTH: [(&str, Way); 2] = [("direct", Way::Direct), ("through the relay", Way::Through)];

/// One whole hand-in, from TCP connect to the answer to QUIT.
async fn once(relayed: &Relayed, way: Way, text: &[u8]) -> Result<Duration> {
    let begun = Instant::now();
    let mut session = match way {
        Way::Direct => relayed.direct(Security::StartTls).await?,
        Way::DirectTls => relayed.direct(Security::Tls).await?,
        Way::Through => relayed.through(Security::Tls).await?,
    };
    let answer = hand_in(&mut session, ANN, &[CARL], text).await?;
    ensure!(answer.is_yes(), "{answer}");
    session.quit().await;
    Ok(begun.elapsed())
}

async fn latency(relayed: &Relayed) -> Result<()> {
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    let (mut direct, mut tls, mut through, mut added) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for n in 0..PAIRS {
        // Whoever is first changes, so that none has the warm server.
        let mut times = [0.0; 3];
        for turn in 0..3 {
            let at = (n + turn) % 3;
            let way = [Way::Direct, Way::DirectTls, Way::Through][at];
            let text = mail(&format!("latency.{n}.{at}"), &"text ".repeat(150));
            times[at] = ms(once(relayed, way, &text).await?);
        }
        direct.push(times[0]);
        tls.push(times[1]);
        through.push(times[2]);
        added.push(times[2] - times[0]);
    }
    println!(
        "  {PAIRS} mails of 1 kB, one at a time, each in pairs; TCP connect to the answer to QUIT, Postfix beside"
    );
    println!("    direct, STARTTLS       {}", spread(&mut direct));
    println!("    direct, TLS at once    {}", spread(&mut tls));
    println!("    through the relay      {}", spread(&mut through));
    println!("    added to the first     {}", spread(&mut added));
    Ok(())
}

async fn throughput(relayed: &Relayed) -> Result<()> {
    for (name, way) in BOTH {
        let begun = Instant::now();
        let all = (0..CONNECTIONS).map(|connection| async move {
            for n in 0..EACH {
                let text = mail(&format!("many.{connection}.{n}"), &"text ".repeat(150));
                once(relayed, way, &text).await?;
            }
            anyhow::Ok(())
        });
        futures::future::try_join_all(all).await?;
        let rate = (CONNECTIONS * EACH) as f64 / begun.elapsed().as_secs_f64();
        println!("  {CONNECTIONS} connections at once, {EACH} mails each, {name:<20} {rate:7.1} mails/s");
    }
    Ok(())
}

async fn memory(relayed: &Relayed, pid: u32) -> Result<()> {
    let before = peak(pid)?;
    let line = format!("{}\r\n", "x".repeat(74));
    let text = mail("large", &line.repeat(LARGE / line.len()));
    for (name, way) in BOTH {
        let time = once(relayed, way, &text).await?;
        println!("  a mail of {} MB, {name:<20} {:7.2} s", text.len() / 1_000_000, time.as_secs_f64());
    }
    let after = peak(pid)?;
    println!(
        "  most memory of `threadline run`: {before} kB before, {after} kB after: {} kB for a mail of 25 MiB",
        after.saturating_sub(before)
    );
    Ok(())
}

/// What the provider got by both ways.
async fn bytes(relayed: &Relayed) -> Result<()> {
    // Mails of the earlier parts may still be on their way to the mailbox.
    let mut count = wait_until_still(relayed).await?;
    let eight_bit: String = (0xa0_u32..0x180).filter_map(char::from_u32).collect();
    let (mut differ, mut compared) = (0, 0);
    let mut added = None;
    for n in 0..20 {
        let body = format!("..dot\r\n{eight_bit}\r\n{}\r\n..\r\n", "z".repeat(900 + n));
        let whole = String::from_utf8(mail(&format!("bytes.{n}"), &body))?;
        let text = match n {
            19 => whole.replace(&format!("Message-ID: <bytes.{n}@bench>\r\n"), "").into_bytes(),
            _ => whole.into_bytes(),
        };
        let mut arrived = Vec::new();
        for (_, way) in BOTH {
            once(relayed, way, &text).await?;
            count += 1;
            arrived.push(without_trace(&relayed.arrived(CARL, "INBOX", count)?).to_owned());
        }
        if n == 19 {
            // Postfix adds one of its own on the direct way, so the field itself is measured.
            added = arrived[1]
                .split_inclusive(|b| *b == b'\n')
                .find(|l| l.starts_with(b"Message-ID:"))
                .map(<[u8]>::len);
            continue;
        }
        compared += arrived[0].len();
        differ += arrived[0].iter().zip(&arrived[1]).filter(|(one, two)| one != two).count()
            + arrived[0].len().abs_diff(arrived[1].len());
    }
    println!(
        "  bytes that differ between both ways: {differ} of {compared} in 19 mails (8-bit, dots, long lines)"
    );
    println!(
        "  where the mail program gives no Message-ID: {} bytes are added, that field",
        added.context("the last mail was not compared")?
    );
    Ok(())
}

async fn wait_until_still(relayed: &Relayed) -> Result<usize> {
    let mut count = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let now = relayed.lab.uids(CARL, "INBOX")?.len();
        if now > 0 && now == count {
            return Ok(count);
        }
        count = now;
    }
}
