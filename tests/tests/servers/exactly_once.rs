//! One record a mail: on two computers, for two colleagues, beside the CRM's own logging, and when the server or the
//! connection changes in the middle.

use anyhow::{Context, Result, ensure};
use std::sync::Arc;
use threadline_engine::clock::SystemClock;
use threadline_testkit::hubspot::{FakeHubspot, Fault, Options};
use threadline_testkit::lab::Lab;
use threadline_tests::sinks::Place;
use threadline_tests::{Computer, events_of, proxy};

const ANN: &str = "ann@lab.test";
const BOB: &str = "bob@lab.test";
const CARL: &str = "carl@customer1.example";
const CONTACTS: &[(&str, &str)] = &[(CARL, "Carl")];

/// A mail as it lies in a folder.
fn raw(id: &str, from: &str, to: &str, more: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {id}\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{id}>\r\n{more}\r\ntext of {id}\r\n"
    )
    .into_bytes()
}

/// A computer that watches Ann's mailbox, with its baseline made.
fn computer(lab: &Lab, place: &Place) -> Result<Computer> {
    let computer = Computer::new()?;
    computer.add_account(lab, ANN, &[])?;
    place.set_up(&computer, CONTACTS)?;
    computer.once()?.ok()?;
    Ok(computer)
}

fn once_each(place: &Place, ids: &[&str]) -> Result<()> {
    let manifest: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let (lost, doubled) = place.compare(&manifest)?;
    ensure!((lost, doubled) == (0, 0), "lost {lost}, doubled {doubled}: {:?}", place.counts()?);
    Ok(())
}

async fn places(dir: &std::path::Path) -> Result<[Place; 2]> {
    Ok([Place::folder(dir.join("crm")), Place::hubspot().await?])
}

