//! A server that is there and does nothing.

use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use std::process::Command;

/// Processes that are stopped; they go on when this is dropped.
#[derive(Debug)]
pub struct Frozen {
    processes: BTreeSet<u32>,
}

impl Frozen {
    /// Stops a process and all that it has started.
    pub(super) fn with_children(first: u32) -> Result<Self> {
        let mut frozen = Self { processes: BTreeSet::from([first]) };
        frozen.signal("-STOP")?;
        // What was started meanwhile is found by another look.
        loop {
            let before = frozen.processes.len();
            let found = children()?.into_iter().filter(|(_, parent)| frozen.processes.contains(parent));
            let found: Vec<u32> = found.map(|(process, _)| process).collect();
            frozen.processes.extend(found);
            if frozen.processes.len() == before {
                return Ok(frozen);
            }
            frozen.signal("-STOP")?;
        }
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let status =
            Command::new("kill").arg(signal).args(self.processes.iter().map(u32::to_string)).status()?;
        ensure!(status.success(), "kill {signal} failed");
        Ok(())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and a test that panics must not panic twice.
        let _ = self.signal("-CONT");
    }
}

/// Every process and its parent. In `/proc/PID/stat` these stand behind the name, which is in parentheses.
fn children() -> Result<Vec<(u32, u32)>> {
    let processes = std::fs::read_dir("/proc")?.flatten().filter_map(|entry| {
        let process: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let parent = stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()?;
        Some((process, parent))
    });
    Ok(processes.collect())
}
