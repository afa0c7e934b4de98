//! What the person says of mail and people: the contact's other address, unknown recipients, own addresses that were learnt,
//! and what leaves the computer for it.

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use threadline_core::address::Address;
use threadline_engine::Event;
use threadline_engine::question::PersonAnswer;
use threadline_testkit::clock::HandClock;
use threadline_testkit::lab::Lab;
use threadline_tests::desk::{ANN, CARL, Desk};
use threadline_tests::sinks::Place;
use threadline_tests::texts_given;
use threadline_tests::watched::{computer, json, raw, rules};

const HOME: &str = "carl.home@mail.example";
const NEW: &str = "new@third.example";
const OTHER: &str = "other@fourth.example";

#[tokio::test(flavor = "multi_thread")]
async fn the_contacts_other_address_is_asked_about_once_and_remembered() -> Result<()> {
    let place = Place::hubspot().await?;
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = computer(&lab, &place)?;
    let Place::Hubspot(portal) = &place else { unreachable!() };
    let carl = portal.contacts()[0].id;
    lab.append(ANN, "Sent", &raw("1@lab.test", ANN, CARL, ""))?;
    computer.once()?.ok()?;
    lab.deliver(ANN, &raw("2@mail.example", HOME, ANN, "In-Reply-To: <1@lab.test>\r\n"))?;
    computer.once()?.ok()?;
    let asked = json(&computer, &["asked"])?;
    ensure!(asked.len() == 1 && asked[0]["rule"] == "stranger_in_thread", "{asked:#?}");
    portal.forget_requests();
    computer.run(&["asked", "same", &asked[0]["message"].to_string()])?.ok()?;
    computer.once()?.ok()?;
    ensure!(json(&computer, &["asked"])?.is_empty());
    let emails = portal.emails();
    ensure!(emails.len() == 2 && emails.iter().all(|e| portal.links(e.id) == [carl]), "{emails:#?}");
    let threads = json(&computer, &["threads"])?;
    ensure!(threads.len() == 1 && threads[0]["messages"] == 2, "{threads:#?}");
    // It is remembered: the next answer from there, and a mail to it, are Carl's without a question.
    lab.deliver(ANN, &raw("3@mail.example", HOME, ANN, "In-Reply-To: <1@lab.test>\r\n"))?;
    lab.append(ANN, "Sent", &raw("4@lab.test", ANN, HOME, ""))?;
    computer.once()?.ok()?;
    let mut seen = rules(&computer, 2)?;
    seen.sort();
    ensure!(seen == ["reply_in_logged_thread", "sent_to_contact"], "{seen:?}");
    ensure!(portal.emails().iter().all(|e| portal.links(e.id) == [carl]));
    ensure!(portal.contacts().len() == 1, "no contact is made of the other address");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_whom_the_crm_does_not_know_are_added_put_off_or_never_logged() -> Result<()> {
    let place = Place::hubspot().await?;
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = computer(&lab, &place)?;
    let Place::Hubspot(portal) = &place else { unreachable!() };
    lab.append(ANN, "Sent", &raw("1@lab.test", ANN, &format!("\"Nora New\" <{NEW}>"), ""))?;
    lab.append(ANN, "Sent", &raw("2@lab.test", ANN, &format!("{NEW}, {OTHER}"), ""))?;
    lab.append(ANN, "Sent", &raw("3@lab.test", ANN, OTHER, ""))?;
    computer.once()?.ok()?;
    let people = json(&computer, &["asked", "people"])?;
    let told: Vec<_> =
        people.iter().map(|p| (p["address"].as_str(), p["name"].as_str(), p["mails"].as_u64())).collect();
    ensure!(
        told.contains(&(Some(NEW), Some("Nora New"), Some(2)))
            && told.contains(&(Some(OTHER), None, Some(2))),
        "{told:?}"
    );
    computer.run(&["asked", "add", NEW])?.ok()?;
    computer.once()?.ok()?;
    // Her own mail is logged on a contact with the header's name; the one to both waits for the answer about the other.
    let made =
        portal.contacts().into_iter().find(|c| c.get("email") == NEW).context("no contact was made")?;
    ensure!((made.get("firstname"), made.get("lastname")) == ("Nora", "New"), "{made:?}");
    let ids = |portal: &threadline_testkit::hubspot::FakeHubspot| {
        let mut ids: Vec<String> =
            portal.emails().iter().map(|e| e.get("hs_email_subject").to_owned()).collect();
        ids.sort();
        ids
    };
    ensure!(ids(portal).contains(&"1@lab.test".to_owned()), "{:?}", ids(portal));
    ensure!(!ids(portal).contains(&"3@lab.test".to_owned()), "{:?}", ids(portal));
    computer.run(&["asked", "later", OTHER])?.ok()?;
    ensure!(json(&computer, &["asked", "people"])?.is_empty());
    lab.append(ANN, "Sent", &raw("5@lab.test", ANN, OTHER, ""))?;
    computer.once()?.ok()?;
    ensure!(json(&computer, &["asked", "people"])?.len() == 1, "another mail: asked again");
    computer.run(&["asked", "never-person", OTHER])?.ok()?;
    lab.append(ANN, "Sent", &raw("6@lab.test", ANN, OTHER, ""))?;
    computer.once()?.ok()?;
    ensure!(rules(&computer, 1)? == ["never_address"], "{:?}", rules(&computer, 3)?);
    ensure!(portal.contacts().iter().all(|c| c.get("email") != OTHER));
    // A name that the CRM has is never written over.
    portal.change_contact(made.id, &[("firstname", "Eleonora")]);
    lab.append(ANN, "Sent", &raw("7@lab.test", ANN, &format!("\"Somebody Else\" <{NEW}>"), ""))?;
    computer.once()?.ok()?;
    let kept = portal.contacts().into_iter().find(|c| c.id == made.id).context("it is gone")?;
    ensure!(kept.get("firstname") == "Eleonora", "{kept:?}");
    Ok(())
}

#[test]
fn an_alias_is_learnt_from_sent_mail_shown_and_taken_away_for_good() -> Result<()> {
    const ALIAS: &str = "ann@other-brand.example";
    let lab = Lab::builder().users([ANN]).start()?;
    let dir = tempfile::tempdir()?;
    let computer = computer(&lab, &Place::folder(dir.path().join("crm")))?;
    // What is moved into Sent and was delivered or is addressed to Ann teaches nothing.
    lab.append(ANN, "Sent", &raw("a@x", "else@evil.example", ANN, ""))?;
    let moved =
        [b"Return-Path: <x@evil.example>\r\n".to_vec(), raw("b@x", "x@evil.example", CARL, "")].concat();
    lab.append(ANN, "Sent", &moved)?;
    lab.append(ANN, "Sent", &raw("1@lab.test", ALIAS, CARL, ""))?;
    computer.once()?.ok()?;
    let own = || json(&computer, &["rules", "list"]);
    ensure!(own()?[0]["learnt"] == serde_json::json!([ALIAS]), "{:?}", own()?);
    ensure!(rules(&computer, 3)?.contains(&"sent_to_contact".to_owned()), "{:?}", rules(&computer, 3)?);
    let shown = computer.run(&["rules", "list"])?.ok()?.out;
    ensure!(shown.contains(&format!("{ALIAS} (learnt)")), "{shown}");
    // Under her name, and not among what the server has as sent: asked, not logged.
    lab.deliver(ANN, &raw("2@evil.example", ALIAS, CARL, ""))?;
    computer.once()?.ok()?;
    ensure!(rules(&computer, 1)? == ["own_not_in_sent"], "{:?}", rules(&computer, 1)?);
    computer.run(&["rules", "remove", "own", ALIAS])?.ok()?;
    lab.append(ANN, "Sent", &raw("3@lab.test", ALIAS, CARL, ""))?;
    computer.once()?.ok()?;
    let after = own()?.remove(0);
    ensure!(
        after["learnt"] == serde_json::json!([]) && after["not_own"] == serde_json::json!([ALIAS]),
        "{after:#}"
    );
    Ok(())
}

#[test]
fn a_calendars_answer_is_named_and_is_no_reply() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let dir = tempfile::tempdir()?;
    let computer = computer(&lab, &Place::folder(dir.path().join("crm")))?;
    lab.append(ANN, "Sent", &raw("1@lab.test", ANN, CARL, ""))?;
    computer.once()?.ok()?;
    let ics = "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nSUMMARY:Meeting\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:carl@customer1.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let whole = format!(
        "From: {CARL}\r\nTo: {ANN}\r\nSubject: Accepted: Meeting\r\nMessage-ID: <2@c>\r\nIn-Reply-To: <1@lab.test>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/calendar; charset=utf-8; method=REPLY\r\n\r\n{ics}"
    );
    let part = format!(
        "From: {CARL}\r\nTo: {ANN}\r\nSubject: Accepted: Meeting\r\nMessage-ID: <3@c>\r\nIn-Reply-To: <1@lab.test>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nyes\r\n--b\r\n\
         Content-Type: text/calendar; method=REPLY; charset=utf-8\r\n\r\n{ics}\r\n--b--\r\n"
    );
    for mail in [&whole, &part] {
        lab.deliver(ANN, mail.as_bytes())?;
    }
    computer.once()?.ok()?;
    // Seen once more, in another folder, it stays what it is.
    lab.append(ANN, "Sent", part.as_bytes())?;
    computer.once()?.ok()?;
    let log = json(&computer, &["log"])?;
    let named = log.iter().filter(|d| d["rule"] == "calendar_reply").count();
    ensure!(named == 2, "{log:#?}");
    let threads = json(&computer, &["threads"])?;
    ensure!(
        threads.len() == 1 && threads[0]["messages"] == 1 && threads[0]["state"] == "awaiting_reply",
        "{threads:#?}"
    );
    // The text of the second was read to know it, and is counted.
    let texts: usize = lab.rawlog(ANN)?.iter().map(texts_given).sum();
    let counted = json(&computer, &["log", "--egress"])?.pop().context("no counters")?;
    ensure!(counted["bodies_read"] == texts, "{texts} {counted}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_left_is_listed_and_the_texts_never_read_are_counted_as_the_server_counts_them() -> Result<()> {
    let place = Place::hubspot().await?;
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = computer(&lab, &place)?;
    let Place::Hubspot(portal) = &place else { unreachable!() };
    lab.append(ANN, "Sent", &raw("1@lab.test", ANN, CARL, ""))?;
    lab.append(ANN, "Sent", &raw("2@lab.test", ANN, NEW, ""))?;
    lab.deliver(ANN, &raw("3@third.example", NEW, ANN, ""))?;
    computer.once()?.ok()?;
    let mut lines = json(&computer, &["log", "--egress"])?;
    let counted = lines.pop().context("no counters")?;
    let texts: usize = lab.rawlog(ANN)?.iter().map(texts_given).sum();
    ensure!(
        counted["bodies_read"] == texts && texts == 1 && counted["bodies_never_read"] == 2,
        "{texts} {counted}"
    );
    // Every property of the record stands in the ledger with its size, and no value does.
    let email = portal.emails().remove(0);
    for (field, value) in email.properties.iter() {
        let line = lines.iter().find(|l| l["object"] == "email" && l["field"] == field.as_str());
        let line = line.with_context(|| format!("{field} is not listed"))?;
        ensure!(line["bytes"] == value.len() && line["sink"] == "hubspot", "{line}");
    }
    ensure!(
        lines.iter().all(|l| !l.to_string().contains(CARL) && !l.to_string().contains("text of")),
        "{lines:#?}"
    );
    let logged = json(&computer, &["log"])?
        .into_iter()
        .find(|d| d["outcome"] == "log")
        .context("nothing is logged")?;
    let of_one = json(&computer, &["log", "--egress", "--message", &logged["message"].to_string()])?;
    ensure!(of_one.len() == lines.len() + 1, "{of_one:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_crm_can_have_what_is_new_in_a_text_alone() -> Result<()> {
    let place = Place::hubspot().await?;
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = computer(&lab, &place)?;
    let Place::Hubspot(portal) = &place else { unreachable!() };
    let text = "Fine, we take it.\r\n\r\n-- \r\nAnn, Northwind\r\n\r\nOn Mon, 2 Nov 2026 at 09:30, Carl <carl@customer1.example> wrote:\r\n> the old text\r\n";
    let mail = |id: &str| {
        format!("From: {ANN}\r\nTo: {CARL}\r\nSubject: {id}\r\nMessage-ID: <{id}>\r\n\r\n{text}").into_bytes()
    };
    lab.append(ANN, "Sent", &mail("1@lab.test"))?;
    computer.once()?.ok()?;
    computer.run(&["setting", "crm-text", "new"])?.ok()?;
    lab.append(ANN, "Sent", &mail("2@lab.test"))?;
    computer.once()?.ok()?;
    let text_of = |id: &str| {
        let emails = portal.emails();
        let email = emails.iter().find(|e| e.get("hs_email_subject") == id).context("it is not there")?;
        anyhow::Ok(email.get("hs_email_text").to_owned())
    };
    ensure!(text_of("1@lab.test")?.contains("the old text"), "{}", text_of("1@lab.test")?);
    ensure!(text_of("2@lab.test")?.trim() == "Fine, we take it.", "{}", text_of("2@lab.test")?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_never_to_be_logged_goes_from_the_crm_too_where_that_is_said() -> Result<()> {
    let place = Place::hubspot().await?;
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = computer(&lab, &place)?;
    let Place::Hubspot(portal) = &place else { unreachable!() };
    let own = portal.add_own_email("<own@lab.test>", "own@lab.test");
    for id in ["1@lab.test", "2@lab.test", "own@lab.test"] {
        lab.append(ANN, "Sent", &raw(id, ANN, CARL, ""))?;
    }
    computer.once()?.ok()?;
    ensure!(portal.emails().len() == 3);
    // Asked first, with the numbers: no answer changes nothing.
    let refused = computer.run_with(&["rules", "add", "never", CARL, "--past", "--crm"], "no\n")?;
    ensure!(
        !refused.status.success() && refused.out.contains("3 messages") && refused.out.contains("2 records"),
        "{refused:?}"
    );
    ensure!(json(&computer, &["threads"])?.len() == 3 && portal.emails().len() == 3);
    let gone = json(&computer, &["rules", "add", "never", CARL, "--past", "--crm", "--yes"])?;
    ensure!(gone[0]["forgotten"]["messages"] == 3 && gone[0]["forgotten"]["removing"] == 2, "{gone:#?}");
    computer.once()?.ok()?;
    // What HubSpot logged by itself is its own.
    let left: Vec<u64> = portal.emails().iter().map(|e| e.id).collect();
    ensure!(left == [own], "{left:?}");
    // Nothing comes back: not by another run, nor by the mail in another folder.
    lab.append(ANN, "INBOX", &raw("1@lab.test", ANN, CARL, ""))?;
    computer.once()?.ok()?;
    ensure!(portal.emails().len() == 1 && json(&computer, &["threads"])?.is_empty());
    Ok(())
}

/// The last noon in the computer's own time zone: mail that comes in now is later than that.
fn noon() -> Result<Timestamp> {
    let now = jiff::Zoned::now();
    let today = now.with().hour(12).minute(0).second(0).subsec_nanosecond(0).build()?;
    let noon = if today > now { today.checked_sub(jiff::Span::new().days(1))? } else { today };
    Ok(noon.timestamp())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_asked_once_a_day_and_only_where_there_is_somebody_new() -> Result<()> {
    let clock = HandClock::at(noon()?);
    let desk = Desk::by(Lab::builder(), Arc::new(clock.clone())).await?;
    let engine = &desk.engine;
    engine.catch_up().await?;
    ensure!(!engine.ask_if_due().await?, "nobody is unknown");
    let send = |id: &str, to: &str| desk.lab.append(ANN, "Sent", &raw(id, ANN, to, ""));
    send("1@lab.test", NEW)?;
    send("2@lab.test", OTHER)?;
    engine.catch_up().await?;
    let mut events = engine.events();
    ensure!(engine.ask_if_due().await?, "two are");
    let told = events.try_recv()?;
    ensure!(matches!(told, Event::Question { people: 2 }), "{told:?}");
    send("3@lab.test", "third@fifth.example")?;
    engine.catch_up().await?;
    ensure!(!engine.ask_if_due().await?, "once a day");
    // The next day in the morning is too early; at noon it is asked about the one who is new, and then no more.
    clock.advance(Duration::from_secs(18 * 3600));
    ensure!(!engine.ask_if_due().await?);
    clock.advance(Duration::from_secs(6 * 3600));
    ensure!(engine.ask_if_due().await? && !engine.ask_if_due().await?);
    clock.advance(Duration::from_secs(24 * 3600));
    ensure!(!engine.ask_if_due().await?, "nobody is new");
    ensure!(engine.unknown_people().await?.len() == 3);
    // One of them is taken back within the ten minutes.
    let (ann, new) = (Address::parse(ANN)?, Address::parse(NEW)?);
    let undo = engine.answer_person(&ann, &new, PersonAnswer::Never).await?;
    ensure!(engine.unknown_people().await?.len() == 2);
    engine.undo(undo.token).await?;
    ensure!(engine.unknown_people().await?.len() == 3);
    ensure!(engine.answer_person(&ann, &Address::parse(CARL)?, PersonAnswer::Add).await.is_err());
    Ok(())
}
