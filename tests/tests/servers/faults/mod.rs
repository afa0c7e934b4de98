//! What breaks a mailbox, made to happen on real servers: each is recognised for what it is, within seconds, and heals.
//! How long it took is printed: `cargo xtask bench faults`.

#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "the times are figures to report")]

mod beyond;
mod connection;
mod mailbox;

use anyhow::{Context, Result};
use std::time::Instant;
use threadline_testkit::certs::Authority;
use threadline_testkit::lab::Lab;
use threadline_tests::{Computer, Running};

const ANN: &str = "ann@lab.test";
const NAMES: &[&str] = &["localhost", "127.0.0.1"];

/// A mailbox that is watched, and the authority that its server's certificates come from.
struct Stage {
    lab: Lab,
    authority: Authority,
    computer: Computer,
    running: Running,
}

/// Which of the server's ports the mailbox is set to.
#[derive(Clone, Copy, PartialEq)]
enum Port {
    Imaps,
    StartTls,
}

impl Stage {
    fn set(port: Port) -> Result<Self> {
        let lab = Lab::builder().users([ANN]).start()?;
        let number = if port == Port::Imaps { lab.imaps_port() } else { lab.imap_port() };
        Self::through(lab, port, number, Computer::new()?)
    }

    fn through(lab: Lab, port: Port, number: u16, computer: Computer) -> Result<Self> {
        let authority = Authority::new()?;
        lab.show(&authority.issue(NAMES)?)?;
        let ca = computer.folder().join("ca.pem");
        std::fs::write(&ca, authority.pem())?;
        let (number, ca) = (number.to_string(), ca.to_str().context("not UTF-8")?.to_owned());
        let encryption = if port == Port::Imaps { "tls" } else { "starttls" };
        let add = ["account", "add", ANN, "--host", "localhost", "--port", &number, "--ca", &ca];
        let add = [&add[..], &["--security", encryption]].concat();
        computer.run_with(&add, &format!("{}\n", lab.password(ANN)?))?.ok()?;
        let mut running = computer.start()?;
        running.wait("watching")?;
        Ok(Self { lab, authority, computer, running })
    }

    /// Starts the program anew, as its environment is now.
    fn restart(&mut self) -> Result<()> {
        let running = self.computer.start()?;
        std::mem::replace(&mut self.running, running).kill()
    }

    /// Waits until the reason is told. `fault` is when it happened.
    fn told(&mut self, what: &str, reason: &str, fault: Instant) -> Result<()> {
        let (at, _) = self.running.wait_for(reason, |event| event["health"]["reason"] == reason)?;
        println!("{what}: {reason} after {} ms", at.saturating_duration_since(fault).as_millis());
        Ok(())
    }

    /// The person presses "Retry now", and it works.
    fn heals(&mut self, what: &str) -> Result<()> {
        let begun = Instant::now();
        self.computer.run(&["account", "resume", ANN])?.ok()?;
        self.healed(what, begun)
    }

    fn healed(&mut self, what: &str, begun: Instant) -> Result<()> {
        let (at, _) = self.running.wait("watching")?;
        println!("{what}: healed after {} ms", at.saturating_duration_since(begun).as_millis());
        Ok(())
    }
}
