//! Retention on a real file: what goes is gone, what stays still serves.

use super::{Bed, address, at, contact, id, joined, key, log, mail, other};
use crate::job::{self, Kind};
use crate::message::{self, Headers, NewDecision, Outcome};
use crate::outbox::{self, Accepted, State};
use crate::place::Place;
use crate::retention::{self, Clocked};
use crate::send::{self, NewSending, Recipient};
use crate::tx::Tx;
use crate::{
    Ledger, StoreError, activity, association, body, contact as index, egress, folder, set_aside, thread,
};
use rusqlite::{Connection, MAIN_DB};
use std::collections::BTreeSet;
use std::path::Path;
use threadline_core::contact::Contact;
use threadline_core::decide::Thread;
use threadline_core::envelope::Envelope;
use threadline_core::id::MessageId;
use threadline_core::matching::Clue;
use threadline_core::reason::Reason;
use threadline_core::retention::Clock;
use threadline_core::rule::Rule;

/// A logged mail whose text was read.
fn logged(tx: &Tx<'_>, account: i64, place: Place, envelope: &Envelope, thread: Thread) -> (i64, i64) {
    let mut decision = log(thread);
    if let Thread::Join(thread) = thread {
        decision.verdict = joined(thread);
    }
    let new = NewDecision {
        account,
        place: Some(place),
        envelope,
        decision: &decision,
        rule_version: 1,
        time: at(1_000 + i64::from(place.uid)),
        size: 2_000,
        at: at(5_000),
    };
    let recorded = message::record(tx, &new).unwrap();
    let job = job::add(tx, Kind::Body, recorded.message, place, at(0)).unwrap();
    let raw = format!("Subject: SECRETSUBJECT\r\n\r\nSECRETBODY {}", "SECRETFILE ".repeat(2_000));
    job::finish_body(tx, job, raw.as_bytes(), false, &["hubspot"], at(6_000)).unwrap();
    (recorded.message, recorded.thread.unwrap())
}

fn accept(tx: &Tx<'_>, message: i64, when: i64) {
    for entry in outbox::of_message(tx, message).unwrap() {
        let accepted = Accepted {
            remote_id: Some(format!("r{message}")),
            link: None,
            how: "created".into(),
            at: at(when),
        };
        outbox::accept(tx, entry.id, &accepted).unwrap();
    }
}

fn place(bed: &Bed, uid: u32) -> Place {
    Place { folder: bed.sent, uidvalidity: 1, uid }
}

fn purge(tx: &Tx<'_>, message: i64, when: i64) {
    let thread = retention::purge_headers(tx, message, at(when)).unwrap().unwrap();
    retention::settle_threads(tx, &BTreeSet::from([thread])).unwrap();
}

#[test]
fn a_clock_begins_when_the_last_crm_has_accepted() {
    let bed = Bed::new();
    let tx = bed.tx();
    let (message, _) = logged(&tx, bed.account, place(&bed, 1), &mail("a@x", ""), Thread::New);
    let key = message::get(&tx, message).unwrap().unwrap().key.unwrap();
    outbox::add(&tx, "folder", message, &key, at(6_000)).unwrap();
    let entries = outbox::of_message(&tx, message).unwrap();
    let accepted = |when| Accepted { remote_id: None, link: None, how: "created".into(), at: at(when) };
    outbox::accept(&tx, entries[0].id, &accepted(7_000)).unwrap();
    assert_eq!(retention::standing(&tx, message).unwrap().clock, None);
    assert!(retention::clocked(&tx, Clock::Noticed, None, 9).unwrap().is_empty());
    outbox::accept(&tx, entries[1].id, &accepted(8_000)).unwrap();
    assert_eq!(retention::standing(&tx, message).unwrap().clock, Some((Clock::Noticed, at(8_000))));
    let due = retention::clocked(&tx, Clock::Noticed, None, 9).unwrap();
    assert_eq!(due, [Clocked { message, begun: at(8_000), text: true }]);
    assert!(retention::clocked(&tx, Clock::Noticed, Some(due[0]), 9).unwrap().is_empty());
}

