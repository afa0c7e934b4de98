//! Threads: which one a message joins, who is in it, and the list of them.

use super::{Bed, address, at, id, ignore, joined, log, mail, other};
use crate::outbox::{self, Accepted, State};
use crate::thread::{self, Query};
use crate::{contact, message};
use std::time::Duration;
use threadline_core::conversation::ThreadState;
use threadline_core::decide::{Decision, Thread, Verdict};
use threadline_core::envelope::Envelope;
use threadline_core::id::MessageKey;
use threadline_core::matching::Clue;
use threadline_core::record::Direction;
use threadline_core::rule::Rule;

#[test]
fn only_logged_messages_make_a_thread_known() {
    let bed = Bed::new();
    let tx = bed.tx();
    let logged = bed.record(bed.sent, 1, &mail("a@x", "Bcc: dora@client.example"), &log(Thread::New));
    bed.record(bed.inbox, 1, &mail("b@x", ""), &ignore());
    let known = thread::known(&tx, bed.account, [id("a@x"), id("b@x"), id("c@x")].map(Clue::Id)).unwrap();
    assert_eq!(known.len(), 1);
    let known = &known[&Clue::Id(id("a@x"))][0];
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
    let known = thread::known(&tx, bed.account, [id("old@x"), id("new@x")].map(Clue::Id)).unwrap();
    assert_eq!(known.len(), 2);
}

#[test]
fn a_broken_id_leads_to_the_thread_too() {
    let bed = Bed::new();
    let logged = bed.record(bed.sent, 1, &mail("a b@x", ""), &log(Thread::New));
    let tx = bed.tx();
    let known = thread::known(&tx, bed.account, [id("ab@x")].map(Clue::Id)).unwrap();
    assert_eq!(Some(known[&Clue::Id(id("ab@x"))][0].id), logged.thread);
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
    let header = "Message-ID: <forward@x>\r\nFrom: ann@firm.example\r\nTo: dora@second.example\r\nReferences: <root@y>\r\n\r\n";
    let contacts = vec![super::contact("dora@second.example")];
    let decision = Decision { verdict: Verdict::Log { thread: Thread::New, contacts }, ..log(Thread::New) };
    let forward = bed.record(bed.sent, 3, &Envelope::parse(header.as_bytes()), &decision);
    let forward = thread::get(&tx, forward.thread.unwrap()).unwrap().unwrap();
    assert_eq!(forward.key, key("forward@x"));
    // A later answer of the first conversation names the same root, and goes to its people.
    assert_eq!(begin(4, "later@x", "References: <root@y> <unknown@y>").id, answer.id);
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
    let page = thread::list(&tx, &Query { limit: 10, ..Query::default() }).unwrap();
    let list = page.rows;
    assert_eq!((page.total, list.len()), (1, 1));
    assert_eq!(list[0].thread.messages, 2);
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
        let more = if uid == 3 { "Cc: Zoe <zoe@grüße.example>" } else { "" };
        bed.record(bed.sent, uid, &mail(&format!("n{uid}@x"), more), &log(Thread::New));
    }
    let mut subjects = Vec::new();
    for offset in [0, 3, 6, 9] {
        let page = thread::list(&tx, &Query { offset, limit: 3, ..Query::default() }).unwrap();
        assert_eq!(page.total, 7);
        subjects.extend(page.rows.into_iter().map(|s| s.thread.subject));
    }
    let want: Vec<String> = (1..=7).rev().map(|uid| format!("About n{uid}@x")).collect();
    assert_eq!(subjects, want);
    let count = |query: Query<'_>| thread::list(&tx, &query).unwrap().total;
    for (words, want) in [
        ("about N3", 1),
        ("n3 ABOUT", 1),
        ("bob@client", 7),
        ("Bob", 7),
        ("cli", 7),
        ("zoe", 1),
        ("nobody", 0),
        ("about nobody", 0),
        ("ann@firm.example", 0),
        ("n3\" OR \"n4", 0),
        ("NEAR(about n3)", 0),
        ("-", 7),
        ("", 7),
    ] {
        let query = Query { account: Some(bed.account), search: Some(words), ..Query::default() };
        assert_eq!(count(query), want, "{words}");
    }
    assert_eq!(count(Query { account: Some(bed.account + 1), ..Query::default() }), 0);
    let zoe = [address("zoe@grüße.example"), address("nobody@x")];
    assert_eq!(count(Query { people: Some(&zoe), ..Query::default() }), 1);
    assert_eq!(count(Query { people: Some(&zoe), search: Some("n4"), ..Query::default() }), 0);
    assert_eq!(contact::count(&tx, "hubspot").unwrap(), 0);
}

