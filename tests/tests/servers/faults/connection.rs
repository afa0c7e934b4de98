//! The way to the server, and the connection itself.

use super::{ANN, NAMES, Port, Stage};
use anyhow::{Result, ensure};
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};
use threadline_testkit::certs::self_signed;
use threadline_testkit::lab::Lab;
use threadline_tests::system_bus::SystemBus;
use threadline_tests::{Computer, PATIENCE, proxy};

#[test]
fn a_certificate_that_cannot_be_trusted_is_told_from_one_that_has_expired() -> Result<()> {
    let mut stage = Stage::set(Port::Imaps)?;
    let faults = [
        ("certificate expired", "tls_expired", stage.authority.issue_expired(NAMES)?),
        (
            "certificate for another name",
            "tls_name_mismatch",
            stage.authority.issue(&["imap.other.example"])?,
        ),
        ("certificate of an unknown authority", "tls_untrusted", self_signed(NAMES, false)?),
    ];
    for (what, reason, identity) in faults {
        let fault = Instant::now();
        stage.lab.show(&identity)?;
        stage.told(what, reason, fault)?;
        stage.lab.show(&stage.authority.issue(NAMES)?)?;
        stage.heals(what)?;
    }
    Ok(())
}

#[test]
fn a_changed_password_is_told_and_the_new_one_heals_it() -> Result<()> {
    let mut stage = Stage::set(Port::Imaps)?;
    stage.lab.set_password(ANN, "another one")?;
    let fault = Instant::now();
    stage.lab.kick(ANN)?;
    stage.told("password changed", "password_changed", fault)?;
    let begun = Instant::now();
    stage.computer.run_with(&["account", "password", ANN], "another one\n")?.ok()?;
    stage.healed("password changed", begun)
}

#[test]
fn a_server_that_is_down_is_waited_for_and_a_kicked_session_comes_back() -> Result<()> {
    let mut stage = Stage::set(Port::Imaps)?;
    let fault = Instant::now();
    stage.lab.stop_imap();
    stage.told("server stopped", "connection_refused", fault)?;
    let begun = Instant::now();
    stage.lab.start_imap()?;
    stage.healed("server stopped", begun)?;
    let fault = Instant::now();
    stage.lab.kick(ANN)?;
    stage.healed("kicked", fault)?;
    let all = stage.running.seen();
    ensure!(!all.iter().any(|e| e["health"]["state"] == "needs_attention"), "{all:#?}");
    Ok(())
}

#[test]
fn a_server_that_moved_the_mailbox_says_so() -> Result<()> {
    let mut stage = Stage::set(Port::Imaps)?;
    let fault = Instant::now();
    stage.lab.set_fields(ANN, "nologin=y host=imap.new.example")?;
    stage.told("mailbox migrated", "mailbox_migrated", fault)?;
    stage.lab.set_fields(ANN, "")?;
    stage.heals("mailbox migrated")
}

#[test]
fn the_limit_of_connections_is_told() -> Result<()> {
    let mut stage = Stage::set(Port::Imaps)?;
    stage.lab.reconfigure("mail_max_userip_connections = 1")?;
    stage.computer.run(&["account", "pause", ANN])?.ok()?;
    let end = Instant::now() + PATIENCE;
    while !stage.lab.sessions(ANN)?.is_empty() {
        ensure!(Instant::now() < end, "the pause ends no connection");
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut other = BufReader::new(TcpStream::connect(("127.0.0.1", stage.lab.imap_port()))?);
    let login = format!("a LOGIN {ANN} \"{}\"\r\n", stage.lab.password(ANN)?);
    other.get_mut().write_all(login.as_bytes())?;
    let mut line = String::new();
    while !line.starts_with("a ") {
        line.clear();
        ensure!(other.read_line(&mut line)? > 0, "the other client was sent away");
    }
    ensure!(line.starts_with("a OK"), "{line}");
    let fault = Instant::now();
    stage.computer.run(&["account", "resume", ANN])?.ok()?;
    stage.told("connection limit", "too_many_connections", fault)?;
    drop(other);
    stage.heals("connection limit")
}

#[test]
fn a_server_that_takes_encryption_away_gets_no_password() -> Result<()> {
    let mut stage = Stage::set(Port::StartTls)?;
    let fault = Instant::now();
    stage.lab.reconfigure("ssl = no")?;
    stage.told("TLS removed", "tls_required", fault)?;
    stage.lab.reconfigure("")?;
    stage.heals("TLS removed")
}

#[test]
fn a_port_that_speaks_pop3_now_is_told() -> Result<()> {
    let mut stage = Stage::set(Port::StartTls)?;
    let port = stage.lab.imap_port();
    let fault = Instant::now();
    stage.lab.stop_imap();
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            if client.write_all(b"+OK POP3 server ready <1.1@lab.test>\r\n").is_err() {
                return;
            }
        }
    });
    stage.told("port now POP3", "pop3_configured", fault)
}