#[test]
fn what_waited_for_a_crm_that_is_no_more_has_its_clock_all_the_same() {
    let bed = Bed::new();
    let tx = bed.tx();
    let (message, _) = logged(&tx, bed.account, place(&bed, 1), &mail("a@x", ""), Thread::New);
    let key = message::get(&tx, message).unwrap().unwrap().key.unwrap();
    accept(&tx, message, 7_000);
    let (second, _) = logged(&tx, bed.account, place(&bed, 2), &mail("b@x", ""), Thread::New);
    outbox::add(&tx, "webhook", second, &key, at(6_000)).unwrap();
    let first = outbox::of_message(&tx, second).unwrap().into_iter().find(|e| e.sink == "hubspot").unwrap();
    let accepted = Accepted { remote_id: None, link: None, how: "created".into(), at: at(7_500) };
    outbox::accept(&tx, first.id, &accepted).unwrap();
    assert_eq!(retention::begin_overdue(&tx, bed.account).unwrap(), 0);
    outbox::abandon(&tx, "webhook").unwrap();
    assert_eq!(retention::begin_overdue(&tx, bed.account).unwrap(), 1);
    assert_eq!(retention::standing(&tx, second).unwrap().clock, Some((Clock::Noticed, at(7_500))));
}

#[test]
fn a_conversation_under_hold_and_a_mail_on_its_way_are_not_due() {
    let bed = Bed::new();
    let tx = bed.tx();
    let (message, thread) = logged(&tx, bed.account, place(&bed, 1), &mail("a@x", ""), Thread::New);
    accept(&tx, message, 7_000);
    let due = || retention::clocked(&tx, Clock::Noticed, None, 9).unwrap().len();
    assert_eq!(due(), 1);
    retention::set_hold(&tx, thread, true).unwrap();
    assert_eq!((due(), retention::standing(&tx, message).unwrap().hold), (0, true));
    retention::set_hold(&tx, thread, false).unwrap();
    let key = message::get(&tx, message).unwrap().unwrap().key.unwrap();
    outbox::add(&tx, "webhook", message, &key, at(9_000)).unwrap();
    assert_eq!(due(), 0, "another CRM is still to get it");
    assert!(retention::set_hold(&tx, 99, true).is_err());
}

#[test]
fn a_receipt_is_known_by_every_id_and_takes_no_text_again() {
    let bed = Bed::new();
    let tx = bed.tx();
    let (message, thread) = logged(&tx, bed.account, place(&bed, 1), &mail("a@x", ""), Thread::New);
    accept(&tx, message, 7_000);
    purge(&tx, message, 9_000);
    let standing = retention::standing(&tx, message).unwrap();
    assert_eq!((standing.purged, standing.text_purged), (Some(at(9_000)), Some(at(9_000))));
    let row = message::get(&tx, message).unwrap().unwrap();
    assert_eq!((row.outcome, row.thread, row.headers), (Outcome::Log, Some(thread), Some(Headers::blank())));
    assert_ne!(row.key.unwrap(), mail("a@x", "").key, "an id can be tried out against it");
    assert_eq!(
        outbox::of_message(&tx, message).unwrap()[0].remote_id.as_deref(),
        Some(&*format!("r{message}"))
    );
    // The server numbers its folder anew: the mail comes up again at another place.
    let again = bed.record(bed.sent, 77, &mail("a@x", ""), &log(Thread::New));
    assert_eq!((again.message, again.newly_logged, again.thread), (message, false, Some(thread)));
    let row = message::get(&tx, message).unwrap().unwrap();
    assert_eq!(row.headers, Some(Headers::blank()));
    assert!(association::of_message(&tx, message).unwrap().is_empty());
    assert_eq!(bed.number("SELECT count(*) FROM message"), 1);
}