#[test]
fn accents_and_case_do_not_count_in_a_search() {
    let bed = Bed::new();
    let tx = bed.tx();
    let decision = log(Thread::New);
    let mut envelope = mail("a@x", "");
    envelope.subject = "Angebot für Müller".into();
    bed.record(bed.sent, 1, &envelope, &decision);
    for words in ["müller", "MULLER", "angeb fur"] {
        let query = Query { search: Some(words), ..Query::default() };
        assert_eq!(thread::list(&tx, &query).unwrap().total, 1, "{words}");
    }
}

#[test]
fn the_list_is_filtered_by_state_direction_and_silence() {
    let bed = Bed::new();
    let tx = bed.tx();
    // Sent at 1,001, 1,002 and 1,003; the third is answered.
    for uid in 1..=3 {
        bed.record(bed.sent, uid, &mail(&format!("s{uid}@x"), ""), &log(Thread::New));
    }
    let third =
        thread::known(&tx, bed.account, [id("s3@x")].map(Clue::Id)).unwrap()[&Clue::Id(id("s3@x"))][0].id;
    let reply = other(joined(third), Rule::ReplyInLoggedThread);
    bed.record(bed.inbox, 9, &mail("r@y", "In-Reply-To: <s3@x>"), &reply);
    let ids = |query: Query<'_>| {
        let page = thread::list(&tx, &Query { limit: 9, ..query }).unwrap();
        page.rows.iter().map(|row| row.thread.subject.clone()).collect::<Vec<_>>()
    };
    let state = |state| Query { state: Some(state), ..Query::default() };
    assert_eq!(ids(state(ThreadState::Replied)), ["About s3@x"]);
    assert_eq!(ids(state(ThreadState::AwaitingReply)), ["About s2@x", "About s1@x"]);
    assert_eq!(ids(Query { direction: Some(Direction::Incoming), ..Query::default() }), ["About s3@x"]);
    assert_eq!(ids(Query { silent_since: Some(at(1_001)), ..Query::default() }), ["About s1@x"]);
    assert!(ids(Query { silent_since: Some(at(1_000)), ..Query::default() }).is_empty());
}

/// More threads than are looked up one by one: the other way to the same list.
#[test]
fn a_search_that_finds_many_gives_the_same_list() {
    let bed = Bed::new();
    let tx = bed.tx();
    tx.conn
        .execute(
            "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2100)
             INSERT INTO thread (account, key, subject, created, last)
             SELECT ?1, randomblob(32), 'x', i, i FROM n",
            [bed.account],
        )
        .unwrap();
    tx.conn
        .execute("INSERT INTO thread_text (rowid, words) SELECT id, 'word ' || (id % 3) FROM thread", [])
        .unwrap();
    let find = |words, offset| {
        let query = Query { search: Some(words), offset, limit: 5, ..Query::default() };
        let page = thread::list(&tx, &query).unwrap();
        (page.total, page.rows.iter().map(|row| row.thread.id).collect::<Vec<_>>())
    };
    assert_eq!(find("word", 1), (2_100, vec![2_099, 2_098, 2_097, 2_096, 2_095]));
    assert_eq!(find("word 1", 0), (700, vec![2_098, 2_095, 2_092, 2_089, 2_086]));
}
