//! Jobs, bodies and messages set aside.

use super::{Bed, at, ignore, log, mail};
use crate::job::{self, Kind};
use crate::outbox;
use crate::place::Place;
use crate::{body, message, set_aside, status};
use threadline_core::decide::Thread;
use threadline_core::reason::Reason;

fn place(bed: &Bed, uid: u32) -> Place {
    Place { folder: bed.sent, uidvalidity: 1, uid }
}

/// A logged message and its body job, due at a time.
fn body_job(bed: &Bed, uid: u32, due: i64) -> (i64, i64) {
    let recorded = bed.record(bed.sent, uid, &mail(&format!("{uid}@x"), ""), &log(Thread::New));
    let job = job::add(&bed.tx(), Kind::Body, recorded.message, place(bed, uid), at(due)).unwrap();
    (recorded.message, job)
}

#[test]
fn jobs_come_when_due_and_the_longest_due_first() {
    let bed = Bed::new();
    let tx = bed.tx();
    let (_, late) = body_job(&bed, 1, 30);
    let (_, first) = body_job(&bed, 2, 10);
    let (_, second) = body_job(&bed, 3, 10);
    let due = |now| -> Vec<i64> {
        let due = job::due(&tx, bed.account, &[bed.sent], at(now), 10).unwrap();
        due.iter().map(|j| j.id).collect()
    };
    assert_eq!(due(9), [0; 0]);
    assert_eq!(due(10), [first, second]);
    assert_eq!(due(30), [first, second, late]);
    assert_eq!(job::next_due(&tx, bed.account, &[bed.sent]).unwrap(), Some(at(10)));
    job::retry_later(&tx, first, at(40), Some(Reason::ConnectionReset), Some("bye")).unwrap();
    assert_eq!(due(30), [second, late]);
    let row = job::get(&tx, first).unwrap().unwrap();
    assert_eq!((row.attempts, row.reason), (1, Some(Reason::ConnectionReset)));
    assert_eq!(row.words.as_deref(), Some("bye"));
    job::set_aside(&tx, second, Some(Reason::ProtocolError), None, at(60)).unwrap();
    assert_eq!(due(30), [late]);
    assert_eq!(job::given_up(&tx, bed.account).unwrap()[0].id, second);
    job::retry(&tx, second, at(20)).unwrap();
    assert_eq!(due(30), [second, late]);
    assert!(job::given_up(&tx, bed.account).unwrap().is_empty());
    assert_eq!(job::retry(&tx, 999, at(1)).unwrap_err().code(), "ledger_no_such_row");
}

#[test]
fn jobs_are_due_in_the_folders_that_are_asked_for() {
    let bed = Bed::new();
    let tx = bed.tx();
    let (_, job) = body_job(&bed, 1, 10);
    assert!(job::due(&tx, bed.account, &[bed.inbox], at(20), 10).unwrap().is_empty());
    assert_eq!(job::next_due(&tx, bed.account, &[bed.inbox]).unwrap(), None);
    assert_eq!(job::elsewhere(&tx, bed.account, &[bed.inbox]).unwrap()[0].id, job);
    assert!(job::elsewhere(&tx, bed.account, &[bed.inbox, bed.sent]).unwrap().is_empty());
    job::put_off(&tx, job, at(30), Reason::ConnectionTimeout, "late").unwrap();
    let row = job::get(&tx, job).unwrap().unwrap();
    assert_eq!((row.attempts, row.next_try, row.reason), (0, at(30), Some(Reason::ConnectionTimeout)));
    assert_eq!(job::not_beyond(&tx, bed.account, at(1), at(30)).unwrap(), 0);
    assert_eq!(job::not_beyond(&tx, bed.account, at(1), at(29)).unwrap(), 1);
    assert_eq!(job::next_due(&tx, bed.account, &[bed.sent]).unwrap(), Some(at(1)));
}

#[test]
fn a_body_that_was_given_up_is_read_where_the_message_comes_up_again() {
    let bed = Bed::new();
    let tx = bed.tx();
    let (message, job) = body_job(&bed, 1, 10);
    job::revive(&tx, message, place(&bed, 7), at(20)).unwrap();
    assert_eq!(job::get(&tx, job).unwrap().unwrap().place.uid, 1, "it is not given up");
    job::set_aside(&tx, job, Some(Reason::FolderMissing), None, at(60)).unwrap();
    job::revive(&tx, message, place(&bed, 1), at(20)).unwrap();
    assert!(job::get(&tx, job).unwrap().unwrap().set_aside, "the same place is no news");
    job::revive(&tx, message, place(&bed, 7), at(20)).unwrap();
    let row = job::get(&tx, job).unwrap().unwrap();
    assert_eq!((row.set_aside, row.attempts, row.place.uid), (false, 0, 7));
}

