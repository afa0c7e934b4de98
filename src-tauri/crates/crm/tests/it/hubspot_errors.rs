//! What goes wrong at the portal, and what is made of it.

use crate::bench::*;
use jiff::SignedDuration;
use std::time::Duration;
use threadline_core::clock::Clock;
use threadline_core::reason::Reason;
use threadline_crm::{CrmError, Dedupe, Drained, How, Kind, Retry, Sink};
use threadline_testkit::hubspot::{Fault, Options};

const UPSERT: &str = "POST /crm/v3/objects/emails/batch/upsert";
const CREATE: &str = "POST /crm/v3/objects/emails/batch/create";

/// Connects, then pushes one mail into the fault.
async fn failing(on: &str, fault: Fault) -> CrmError {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let sink = hubspot(&portal, &clock);
    sink.connect().await.unwrap();
    portal.inject(on, fault);
    sink.push(&[delivery(1, "ann@buyer.example", None)]).await.remove(0).unwrap_err()
}

#[tokio::test]
async fn a_token_that_is_not_accepted_says_so_and_is_never_shown() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let sink = hubspot_with(&portal, &clock, "pat-wrong-4711", Duration::from_secs(30));
    let error = sink.connect().await.unwrap_err();
    assert_eq!((error.reason, error.kind, error.retry), (Reason::CrmTokenRejected, Kind::Sink, Retry::Never));
    for shown in [error.to_string(), format!("{error:?}"), format!("{sink:?}"), format!("{portal:?}")] {
        assert!(!shown.contains("4711") && !shown.contains("pat-test"), "{shown}");
    }
}

#[tokio::test]
async fn a_token_revoked_while_running_stops_the_sink_until_it_is_back() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let sink = hubspot(&portal, &clock);
    let queue = MemoryQueue::new(&clock, (0..3).map(|n| delivery(n, "ann@buyer.example", None)).collect());
    sink.connect().await.unwrap();
    portal.set(|o| o.token = "another".into());
    let done = worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
    assert_eq!(done.failed.unwrap().reason, Reason::CrmTokenRejected);
    assert_eq!((done.set_aside, queue.waiting()), (0, 3), "no mail is given up for the token's sake");
    portal.set(|o| o.token = Options::default().token);
    queue.turn().await;
    let done = worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
    assert_eq!(done, Drained { accepted: 3, ..Drained::default() });
}

/// A contact that was asked for before a later step failed, or that was refused, has left the computer.
#[tokio::test]
async fn what_was_sent_is_booked_whatever_comes_of_it() {
    for (status, sent) in
        [(500, &["search:email"][..]), (400, &["search:email", "email", "firstname", "lastname"])]
    {
        let clock = clock();
        let portal = portal(Options::default(), &clock).await;
        let sink = hubspot(&portal, &clock);
        sink.connect().await.unwrap();
        portal.chaos(move |line| (line == "POST /crm/v3/objects/contacts").then_some(Fault::Status(status)));
        let error = sink.push(&[delivery(1, "ann@buyer.example", None)]).await.remove(0).unwrap_err();
        let fields: Vec<&str> = error.sent.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, sent, "{status}");
    }
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let clock = clock();
    let scopes = |names: &[&str]| Some(names.iter().map(|n| (*n).to_owned()).collect());
    let portal = portal(Options { scopes: scopes(&[]), ..Options::default() }, &clock).await;
    let error = hubspot(&portal, &clock).connect().await.unwrap_err();
    assert_eq!(error.reason, Reason::ScopeMissing);
    assert!(error.words.contains("crm.objects.contacts.read"), "{error}");
    // The small ones cost something small.
    portal.set(|o| o.scopes = scopes(&["crm.objects.contacts.read", "sales-email-read"]));
    let found = hubspot(&portal, &clock).connect().await.unwrap();
    assert_eq!(
        (found.dedupe, found.missing_scopes),
        (Dedupe::Search, vec!["crm.schemas.contacts.write".to_owned(), "crm.objects.owners.read".to_owned()])
    );
    // Writing needs its own.
    let sink = hubspot(&portal, &clock);
    let error = sink.push(&[delivery(1, "ann@buyer.example", None)]).await.remove(0).unwrap_err();
    assert_eq!((error.reason, error.kind), (Reason::ScopeMissing, Kind::Sink));
    assert!(error.words.contains("crm.objects.contacts.write"), "{error}");
}

/// What the README asks a person to give the private app is enough for everything, and does not ask for more.
#[tokio::test]
async fn the_scopes_that_the_readme_names_suffice() {
    let readme = include_str!("../../../../../README.md");
    let (_, section) = readme.split_once("### HubSpot").unwrap();
    let list = section.split("\n\n").find(|part| part.starts_with("- `")).unwrap();
    let named: Vec<String> =
        list.split('`').skip(1).step_by(2).map(str::to_owned).filter(|word| !word.contains('_')).collect();
    let clock = clock();
    let portal = portal(Options { scopes: Some(named.clone()), ..Options::default() }, &clock).await;
    let sink = hubspot(&portal, &clock);
    let found = sink.connect().await.unwrap();
    assert_eq!((found.dedupe, found.missing_scopes), (Dedupe::UniqueProperty, Vec::<String>::new()));
    sink.push(&[delivery(1, "new@buyer.example", None)]).await.remove(0).unwrap();
    assert!(sink.lacks().is_none());
}

