//! A fake HubSpot for other programs: prints `{"url": …, "token": …}` in one line and runs until its standard input
//! closes. `--contacts N` puts N contacts in.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};
use threadline_core::clock::Clock;
use threadline_testkit::hubspot::{FakeHubspot, Options};

#[derive(Debug)]
struct RealClock(Instant);

impl Clock for RealClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--contacts", Some(n)) => options.crowd = n.parse()?,
            ("--token", Some(token)) => options.token = token,
            (other, _) => anyhow::bail!("{other} is not known; there are --contacts N and --token T"),
        }
    }
    let token = options.token.clone();
    let portal = FakeHubspot::start(options, Arc::new(RealClock(Instant::now()))).await?;
    portal.add_owner("sales@example.com");
    let line = serde_json::json!({"url": portal.url(), "token": token});
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    for violation in portal.take_violations() {
        writeln!(out, "{}", serde_json::json!({"violation": violation}))?;
    }
    Ok(())
}