#[test]
fn nobody_can_pass_another_mail_off_as_a_receipt() {
    let bed = Bed::new();
    let tx = bed.tx();
    let date = "Date: Tue, 24 Nov 2026 10:00:00 +0000";
    let (message, _) = logged(&tx, bed.account, place(&bed, 1), &mail("a@x", date), Thread::New);
    accept(&tx, message, 7_000);
    purge(&tx, message, 9_000);
    let claims = |from: &str| {
        let text = format!(
            "Message-ID: <other@y>\r\nX-Microsoft-Original-Message-ID: <a@x>\r\nFrom: {from}\r\n{date}\r\n\r\n"
        );
        message::contradicts(&tx, bed.account, &Envelope::parse(text.as_bytes())).unwrap()
    };
    assert!(!claims("ann@firm.example"));
    assert!(claims("mallory@evil.example"));
}

#[test]
fn who_took_part_is_recalled_by_hashes_alone() {
    let bed = Bed::new();
    let tx = bed.tx();
    let bob = Contact {
        remote_id: "c1".into(),
        addresses: vec![address("bob@client.example")],
        name: Some("Bob".into()),
    };
    index::upsert(&tx, "hubspot", &[bob], at(1)).unwrap();
    let (message, thread) = logged(&tx, bed.account, place(&bed, 1), &mail("a@x", ""), Thread::New);
    accept(&tx, message, 7_000);
    purge(&tx, message, 9_000);
    assert!(thread::participants(&tx, thread).unwrap().is_empty());
    let known = |sender: &str, to: &str| {
        let mut threads = thread::known(&tx, bed.account, [Clue::Id(id("a@x"))]).unwrap();
        let (sender, to) = (address(sender), [address(to)]);
        retention::recall(&tx, &mut threads, Some(&sender), &to, &["hubspot".to_owned()]).unwrap();
        (*threads.remove(&Clue::Id(id("a@x"))).unwrap().remove(0)).clone()
    };
    let has = |sender: &str, to: &str, who: &str| known(sender, to).participants.contains(&address(who));
    assert!(has("bob@client.example", "ann@firm.example", "bob@client.example"));
    // A colleague of Bob's may speak; as a recipient that is not enough.
    assert!(has("dora@client.example", "ann@firm.example", "dora@client.example"));
    assert!(!has("ann@firm.example", "dora@client.example", "dora@client.example"));
    assert!(!has("mallory@evil.example", "ann@firm.example", "mallory@evil.example"));
    assert_eq!(
        known("dora@client.example", "ann@firm.example").contacts[0].address,
        address("bob@client.example")
    );
}

#[test]
fn a_thread_that_lost_some_of_its_headers_is_that_of_the_others() {
    let bed = Bed::new();
    let tx = bed.tx();
    let (first, thread) = logged(&tx, bed.account, place(&bed, 1), &mail("a@x", ""), Thread::New);
    let reply = mail("b@x", "In-Reply-To: <a@x>\nCc: eve@third.example");
    let (second, _) = logged(&tx, bed.account, place(&bed, 2), &reply, Thread::Join(thread));
    accept(&tx, first, 7_000);
    accept(&tx, second, 8_000);
    purge(&tx, first, 9_000);
    let row = thread::get(&tx, thread).unwrap().unwrap();
    assert_eq!((row.subject.as_str(), row.messages), ("About b@x", 2));
    assert_eq!(thread::participants(&tx, thread).unwrap().len(), 3);
    purge(&tx, second, 9_500);
    let row = thread::get(&tx, thread).unwrap().unwrap();
    assert_eq!((row.subject.as_str(), row.messages), ("", 2));
    assert!(thread::participants(&tx, thread).unwrap().is_empty());
}