#[tokio::test]
async fn the_daily_limit_lasts_until_midnight_in_the_portal_s_zone() {
    let error = failing(UPSERT, Fault::Daily).await;
    assert_eq!((error.reason, error.kind), (Reason::CrmDailyLimit, Kind::Sink));
    assert_eq!(error.retry, Retry::At("2026-03-04T23:00:00Z".parse().unwrap()), "midnight in Berlin");
    assert!(!error.uncertain);
}

#[tokio::test]
async fn the_ten_second_limit_waits() {
    let error = failing(UPSERT, Fault::TenSecondly).await;
    assert_eq!((error.reason, error.retry), (Reason::Throttled, Retry::After(Duration::from_secs(10))));
    assert!(!error.uncertain);
}

#[tokio::test]
async fn failures_of_a_write_are_uncertain_and_those_of_a_question_are_not() {
    for (fault, reason) in [
        (Fault::DropBefore, Reason::ServerClosedConnection),
        (Fault::DropAfter, Reason::ServerClosedConnection),
        (Fault::Status(502), Reason::ServerUnavailable),
        (Fault::StatusAfter(503), Reason::ServerUnavailable),
    ] {
        let error = failing(UPSERT, fault).await;
        assert_eq!((error.reason, error.kind), (reason, Kind::Sink), "{fault:?}");
        assert!(error.uncertain, "{fault:?}");
        let error = failing("POST /crm/v3/objects/emails/batch/read", fault).await;
        assert!(!error.uncertain, "{fault:?}");
    }
    let error = failing(UPSERT, Fault::Garbage).await;
    assert_eq!(error.reason, Reason::ProtocolError);
    assert!(error.uncertain);
}

#[tokio::test]
async fn a_request_that_hubspot_stored_and_never_answered_is_found_again() {
    for fault in [Fault::SilentAfter, Fault::SilentBefore] {
        let clock = clock();
        let portal = portal(Options::default(), &clock).await;
        let sink = hubspot_with(&portal, &clock, &Options::default().token, Duration::from_millis(300));
        sink.connect().await.unwrap();
        portal.inject(UPSERT, fault);
        let queue = MemoryQueue::new(&clock, vec![delivery(1, "ann@buyer.example", None)]);
        let done = worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
        assert_eq!(done.failed.unwrap().reason, Reason::ConnectionTimeout);
        assert!(queue.rows()[0].delivery.uncertain);
        queue.turn().await;
        let done = worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
        assert_eq!(done.accepted, 1);
        assert_eq!(portal.emails().len(), 1, "{fault:?}");
        assert_eq!(portal.links(portal.emails()[0].id).len(), 1);
    }
}

