//! The small tables: settings, mailboxes, folders, egress.

use super::{Bed, address, at, log, mail};
use crate::account::{self, Account};
use crate::egress::{self, Egress};
use crate::folder::{self, Cursor};
use crate::job::{self, Kind};
use crate::place::Place;
use crate::{association, setting};
use threadline_core::arrival::Role;
use threadline_core::decide::Thread;

#[test]
fn settings() {
    let bed = Bed::new();
    let tx = bed.tx();
    assert_eq!(setting::get::<String>(&tx, "a").unwrap(), None);
    setting::set(&tx, "a", &"one").unwrap();
    setting::set(&tx, "a", &"two").unwrap();
    assert_eq!(setting::get::<String>(&tx, "a").unwrap().as_deref(), Some("two"));
    assert_eq!(setting::get::<i64>(&tx, "a").unwrap_err().code(), "ledger_unreadable");
    setting::remove(&tx, "a").unwrap();
    assert_eq!(setting::get::<String>(&tx, "a").unwrap(), None);
}

#[test]
fn accounts() {
    let bed = Bed::new();
    let tx = bed.tx();
    let ann = address("ann@firm.example");
    let mut want = Account {
        id: bed.account,
        address: ann.clone(),
        settings: "{}".into(),
        paused_until: None,
        created: at(0),
        reads_from: at(0),
        epoch: 0,
        worked_secret: false,
    };
    assert_eq!(account::by_address(&tx, &ann).unwrap().as_ref(), Some(&want));
    account::set_settings(&tx, bed.account, "{\"a\":1}").unwrap();
    account::set_paused(&tx, bed.account, Some(at(9))).unwrap();
    account::set_worked_secret(&tx, bed.account, true).unwrap();
    want.settings = "{\"a\":1}".into();
    want.paused_until = Some(at(9));
    want.worked_secret = true;
    assert_eq!(account::get(&tx, bed.account).unwrap().as_ref(), Some(&want));
    account::set_paused(&tx, bed.account, None).unwrap();
    want.paused_until = None;
    assert_eq!(account::list(&tx).unwrap(), [want]);
    assert_eq!(account::insert(&tx, &ann, "{}", at(1)).unwrap_err().code(), "ledger_row_refused");
    assert_eq!(account::set_settings(&tx, bed.account, "no json").unwrap_err().code(), "ledger_row_refused");
    assert_eq!(account::set_paused(&tx, 99, None).unwrap_err().code(), "ledger_no_such_row");
}

/// What another mailbox in the place of a known one leaves: messages, and jobs without a place.
#[test]
fn a_mailbox_that_begins_anew_forgets_where_anything_was() {
    let bed = Bed::new();
    let tx = bed.tx();
    let recorded = bed.record(bed.sent, 7, &mail("a@x", ""), &log(Thread::New));
    let place = Place { folder: bed.sent, uidvalidity: 1, uid: 7 };
    let job = job::add(&tx, Kind::Body, recorded.message, place, at(0)).unwrap();
    let cursor = folder::Cursor { uidvalidity: 1, next_uid: 8, modseq: None };
    folder::move_cursor(&tx, bed.sent, &cursor).unwrap();
    crate::set_aside::add(&tx, Place { uid: 6, ..place }, "x", None, at(0)).unwrap();
    account::read_from(&tx, bed.account, at(-9)).unwrap();
    account::read_from(&tx, bed.account, at(5)).unwrap();
    assert_eq!(account::still(&tx, bed.account, 0).unwrap().reads_from, at(-9));
    account::begin_anew(&tx, bed.account, at(100)).unwrap();
    assert_eq!(account::still(&tx, bed.account, 0).unwrap_err().code(), "ledger_no_such_row");
    assert_eq!(account::still(&tx, bed.account, 1).unwrap().reads_from, at(100));
    assert!(folder::list(&tx, bed.account).unwrap().iter().all(|folder| folder.cursor.is_none()));
    assert!(crate::place::of_message(&tx, recorded.message).unwrap().is_empty());
    assert!(crate::set_aside::page(&tx, bed.account, 0, 9).unwrap().is_empty());
    assert_eq!(job::get(&tx, job).unwrap().unwrap().place.uidvalidity, 0, "no folder is numbered so");
}

/// An old mail that was moved into a folder is the last one in it, and not the newest.
#[test]
fn the_newest_message_is_not_the_last_one() {
    let bed = Bed::new();
    let tx = bed.tx();
    bed.record(bed.sent, 1, &mail("a@x", ""), &log(Thread::New));
    let new = crate::place::newest(&tx, bed.sent, at(9_000_000)).unwrap().unwrap();
    let old = bed.record(bed.sent, 2, &mail("b@x", ""), &log(Thread::New)).message;
    bed.conn.execute("UPDATE message SET time = -1000 WHERE id = ?1", [old]).unwrap();
    assert_eq!(crate::place::newest(&tx, bed.sent, at(9_000_000)).unwrap(), Some(new));
    // A time that has not come yet is wrong.
    bed.conn
        .execute("UPDATE message SET time = ?2 WHERE id = ?1", [old, at(9_000_001).as_microsecond()])
        .unwrap();
    assert_eq!(crate::place::newest(&tx, bed.sent, at(9_000_000)).unwrap(), Some(new));
}

