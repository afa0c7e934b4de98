//! Threads: which one a message joins, who is in it, and the list of them.

use super::{Bed, address, at, id, ignore, log, mail};
use crate::outbox::{self, Accepted, State};
use crate::thread::{self, Filter};
use crate::{contact, message};
use std::time::Duration;
use threadline_core::decide::Thread;
use threadline_core::id::MessageKey;

#[test]
fn only_logged_messages_make_a_thread_known() {
    let bed = Bed::new();
    let tx = bed.tx();
    let logged = bed.record(bed.sent, 1, &mail("a@x", "Bcc: dora@client.example"), &log(Thread::New));
    bed.record(bed.inbox, 1, &mail("b@x", ""), &ignore());
    let known = thread::known(&tx, bed.account, &[id("a@x"), id("b@x"), id("c@x")]).unwrap();
    assert_eq!(known.len(), 1);
    let known = &known[&id("a@x")];
    assert_eq!(Some(known.id), logged.thread);
    let want = ["ann@firm.example", "bob@client.example", "dora@client.example"];
    assert_eq!(known.participants, want.map(address).into());
}

#[test]
fn every_alias_leads_to_the_thread() {
    let bed = Bed::new();
    let copy = mail("new@x", "X-Microsoft-Original-Message-ID: <old@x>");
    bed.record(bed.sent, 1, &copy, &log(Thread::New));
    let tx = bed.tx();
    let known = thread::known(&tx, bed.account, &[id("old@x"), id("new@x")]).unwrap();
    assert_eq!(known.len(), 2);
}

#[test]
fn a_broken_id_leads_to_the_thread_too() {
    let bed = Bed::new();
    let logged = bed.record(bed.sent, 1, &mail("a b@x", ""), &log(Thread::New));
    let tx = bed.tx();
    let known = thread::known(&tx, bed.account, &[id("ab@x")]).unwrap();
    assert_eq!(Some(known[&id("ab@x")].id), logged.thread);
}

#[test]
fn a_joining_message_brings_its_people_and_its_time() {
    let bed = Bed::new();
    let tx = bed.tx();
    let first = bed.record(bed.sent, 1, &mail("a@x", ""), &log(Thread::New));
    let thread = first.thread.unwrap();
    let reply = mail("b@y", "In-Reply-To: <a@x>\nCc: cem@client.example");
    let second = bed.record(bed.inbox, 9, &reply, &log(Thread::Join(thread)));
    assert_eq!(second.thread, Some(thread));
    let row = thread::get(&tx, thread).unwrap().unwrap();
    assert_eq!((row.created, row.last), (at(1_001), at(1_009)));
    assert_eq!(row.key, MessageKey::of_id(&id("a@x")));
    assert!(thread::participants(&tx, thread).unwrap().contains(&address("cem@client.example")));
    let ids: Vec<i64> = message::of_thread(&tx, thread).unwrap().iter().map(|m| m.id).collect();
    assert_eq!(ids, [first.message, second.message]);
}

#[test]
fn a_new_thread_has_the_roots_key_unless_an_older_one_has_it() {
    let bed = Bed::new();
    let tx = bed.tx();
    let begin = |uid, name, more: &str| {
        let recorded = bed.record(bed.sent, uid, &mail(name, more), &log(Thread::New));
        thread::get(&tx, recorded.thread.unwrap()).unwrap().unwrap()
    };
    let key = |name| MessageKey::of_id(&id(name));
    // The answer comes first: its thread has the key of the original, which joins it when it comes.
    let answer = begin(1, "answer@x", "References: <root@y>");
    assert_eq!(answer.key, key("root@y"));
    assert_eq!(begin(2, "root@y", "").id, answer.id);
    // The old mail is forwarded to somebody new: a thread of its own.
    let forward = begin(3, "forward@x", "References: <root@y>");
    assert_eq!(forward.key, key("forward@x"));
}

#[test]
fn a_message_cannot_join_a_thread_that_is_not_there() {
    let bed = Bed::new();
    let envelope = mail("a@x", "");
    let decision = log(Thread::Join(99));
    let place = crate::place::Place { folder: bed.sent, uidvalidity: 1, uid: 1 };
    let error = message::record(&bed.tx(), &bed.new_decision(place, &envelope, &decision)).unwrap_err();
    assert_eq!(error.code(), "ledger_row_refused");
}

#[test]
fn the_list_has_counts_contacts_and_crm_states() {
    let bed = Bed::new();
    let tx = bed.tx();
    let first = bed.record(bed.sent, 1, &mail("a@x", ""), &log(Thread::New));
    let thread = first.thread.unwrap();
    let second = bed.record(bed.inbox, 2, &mail("b@y", "In-Reply-To: <a@x>"), &log(Thread::Join(thread)));
    for row in [first, second] {
        let key = message::get(&tx, row.message).unwrap().unwrap().key.unwrap();
        outbox::add(&tx, "hubspot", row.message, &key, at(row.message)).unwrap();
    }
    let leases =
        outbox::lease(&tx, "hubspot", at(first.message), 1, u64::MAX, Duration::from_secs(1)).unwrap();
    let accepted = Accepted { remote_id: Some("1".into()), link: None, how: "created".into(), at: at(9) };
    outbox::accept(&tx, leases[0].id, &accepted).unwrap();
    let list = thread::list(&tx, Filter::default(), None, 10).unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].messages, 2);
    assert_eq!(list[0].contacts, [super::contact("bob@client.example")]);
    assert_eq!(
        list[0].crm,
        [("hubspot".to_owned(), State::Done, 1), ("hubspot".to_owned(), State::Waiting, 1)]
    );
    assert_eq!(thread::page(&tx, 0, 10).unwrap(), list);
}

#[test]
fn the_list_is_paged_and_searched() {
    let bed = Bed::new();
    let tx = bed.tx();
    for uid in 1..=7 {
        let more = if uid == 3 { "Cc: Zoe <zoe@100%.example>" } else { "" };
        bed.record(bed.sent, uid, &mail(&format!("n{uid}_@x"), more), &log(Thread::New));
    }
    let mut subjects = Vec::new();
    let mut before = None;
    loop {
        let page = thread::list(&tx, Filter::default(), before, 3).unwrap();
        let Some(last) = page.last() else { break };
        before = Some((last.thread.last, last.thread.id));
        subjects.extend(page.into_iter().map(|s| s.thread.subject));
    }
    let want: Vec<String> = (1..=7).rev().map(|uid| format!("About n{uid}_@x")).collect();
    assert_eq!(subjects, want);
    let search = |words| {
        let filter = Filter { account: Some(bed.account), search: Some(words) };
        thread::list(&tx, filter, None, 10).unwrap().len()
    };
    assert_eq!(search("about N3"), 1);
    assert_eq!(search("bob@client"), 7);
    assert_eq!(search("Bob"), 7);
    assert_eq!(search("n_@x"), 0, "an underscore means itself");
    assert_eq!(search("3_@"), 1);
    let nobody = Filter { account: Some(bed.account + 1), search: None };
    assert!(thread::list(&tx, nobody, None, 10).unwrap().is_empty());
    assert_eq!(contact::count(&tx, "hubspot").unwrap(), 0);
}