#[tokio::test]
async fn without_the_property_an_unknown_outcome_waits_for_the_search() {
    let clock = clock();
    let options =
        Options { property_forbidden: true, search_lag: SignedDuration::from_secs(20), ..Options::default() };
    for fault in [Fault::DropAfter, Fault::DropBefore] {
        let portal = portal(options.clone(), &clock).await;
        let sink = hubspot(&portal, &clock);
        sink.connect().await.unwrap();
        portal.inject(CREATE, fault);
        let queue = MemoryQueue::new(&clock, vec![delivery(1, "ann@buyer.example", None)]);
        let worker = worker(&clock);
        for _ in 0..10 {
            worker.drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
            queue.turn().await;
        }
        assert_eq!(queue.waiting(), 0);
        assert_eq!(portal.emails().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_restart_in_doubt_waits_for_the_search_too() {
    let clock = clock();
    let options =
        Options { property_forbidden: true, search_lag: SignedDuration::from_secs(20), ..Options::default() };
    let portal = portal(options, &clock).await;
    let mail = delivery(1, "ann@buyer.example", None);
    assert!(hubspot(&portal, &clock).push(std::slice::from_ref(&mail)).await[0].is_ok());
    // Killed before the answer was written down.
    let again = threadline_crm::Delivery { uncertain: true, ..mail };
    let sink = hubspot(&portal, &clock);
    let error = sink.push(std::slice::from_ref(&again)).await.remove(0).unwrap_err();
    assert_eq!((error.kind, error.uncertain), (Kind::Row, true));
    let Retry::After(wait) = error.retry else { panic!("{error:?}") };
    clock.advance(wait);
    assert_eq!(sink.push(&[again]).await.remove(0).unwrap().how, How::Existing);
    assert_eq!(portal.emails().len(), 1);
}

#[tokio::test]
async fn a_row_refused_in_a_207_stands_alone() {
    let clock = clock();
    for forbidden in [false, true] {
        let portal = portal(Options { property_forbidden: forbidden, ..Options::default() }, &clock).await;
        portal.poison("Offer 2", false);
        let sink = hubspot(&portal, &clock);
        let mails: Vec<_> = (0..5).map(|n| delivery(n, "ann@buyer.example", None)).collect();
        let answers = sink.push(&mails).await;
        assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 4);
        let error = answers[2].as_ref().unwrap_err();
        assert_eq!((error.reason, error.retry), (Reason::CrmRejected, Retry::Never));
        assert_eq!(portal.emails().len(), 4);
        assert!(!format!("{error} {error:?}").contains("Offer"), "mail text in an error: {error}");
    }
}

#[tokio::test]
async fn a_row_that_spoils_its_batch_is_isolated_and_set_aside() {
    let clock = clock();
    for forbidden in [false, true] {
        let portal = portal(Options { property_forbidden: forbidden, ..Options::default() }, &clock).await;
        portal.poison("Offer 37", true);
        let sink = hubspot(&portal, &clock);
        let mails = (0..50).map(|n| delivery(n, "ann@buyer.example", None)).collect();
        let queue = MemoryQueue::new(&clock, mails);
        let done = worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
        assert_eq!((done.accepted, done.set_aside, done.retried), (49, 1, 0));
        let Fate::SetAside(error) = &queue.rows()[37].fate else { panic!("the wrong row") };
        assert_eq!(error.reason, Reason::CrmRejected);
        assert!(error.words.contains("hs_email_subject"), "{error}");
        assert!(!format!("{error} {error:?}").contains("Offer"), "mail text in an error: {error}");
        assert_eq!(portal.emails().len(), 49);
    }
}

#[tokio::test]
async fn the_portal_s_limits_are_kept_without_a_single_429() {
    // Once the requests are scarce, once the searches.
    for ten_seconds in [20, 100_000] {
        let clock = clock();
        let portal = portal(Options { ten_seconds, searches: 5, ..Options::default() }, &clock).await;
        let sink = hubspot(&portal, &clock);
        for n in 0..60 {
            assert!(sink.push(&[delivery(n, "ann@buyer.example", None)]).await[0].is_ok(), "{n}");
        }
        assert!(portal.requests().iter().all(|r| r.status != Some(429)));
        assert!(portal.requests().len() > 200);
        assert!(clock.monotonic() > Duration::from_secs(10), "nothing had to wait");
    }
}

#[tokio::test]
async fn a_portal_that_is_not_there_is_told_apart_from_one_that_fails() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let sink = hubspot(&portal, &clock);
    drop(portal);
    tokio::task::yield_now().await;
    let error = sink.push(&[delivery(1, "ann@buyer.example", None)]).await.remove(0).unwrap_err();
    assert_eq!((error.reason, error.kind), (Reason::ConnectionRefused, Kind::Sink));
    assert!(!error.uncertain);
    assert!(error.to_string().starts_with("HubSpot, reading the account: "), "{error}");
}

#[tokio::test]
async fn what_was_stored_before_a_later_step_failed_is_uncertain_and_found_again() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let sink = hubspot(&portal, &clock);
    sink.connect().await.unwrap();
    portal.inject("PUT /crm/v4/objects/emails", Fault::TenSecondly);
    let mail = delivery(1, "ann@buyer.example", None);
    let error = sink.push(std::slice::from_ref(&mail)).await.remove(0).unwrap_err();
    assert!(error.uncertain, "the email is there, its contact is not");
    let accepted = sink.push(&[mail]).await.remove(0).unwrap();
    assert_eq!(accepted.how, How::Existing);
    assert_eq!(portal.links(portal.emails()[0].id).len(), 1);
}

#[tokio::test]
async fn the_midnight_of_the_limit_frees_the_sink() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let sink = hubspot(&portal, &clock);
    let queue = MemoryQueue::new(&clock, vec![delivery(1, "ann@buyer.example", None)]);
    portal.inject(UPSERT, Fault::Daily);
    let done = worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap();
    assert_eq!(done.paused_until, Some("2026-03-04T23:00:00Z".parse().unwrap()));
    queue.turn().await;
    assert_eq!(clock.now(), "2026-03-04T23:00:00Z".parse().unwrap());
    assert_eq!(worker(&clock).drain_once(&queue, &sink, &clock, |_| {}).await.unwrap().accepted, 1);
}

#[test]
fn only_encrypted_addresses_are_taken() {
    for (base, good) in [
        ("https://api.hubapi.com", true),
        ("http://127.0.0.1:9", true),
        ("http://[::1]:9", true),
        ("http://localhost:9", true),
        ("http://api.hubapi.com", false),
        ("http://127.0.0.1.evil.example", false),
        ("https://user:secret@api.hubapi.com", false),
        ("ftp://127.0.0.1", false),
        ("api.hubapi.com", false),
    ] {
        let mut settings = threadline_crm::HubspotSettings::new(threadline_crm::Secret::new("pat-x"));
        settings.base = base.into();
        let clock = std::sync::Arc::new(clock());
        let timer = std::sync::Arc::new(threadline_crm::TokioTimer);
        let made = threadline_crm::HubspotSink::new(settings, clock, timer);
        assert_eq!(made.is_ok(), good, "{base}");
        if let Err(error) = made {
            assert!(!error.to_string().contains("secret@"), "{error}");
        }
    }
}