#[test]
fn a_removed_account_leaves_nothing() {
    let bed = Bed::new();
    let tx = bed.tx();
    let envelope = mail("a@x", "References: <r@x>");
    let recorded = bed.record(bed.sent, 1, &envelope, &log(Thread::New));
    bed.record(bed.sent, 2, &mail("b@x", ""), &super::ask());
    let place = Place { folder: bed.sent, uidvalidity: 1, uid: 1 };
    let job = job::add(&tx, Kind::Body, recorded.message, place, at(0)).unwrap();
    job::finish_body(&tx, job, b"raw", false, &["folder"], at(1)).unwrap();
    job::add(&tx, Kind::Recheck, recorded.message, place, at(0)).unwrap();
    crate::set_aside::add(&tx, place, "x", None, at(0)).unwrap();
    account::remove(&tx, bed.account).unwrap();
    for table in [
        "account",
        "folder",
        "message",
        "message_id",
        "reference",
        "place",
        "thread",
        "participant",
        "association",
        "asked_address",
        "body",
        "job",
        "outbox",
        "set_aside",
        "thread_text",
        "activity",
    ] {
        assert_eq!(bed.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}

#[test]
fn folders_and_cursors() {
    let bed = Bed::new();
    let tx = bed.tx();
    let names: Vec<String> = folder::list(&tx, bed.account).unwrap().into_iter().map(|f| f.name).collect();
    assert_eq!(names, ["INBOX", "Sent"]);
    assert_eq!(folder::get(&tx, bed.inbox).unwrap().unwrap().cursor, None);
    for modseq in [None, Some(1_u64 << 62)] {
        let cursor = Cursor { uidvalidity: u32::MAX, next_uid: u32::MAX, modseq };
        folder::move_cursor(&tx, bed.inbox, &cursor).unwrap();
        assert_eq!(folder::get(&tx, bed.inbox).unwrap().unwrap().cursor, Some(cursor));
    }
    let again = folder::ensure(&tx, bed.account, "INBOX", Role::All).unwrap();
    assert_eq!((again.id, again.role), (bed.inbox, Role::All));
    assert!(again.cursor.is_some(), "a new role keeps the cursor");
    assert!(folder::ensure(&tx, 99, "INBOX", Role::Inbox).is_err());
    bed.record(bed.inbox, 1, &mail("a@x", ""), &super::ignore());
    folder::remove(&tx, bed.inbox).unwrap();
    assert_eq!(bed.number("SELECT count(*) FROM place"), 0);
    assert_eq!(bed.number("SELECT count(*) FROM message"), 1);
    let gone = folder::move_cursor(&tx, bed.inbox, &Cursor { uidvalidity: 1, next_uid: 1, modseq: None });
    assert_eq!(gone.unwrap_err().code(), "ledger_no_such_row");
}

#[test]
fn egress_is_kept_when_its_message_goes() {
    let bed = Bed::new();
    let tx = bed.tx();
    let recorded = bed.record(bed.sent, 1, &mail("a@x", ""), &log(Thread::New));
    let field = |name: &str| Egress {
        id: 0,
        at: at(1),
        sink: "hubspot".into(),
        message: Some(recorded.message),
        object: "email".into(),
        remote_id: Some("5".into()),
        field: name.into(),
        bytes: 12,
    };
    egress::add(&tx, &[field("subject"), field("text")]).unwrap();
    account::remove(&tx, bed.account).unwrap();
    let page = egress::page(&tx, 0, 10).unwrap();
    assert_eq!(page.len(), 2);
    let want = Egress { id: page[1].id, message: None, ..field("text") };
    assert_eq!(page[1], want);
    assert_eq!(egress::page(&tx, page[0].id, 10).unwrap(), page[1..]);
    assert_eq!(egress::newest(&tx, None, 1).unwrap(), page[1..]);
    assert_eq!(egress::newest(&tx, Some(want.id), 10).unwrap(), page[..1]);
}

#[test]
fn a_contact_made_for_a_message_gets_its_id() {
    let bed = Bed::new();
    let tx = bed.tx();
    let mut decision = log(Thread::New);
    let bob = address("bob@client.example");
    if let threadline_core::decide::Verdict::Log { contacts, .. } = &mut decision.verdict {
        contacts[0].remote_id = None;
        contacts.push(super::contact("aaa@client.example"));
    }
    let recorded = bed.record(bed.sent, 1, &mail("a@x", ""), &decision);
    association::set_remote(&tx, recorded.message, &bob, "c9").unwrap();
    let contacts = association::of_message(&tx, recorded.message).unwrap();
    assert_eq!(contacts[0].remote_id.as_deref(), Some("c9"));
    assert_eq!(contacts[1].address, address("aaa@client.example"), "in the decision's order");
    assert_eq!(association::of_thread(&tx, recorded.thread.unwrap()).unwrap().len(), 2);
}
