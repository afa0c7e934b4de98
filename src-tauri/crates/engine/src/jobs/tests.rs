//! Jobs that fail, on a real ledger.

use super::*;
use crate::settings::CrmSettings;
use crate::testing::World;
use threadline_core::reason::{Evidence, Phase};
use threadline_core::rule::LogMode;
use threadline_store::{outbox, setting};

/// A mailbox with the body of one logged mail to be read, and the job's id.
fn world() -> (World, i64) {
    let world = World::new(LogMode::EveryoneOutside, &[]);
    world.sends(1, "carl@customer.example");
    let job = world.jobs()[0].id;
    (world, job)
}

async fn fails(world: &World, id: i64, signal: Signal) -> Job {
    let ledger = &world.mailbox.shared.ledger;
    let job = move |tx: &Tx<'_>| job::get(tx, id);
    let error = MailError::new("imap.firm.example", Evidence::new(Phase::Fetch, signal, "words"));
    put_off(&world.mailbox, &ledger.read_blocking(job).unwrap().unwrap(), &error).await.unwrap();
    ledger.read_blocking(job).unwrap().unwrap()
}

#[tokio::test]
async fn a_network_that_fails_is_at_fault_in_no_message() {
    let (world, id) = world();
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let job = fails(&world, id, Signal::TimedOut).await;
        assert!(!job.set_aside && job.attempts == 0, "{job:?}");
        pauses.push(job.next_try.as_second());
    }
    assert_eq!(pauses[..4], [5, 10, 20, 40]);
    assert_eq!(pauses[11], 30 * 60, "the longest pause");
    world.mailbox.mended(id);
    assert_eq!(fails(&world, id, Signal::Reset).await.next_try.as_second(), 5);
}

#[tokio::test]
async fn a_message_that_breaks_the_connection_each_time_is_set_aside() {
    let (world, id) = world();
    for attempt in 1..ATTEMPTS {
        let job = fails(&world, id, Signal::Malformed).await;
        assert_eq!((job.set_aside, job.attempts), (false, attempt));
    }
    assert!(fails(&world, id, Signal::Malformed).await.set_aside);
}

#[tokio::test]
async fn what_the_server_refuses_is_set_aside_too() {
    let (world, id) = world();
    for _ in 1..ATTEMPTS {
        let job = fails(&world, id, Signal::Imap { status: ImapStatus::No, code: None }).await;
        assert!(!job.set_aside);
    }
    assert!(fails(&world, id, Signal::Imap { status: ImapStatus::No, code: None }).await.set_aside);
}

#[tokio::test]
async fn the_text_of_another_message_at_the_place_is_not_kept() {
    let (world, id) = world();
    let (mailbox, ledger) = (&world.mailbox, &world.mailbox.shared.ledger);
    let text = |id: &str| format!("Message-ID: <{id}@x>\r\nFrom: ann@firm.example\r\n\r\nwords\r\n");
    let body = |id: &str| Body { raw: text(id).into_bytes(), truncated: false };
    let job = ledger.read_blocking(move |tx| job::get(tx, id)).unwrap().unwrap();
    let message = job.message;
    keep(mailbox, &job, body("other")).await.unwrap();
    let kept =
        move |tx: &Tx<'_>| Ok((threadline_store::body::get(tx, message)?, place::of_message(tx, message)?));
    let (none, places) = ledger.read_blocking(kept).unwrap();
    assert!(none.is_none() && places.is_empty(), "{places:?}");
    let again = ledger.read_blocking(move |tx| job::get(tx, id)).unwrap().unwrap();
    assert_eq!((again.attempts, again.set_aside), (1, false), "it is looked for again");
    keep(mailbox, &again, body("1")).await.unwrap();
    assert!(ledger.read_blocking(kept).unwrap().0.is_some());
    assert!(ledger.read_blocking(move |tx| job::get(tx, id)).unwrap().is_none());
}