#[tokio::test(flavor = "multi_thread")]
async fn two_computers_on_one_mailbox_make_one_record() -> Result<()> {
    let dir = tempfile::tempdir()?;
    for place in places(dir.path()).await? {
        let lab = Lab::builder().users([ANN]).start()?;
        let (first, second) = (computer(&lab, &place)?, computer(&lab, &place)?);
        let (mut one, mut two) = (first.start()?, second.start()?);
        one.wait("watching")?;
        two.wait("watching")?;
        let ids = ["1@lab.test", "2@lab.test", "3@lab.test", "4@lab.test"];
        for id in ids {
            lab.append(ANN, "Sent", &raw(id, ANN, CARL, ""))?;
        }
        for _ in ids {
            one.wait("pushed")?;
            two.wait("pushed")?;
        }
        once_each(&place, &ids)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_colleagues_on_one_mail_make_one_record() -> Result<()> {
    let dir = tempfile::tempdir()?;
    for place in places(dir.path()).await? {
        let lab = Lab::builder().users([ANN, BOB]).start()?;
        let ann = computer(&lab, &place)?;
        let bob = Computer::new()?;
        bob.add_account(&lab, BOB, &[])?;
        place.set_up(&bob, CONTACTS)?;
        bob.once()?.ok()?;
        // Bob writes to the contact first, so that the contact's answer to both is logged by both.
        let cc = format!("Cc: {ANN}\r\n");
        lab.append(BOB, "Sent", &raw("b1@lab.test", BOB, CARL, &cc))?;
        lab.append(ANN, "Sent", &raw("a1@lab.test", ANN, CARL, "In-Reply-To: <b1@lab.test>\r\n"))?;
        let answer = raw(
            "c1@customer1.example",
            CARL,
            &format!("{ANN}, {BOB}"),
            "References: <b1@lab.test> <a1@lab.test>\r\n",
        );
        lab.deliver(ANN, &answer)?;
        lab.deliver(BOB, &answer)?;
        ann.once()?.ok()?;
        bob.once()?.ok()?;
        ann.once()?.ok()?;
        once_each(&place, &["a1@lab.test", "b1@lab.test", "c1@customer1.example"])?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_mailboxes_of_one_program_on_one_mail_make_one_record() -> Result<()> {
    let dir = tempfile::tempdir()?;
    for place in places(dir.path()).await? {
        let lab = Lab::builder().users([ANN, BOB]).start()?;
        let both = computer(&lab, &place)?;
        both.add_account(&lab, BOB, &[])?;
        both.once()?.ok()?;
        lab.append(BOB, "Sent", &raw("b1@lab.test", BOB, CARL, &format!("Cc: {ANN}\r\n")))?;
        lab.append(ANN, "Sent", &raw("a1@lab.test", ANN, CARL, "In-Reply-To: <b1@lab.test>\r\n"))?;
        both.once()?.ok()?;
        let references = "References: <b1@lab.test> <a1@lab.test>\r\n";
        let answer = raw("c1@customer1.example", CARL, &format!("{ANN}, {BOB}"), references);
        lab.deliver(ANN, &answer)?;
        lab.deliver(BOB, &answer)?;
        both.once()?.ok()?;
        once_each(&place, &["a1@lab.test", "b1@lab.test", "c1@customer1.example"])?;
        let status = both.run(&["status", "--json"])?.json()?;
        let crm = &status[0]["crms"][0];
        ensure!(crm["waiting"] == 0 && crm["set_aside"] == 0 && crm["done"] == 4, "{crm:#}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_hubspot_logged_itself_is_linked() -> Result<()> {
    let place = Place::hubspot().await?;
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = computer(&lab, &place)?;
    let Place::Hubspot(portal) = &place else { unreachable!() };
    let own = portal.add_own_email("<own@lab.test>", "as HubSpot logged it");
    lab.append(ANN, "Sent", &raw("own@lab.test", ANN, CARL, ""))?;
    computer.once()?.ok()?;
    once_each(&place, &["own@lab.test"])?;
    let email = &portal.emails()[0];
    ensure!(email.id == own && email.get("hs_email_text") == "as HubSpot logged it", "{email:?}");
    ensure!(portal.links(own).len() == 1, "it is not on the contact");
    let threads = computer.run(&["threads", "--json"])?.ok()?.json()?;
    ensure!(threads[0]["crm"][0]["state"] == "done", "{threads:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_after_hubspot_stored_the_mail_makes_no_second_record() -> Result<()> {
    for fault in [Fault::DropAfter, Fault::StatusAfter(503), Fault::Garbage] {
        let place = Place::hubspot().await?;
        let lab = Lab::builder().users([ANN]).start()?;
        let computer = computer(&lab, &place)?;
        let Place::Hubspot(portal) = &place else { unreachable!() };
        portal.inject("POST /crm/v3/objects/emails/batch/upsert", fault);
        lab.append(ANN, "Sent", &raw("1@lab.test", ANN, CARL, ""))?;
        let mut running = computer.start()?;
        running.wait("push_failed")?;
        running.wait("pushed")?;
        once_each(&place, &["1@lab.test"])?;
    }
    Ok(())
}

fn retrying_channel(channel: &serde_json::Value) -> bool {
    channel["state"] == "retrying" && !channel["next_try"].is_null()
}

#[test]
fn what_was_sent_while_the_server_was_away_is_caught_up() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let place = Place::folder(dir.path().join("crm"));
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = computer(&lab, &place)?;
    let mut running = computer.start()?;
    running.wait("watching")?;
    lab.append(ANN, "Sent", &raw("1@lab.test", ANN, CARL, ""))?;
    running.wait("pushed")?;
    lab.stop_imap();
    let retrying = |e: &serde_json::Value| e["health"]["state"] == "retrying";
    let (_, broken) = running.wait_for("the break", retrying)?;
    // The next attempts fail too, and the outage is still the same one.
    let refused = |e: &serde_json::Value| e["health"]["reason"] == "connection_refused";
    running.wait_for("a refused attempt", refused)?;
    let status = computer.run(&["status", "--json"])?.json()?;
    let channels = status[0]["mailboxes"][0]["channels"].as_array().cloned().unwrap_or_default();
    ensure!(channels.iter().all(retrying_channel), "{channels:#?} after {broken}");
    lab.start_imap()?;
    lab.append(ANN, "Sent", &raw("2@lab.test", ANN, CARL, ""))?;
    lab.deliver(ANN, &raw("3@customer1.example", CARL, ANN, "In-Reply-To: <2@lab.test>\r\n"))?;
    running.wait("pushed")?;
    running.wait("pushed")?;
    lab.kick(ANN)?;
    lab.append(ANN, "Sent", &raw("4@lab.test", ANN, CARL, ""))?;
    running.wait("pushed")?;
    once_each(&place, &["1@lab.test", "2@lab.test", "3@customer1.example", "4@lab.test"])?;
    let status = computer.run(&["status", "--json"])?.json()?;
    ensure!(status[0]["mailboxes"][0]["state"] == "connected", "{:#}", status[0]);
    Ok(())
}

#[test]
fn a_changed_uidvalidity_doubles_nothing_and_loses_nothing() -> Result<()> {
    for folder in ["Sent", "INBOX"] {
        let dir = tempfile::tempdir()?;
        let place = Place::folder(dir.path().join("crm"));
        let lab = Lab::builder().users([ANN]).start()?;
        let computer = computer(&lab, &place)?;
        lab.append(ANN, "Sent", &raw("0@lab.test", ANN, CARL, ""))?;
        computer.once()?.ok()?;
        let mut ids = vec!["0@lab.test"];
        let mut add = |id: &'static str| {
            ids.push(id);
            match folder {
                "Sent" => lab.append(ANN, folder, &raw(id, ANN, CARL, "")).map(|_| ()),
                _ => lab.deliver(ANN, &raw(id, CARL, ANN, "In-Reply-To: <0@lab.test>\r\n")),
            }
        };
        for id in ["1@lab.test", "2@lab.test", "3@lab.test"] {
            add(id)?;
        }
        computer.once()?.ok()?;
        add("4@lab.test")?;
        lab.set_uidvalidity(ANN, folder, 77_777)?;
        ensure!(lab.uidvalidity(ANN, folder)? == 77_777);
        computer.once()?.ok()?;
        add("5@lab.test")?;
        computer.once()?.ok()?;
        once_each(&place, &ids)?;
    }
    Ok(())
}

#[test]
fn a_connection_that_is_cut_in_the_middle_of_a_text_loses_nothing() -> Result<()> {
    const LINES: usize = 30_000;
    let dir = tempfile::tempdir()?;
    let crm = dir.path().join("crm");
    let place = Place::folder(crm.clone());
    let lab = Lab::builder().users([ANN]).start()?;
    let (port, traffic) = proxy::start(lab.imaps_port(), std::time::Duration::ZERO)?;
    let computer = Computer::new()?;
    computer.add_broken_account(ANN, port, &lab.ca_file(), &lab.password(ANN)?)?;
    place.set_up(&computer, CONTACTS)?;
    computer.once()?.ok()?;
    let mut running = computer.start()?;
    running.wait("watching")?;
    // Nothing but a text is as long as this, so that the cut lies in the literal that holds it.
    let before = traffic.connections();
    ensure!(before.iter().all(|[_, down]| *down < 100_000), "bytes without a text: {before:?}");
    traffic.cut_at(500_000);
    let mut mail = raw("1@lab.test", ANN, CARL, "");
    for n in 0..LINES {
        mail.extend_from_slice(format!("line {n} of a long text\r\n").as_bytes());
    }
    lab.append(ANN, "Sent", &mail)?;
    lab.append(ANN, "Sent", &raw("2@lab.test", ANN, CARL, ""))?;
    running.wait_for("the break", |e| e["health"]["state"] == "retrying")?;
    running.wait("pushed")?;
    running.wait("pushed")?;
    ensure!(traffic.cuts() == 1, "{} connections were cut", traffic.cuts());
    once_each(&place, &["1@lab.test", "2@lab.test"])?;
    let long = events_of(&crm)?.into_iter().find(|e| e["message_id"] == "1@lab.test");
    let text = long.as_ref().and_then(|e| e["text"].as_str()).unwrap_or_default();
    ensure!(text.lines().count() == LINES + 1, "{} lines", text.lines().count());
    Ok(())
}

#[test]
fn on_gmail_all_mail_is_watched_instead_and_each_mail_is_there_once() -> Result<()> {
    const ALL: &str = "[Gmail]/All Mail";
    let dir = tempfile::tempdir()?;
    let crm = dir.path().join("crm");
    let place = Place::folder(crm.clone());
    let lab = Lab::builder().users([ANN]).gmail().start()?;
    let computer = computer(&lab, &place)?;
    let mut running = computer.start()?;
    running.wait("watching")?;
    // Gmail shows a mail in All Mail and in the folder of its label; drafts lie in All Mail too.
    let draft = raw("draft@lab.test", ANN, CARL, "");
    lab.append_with(ANN, ALL, "\\Draft", &draft)?;
    running.wait_for("the draft", |e| e["rule"] == "draft")?;
    let sent = raw("1@lab.test", ANN, CARL, "");
    lab.append(ANN, "Sent", &sent)?;
    lab.append_with(ANN, ALL, "\\Seen", &sent)?;
    let (_, decided) = running.wait_for("the sent mail", |e| e["rule"] == "sent_to_contact")?;
    ensure!(decided["folder"] == ALL && decided["direction"] == "outgoing", "{decided}");
    running.wait("pushed")?;
    let reply = raw("2@customer1.example", CARL, ANN, "In-Reply-To: <1@lab.test>\r\n");
    lab.deliver(ANN, &reply)?;
    lab.append(ANN, ALL, &reply)?;
    let (_, decided) = running.wait_for("the reply", |e| e["rule"] == "reply_in_logged_thread")?;
    ensure!(decided["folder"] == ALL && decided["direction"] == "incoming", "{decided}");
    running.wait("pushed")?;
    drop(running);
    computer.once()?.ok()?;
    once_each(&place, &["1@lab.test", "2@customer1.example"])?;
    let events = events_of(&crm)?;
    ensure!(events[0]["thread"] == events[1]["thread"], "{events:#?}");
    let asked: String = lab.rawlog(ANN)?.iter().map(|s| s.asked()).collect();
    ensure!(
        asked.contains(ALL) && !asked.contains("EXAMINE INBOX") && !asked.contains("EXAMINE \"INBOX"),
        "{asked}"
    );
    ensure!(!asked.contains("Sent"), "{asked}");
    Ok(())
}

#[test]
fn a_reply_that_is_seen_before_its_original_joins_it() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let crm = dir.path().join("crm");
    let place = Place::folder(crm.clone());
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = computer(&lab, &place)?;
    let mut running = computer.start()?;
    running.wait("watching")?;
    lab.deliver(ANN, &raw("2@customer1.example", CARL, ANN, "In-Reply-To: <1@lab.test>\r\n"))?;
    running.wait_for("the question", |e| e["rule"] == "new_from_contact")?;
    lab.append(ANN, "Sent", &raw("1@lab.test", ANN, CARL, ""))?;
    running.wait_for("the original", |e| e["rule"] == "sent_to_contact")?;
    running.wait_for("the reply", |e| e["rule"] == "reply_in_logged_thread")?;
    while place.counts()?.len() < 2 {
        running.wait("pushed")?;
    }
    once_each(&place, &["1@lab.test", "2@customer1.example"])?;
    let events = events_of(&crm)?;
    ensure!(events[0]["thread"] == events[1]["thread"], "{events:#?}");
    Ok(())
}

#[test]
fn without_notify_two_connections_do_the_same() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let place = Place::folder(dir.path().join("crm"));
    let lab = Lab::builder().users([ANN]).caps("IMAP4rev1 IDLE UIDPLUS SPECIAL-USE").start()?;
    let computer = computer(&lab, &place)?;
    let mut running = computer.start()?;
    running.wait("watching")?;
    running.wait("watching")?;
    lab.append(ANN, "Sent", &raw("1@lab.test", ANN, CARL, ""))?;
    running.wait("pushed")?;
    lab.deliver(ANN, &raw("2@customer1.example", CARL, ANN, "In-Reply-To: <1@lab.test>\r\n"))?;
    running.wait("pushed")?;
    once_each(&place, &["1@lab.test", "2@customer1.example"])
}

#[test]
fn a_server_with_nothing_but_the_minimum_is_caught_up() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let place = Place::folder(dir.path().join("crm"));
    let lab = Lab::builder().users([ANN]).caps("IMAP4rev1").start()?;
    let computer = computer(&lab, &place)?;
    lab.append(ANN, "Sent", &raw("1@lab.test", ANN, CARL, ""))?;
    lab.deliver(ANN, &raw("2@customer1.example", CARL, ANN, "In-Reply-To: <1@lab.test>\r\n"))?;
    computer.once()?.ok()?;
    once_each(&place, &["1@lab.test", "2@customer1.example"])
}

/// A token of another portal: there the ids of contacts are other people's, and what was logged in the first one is not gone.
#[tokio::test(flavor = "multi_thread")]
async fn mail_that_waits_goes_to_the_right_contact_of_another_portal() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let clock = || Arc::new(SystemClock::start());
    let first = FakeHubspot::start(Options::default(), clock()).await?;
    let carl = first.add_contact(CARL, "Carl", "");
    let first = Place::Hubspot(first);
    let computer = computer(&lab, &first)?;
    lab.append(ANN, "Sent", &raw("1@lab.test", ANN, CARL, ""))?;
    computer.once()?.ok()?;
    once_each(&first, &["1@lab.test"])?;
    let Place::Hubspot(old) = &first else { unreachable!() };
    old.set(|options| options.token = "revoked".into());
    lab.append(ANN, "Sent", &raw("2@lab.test", ANN, CARL, "In-Reply-To: <1@lab.test>\r\n"))?;
    ensure!(computer.once()?.ok().is_err(), "the token is not accepted, and it says so");

    let other = FakeHubspot::start(Options { portal: 42, ..Options::default() }, clock()).await?;
    let stranger = other.add_contact("stranger@elsewhere.example", "Somebody", "Else");
    ensure!(stranger == carl, "the id is to be somebody else's: {stranger}, {carl}");
    let other = Place::Hubspot(other);
    other.set_up(&computer, CONTACTS)?;
    computer.once()?.ok()?;
    once_each(&other, &["2@lab.test"])?;
    once_each(&first, &["1@lab.test"])?;
    let Place::Hubspot(new) = &other else { unreachable!() };
    let there = new.contacts().iter().find(|c| c.get("email") == CARL).map(|c| c.id);
    let email = new.emails().first().map(|e| e.id).context("no mail")?;
    ensure!(Some(new.links(email)) == there.map(|id| vec![id]), "{:?} is not {there:?}", new.links(email));
    ensure!(new.take_violations().is_empty(), "requests that the portal does not know");
    // Both are logged still: the first portal's is not taken for one that was deleted.
    computer.once()?.ok()?;
    let dir = computer.folder().join("all");
    computer.run(&["export", dir.to_str().context("not UTF-8")?])?.ok()?;
    let messages = std::fs::read_to_string(dir.join("messages.jsonl"))?;
    ensure!(messages.lines().count() == 2, "{messages}");
    Ok(())
}
