//! Leases and what becomes of them.

use super::{Bed, at, log, mail};
use crate::outbox::{self, Accepted, Lease, State};
use crate::{StoreError, association, file, message, portal, removal, retention, status};
use std::time::Duration;
use threadline_core::address::Address;
use threadline_core::decide::Thread;
use threadline_core::reason::Reason;
use threadline_core::record::Association;

const MINUTE: Duration = Duration::from_secs(60);

/// Logs a message and queues it at a time; gives the entry.
fn queue(bed: &Bed, uid: u32, time: i64) -> i64 {
    let tx = bed.tx();
    let recorded = bed.record(bed.sent, uid, &mail(&format!("{uid}@x"), ""), &log(Thread::New));
    let key = message::get(&tx, recorded.message).unwrap().unwrap().key.unwrap();
    assert!(outbox::add(&tx, "hubspot", recorded.message, &key, at(time)).unwrap());
    assert!(!outbox::add(&tx, "hubspot", recorded.message, &key, at(time)).unwrap());
    outbox::of_message(&tx, recorded.message).unwrap()[0].id
}

fn lease(bed: &Bed, now: i64, limit: usize) -> Vec<Lease> {
    outbox::lease(&bed.tx(), "hubspot", at(now), limit, u64::MAX, MINUTE).unwrap()
}

fn ids(leases: &[Lease]) -> Vec<i64> {
    leases.iter().map(|l| l.id).collect()
}

fn entry(bed: &Bed, id: i64) -> outbox::Entry {
    outbox::get(&bed.tx(), id).unwrap().unwrap()
}

fn accepted(time: i64) -> Accepted {
    Accepted {
        remote_id: Some("77".into()),
        link: Some("https://crm.example/77".into()),
        how: "created".into(),
        at: at(time),
    }
}

#[test]
fn leases_come_in_the_order_of_the_queue_and_each_once() {
    let bed = Bed::new();
    let first = queue(&bed, 1, 10);
    let second = queue(&bed, 2, 10);
    let third = queue(&bed, 3, 30);
    assert_eq!(ids(&lease(&bed, 10, 1)), [first]);
    assert_eq!(ids(&lease(&bed, 11, 10)), [second, third], "a clock that was set back holds nothing up");
    assert_eq!(ids(&lease(&bed, 31, 10)), [0; 0]);
    let row = entry(&bed, first);
    assert_eq!((row.state, row.attempts, row.uncertain), (State::Leased, 1, false));
    assert_eq!((row.lease_until, row.pushed_at), (Some(at(70)), Some(at(10))));
    assert!(outbox::lease(&bed.tx(), "folder", at(99), 10, u64::MAX, MINUTE).unwrap().is_empty());
}

#[test]
fn a_lease_that_ran_out_is_taken_again_first_and_uncertain() {
    let bed = Bed::new();
    let first = queue(&bed, 1, 10);
    let old = lease(&bed, 10, 1).remove(0);
    let second = queue(&bed, 2, 11);
    assert_eq!(ids(&lease(&bed, 69, 1)), [second]);
    assert_eq!(outbox::next_due(&bed.tx(), "hubspot").unwrap(), Some(at(70)));
    let again = lease(&bed, 70, 10);
    assert_eq!(ids(&again), [first]);
    assert!(again[0].uncertain && !old.uncertain);
    assert_eq!(again[0].attempts, 2);
    // What the old worker says of a failure does not count any more.
    let tx = bed.tx();
    assert!(!outbox::retry_later(&tx, &old, at(99), false, None, None, at(60)).unwrap());
    assert!(!outbox::set_aside(&tx, &old, false, None, None, at(60)).unwrap());
    assert!(!outbox::release(&tx, &old).unwrap());
    assert_eq!(entry(&bed, first).state, State::Leased);
    // That the CRM has it is true whoever says so.
    assert!(outbox::accept(&tx, old.id, &accepted(71)).unwrap());
    assert!(!outbox::retry_later(&tx, &again[0], at(99), true, None, None, at(60)).unwrap());
    assert!(!outbox::accept(&tx, old.id, &accepted(72)).unwrap());
    let row = entry(&bed, first);
    assert_eq!((row.state, row.stored_at, row.uncertain), (State::Done, Some(at(71)), false));
    assert_eq!(row.remote_id.as_deref(), Some("77"));
    assert_eq!(row.link.as_deref(), Some("https://crm.example/77"));
    assert_eq!(row.how.as_deref(), Some("created"));
}