#[test]
fn the_trash_gives_back_what_was_taken_out_and_sends_it_on_its_way_again() {
    let bed = Bed::new();
    let tx = bed.tx();
    let (message, _) = logged(&tx, bed.account, place(&bed, 1), &mail("a@x", ""), Thread::New);
    accept(&tx, message, 7_000);
    let whole = message::get(&tx, message).unwrap().unwrap();
    assert!(retention::throw_away(&tx, message, Some("hubspot"), at(9_000)).unwrap());
    let row = message::get(&tx, message).unwrap().unwrap();
    assert_eq!((row.outcome, row.rule, row.headers), (Outcome::Ignore, Rule::DeletedInCrm, None));
    assert_eq!(retention::standing(&tx, message).unwrap().clock, None);
    let trash = retention::trash_page(&tx, 9).unwrap();
    assert_eq!((trash[0].message, trash[0].in_crm.as_deref(), trash.len()), (message, Some("hubspot"), 1));
    assert_eq!(trash[0].headers, whole.headers.clone().unwrap());

    assert!(retention::restore(&tx, message, &["hubspot", "folder"], at(9_500)).unwrap());
    assert!(!retention::restore(&tx, message, &["hubspot"], at(9_600)).unwrap(), "it is out of the trash");
    let back = message::get(&tx, message).unwrap().unwrap();
    assert_eq!(
        (back.outcome, back.rule, back.key, back.headers),
        (Outcome::Log, whole.rule, whole.key, whole.headers)
    );
    assert!(body::get(&tx, message).unwrap().is_some());
    assert_eq!(association::of_message(&tx, message).unwrap(), [contact("bob@client.example")]);
    let entries = outbox::of_message(&tx, message).unwrap();
    assert_eq!(entries.len(), 2);
    for entry in &entries {
        assert_eq!((entry.state, entry.uncertain, entry.remote_id.clone()), (State::Waiting, true, None));
    }
    // Its clock begins anew.
    accept(&tx, message, 9_700);
    assert_eq!(retention::standing(&tx, message).unwrap().clock, Some((Clock::Noticed, at(9_700))));
}

#[test]
fn the_trash_is_emptied_from_its_oldest_on_and_what_was_in_it_stays_out() {
    let bed = Bed::new();
    let tx = bed.tx();
    for uid in 1..=3 {
        let (message, _) =
            logged(&tx, bed.account, place(&bed, uid), &mail(&format!("{uid}@x"), ""), Thread::New);
        accept(&tx, message, 7_000);
        retention::throw_away(&tx, message, None, at(9_000 + i64::from(uid))).unwrap();
    }
    assert_eq!(retention::expire_trash(&tx, |deleted| deleted <= at(9_002), 9).unwrap(), 2);
    assert_eq!(retention::trash_page(&tx, 9).unwrap().len(), 1);
    let again = message::known(&tx, bed.account, &mail("1@x", "")).unwrap().unwrap();
    assert_eq!((again.outcome, again.rule), (Outcome::Ignore, Rule::TakenOut));
}

/// Every page of the file in the clear, those that nothing uses among them.
fn pages(path: &Path) -> Vec<u8> {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch(&key().pragma()).unwrap();
    conn.serialize(MAIN_DB).unwrap().to_vec()
}

fn hits(pages: &[u8], word: &[u8]) -> usize {
    pages.windows(word.len()).filter(|window| *window == word).count()
}

/// What names the purged mails, and no others.
const WORDS: [&[u8]; 8] = [
    b"SECRETID",
    b"SECRETSUBJECT",
    b"SECRETBODY",
    b"SECRETFILE",
    b"SECRETNAME",
    b"secretbox",
    b"secretfirm",
    b"SECRETWORDS",
];

