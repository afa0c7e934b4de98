//! What is kept of a decision, and what becomes of one that comes twice.

use super::{Bed, address, ask, at, hold, id, ignore, log, mail};
use crate::contact;
use crate::job::{self, Kind};
use crate::message::{self, Outcome};
use crate::outbox;
use crate::place::{self, Place};
use crate::{association, reference};
use std::time::Duration;
use threadline_core::contact::Contact;
use threadline_core::decide::Thread;
use threadline_core::envelope::Envelope;
use threadline_core::matching::Clue;
use threadline_core::rule::Rule;

fn rewritten(original: &str, new: &str) -> Envelope {
    mail(new, &format!("X-Microsoft-Original-Message-ID: <{original}>"))
}

#[test]
fn a_logged_message_reads_back() {
    let bed = Bed::new();
    let envelope = mail("a@x", "Cc: Cem <cem@client.example>");
    let recorded = bed.record(bed.sent, 1, &envelope, &log(Thread::New));
    assert!(recorded.newly_logged && recorded.new_place && recorded.before.is_none());
    let message = message::get(&bed.tx(), recorded.message).unwrap().unwrap();
    assert_eq!(message.outcome, Outcome::Log);
    assert_eq!(message.rule, Rule::SentToContact);
    assert_eq!((message.rule_version, message.size), (3, 2_000));
    assert_eq!((message.time, message.decided_at), (at(1_001), at(5_000)));
    assert_eq!(message.key, Some(envelope.key));
    assert_eq!(message.thread, recorded.thread);
    assert_eq!(message.folder.as_deref(), Some("Sent"));
    assert_eq!(message.headers, Some((&envelope).into()));
    let contacts = association::of_message(&bed.tx(), message.id).unwrap();
    assert_eq!(contacts, [super::contact("bob@client.example")]);
}

