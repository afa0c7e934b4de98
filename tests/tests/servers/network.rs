//! What the operating system says of the network: offline, behind a sign-in page, awake again.

#![cfg(target_os = "linux")]

use anyhow::{Result, ensure};
use serde_json::Value;
use std::time::{Duration, Instant};
use threadline_testkit::lab::Lab;
use threadline_tests::system_bus::{OFFLINE, ONLINE, PORTAL, SystemBus};
use threadline_tests::{Computer, PATIENCE};

const ANN: &str = "ann@lab.test";

fn computer(lab: &Lab, system: &SystemBus) -> Result<Computer> {
    let mut computer = Computer::new()?;
    computer.add_account(lab, ANN, &[])?;
    system.of(&mut computer);
    Ok(computer)
}

fn is(event: &Value, state: &str, reason: &str) -> bool {
    let health = &event["health"];
    health["state"] == state && health["reason"] == reason
}

#[test]
fn a_computer_without_a_network_is_offline_and_not_disconnected() -> Result<()> {
    let (lab, system) = (Lab::builder().users([ANN]).start()?, SystemBus::start()?);
    let computer = computer(&lab, &system)?;
    let mut running = computer.start()?;
    running.wait("watching")?;

    system.turn(OFFLINE)?;
    lab.stop_imap();
    running.wait_for("that it is offline", |e| is(e, "offline", "local_offline"))?;
    let status = computer.run(&["status", "--json"])?.json()?;
    ensure!(status.iter().any(|row| row.to_string().contains("local_offline")), "{status:#?}");

    // A page stands before the internet now.
    system.turn(PORTAL)?;
    running.wait_for("the sign-in page", |e| is(e, "offline", "captive_portal"))?;

    lab.start_imap()?;
    system.turn(ONLINE)?;
    running.wait("watching")?;
    let all = running.seen();
    ensure!(!all.iter().any(|e| e["health"]["state"] == "needs_attention"), "{all:#?}");
    Ok(())
}

#[test]
fn after_sleep_each_connection_is_asked_whether_it_lives() -> Result<()> {
    let (lab, system) = (Lab::builder().users([ANN]).start()?, SystemBus::start()?);
    let computer = computer(&lab, &system)?;
    let mut running = computer.start()?;
    running.wait("watching")?;
    let asked = || -> Result<usize> {
        let sessions = lab.rawlog(ANN)?;
        Ok(sessions.iter().map(|session| session.asked().matches("DONE").count()).sum())
    };
    let before = asked()?;
    let end = Instant::now() + PATIENCE;
    // The program may not have come to listening yet, and a signal that nobody hears is gone.
    while asked()? == before {
        ensure!(Instant::now() < end, "nothing was asked");
        system.wake()?;
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