/// The mail went out through here; its copy could not be filed. Every other one was asked for by another program.
fn sent_here(tx: &Tx<'_>, account: i64, message: i64, uid: u32, who: &str) -> Result<(), StoreError> {
    let recipients =
        vec![Recipient { address: address(who), blind: true, refused: Some("SECRETWORDS".into()) }];
    let new = NewSending {
        account,
        message_id: MessageId::parse(&format!("SECRETID{uid}@x")).unwrap(),
        request: uid.is_multiple_of(2).then(|| format!("r{uid}")),
        sender: address("ann@firm.example"),
        recipients: recipients.clone(),
        subject: "SECRETSUBJECT".into(),
        raw: format!("SECRETBODY {}", "SECRETFILE ".repeat(uid as usize * 7)).into_bytes(),
        due: at(0),
        at: at(0),
    };
    let (id, _) = send::add(tx, &new)?;
    send::begin(tx, id, &recipients, at(1))?;
    send::sent(tx, id, "250 SECRETWORDS", at(2))?;
    send::choose_copy(tx, id, send::CopyRule::Named, "SECRETNAME")?;
    send::copy_failed(tx, id, "SECRETWORDS", at(3))?;
    send::set_message(tx, id, message)
}

fn fill(tx: &Tx<'_>) -> Result<Vec<i64>, StoreError> {
    let account = crate::account::insert(tx, &address("ann@firm.example"), "{}", at(0))?;
    let sent = folder::ensure(tx, account, "Sent", threadline_core::arrival::Role::Sent)?.id;
    let mut secret = Vec::new();
    for uid in 1..=300_u32 {
        let is_secret = uid % 3 != 0;
        let (who, name, subject) = match is_secret {
            true => (format!("secretbox{uid}@secretfirm{uid}.example"), "SECRETNAME", "SECRETSUBJECT"),
            false => (format!("open{uid}@open.example"), "Open Name", "Open subject"),
        };
        let text = format!(
            "Message-ID: <{uid}@x>\r\nFrom: ann@firm.example\r\nTo: {name} <{who}>\r\nSubject: {subject} {uid}\r\n\r\n"
        );
        let envelope = Envelope::parse(text.as_bytes());
        let place = Place { folder: sent, uidvalidity: 1, uid };
        let mut person = contact(&who);
        person.name = Some(format!("{name} {uid}"));
        person.remote_id = Some(format!("c{uid}"));
        let decision = threadline_core::decide::Decision {
            verdict: threadline_core::decide::Verdict::Log { thread: Thread::New, contacts: vec![person] },
            ..other(threadline_core::decide::Verdict::Ignore, Rule::SentToContact)
        };
        let new = NewDecision {
            account,
            place: Some(place),
            envelope: &envelope,
            decision: &decision,
            rule_version: 1,
            time: at(1_000 + i64::from(uid)),
            size: 2_000,
            at: at(5_000),
        };
        let message = message::record(tx, &new)?.message;
        let job = job::add(tx, Kind::Body, message, place, at(0))?;
        let raw = match is_secret {
            true => format!("SECRETBODY {}", "SECRETFILE ".repeat(uid as usize * 7)),
            false => "open text ".repeat(uid as usize * 7),
        };
        job::finish_body(tx, job, raw.as_bytes(), false, &["hubspot"], at(6_000))?;
        if is_secret {
            sent_here(tx, account, message, uid, &who)?;
        }
        let words = if is_secret { "SECRETWORDS of a server" } else { "words of a server" };
        let lease = outbox::lease(tx, "hubspot", at(6_500), 1, u64::MAX, std::time::Duration::from_secs(9))?
            .remove(0);
        outbox::retry_later(tx, &lease, at(6_500), true, Some(Reason::CrmRejected), Some(words), at(6_500))?;
        set_aside::add(tx, place, "The header cannot be read.", Some(Reason::ProtocolError), at(6_500))?;
        egress::add(
            tx,
            &[egress::Egress {
                id: 0,
                at: at(6_500),
                sink: "hubspot".into(),
                message: Some(message),
                object: "email".into(),
                remote_id: Some(format!("r{message}")),
                field: "hs_email_subject".into(),
                bytes: 20,
            }],
        )?;
        accept(tx, message, 7_000);
        if is_secret {
            secret.push(message);
        }
    }
    Ok(secret)
}

