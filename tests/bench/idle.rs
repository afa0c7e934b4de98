//! What `threadline run` costs while nothing happens.

use crate::{ANN, CARL, memory, peak, processor_ms};
use anyhow::Result;
use std::time::Duration;
use threadline_testkit::lab::Lab;
use threadline_tests::Computer;
use threadline_tests::sinks::Place;

const MAILS: usize = 100_000;
const WATCHED: Duration = Duration::from_secs(60);

pub fn run(runtime: &tokio::runtime::Runtime) -> Result<()> {
    let lab = Lab::builder().users([ANN]).rawlog(false).start()?;
    lab.seed(ANN, MAILS)?;
    lab.doveadm(&["force-resync", "-u", ANN, "*"])?;
    println!("  `threadline run` on a mailbox of {MAILS} mails, idle for {} s", WATCHED.as_secs());
    let dir = tempfile::tempdir()?;
    for place in [Place::folder(dir.path().join("crm")), runtime.block_on(Place::hubspot())?] {
        one(&lab, &place)?;
    }
    Ok(())
}

fn one(lab: &Lab, place: &Place) -> Result<()> {
    let computer = Computer::new()?;
    computer.add_account(lab, ANN, &[])?;
    place.set_up(&computer, &[(CARL, "Carl")])?;
    let mut running = computer.start()?;
    running.wait("watching")?;
    let before = processor_ms(running.pid())?;
    // The minute itself is what is measured.
    std::thread::sleep(WATCHED);
    let used = processor_ms(running.pid())? - before;
    let (rss, pss) = memory(running.pid())?;
    println!("    sink {:<10} memory          RSS {:.1} MB   PSS {:.1} MB", place.name(), mb(rss), mb(pss));
    println!("    {:<15} most memory     VmHWM {:.1} MB", "", mb(peak(running.pid())?));
    println!("    {:<15} processor time  {used} ms", "");
    Ok(())
}

pub fn mb(kb: u64) -> f64 {
    kb as f64 / 1024.0
}
