//! What `threadline run` costs while nothing happens.

use crate::{ANN, CARL, memory, processor_ms};
use anyhow::Result;
use std::time::Duration;
use threadline_testkit::lab::Lab;
use threadline_tests::Computer;

const MAILS: usize = 100_000;
const WATCHED: Duration = Duration::from_secs(60);

pub fn run() -> Result<()> {
    let lab = Lab::builder().users([ANN]).rawlog(false).start()?;
    lab.seed(ANN, MAILS)?;
    lab.doveadm(&["force-resync", "-u", ANN, "*"])?;
    let computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    computer.import_contacts(&[(CARL, "Carl")])?;
    let mut running = computer.start()?;
    running.wait("watching")?;
    let before = processor_ms(running.pid())?;
    // The minute itself is what is measured.
    std::thread::sleep(WATCHED);
    let used = processor_ms(running.pid())? - before;
    let (rss, pss) = memory(running.pid())?;
    println!("  `threadline run` on a mailbox of {MAILS} mails, idle for {} s", WATCHED.as_secs());
    println!("    memory          RSS {:.1} MB   PSS {:.1} MB", mb(rss), mb(pss));
    println!("    processor time  {used} ms");
    Ok(())
}

pub fn mb(kb: u64) -> f64 {
    kb as f64 / 1024.0
}