#[tokio::test]
async fn no_byte_of_what_was_purged_is_left_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let ledger = Ledger::open(&path, &key()).unwrap();
    let secret = ledger.write(fill).await.unwrap();
    ledger.checkpoint().await.unwrap();
    let before = pages(&path);
    for word in WORDS {
        assert!(hits(&before, word) > 0, "{} was never there", String::from_utf8_lossy(word));
    }
    let open = hits(&before, b"open text ");
    // Some are purged, some are taken out and leave the trash.
    let (purged, trashed) = secret.split_at(secret.len() / 2);
    let (purged, trashed) = (purged.to_vec(), trashed.to_vec());
    ledger
        .write(move |tx| {
            let mut threads = BTreeSet::new();
            for message in purged {
                threads.extend(retention::purge_headers(tx, message, at(9_000))?);
            }
            retention::settle_threads(tx, &threads)?;
            for message in &trashed {
                retention::throw_away(tx, *message, None, at(9_000))?;
            }
            Ok(())
        })
        .await
        .unwrap();
    ledger
        .write(|tx| {
            retention::expire_trash(tx, |_| true, 999)?;
            // What happened is in the order in which it did; its words are those of servers.
            assert!(!activity::newest(tx, None, 9)?.is_empty());
            Ok(())
        })
        .await
        .unwrap();
    ledger.checkpoint().await.unwrap();
    let wal = std::fs::metadata(dir.path().join("ledger.db-wal")).map(|m| m.len()).unwrap_or_default();
    assert_eq!(wal, 0, "the side file keeps older pages");
    let after = pages(&path);
    assert!(after.len() >= before.len(), "the file was not shrunk: what is searched is all there was");
    for word in WORDS {
        assert_eq!(hits(&after, word), 0, "{} is left", String::from_utf8_lossy(word));
    }
    assert!(hits(&after, b"open text ") >= open, "what was not purged is there");
    // What another program asked for is known by its id, and not sent again.
    let asked = ledger.read(|tx| send::newest(tx, 999)).await.unwrap();
    assert_eq!(asked.len(), 100);
    assert!(
        asked.iter().all(|row| row.request.is_some() && row.recipients.is_empty() && row.message.is_none())
    );
    ledger.read(|tx| Ok(egress::page(tx, 0, 999)?.len())).await.map(|n| assert_eq!(n, 300)).unwrap();
}

#[test]
fn a_receipt_tells_with_whom_it_was_where_nobody_else_took_part() {
    let bed = Bed::new();
    let tx = bed.tx();
    let own = [address("ann@firm.example"), address("ann@brand.example")];
    let (bob, dora) = (address("bob@client.example"), address("dora@client.example"));
    let (alone, _) = logged(&tx, bed.account, place(&bed, 1), &mail("a@x", ""), Thread::New);
    let more = "Cc: dora@client.example";
    let (others, _) = logged(&tx, bed.account, place(&bed, 2), &mail("b@x", more), Thread::New);
    assert!(!retention::was_with(&tx, alone, &bob, &own).unwrap(), "its header tells");
    for message in [alone, others] {
        accept(&tx, message, 7_000);
        purge(&tx, message, 8_000);
    }
    let was_with = |message, who| retention::was_with(&tx, message, who, &own).unwrap();
    assert!(was_with(alone, &bob) && !was_with(alone, &dora));
    assert!(!was_with(others, &bob) && !was_with(others, &dora));
    // A later mail brings somebody else in, whose address is here.
    let thread = message::get(&tx, alone).unwrap().unwrap().thread.unwrap();
    logged(&tx, bed.account, place(&bed, 3), &mail("c@x", more), Thread::Join(thread));
    assert!(!was_with(alone, &bob));
}
