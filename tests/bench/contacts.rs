//! A large portal's contacts into the local index, with a kill in the middle.

use crate::{ANN, idle::mb, memory, peak};
use anyhow::Result;
use std::sync::Arc;
use std::time::Instant;
use threadline_engine::clock::SystemClock;
use threadline_testkit::hubspot::{FakeHubspot, Options};
use threadline_testkit::lab::Lab;
use threadline_tests::Computer;

const CONTACTS: u32 = 500_000;

pub fn run(runtime: &tokio::runtime::Runtime) -> Result<()> {
    let options = Options { crowd: CONTACTS, ..Options::default() };
    let portal = runtime.block_on(FakeHubspot::start(options, Arc::new(SystemClock::start())))?;
    let lab = Lab::builder().users([ANN]).rawlog(false).start()?;
    let computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    let token = format!("{}\n", Options::default().token);
    computer.run_with(&["crm", "set", "hubspot", "--base-url", &portal.url()], &token)?.ok()?;
    let begun = Instant::now();
    let mut running = computer.start()?;
    let (_, event) =
        running.wait_for("half of them", |e| e["read"].as_u64() >= Some(u64::from(CONTACTS) / 2))?;
    let killed_peak = peak(running.pid())?;
    running.kill()?;
    println!("  killed after {} contacts", event["read"]);
    let mut running = computer.start()?;
    let (at, event) = running.wait_for("the rest", |e| e["event"] == "contacts" && e["complete"] == true)?;
    let (rss, pss) = memory(running.pid())?;
    let second_peak = peak(running.pid())?;
    println!("  {CONTACTS} contacts from the fake HubSpot, 100 a page");
    println!("    read after the kill  {}", event["read"]);
    println!("    time in all          {:.1} s", at.duration_since(begun).as_secs_f64());
    println!(
        "    most memory          VmHWM {:.1} MB, killed; {:.1} MB, second",
        mb(killed_peak),
        mb(second_peak)
    );
    println!("    memory at the end    RSS {:.1} MB   PSS {:.1} MB", mb(rss), mb(pss));
    Ok(())
}