#[test]
fn a_name_that_is_gone_is_told() -> Result<()> {
    let mut stage = Stage::set(Port::Imaps)?;
    let fault = Instant::now();
    stage.computer.run(&["account", "set", ANN, "--host", "imap.firm.invalid", "--no-check"])?.ok()?;
    stage.told("DNS gone", "dns_failure", fault)?;
    let begun = Instant::now();
    stage.computer.run(&["account", "set", ANN, "--host", "localhost", "--no-check"])?.ok()?;
    stage.healed("DNS gone", begun)
}

#[test]
fn a_connection_whose_packets_are_dropped_is_found_dead_after_a_wake() -> Result<()> {
    let (lab, system, mut computer) =
        (Lab::builder().users([ANN]).start()?, SystemBus::start()?, Computer::new()?);
    system.of(&mut computer);
    let (port, traffic) = proxy::start(lab.imaps_port(), Duration::ZERO)?;
    let mut stage = Stage::through(lab, Port::Imaps, port, computer)?;
    traffic.freeze(true);
    let fault = Instant::now();
    // Signals that nobody hears are gone: the program may not have come to listening yet.
    system.wake()?;
    stage.told("packets dropped", "connection_timeout", fault)?;
    traffic.freeze(false);
    stage.heals("packets dropped")
}

#[test]
fn a_server_that_is_frozen_is_found_after_a_wake() -> Result<()> {
    let (lab, system, mut computer) =
        (Lab::builder().users([ANN]).start()?, SystemBus::start()?, Computer::new()?);
    system.of(&mut computer);
    let port = lab.imaps_port();
    let mut stage = Stage::through(lab, Port::Imaps, port, computer)?;
    let frozen = stage.lab.freeze()?;
    let fault = Instant::now();
    // The system takes new connections for it, and nobody speaks.
    system.wake()?;
    stage.told("server frozen", "connection_timeout", fault)?;
    drop(frozen);
    stage.heals("server frozen")
}

#[test]
fn what_may_heal_is_a_disconnect_after_the_extended_period_alone() -> Result<()> {
    let mut stage = Stage::set(Port::Imaps)?;
    stage.computer.run(&["setting", "disconnect-after", "4s"])?.ok()?;
    let fault = Instant::now();
    stage.lab.stop_imap();
    let state = |state: &'static str| {
        move |event: &serde_json::Value| {
            event["health"]["reason"] == "connection_refused" && event["health"]["state"] == state
        }
    };
    stage.running.wait_for("retrying", state("retrying"))?;
    let (at, _) = stage.running.wait_for("a disconnect", state("needs_attention"))?;
    let after = at.saturating_duration_since(fault);
    ensure!(after >= Duration::from_secs(4), "it was called a disconnect after {after:?}");
    println!("past the extended period of 4 s: disconnected after {} ms", after.as_millis());
    let listed = stage.computer.run(&["health", "--json"])?.ok()?.json()?;
    ensure!(listed[0]["disconnects"][0]["reason"] == "connection_refused", "{listed:#?}");
    let begun = Instant::now();
    stage.lab.start_imap()?;
    stage.heals("past the extended period")?;
    ensure!(begun.elapsed() < PATIENCE);
    Ok(())
}

#[test]
fn a_server_that_says_bye_after_each_sign_in_is_told() -> Result<()> {
    let mut stage = Stage::set(Port::Imaps)?;
    let fault = Instant::now();
    let revoked = |event: &serde_json::Value| event["health"]["reason"] == "connection_revoked";
    let mut byes = 0;
    let at = loop {
        stage.lab.kick(ANN)?;
        byes += 1;
        let is_next = |event: &serde_json::Value| event["event"] == "watching" || revoked(event);
        let (at, event) = stage.running.wait_for("the next sign-in", is_next)?;
        if revoked(&event) {
            let words = event["health"]["evidence"].as_str().unwrap_or_default();
            ensure!(event["health"]["state"] == "needs_attention" && !words.is_empty(), "{event:#}");
            break at;
        }
    };
    ensure!(byes == 5, "{byes}");
    println!(
        "BYE after each sign-in: connection_revoked after {} ms",
        at.saturating_duration_since(fault).as_millis()
    );
    stage.heals("BYE after each sign-in")
}