#[test]
fn of_an_ignored_message_no_text_is_kept() {
    let bed = Bed::new();
    let recorded = bed.record(bed.inbox, 1, &mail("a@x", "References: <r@x>"), &ignore());
    let message = message::get(&bed.tx(), recorded.message).unwrap().unwrap();
    assert_eq!((message.key, message.headers, message.thread), (None, None, None));
    for table in ["association", "asked_address", "participant", "thread"] {
        assert_eq!(bed.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
    assert_eq!(bed.number("SELECT count(*) FROM reference"), 1);
}

#[test]
fn an_asked_message_that_is_ignored_after_all_loses_its_text() {
    let bed = Bed::new();
    let envelope = mail("a@x", "");
    let recorded = bed.record(bed.sent, 1, &envelope, &ask());
    assert!(message::get(&bed.tx(), recorded.message).unwrap().unwrap().headers.is_some());
    assert_eq!(bed.number("SELECT count(*) FROM asked_address"), 2);
    let again = bed.decide_again(bed.sent, 1, &envelope, &ignore());
    assert_eq!(again.outcome, Outcome::Ignore);
    let message = message::get(&bed.tx(), recorded.message).unwrap().unwrap();
    assert_eq!((message.key, message.headers), (None, None));
    assert_eq!(bed.number("SELECT count(*) FROM asked_address"), 0);
}

#[test]
fn the_same_message_in_another_folder_adds_a_place_only() {
    let bed = Bed::new();
    let envelope = mail("a@x", "");
    let first = bed.record(bed.sent, 1, &envelope, &log(Thread::New));
    let second = bed.record(bed.inbox, 7, &envelope, &ignore());
    assert_eq!(second.message, first.message);
    assert_eq!(second.outcome, Outcome::Log);
    assert_eq!(second.thread, first.thread);
    assert!(second.new_place && !second.newly_logged);
    assert_eq!(second.before.unwrap().rule, Rule::SentToContact);
    let places = place::of_message(&bed.tx(), first.message).unwrap();
    assert_eq!(places.len(), 2);
    assert_eq!(place::message_at(&bed.tx(), places[1]).unwrap(), Some(first.message));
    let third = bed.record(bed.inbox, 7, &envelope, &ignore());
    assert!(!third.new_place);
}

#[test]
fn a_stronger_verdict_stands_and_a_logged_message_stays_logged() {
    let bed = Bed::new();
    let envelope = mail("a@x", "");
    for (uid, decision, want, newly) in [
        (1, ignore(), Outcome::Ignore, false),
        (2, hold(), Outcome::Hold, false),
        (3, ignore(), Outcome::Hold, false),
        (4, ask(), Outcome::Ask, false),
        (5, log(Thread::New), Outcome::Log, true),
        (6, ask(), Outcome::Log, false),
        (7, log(Thread::New), Outcome::Log, false),
    ] {
        let recorded = bed.record(bed.inbox, uid, &envelope, &decision);
        assert_eq!((recorded.outcome, recorded.newly_logged), (want, newly), "{uid}");
    }
    let again = bed.decide_again(bed.inbox, 7, &envelope, &ignore());
    assert_eq!(again.outcome, Outcome::Log);
    assert_eq!(bed.number("SELECT count(*) FROM thread"), 1);
}

#[test]
fn the_first_of_two_equal_verdicts_stands() {
    let bed = Bed::new();
    let envelope = mail("a@x", "");
    let first = bed.record(bed.inbox, 1, &envelope, &ignore());
    let before = message::get(&bed.tx(), first.message).unwrap();
    let newsletter = super::other(threadline_core::decide::Verdict::Ignore, Rule::Newsletter);
    let second = bed.record(bed.sent, 5, &envelope, &newsletter);
    assert_eq!(second.before.unwrap().rule, Rule::UnknownSender);
    let mut after = message::get(&bed.tx(), first.message).unwrap();
    assert_eq!(after, before);
    // Decided anew, the new rule stands.
    bed.decide_again(bed.sent, 5, &envelope, &newsletter);
    after = message::get(&bed.tx(), first.message).unwrap();
    assert_eq!(after.unwrap().rule, Rule::Newsletter);
}

#[test]
fn a_rewritten_id_is_the_same_message() {
    let bed = Bed::new();
    let first = bed.record(bed.sent, 1, &mail("old@x", ""), &log(Thread::New));
    let copy = rewritten("old@x", "new@x");
    assert_eq!(message::known(&bed.tx(), bed.account, &copy).unwrap().unwrap().message, first.message);
    let second = bed.record(bed.inbox, 1, &copy, &ignore());
    assert_eq!(second.message, first.message);
    // From now on the new id alone is enough.
    let third = bed.record(bed.inbox, 2, &mail("new@x", ""), &ignore());
    assert_eq!(third.message, first.message);
    let headers = message::get(&bed.tx(), first.message).unwrap().unwrap().headers.unwrap();
    assert_eq!(headers.ids, [id("old@x"), id("new@x")]);
}

#[test]
fn two_rows_that_prove_to_be_one_message_become_one() {
    let bed = Bed::new();
    let ignored = bed.record(bed.inbox, 1, &mail("new@x", "References: <r@x>"), &ignore());
    let logged = bed.record(bed.sent, 1, &mail("old@x", ""), &log(Thread::New));
    assert_ne!(ignored.message, logged.message);
    let both = bed.record(bed.inbox, 2, &rewritten("old@x", "new@x"), &ignore());
    assert_eq!(both.message, logged.message);
    assert_eq!(bed.number("SELECT count(*) FROM message"), 1);
    assert_eq!(place::of_message(&bed.tx(), logged.message).unwrap().len(), 3);
    assert_eq!(bed.number("SELECT count(*) FROM reference"), 1);
}

#[test]
fn of_two_logged_rows_the_one_not_pushed_yet_goes() {
    let bed = Bed::new();
    let tx = bed.tx();
    let first = bed.record(bed.sent, 1, &mail("old@x", ""), &log(Thread::New));
    let second = bed.record(bed.sent, 2, &mail("new@x", ""), &log(Thread::New));
    for message in [first.message, second.message] {
        let key = message::get(&tx, message).unwrap().unwrap().key.unwrap();
        outbox::add(&tx, "hubspot", message, &key, at(message)).unwrap();
    }
    outbox::lease(&tx, "hubspot", at(first.message), 1, u64::MAX, Duration::from_secs(60)).unwrap();
    let both = bed.record(bed.inbox, 1, &rewritten("old@x", "new@x"), &ignore());
    assert_eq!(both.message, first.message);
    assert_eq!(outbox::page(&tx, 0, 10).unwrap().len(), 1);
    assert_eq!(bed.number("SELECT count(*) FROM thread"), 1);
}

#[test]
fn two_logged_rows_that_were_both_pushed_stay_two() {
    let bed = Bed::new();
    let tx = bed.tx();
    for (uid, name) in [(1, "old@x"), (2, "new@x")] {
        let row = bed.record(bed.sent, uid, &mail(name, ""), &log(Thread::New));
        let key = message::get(&tx, row.message).unwrap().unwrap().key.unwrap();
        outbox::add(&tx, "hubspot", row.message, &key, at(0)).unwrap();
    }
    outbox::lease(&tx, "hubspot", at(9), 2, u64::MAX, Duration::from_secs(60)).unwrap();
    for _ in 0..2 {
        let both = bed.record(bed.inbox, 1, &rewritten("old@x", "new@x"), &ignore());
        assert_eq!(both.before.unwrap().outcome, Outcome::Log);
    }
    assert_eq!(bed.number("SELECT count(*) FROM message"), 2);
    assert_eq!(outbox::page(&tx, 0, 10).unwrap().len(), 2);
}

#[test]
fn the_bcc_that_only_the_sent_copy_has_is_kept() {
    let bed = Bed::new();
    let first = bed.record(bed.inbox, 1, &mail("a@x", ""), &log(Thread::New));
    let sent = mail("a@x", "Bcc: dora@client.example");
    let mut decision = log(Thread::New);
    if let threadline_core::decide::Verdict::Log { contacts, .. } = &mut decision.verdict {
        contacts.push(super::contact("dora@client.example"));
    }
    bed.record(bed.sent, 1, &sent, &decision);
    let tx = bed.tx();
    let headers = message::get(&tx, first.message).unwrap().unwrap().headers.unwrap();
    assert_eq!(headers.bcc, sent.bcc);
    assert_eq!(association::of_message(&tx, first.message).unwrap().len(), 2);
}

#[test]
fn mails_that_share_a_broken_id_stay_apart() {
    let bed = Bed::new();
    let first =
        bed.record(bed.sent, 1, &mail("same broken@x", "Date: Mon, 2 Nov 2026 10:00:00 +0100"), &ignore());
    let second =
        bed.record(bed.sent, 2, &mail("same broken@x", "Date: Tue, 3 Nov 2026 10:00:00 +0100"), &ignore());
    assert_ne!(first.message, second.message);
    // Nor is a mail whose id is sound what they become without the space.
    let sound = bed.record(bed.sent, 3, &mail("samebroken@x", ""), &ignore());
    assert!(sound.before.is_none());
}

#[test]
fn mailboxes_do_not_share_messages() {
    let bed = Bed::new();
    let tx = bed.tx();
    let other = crate::account::insert(&tx, &address("cy@firm.example"), "{}", at(0)).unwrap();
    let folder =
        crate::folder::ensure(&tx, other, "INBOX", threadline_core::arrival::Role::Inbox).unwrap().id;
    let envelope = mail("a@x", "");
    let first = bed.record(bed.sent, 1, &envelope, &log(Thread::New));
    let decision = ignore();
    let place = Place { folder, uidvalidity: 1, uid: 1 };
    let mut new = bed.new_decision(place, &envelope, &decision);
    new.account = other;
    let second = message::record(&tx, &new).unwrap();
    assert_ne!(first.message, second.message);
    assert_eq!(second.outcome, Outcome::Ignore);
    assert!(crate::thread::known(&tx, other, [Clue::Id(id("a@x"))]).unwrap().is_empty());
}

#[test]
fn a_reply_seen_before_its_original_is_found() {
    let bed = Bed::new();
    let tx = bed.tx();
    let reply =
        bed.record(bed.inbox, 4, &mail("reply@y", "In-Reply-To: <a@x>\nReferences: <r@x> <a@x>"), &ignore());
    let logged = bed.record(bed.inbox, 5, &mail("logged@y", "In-Reply-To: <a@x>"), &log(Thread::New));
    let gone = bed.record(bed.inbox, 6, &mail("gone@y", "In-Reply-To: <a@x>"), &ignore());
    let place = Place { folder: bed.inbox, uidvalidity: 1, uid: 6 };
    place::remove(&tx, place).unwrap();
    let found = reference::waiting_for(
        &tx,
        bed.account,
        &[tx.hash_id(&id("none@x")), tx.hash_id(&id("a@x")), tx.hash_id(&id("r@x"))],
    )
    .unwrap();
    assert_eq!(found.len(), 1, "not {} and {}", logged.message, gone.message);
    assert_eq!((found[0].message, found[0].place.uid), (reply.message, 4));
}

#[test]
fn at_most_a_hundred_references_are_kept() {
    let bed = Bed::new();
    let many: String = (0..10_000).map(|i| format!(" <r{i}@x>\n")).collect();
    let more = format!("In-Reply-To: <p@x>\nReferences:{}", many.trim_end());
    bed.record(bed.inbox, 1, &mail("a@x", &more), &ignore());
    assert_eq!(bed.number("SELECT count(*) FROM reference"), 100);
    let tx = bed.tx();
    for parent in ["p@x", "r9999@x"] {
        let found = reference::waiting_for(&tx, bed.account, &[tx.hash_id(&id(parent))]).unwrap();
        assert_eq!(found.len(), 1, "{parent}");
    }
}

#[test]
fn held_messages_are_listed_with_a_place() {
    let bed = Bed::new();
    let tx = bed.tx();
    let mut held = Vec::new();
    for uid in 1..=5 {
        held.push(bed.record(bed.sent, uid, &mail(&format!("{uid}@x"), ""), &hold()).message);
    }
    bed.record(bed.inbox, 9, &mail("1@x", ""), &hold());
    bed.record(bed.inbox, 10, &mail("other@x", ""), &ask());
    let first = message::held(&tx, bed.account, 0, 3).unwrap();
    let rest = message::held(&tx, bed.account, first[2].message, 3).unwrap();
    let all: Vec<i64> = first.iter().chain(&rest).map(|r| r.message).collect();
    assert_eq!(all, held);
    assert_eq!(first[0].place.folder, bed.inbox, "the place of the folder that is older in the ledger");
    let job = job::add(&tx, Kind::Recheck, held[0], first[0].place, at(0)).unwrap();
    assert_eq!(job::get(&tx, job).unwrap().unwrap().kind, Kind::Recheck);
}

#[test]
fn asked_messages_come_back_when_their_person_is_a_contact() {
    let bed = Bed::new();
    let tx = bed.tx();
    let asked = bed.record(bed.sent, 1, &mail("a@x", ""), &ask());
    let stranger = super::other(threadline_core::decide::Verdict::Ask, Rule::StrangerInThread);
    bed.record(bed.sent, 2, &mail("b@x", ""), &stranger);
    let of_contacts = || message::asked_of_contacts(&tx, bed.account, "hubspot", 0, 10).unwrap();
    assert!(of_contacts().is_empty());
    let bob = Contact { remote_id: "9".into(), addresses: vec![address("bob@client.example")], name: None };
    contact::upsert(&tx, "folder", std::slice::from_ref(&bob), at(1)).unwrap();
    assert!(of_contacts().is_empty(), "another sink's contact");
    contact::upsert(&tx, "hubspot", &[bob], at(1)).unwrap();
    assert_eq!(of_contacts().iter().map(|r| r.message).collect::<Vec<_>>(), [asked.message]);
}

#[test]
fn headers_of_what_nobody_answered_go() {
    let bed = Bed::new();
    let tx = bed.tx();
    let asked = bed.record(bed.sent, 1, &mail("a@x", ""), &ask());
    let held = bed.record(bed.sent, 2, &mail("b@x", ""), &hold());
    let logged = bed.record(bed.sent, 3, &mail("c@x", ""), &log(Thread::New));
    assert_eq!(message::expire_unanswered(&tx, bed.account, at(5_000)).unwrap(), 0);
    assert_eq!(message::expire_unanswered(&tx, bed.account, at(5_001)).unwrap(), 2);
    for (row, outcome, kept) in
        [(asked, Outcome::Ask, false), (held, Outcome::Hold, false), (logged, Outcome::Log, true)]
    {
        let message = message::get(&tx, row.message).unwrap().unwrap();
        assert_eq!((message.outcome, message.headers.is_some()), (outcome, kept));
    }
    assert_eq!(bed.number("SELECT count(*) FROM asked_address"), 0);
    assert_eq!(message::expire_unanswered(&tx, bed.account, at(5_001)).unwrap(), 0);
}

#[test]
fn decisions_are_listed_newest_first_page_by_page() {
    let bed = Bed::new();
    let tx = bed.tx();
    for uid in 1..=7 {
        bed.record(bed.sent, uid, &mail(&format!("{uid}@x"), ""), &ignore());
    }
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let page = message::newest(&tx, before, 3).unwrap();
        let Some(last) = page.last() else { break };
        before = Some((last.decided_at, last.id));
        all.extend(page.into_iter().map(|m| m.id));
    }
    assert_eq!(all.len(), 7);
    assert!(all.is_sorted_by(|a, b| a > b));
    let ignored = message::of_outcome(&tx, bed.account, Outcome::Ignore, all[6], 3).unwrap();
    assert_eq!(ignored.len(), 3);
    assert!(message::logged_page(&tx, 0, 10).unwrap().is_empty());
}

#[test]
fn another_uidvalidity_forgets_places_but_no_message() {
    let bed = Bed::new();
    let tx = bed.tx();
    let envelope = mail("a@x", "");
    let first = bed.record(bed.sent, 1, &envelope, &ignore());
    assert_eq!(place::remove_outdated(&tx, bed.sent, 2).unwrap(), 1);
    let place = Place { folder: bed.sent, uidvalidity: 2, uid: 80 };
    let decision = ignore();
    let again = message::record(&tx, &bed.new_decision(place, &envelope, &decision)).unwrap();
    assert_eq!(again.message, first.message);
    assert!(again.new_place);
    assert_eq!(place::of_message(&tx, first.message).unwrap(), [place]);
}

#[test]
fn a_debug_print_shows_no_mail_text() {
    let bed = Bed::new();
    let recorded = bed.record(bed.sent, 1, &mail("a@x", ""), &log(Thread::New));
    let tx = bed.tx();
    let message = message::get(&tx, recorded.message).unwrap().unwrap();
    let thread = crate::thread::get(&tx, recorded.thread.unwrap()).unwrap().unwrap();
    let body = crate::body::Body { raw: b"About".to_vec(), truncated: false };
    let printed = format!("{message:?} {thread:?} {body:?} {:?}", tx.hash_id(&id("a@x")));
    assert!(!printed.contains("About") && !printed.contains("bob") && !printed.contains("65, 98"));
}

#[test]
fn a_header_is_told_from_that_of_another_message() {
    let bed = Bed::new();
    let tx = bed.tx();
    let (one, other) = (mail("1@x", ""), mail("2@x", ""));
    let nameless = |subject: &str| {
        Envelope::parse(format!("From: ann@firm.example\r\nSubject: {subject}\r\n\r\n").as_bytes())
    };
    let first = bed.record(bed.sent, 1, &one, &log(Thread::New)).message;
    let second = bed.record(bed.sent, 2, &nameless("a"), &ask()).message;
    for (message, header, fits) in [
        (first, one.clone(), true),
        (first, mail("new@x", "X-Microsoft-Original-Message-ID: <1@x>"), true),
        (first, other, false),
        (first, nameless("a"), false),
        (second, nameless("a"), true),
        (second, nameless("b"), false),
        (second, one, false),
    ] {
        assert_eq!(message::is_its_header(&tx, message, &header).unwrap(), fits, "{message}");
    }
    place::remove_from(&tx, bed.sent, 2).unwrap();
    assert_eq!(place::of_message(&tx, first).unwrap().len(), 1);
    assert!(place::of_message(&tx, second).unwrap().is_empty());
}