#[test]
fn a_message_has_one_job_of_a_kind() {
    let bed = Bed::new();
    let tx = bed.tx();
    let (message, job) = body_job(&bed, 1, 10);
    assert_eq!(job::add(&tx, Kind::Body, message, place(&bed, 2), at(0)).unwrap(), job);
    assert_ne!(job::add(&tx, Kind::Recheck, message, place(&bed, 2), at(0)).unwrap(), job);
    job::move_to(&tx, job, place(&bed, 5)).unwrap();
    assert_eq!(job::get(&tx, job).unwrap().unwrap().place.uid, 5);
    assert!(job::add(&tx, Kind::Body, 999, place(&bed, 1), at(0)).is_err());
}

#[test]
fn a_finished_body_is_kept_and_queued_once() {
    let bed = Bed::new();
    let tx = bed.tx();
    let (message, job) = body_job(&bed, 1, 10);
    let finish = || job::finish_body(&tx, job, b"raw", true, &["folder", "hubspot"], at(50)).unwrap();
    assert_eq!(finish(), Some(message));
    assert_eq!(finish(), None);
    let body = body::get(&tx, message).unwrap().unwrap();
    assert_eq!((body.raw.as_slice(), body.truncated), (b"raw".as_slice(), true));
    let entries = outbox::of_message(&tx, message).unwrap();
    assert_eq!(entries.iter().map(|e| e.sink.as_str()).collect::<Vec<_>>(), ["folder", "hubspot"]);
    let row = message::get(&tx, message).unwrap().unwrap();
    assert_eq!(row.body_at, Some(at(50)));
    assert!(entries.iter().all(|e| Some(e.key) == row.key));
    assert!(job::get(&tx, job).unwrap().is_none());
    body::remove(&tx, message).unwrap();
    assert!(body::get(&tx, message).unwrap().is_none());
}

#[test]
fn no_body_is_kept_of_a_message_that_is_not_logged() {
    let bed = Bed::new();
    let tx = bed.tx();
    let ignored = bed.record(bed.sent, 1, &mail("a@x", ""), &ignore());
    let job = job::add(&tx, Kind::Body, ignored.message, place(&bed, 1), at(0)).unwrap();
    assert_eq!(job::finish_body(&tx, job, b"raw", false, &["folder"], at(1)).unwrap(), None);
    assert!(body::get(&tx, ignored.message).unwrap().is_none());
    assert!(outbox::page(&tx, 0, 10).unwrap().is_empty());
}

#[test]
fn poison_is_listed_once_a_place() {
    let bed = Bed::new();
    let tx = bed.tx();
    let poison = place(&bed, 13);
    set_aside::add(&tx, poison, "its header cannot be read", None, at(1)).unwrap();
    set_aside::add(&tx, poison, "it is nested too deep", Some(Reason::ProtocolError), at(2)).unwrap();
    let list = set_aside::page(&tx, bed.account, 0, 10).unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].place, list[0].at), (poison, at(2)));
    assert_eq!(list[0].what, "it is nested too deep");
    assert_eq!(list[0].reason, Some(Reason::ProtocolError));
    assert_eq!(status::account(&tx, bed.account).unwrap().set_aside, 1);
    // It is read once more, and goes back where that fails.
    let again = || set_aside::next_again(&tx, bed.account, &[bed.sent]).unwrap().map(|aside| aside.place);
    assert_eq!(again(), None);
    assert_eq!(set_aside::retry(&tx, bed.account).unwrap(), 1);
    assert_eq!(again(), Some(poison));
    set_aside::add(&tx, poison, "still too deep", None, at(3)).unwrap();
    assert_eq!(again(), None);
    set_aside::remove(&tx, list[0].id).unwrap();
    assert!(set_aside::page(&tx, bed.account, 0, 10).unwrap().is_empty());
    let nowhere = Place { folder: 99, ..poison };
    assert!(set_aside::add(&tx, nowhere, "x", None, at(1)).is_err());
}

#[test]
fn the_status_counts_bodies_that_were_never_read() {
    let bed = Bed::new();
    let tx = bed.tx();
    let (_, first) = body_job(&bed, 1, 10);
    let (_, second) = body_job(&bed, 2, 10);
    body_job(&bed, 3, 10);
    bed.record(bed.inbox, 1, &mail("i@x", ""), &ignore());
    bed.record(bed.inbox, 2, &mail("a@x", ""), &super::ask());
    bed.record(bed.inbox, 3, &mail("h@x", ""), &super::hold());
    job::finish_body(&tx, first, b"raw", false, &["folder"], at(50)).unwrap();
    job::set_aside(&tx, second, None, None, at(60)).unwrap();
    let counts = status::account(&tx, bed.account).unwrap();
    assert_eq!((counts.logged, counts.asked, counts.held, counts.ignored), (3, 1, 1, 1));
    assert_eq!((counts.jobs_waiting, counts.jobs_set_aside), (1, 1));
    assert_eq!((counts.bodies_waiting, counts.pushes_waiting, counts.pushes_set_aside), (1, 1, 0));
    assert_eq!((counts.seen(), counts.bodies_never_read()), (6, 5));
}
