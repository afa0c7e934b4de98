//! A mail to several contacts in Bcc: one record and one conversation each, and none shows the others.

use anyhow::{Context, Result, ensure};
use std::path::Path;
use threadline_testkit::lab::Lab;
use threadline_tests::sinks::Place;
use threadline_tests::{Computer, events_of, texts_given};

const ANN: &str = "ann@lab.test";
const CARL: &str = "carl@customer1.example";
const DORA: &str = "dora@customer1.example";
const EVE: &str = "eve@customer2.example";
const CONTACTS: &[(&str, &str)] = &[(CARL, "Carl"), (DORA, "Dora"), (EVE, "Eve")];

fn computer(lab: &Lab, place: &Place) -> Result<Computer> {
    let computer = Computer::new()?;
    computer.add_account(lab, ANN, &[])?;
    place.set_up(&computer, CONTACTS)?;
    computer.once()?.ok()?;
    Ok(computer)
}

fn mail(id: &str, from: &str, to: &str, more: &str) -> Vec<u8> {
    format!("From: {from}\r\nTo: {to}\r\nSubject: News\r\nMessage-ID: <{id}>\r\n{more}\r\ntext of {id}\r\n")
        .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_has_a_record_in_hubspot_of_two_computers_once() -> Result<()> {
    let place = Place::hubspot().await?;
    let lab = Lab::builder().users([ANN]).start()?;
    let (first, second) = (computer(&lab, &place)?, computer(&lab, &place)?);
    let Place::Hubspot(portal) = &place else { unreachable!() };
    let bcc = format!("Bcc: {DORA}, {EVE}\r\n");
    lab.append(ANN, "Sent", &mail("1@lab.test", ANN, CARL, &bcc))?;
    first.once()?.ok()?;
    second.once()?.ok()?;
    let emails = portal.emails();
    ensure!(emails.len() == 3, "{emails:#?}");
    let who = |id: u64| portal.contacts().iter().find(|c| c.id == id).map(|c| c.get("email").to_owned());
    let mut people = Vec::new();
    for email in &emails {
        let on: Vec<String> = portal.links(email.id).into_iter().filter_map(who).collect();
        ensure!(on.len() == 1, "{on:?}");
        let shown = format!("{email:?}");
        for (other, _) in CONTACTS.iter().filter(|(other, _)| *other != on[0]) {
            ensure!(!shown.contains(other), "{} is shown {other}: {shown}", on[0]);
        }
        people.push(on[0].clone());
    }
    people.sort();
    ensure!(people == [CARL, DORA, EVE], "{people:?}");
    // The text was read once for all of them, by each computer.
    let texts: usize = lab.rawlog(ANN)?.iter().map(texts_given).sum();
    ensure!(texts == 2, "{texts}");
    Ok(())
}

#[test]
fn each_answers_in_a_conversation_of_their_own() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let dir = tempfile::tempdir()?;
    let computer = computer(&lab, &Place::folder(dir.path().join("crm")))?;
    let bcc = format!("Bcc: {CARL}, {DORA}, {EVE}\r\n");
    lab.append(ANN, "Sent", &mail("1@lab.test", ANN, ANN, &bcc))?;
    computer.once()?.ok()?;
    // Dora and Carl are of one firm.
    for (id, who) in [("d", DORA), ("c", CARL), ("e", EVE)] {
        let id = format!("{id}@customer.example");
        lab.deliver(ANN, &mail(&id, who, ANN, "In-Reply-To: <1@lab.test>\r\n"))?;
        computer.once()?.ok()?;
    }
    let events = events_of(&dir.path().join("crm"))?;
    ensure!(events.len() == 6, "{events:#?}");
    let mut threads = std::collections::BTreeMap::<String, Vec<String>>::new();
    for event in &events {
        let on = event["contacts"][0]["address"].as_str().context("on nobody")?.to_owned();
        let eml =
            std::fs::read_to_string(dir.path().join("crm").join(event["eml"].as_str().context("no file")?))?;
        for other in [CARL, DORA, EVE].iter().filter(|other| **other != on) {
            ensure!(
                !eml.contains(other) && !event.to_string().contains(other),
                "{on} is shown {other}: {eml}"
            );
        }
        threads.entry(event["thread"].as_str().context("no thread")?.to_owned()).or_default().push(on);
    }
    ensure!(threads.len() == 3, "{threads:?}");
    ensure!(threads.values().all(|on| on.len() == 2 && on[0] == on[1]), "{threads:?}");
    Ok(())
}

#[test]
fn those_in_to_and_cc_are_on_one_record() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let dir = tempfile::tempdir()?;
    let computer = computer(&lab, &Place::folder(dir.path().join("crm")))?;
    lab.append(ANN, "Sent", &mail("1@lab.test", ANN, CARL, &format!("Cc: {EVE}\r\n")))?;
    computer.once()?.ok()?;
    let events = events_of(Path::new(&dir.path().join("crm")))?;
    ensure!(
        events.len() == 1 && events[0]["contacts"].as_array().is_some_and(|c| c.len() == 2),
        "{events:#?}"
    );
    Ok(())
}