#[test]
fn a_failure_waits_with_its_reason_and_doubt() {
    let bed = Bed::new();
    let tx = bed.tx();
    let id = queue(&bed, 1, 10);
    let held = lease(&bed, 10, 1).remove(0);
    let reason = Some(Reason::ConnectionTimeout);
    assert!(outbox::retry_later(&tx, &held, at(40), true, reason, Some("no answer"), at(60)).unwrap());
    let row = entry(&bed, id);
    assert_eq!((row.state, row.reason, row.uncertain), (State::Waiting, reason, true));
    assert_eq!(row.words.as_deref(), Some("no answer"));
    assert_eq!(outbox::next_due(&tx, "hubspot").unwrap(), Some(at(40)));
    assert!(lease(&bed, 39, 1).is_empty());
    let held = lease(&bed, 40, 1).remove(0);
    assert!(held.uncertain);
    // Looked up and not there: the doubt is over.
    outbox::retry_later(&tx, &held, at(50), false, None, None, at(60)).unwrap();
    assert!(!lease(&bed, 50, 1)[0].uncertain);
}

#[test]
fn what_was_put_off_before_the_clock_was_set_back_does_not_wait_too_long() {
    let bed = Bed::new();
    let tx = bed.tx();
    for (uid, next_try) in [(1, 40), (2, 4_000)] {
        queue(&bed, uid, 10);
        let held = lease(&bed, 10, 1).remove(0);
        assert!(outbox::retry_later(&tx, &held, at(next_try), false, None, None, at(60)).unwrap());
    }
    assert_eq!(outbox::not_beyond(&tx, "hubspot", at(5), at(1_000)).unwrap(), 1);
    assert_eq!(lease(&bed, 5, 10).len(), 1);
    assert_eq!(outbox::next_due(&tx, "hubspot").unwrap(), Some(at(40)));
}

#[test]
fn a_released_entry_waits_as_before() {
    let bed = Bed::new();
    let id = queue(&bed, 1, 10);
    let held = lease(&bed, 10, 1).remove(0);
    assert!(outbox::release(&bed.tx(), &held).unwrap());
    let row = entry(&bed, id);
    assert_eq!((row.state, row.uncertain, row.next_try), (State::Waiting, false, at(0)));
}

#[test]
fn what_is_set_aside_stops_nothing_and_can_be_tried_again() {
    let bed = Bed::new();
    let tx = bed.tx();
    let poison = queue(&bed, 1, 10);
    let good = queue(&bed, 2, 11);
    let held = lease(&bed, 10, 1).remove(0);
    assert!(outbox::set_aside(&tx, &held, true, Some(Reason::CrmRejected), Some("no"), at(60)).unwrap());
    assert_eq!(ids(&lease(&bed, 5_000, 10)), [good]);
    let list = outbox::failed(&tx, "hubspot", 10).unwrap();
    assert_eq!((list[0].id, list[0].reason), (poison, Some(Reason::CrmRejected)));
    let counts = status::sinks(&tx).unwrap();
    assert_eq!(counts.len(), 1);
    assert_eq!((counts[0].waiting, counts[0].set_aside, counts[0].done), (1, 1, 0));
    outbox::retry(&tx, poison, at(20)).unwrap();
    outbox::retry(&tx, poison, at(20)).unwrap();
    let held = lease(&bed, 20, 1).remove(0);
    assert!(
        matches!(outbox::retry(&tx, poison, at(20)), Err(StoreError::NotFound { .. })),
        "a worker has it"
    );
    assert_eq!((held.id, held.attempts), (poison, 2));
    outbox::set_aside(&tx, &held, false, None, None, at(60)).unwrap();
    assert_eq!(outbox::retry_all(&tx, "hubspot", at(21)).unwrap(), 1);
    assert_eq!(ids(&lease(&bed, 21, 1)), [poison]);
}

