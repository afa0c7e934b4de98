//! The person's own word: rules, private times, forwards to the logging address, conversations changed by hand.

use anyhow::{Context, Result, ensure};
use threadline_testkit::lab::Lab;
use threadline_tests::desk::{ANN, CARL};
use threadline_tests::sinks::Place;
use threadline_tests::watched::{computer, raw, rules};

const DOCTOR: &str = "doctor@clinic.example";
const STRANGER: &str = "stranger@third.example";

/// A Date field of so many hours from now.
fn date(hours: i64) -> String {
    let then = jiff::Zoned::now().saturating_add(jiff::SignedDuration::from_hours(hours));
    then.strftime("Date: %a, %d %b %Y %H:%M:%S %z\r\n").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_no_rule_lets_through_causes_no_request_to_the_crm() -> Result<()> {
    let place = Place::hubspot().await?;
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = computer(&lab, &place)?;
    let Place::Hubspot(portal) = &place else { unreachable!() };
    computer.run(&["rules", "add", "never", DOCTOR])?.ok()?;
    computer.run(&["rules", "add", "never-word", "salary"])?.ok()?;
    portal.forget_requests();
    let both = format!("{CARL}, {DOCTOR}");
    // Servers count whole seconds: these were written before the private time for certain.
    let before = date(-2);
    lab.append(ANN, "Sent", &raw("1@lab.test", ANN, &both, &before))?;
    lab.append(ANN, "Sent", &raw("2@lab.test", ANN, STRANGER, &before))?;
    lab.append(ANN, "Sent", &raw("salary.3@lab.test", ANN, CARL, &before))?;
    lab.deliver(ANN, &raw("4@third.example", STRANGER, ANN, ""))?;
    lab.deliver(ANN, &raw("5@evil.example", ANN, CARL, ""))?;
    computer.run(&["private", "until", "1h"])?.ok()?;
    lab.append(ANN, "Sent", &raw("6@lab.test", ANN, CARL, ""))?;
    computer.once()?.ok()?;
    let mut seen = rules(&computer, 6)?;
    seen.sort();
    let want = [
        "never_address",
        "never_word",
        "own_not_in_sent",
        "private_time",
        "unknown_recipient",
        "unknown_sender",
    ];
    ensure!(seen == want, "{seen:?}");
    // Contacts may be asked for; nobody is named, and nothing is written.
    for request in portal.requests() {
        let text = format!("{} {:?} {}", request.line, request.query, request.body);
        for word in [DOCTOR, STRANGER, CARL, "lab.test", "/objects/emails"] {
            ensure!(!text.contains(word), "{word}: {text}");
        }
    }
    ensure!(portal.emails().is_empty());
    // The same mail after the private time and to Carl alone is logged.
    computer.run(&["private", "off"])?.ok()?;
    lab.append(ANN, "Sent", &raw("7@lab.test", ANN, CARL, &date(2)))?;
    computer.once()?.ok()?;
    ensure!(portal.emails().len() == 1, "{:?}", rules(&computer, 7)?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forward_to_the_logging_address_is_logged_as_its_original() -> Result<()> {
    let place = Place::hubspot().await?;
    let lab = Lab::builder().users([ANN]).start()?;
    let computer = computer(&lab, &place)?;
    let Place::Hubspot(portal) = &place else { unreachable!() };
    let forward = format!(
        "From: Ann <{ANN}>\r\nTo: ann+crm@lab.test\r\nSubject: Fwd: The offer\r\nMessage-ID: <f@lab.test>\r\n\r\nfor the CRM\r\n\r\n\
         ---------- Forwarded message ---------\r\nFrom: Carl <{CARL}>\r\nDate: Mon, 2 Nov 2026 at 09:30\r\nSubject: The offer\r\n\
         To: Ann <{ANN}>\r\n\r\n\r\nThanks, we take it.\r\n"
    );
    lab.append(ANN, "Sent", forward.as_bytes())?;
    lab.deliver(ANN, forward.as_bytes())?;
    computer.once()?.ok()?;
    let emails = portal.emails();
    ensure!(emails.len() == 1, "{emails:?} {:?}", rules(&computer, 2)?);
    let email = &emails[0];
    ensure!(email.get("hs_email_direction") == "FORWARDED_EMAIL", "{email:?}");
    ensure!(email.get("hs_email_subject") == "The offer", "{email:?}");
    ensure!(email.get("hs_email_text").trim() == "Thanks, we take it.", "{email:?}");
    ensure!(portal.links(email.id).len() == 1, "it is not on the contact");
    Ok(())
}

#[test]
fn gestures_of_any_mail_client_are_followed() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let dir = tempfile::tempdir()?;
    let computer = computer(&lab, &Place::folder(dir.path().join("crm")))?;
    lab.doveadm(&["mailbox", "create", "-u", ANN, "Threadline/Log"])?;
    computer.once()?.ok()?;
    // One is put into the folder; another one is marked after it was read.
    lab.append(ANN, "Threadline/Log", &raw("1@third.example", STRANGER, ANN, ""))?;
    lab.deliver(ANN, &raw("2@third.example", STRANGER, ANN, ""))?;
    computer.once()?.ok()?;
    let before = lab.flags(ANN, "INBOX")?;
    ensure!(rules(&computer, 2)?.contains(&"log_folder".to_owned()), "{:?}", rules(&computer, 2)?);
    lab.doveadm(&["flags", "add", "-u", ANN, "$CrmLog", "mailbox", "INBOX", "all"])?;
    computer.once()?.ok()?;
    ensure!(rules(&computer, 1)? == ["keyword_log"], "{:?}", rules(&computer, 2)?);
    lab.doveadm(&["flags", "add", "-u", ANN, "$CrmNever", "mailbox", "INBOX", "all"])?;
    computer.once()?.ok()?;
    ensure!(rules(&computer, 1)? == ["taken_out"], "{:?}", rules(&computer, 2)?);
    let seen = |flags: &[String]| flags.iter().any(|f| f == "\\Seen");
    let after = lab.flags(ANN, "INBOX")?;
    ensure!(before.iter().zip(&after).all(|((_, b), (_, a))| seen(b) == seen(a)), "{before:?} {after:?}");
    Ok(())
}

#[test]
fn conversations_are_divided_and_joined_and_rules_explained_on_the_command_line() -> Result<()> {
    let lab = Lab::builder().users([ANN]).start()?;
    let dir = tempfile::tempdir()?;
    let computer = computer(&lab, &Place::folder(dir.path().join("crm")))?;
    lab.append(ANN, "Sent", &raw("1@lab.test", ANN, CARL, ""))?;
    computer.once()?.ok()?;
    lab.deliver(ANN, &raw("2@customer1.example", CARL, ANN, "In-Reply-To: <1@lab.test>\r\n"))?;
    computer.once()?.ok()?;
    let threads = || computer.run(&["threads", "--json"])?.ok()?.json();
    let all = threads()?;
    ensure!(all.len() == 1 && all[0]["messages"] == 2, "{all:#?}");
    let thread = all[0]["id"].to_string();
    let shown = computer.run(&["threads", "show", &thread, "--json"])?.ok()?.json()?;
    let reply = shown[0]["items"][1]["message"].as_i64().context("no number of the reply")?;
    computer.run(&["threads", "split", &reply.to_string()])?.ok()?;
    let two = threads()?;
    ensure!(two.len() == 2, "{two:#?}");
    let new = two.iter().find(|t| t["id"] != all[0]["id"]).context("no new one")?["id"].to_string();
    let text = computer.run(&["threads", "show", &new])?.ok()?.out;
    ensure!(text.contains(&format!("apart from the conversation {thread}")), "{text}");
    computer.run(&["threads", "undo"])?.ok()?;
    ensure!(threads()?.len() == 1);
    ensure!(!computer.run(&["threads", "undo"])?.status.success());

    let explained = |who: &str| computer.run(&["rules", "explain", who, "--json"])?.ok()?.json();
    let carl = explained(CARL)?;
    ensure!(
        carl[0]["sent"]["rule"] == "sent_to_contact" && carl[0]["received"]["rule"] == "new_from_contact",
        "{carl:?}"
    );
    let forgotten = computer.run(&["rules", "add", "never", CARL, "--past", "--json"])?.ok()?.json()?;
    ensure!(forgotten[0]["forgotten"]["messages"] == 2, "{forgotten:#?}");
    ensure!(forgotten[0]["forgotten"]["in_crm"].as_array().is_some_and(|a| a.len() == 2), "{forgotten:#?}");
    ensure!(threads()?.is_empty());
    ensure!(explained(CARL)?[0]["sent"]["rule"] == "never_address");
    Ok(())
}
