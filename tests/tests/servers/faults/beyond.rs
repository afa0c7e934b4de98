//! What is neither the mail server nor the way to it: this computer's clock, and the CRM.

use super::{ANN, NAMES, Port, Stage};
use anyhow::{Context, Result, ensure};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::time::Instant;
use threadline_testkit::lab::Lab;
use threadline_tests::sinks::Place;
use threadline_tests::{Computer, preload};

const CARL: &str = "carl@customer1.example";
/// The lab's certificates end in 2090.
const AHEAD: &str = "2208988800";

/// A web server beside the mail server, whose clock is right. `None` where another program has the port.
fn web_server() -> Option<()> {
    let listener = TcpListener::bind(("127.0.0.1", 80)).ok()?;
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut line = String::new();
            let Ok(reader) = client.try_clone() else { continue };
            let mut reader = BufReader::new(reader);
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {}
            let now = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
            // A client that has gone needs no answer.
            let _ = write!(client, "HTTP/1.1 404 Not Found\r\nDate: {now}\r\nConnection: close\r\n\r\n");
        }
    });
    Some(())
}

#[test]
fn a_clock_that_is_wrong_is_told_from_a_certificate_that_has_expired() -> Result<()> {
    if web_server().is_none() {
        println!("skipped, 0 of 1 ran: port 80 is taken, or this user may not have it");
        return Ok(());
    }
    let mut stage = Stage::set(Port::Imaps)?;
    let what = "local clock wrong";
    let clock = preload(&stage.computer, "clock")?;
    let clock = clock.to_str().context("not UTF-8")?.to_owned();
    stage.computer.env = vec![("LD_PRELOAD".into(), clock), ("THREADLINE_CLOCK_AHEAD".into(), AHEAD.into())];
    stage.restart()?;
    let fault = Instant::now();
    stage.told(what, "local_clock_wrong", fault)?;
    // One that has expired by every clock is the server's fault all the same.
    stage.computer.env.clear();
    stage.restart()?;
    stage.running.wait("watching")?;
    println!("{what}: healed");
    let fault = Instant::now();
    stage.lab.show(&stage.authority.issue_expired(NAMES)?)?;
    stage.told("certificate expired, clock right", "tls_expired", fault)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crms_token_that_was_revoked_is_told_and_another_one_heals_it() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let place = Place::hubspot().await?;
    let computer = Computer::new()?;
    computer.add_account(&lab, ANN, &[])?;
    place.set_up(&computer, &[(CARL, "Carl")])?;
    computer.once()?.ok()?;
    let mut running = computer.start()?;
    running.wait("watching")?;
    let Place::Hubspot(portal) = &place else { return Ok(()) };
    portal.set(|options| options.token = "pat-test-11111111".into());
    let fault = Instant::now();
    let date = jiff::Zoned::now().strftime("%a, %d %b %Y %H:%M:%S %z").to_string();
    let mail = format!(
        "From: {ANN}\r\nTo: {CARL}\r\nSubject: Offer\r\nMessage-ID: <o1@lab.test>\r\nDate: {date}\r\n\r\nHi\r\n"
    );
    lab.append(ANN, "Sent", mail.as_bytes())?;
    let rejected = |event: &serde_json::Value| event["health"]["reason"] == "crm_token_rejected";
    let (at, event) = running.wait_for("crm_token_rejected", rejected)?;
    ensure!(event["of"] == "hubspot" && event["health"]["state"] == "needs_attention", "{event:#}");
    let after = at.saturating_duration_since(fault).as_millis();
    println!("CRM token revoked: crm_token_rejected {after} ms after the next mail");
    let begun = Instant::now();
    let base = portal.url();
    computer.run_with(&["crm", "set", "hubspot", "--base-url", &base], "pat-test-11111111\n")?.ok()?;
    let (at, _) = running.wait("pushed")?;
    println!("CRM token revoked: healed after {} ms", at.saturating_duration_since(begun).as_millis());
    drop(running);
    ensure!(place.compare(&["o1@lab.test".to_owned()])? == (0, 0), "{:?}", place.counts()?);
    Ok(())
}