#[test]
fn after_a_restart_every_lease_is_over_and_uncertain() {
    let bed = Bed::new();
    let tx = bed.tx();
    let id = queue(&bed, 1, 10);
    let done = queue(&bed, 2, 10);
    let leases = lease(&bed, 10, 2);
    outbox::accept(&tx, leases[1].id, &accepted(11)).unwrap();
    assert_eq!(outbox::recover(&tx, "hubspot").unwrap(), 1);
    let again = lease(&bed, 12, 10);
    assert_eq!(ids(&again), [id]);
    assert!(again[0].uncertain);
    assert_eq!(entry(&bed, done).state, State::Done);
}

#[test]
fn a_sink_that_wants_no_more_stays_so_until_a_person_begins_again() {
    let bed = Bed::new();
    let tx = bed.tx();
    let ended = || outbox::has_ended(&tx, "webhook").unwrap();
    assert!(!ended());
    outbox::end(&tx, "webhook").unwrap();
    assert!(ended() && !outbox::has_ended(&tx, "folder").unwrap());
    outbox::not_beyond(&tx, "webhook", at(0), at(9)).unwrap();
    assert!(ended());
    outbox::hurry(&tx, "webhook", at(0)).unwrap();
    assert!(!ended());
}

/// An id of one portal may be somebody else's in another one.
#[test]
fn another_portal_is_asked_for_nothing_by_the_ids_of_the_first() {
    let bed = Bed::new();
    let (done, waiting) = (queue(&bed, 1, 10), queue(&bed, 2, 10));
    let tx = bed.tx();
    portal::is_now(&tx, "hubspot", "1").unwrap();
    lease(&bed, 10, 1);
    outbox::accept(&tx, done, &accepted(20)).unwrap();
    let message = entry(&bed, waiting).message;
    let carl = Association {
        address: Address::parse("carl@x.example").unwrap(),
        name: None,
        remote_id: Some("4711".into()),
        may_create: false,
    };
    association::add(&tx, message, std::slice::from_ref(&carl)).unwrap();
    let thrown = queue(&bed, 3, 10);
    association::add(&tx, entry(&bed, thrown).message, &[carl]).unwrap();
    assert!(retention::throw_away(&tx, entry(&bed, thrown).message, None, at(20)).unwrap());
    let trash =
        || bed.conn.query_row("SELECT contacts FROM trash", [], |row| row.get::<_, String>(0)).unwrap();
    assert!(trash().contains("4711"));
    file::put(&tx, "hubspot", &[1; 32], "99", at(20)).unwrap();
    removal::add(&tx, "hubspot", message, "77", at(20)).unwrap();
    let known = || {
        (
            entry(&bed, done).remote_id.is_some(),
            association::of_message(&tx, message).unwrap().iter().any(|a| a.remote_id.is_some()),
            file::remote_id(&tx, "hubspot", &[1; 32]).unwrap().is_some(),
            !removal::due(&tx, "hubspot", at(30), 9).unwrap().is_empty(),
            !outbox::to_look_for(&tx, "hubspot", at(900), 9).unwrap().is_empty(),
        )
    };
    portal::is_now(&tx, "hubspot", "1").unwrap();
    assert_eq!(known(), (true, true, true, true, true), "it is the same one");
    assert!(portal::is_another(&tx, "hubspot", "2").unwrap());
    portal::is_now(&tx, "hubspot", "2").unwrap();
    assert_eq!(known(), (false, false, false, false, false));
    assert!(trash().contains("carl@x.example") && !trash().contains("4711"), "{}", trash());
    assert_eq!(entry(&bed, done).state, State::Done, "what was logged stays logged");
    assert_eq!(entry(&bed, waiting).state, State::Waiting, "what waits is pushed to the one that is set");
    assert!(!portal::is_another(&tx, "hubspot", "2").unwrap());
    // What was to be removed from the first one stays told; the same id in this one is its own.
    assert_eq!(removal::counts(&tx, "hubspot").unwrap(), (0, 1));
    removal::add(&tx, "hubspot", entry(&bed, done).message, "77", at(40)).unwrap();
    let due = removal::due(&tx, "hubspot", at(50), 9).unwrap();
    assert_eq!(due.first().and_then(|row| row.message), Some(entry(&bed, done).message));
}
