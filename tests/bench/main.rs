//! Figures, each printed with what it was measured on. Nothing here asserts: a figure is for a person to judge.
#![allow(clippy::print_stdout, reason = "a benchmark prints")]

mod app;
mod audit;
mod connect;
mod contacts;
mod decide;
mod discover;
mod filled;
mod html;
mod idle;
mod latency;
mod ledger;
mod purge;
mod relay;
mod threads;

use anyhow::{Context, Result, bail};

const ANN: &str = "ann@lab.test";
const CARL: &str = "carl@customer1.example";

const HELP: &str = "\
Usage: bench [NAME]...

  latency            stored on the server -> accepted by the CRM, 100 mails one at a time
  connect            round trips and bytes from TCP connect to watching, by size of the folder
  connect --million  the same with 1,000,000 mails; needs 16 GB of disk and some minutes
  idle               memory and processor time of `threadline run` beside a folder of 100,000 mails, with a folder
                     and HubSpot
  contacts           500,000 contacts from HubSpot into the index, killed in the middle; time and most memory
  decide             decisions a second on one core, with 1,000,000 known ids in memory and in a ledger
  ledger             bytes of the ledger a mail: not logged, logged, with its text
  html               cleaning the HTML of mails made to be slow, by size: time, and bytes of the result
  threads            the list of conversations over 100,000 of them: any page with its total, searches and filters
  discover           finding a mailbox's servers from its address, over the provider table: rate and time, by the table
                     and by what servers publish
  app                the desktop app: start to tray and to window, memory with the window open and closed beside a bare
                     Tauri app, sizes of the package and of the interface
  audit              the coverage audit of a folder of 100,000 mails: time, memory, bytes over the wire
  purge              retention: 10,000 mails with their texts taken from the ledger, and the dry run before it
  relay              the local relay beside handing in directly: added time in pairs, throughput with 10 connections,
                     memory for a mail of 25 MB, bytes that differ
  packs              the packs of mails: bounces, forwards, replies, automatic answers, and whole conversations: read right,
                     wrong, not understood; alone: `cargo xtask bench packs`
  reasons            server texts classified right, sharp but wrong, honestly unknown; alone: `cargo xtask bench reasons`
  kill               the whole kill test, by `cargo xtask bench kill` alone: each boundary of a mail's way five times and
                     200 random instants, for each sink; boundaries, kills, lost, doubled. Takes about half an hour

Without a name: all but `kill`, `packs` and `reasons`.";

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|w| w == "--help" || w == "-h" || w == "help") {
        println!("{HELP}");
        return Ok(());
    }
    let million = words.iter().any(|w| w == "--million");
    let names: Vec<&str> = words.iter().map(String::as_str).filter(|w| !w.starts_with("--")).collect();
    let usual = [
        "latency", "connect", "idle", "contacts", "decide", "ledger", "html", "threads", "discover", "audit",
        "purge", "relay", "app",
    ];
    let names = if names.is_empty() { usual.to_vec() } else { names };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _inside = runtime.enter();
    println!(
        "{} cores, {} build",
        std::thread::available_parallelism()?,
        if cfg!(debug_assertions) { "debug" } else { "release" }
    );
    for name in names {
        println!("\n{name}");
        match name {
            "latency" => latency::run(&runtime)?,
            "connect" => connect::run(million)?,
            "idle" => idle::run(&runtime)?,
            "contacts" => contacts::run(&runtime)?,
            "decide" => decide::run()?,
            "ledger" => ledger::run(&runtime)?,
            "html" => html::run(),
            "threads" => threads::run(&runtime)?,
            "discover" => discover::run(&runtime)?,
            "audit" => audit::run(&runtime)?,
            "purge" => purge::run(&runtime)?,
            "relay" => relay::run(&runtime)?,
            "app" => app::run()?,
            other => bail!("there is no benchmark {other}\n\n{HELP}"),
        }
    }
    Ok(())
}

/// Median and 95th percentile of times in milliseconds.
fn spread(times: &mut [f64]) -> String {
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times.get(((times.len() as f64 - 1.0) * part).round() as usize).copied();
    format!("median {:7.1} ms   95 % {:7.1} ms", at(0.5).unwrap_or_default(), at(0.95).unwrap_or_default())
}

/// RSS and PSS of a process in kB.
fn memory(pid: u32) -> Result<(u64, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let field = |name: &str| {
        let line = text.lines().find(|l| l.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    Ok((field("Rss:"), field("Pss:")))
}

/// The most memory that a process has had so far (VmHWM), in kB.
fn peak(pid: u32) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find(|l| l.starts_with("VmHWM:")).context("no VmHWM in the process's status")?;
    Ok(line.split_whitespace().nth(1).context("VmHWM has no value")?.parse()?)
}

/// Processor time of a process so far, in milliseconds (clock ticks of 10 ms).
fn processor_ms(pid: u32) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<u64> = after.split_whitespace().skip(11).take(2).filter_map(|f| f.parse().ok()).collect();
    Ok(fields.iter().sum::<u64>() * 10)
}