/// A report that names no id, and one about a mail that is not logged.
#[tokio::test]
async fn a_report_is_read_where_it_can_be_about_logged_mail() {
    let world = World::new(LogMode::EveryoneOutside, &[]);
    world.sends(1, "carl@customer.example");
    let report = "From: MAILER-DAEMON@mx.example\r\nTo: ann@firm.example\r\nSubject: failure notice\r\n";
    let text = "<carl@customer.example>:\r\n550 5.1.1 user unknown\r\n";
    world.sees(2, &format!("Message-ID: <2@mx>\r\n{report}\r\n"));
    world.sees(3, &format!("Message-ID: <3@mx>\r\nIn-Reply-To: <private@x>\r\n{report}\r\n"));
    let jobs: Vec<Job> = world.jobs().into_iter().filter(|job| job.kind == Kind::Report).collect();
    assert_eq!(jobs.iter().map(|job| job.place.uid).collect::<Vec<_>>(), [2]);
    let raw = format!("Message-ID: <2@mx>\r\n{report}\r\n{text}");
    let envelope = Envelope::parse(raw.as_bytes());
    report::keep(&world.mailbox, &jobs[0], envelope, raw.as_bytes()).await.unwrap();
    let of = jobs[0].message;
    let told = move |tx: &Tx<'_>| {
        Ok((
            threadline_store::notice::bounced(tx, None)?,
            threadline_store::body::get(tx, of)?.is_none(),
            message::get(tx, of)?.is_some_and(|row| row.body_at.is_some() && row.headers.is_none()),
        ))
    };
    let (bounced, no_body, no_text) = world.mailbox.shared.ledger.read_blocking(told).unwrap();
    assert!(no_body && no_text, "nothing is kept of the report");
    assert_eq!((bounced.len(), bounced[0].code.as_deref()), (1, Some("5.1.1")));
    assert_eq!(bounced[0].address.as_str(), "carl@customer.example");
    let thread = bounced[0].thread;
    let state = move |tx: &Tx<'_>| Ok(threadline_store::thread::get(tx, thread)?.map(|row| row.state));
    let state = world.mailbox.shared.ledger.read_blocking(state).unwrap();
    assert_eq!(state, Some(threadline_core::conversation::ThreadState::Bounced));
}

/// Ann forwards Carl's mail to her logging address.
#[tokio::test]
async fn what_is_forwarded_to_log_is_logged_as_its_original_or_kept_out_by_its_people() {
    let header = "Message-ID: <5@x>\r\nFrom: ann@firm.example\r\nTo: ann+crm@firm.example\r\nSubject: Fwd: The offer\r\n\
        Date: Thu, 1 Jan 1970 12:00:00 +0000\r\n";
    let text = "---------- Forwarded message ---------\r\nFrom: Carl <carl@customer.example>\r\nDate: Thu, 1 Jan 1970 at 09:30\r\n\
        Subject: The offer\r\nTo: Ann <ann@firm.example>\r\n\r\n\r\nWe take it.\r\n";
    for never in [false, true] {
        let mut world = World::new(LogMode::EveryoneOutside, &[]);
        if never {
            let carl = threadline_core::address::Address::parse("carl@customer.example").unwrap();
            world.mailbox.settings.rules.never_addresses.push(carl);
        }
        world.sees(5, &format!("{header}\r\n"));
        let jobs = world.jobs();
        assert_eq!(
            jobs.iter().map(|job| job.kind).collect::<Vec<_>>(),
            [Kind::Report],
            "nothing is logged yet"
        );
        let body = Body { raw: format!("{header}\r\n{text}").into_bytes(), truncated: false };
        forward::keep(&world.mailbox, &jobs[0], "Sent".into(), body).await.unwrap();
        let id = jobs[0].message;
        let read = move |tx: &Tx<'_>| {
            let row = message::get(tx, id)?.unwrap();
            Ok((
                row,
                threadline_store::body::get(tx, id)?.is_some(),
                threadline_store::association::of_message(tx, id)?,
            ))
        };
        let (row, has_body, logged_on) = world.mailbox.shared.ledger.read_blocking(read).unwrap();
        assert!(world.jobs().is_empty());
        if never {
            assert_eq!((row.rule, row.headers.is_none(), has_body), (Rule::NeverAddress, true, false));
            continue;
        }
        assert_eq!((row.rule, has_body), (Rule::ForwardedToLog, true));
        let headers = row.headers.unwrap();
        assert_eq!(headers.from.unwrap().address.as_str(), "carl@customer.example");
        assert_eq!((headers.subject.as_str(), row.time.as_second()), ("The offer", 9 * 3_600 + 30 * 60));
        let on: Vec<&str> = logged_on.iter().map(|a| a.address.as_str()).collect();
        assert_eq!(on, ["carl@customer.example"]);
    }
}

/// The list of CRMs that the tasks know may lag behind what was set.
#[tokio::test]
async fn a_message_is_queued_for_the_crms_as_they_are_set_when_it_is_stored() {
    let webhook = CrmSettings::Webhook { url: "https://x.example/".into() };
    let world = World::new(LogMode::EveryoneOutside, &[webhook]);
    let shared = &world.mailbox.shared;
    world.sends(1, "carl@customer.example");
    let job = world.jobs().remove(0);
    let folder = vec![CrmSettings::Folder { dir: "/tmp/mail".into() }];
    shared.ledger.write_blocking(move |tx| setting::set(tx, "crms", &folder)).unwrap();
    let raw =
        b"Message-ID: <1@x>\r\nFrom: ann@firm.example\r\nTo: carl@customer.example\r\n\r\nhello".to_vec();
    keep(&world.mailbox, &job, Body { raw, truncated: false }).await.unwrap();
    let queued = shared.ledger.read_blocking(move |tx| outbox::of_message(tx, job.message)).unwrap();
    assert_eq!(queued.iter().map(|row| row.sink.as_str()).collect::<Vec<_>>(), ["folder"]);
}
