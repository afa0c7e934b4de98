//! Taking a message out of the log, and taking that back.

use super::{Bed, at, ignore, joined, log, mail, other};
use crate::job::{self, Kind};
use crate::message::{self, Image, Outcome, Recorded};
use crate::outbox::{self, Accepted, State};
use crate::place::Place;
use crate::{body, thread};
use std::time::Duration;
use threadline_core::decide::Thread;
use threadline_core::rule::{Answer, Rule};

/// A logged mail on its way to two CRMs.
fn logged(bed: &Bed, uid: u32, name: &str) -> Recorded {
    let recorded = bed.record(bed.sent, uid, &mail(name, ""), &log(Thread::New));
    queue(bed, recorded.message, uid);
    recorded
}

fn queue(bed: &Bed, message: i64, uid: u32) {
    let tx = bed.tx();
    let place = Place { folder: bed.sent, uidvalidity: 1, uid };
    let job = job::add(&tx, Kind::Body, message, place, at(0)).unwrap();
    job::finish_body(&tx, job, b"raw text", false, &["folder", "hubspot"], at(1)).unwrap();
}

fn accept(bed: &Bed, message: i64, sink: &str) {
    let entry = outbox::of_message(&bed.tx(), message).unwrap().into_iter().find(|e| e.sink == sink);
    let accepted = Accepted { remote_id: Some("r".into()), link: None, how: "created".into(), at: at(9) };
    outbox::accept(&bed.tx(), entry.unwrap().id, &accepted).unwrap();
}

fn states(bed: &Bed, message: i64) -> Vec<State> {
    outbox::of_message(&bed.tx(), message).unwrap().into_iter().map(|e| e.state).collect()
}

/// All that a person can see of the ledger's mail.
fn everything(bed: &Bed, message: i64) -> String {
    let tx = bed.tx();
    let threads = thread::page(&tx, 0, 99).unwrap();
    let participants: Vec<_> =
        threads.iter().map(|s| thread::participants(&tx, s.thread.id).unwrap()).collect();
    format!(
        "{:?} {:?} {:?} {:?} {:?} {threads:?} {participants:?} {}",
        message::get(&tx, message).unwrap(),
        message::answer(&tx, message).unwrap(),
        body::get(&tx, message).unwrap().map(|b| b.raw),
        job::of_message(&tx, message).unwrap(),
        outbox::of_message(&tx, message).unwrap(),
        bed.number("SELECT count(*) FROM thread_text"),
    )
}

#[test]
fn what_is_taken_out_leaves_no_text_and_is_still_known() {
    let bed = Bed::new();
    let tx = bed.tx();
    let recorded = logged(&bed, 1, "a@x");
    accept(&bed, recorded.message, "hubspot");
    assert!(message::take_out(&tx, recorded.message, at(50)).unwrap());
    let row = message::get(&tx, recorded.message).unwrap().unwrap();
    assert_eq!((row.outcome, row.rule, row.thread), (Outcome::Ignore, Rule::TakenOut, None));
    assert!(row.headers.is_none() && row.key.is_none() && row.body_at.is_some());
    for table in ["thread", "thread_text", "participant", "association", "body", "job"] {
        assert_eq!(bed.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
    // What the CRM has stays there, and stays known.
    assert_eq!(states(&bed, recorded.message), [State::Abandoned, State::Done]);
    let known = message::known(&tx, bed.account, &mail("a@x", "")).unwrap().unwrap();
    assert_eq!((known.message, known.rule), (recorded.message, Rule::TakenOut));
    assert!(!message::take_out(&tx, recorded.message, at(51)).unwrap(), "it is out already");
}

#[test]
fn taken_back_everything_is_as_it_was() {
    let bed = Bed::new();
    let tx = bed.tx();
    let recorded = logged(&bed, 1, "a@x");
    accept(&bed, recorded.message, "hubspot");
    message::set_answer(&tx, recorded.message, Answer::Log).unwrap();
    let before = everything(&bed, recorded.message);
    let image = Image::take(&tx, recorded.message).unwrap().unwrap();
    message::take_out(&tx, recorded.message, at(50)).unwrap();
    assert_ne!(everything(&bed, recorded.message), before);
    assert!(image.restore(&tx, at(60)).unwrap());
    assert_eq!(everything(&bed, recorded.message), before);
}

#[test]
fn a_message_of_which_the_text_was_not_read_yet_is_read_after_all() {
    let bed = Bed::new();
    let tx = bed.tx();
    let recorded = bed.record(bed.sent, 1, &mail("a@x", ""), &log(Thread::New));
    let place = Place { folder: bed.sent, uidvalidity: 1, uid: 1 };
    job::add(&tx, Kind::Body, recorded.message, place, at(7)).unwrap();
    let image = Image::take(&tx, recorded.message).unwrap().unwrap();
    message::take_out(&tx, recorded.message, at(50)).unwrap();
    assert!(job::of_message(&tx, recorded.message).unwrap().is_empty());
    image.restore(&tx, at(60)).unwrap();
    let jobs = job::of_message(&tx, recorded.message).unwrap();
    assert_eq!(
        jobs.iter().map(|j| (j.kind, j.place, j.next_try)).collect::<Vec<_>>(),
        [(Kind::Body, place, at(7))]
    );
}

#[test]
fn nothing_is_pushed_twice_by_taking_back() {
    let bed = Bed::new();
    let tx = bed.tx();
    let recorded = logged(&bed, 1, "a@x");
    let image = Image::take(&tx, recorded.message).unwrap().unwrap();
    let lease = |at_| outbox::lease(&tx, "hubspot", at(at_), 9, u64::MAX, Duration::from_secs(100)).unwrap();
    let held = lease(10);
    message::take_out(&tx, recorded.message, at(50)).unwrap();
    assert!(lease(1_000).is_empty(), "what is abandoned is not pushed");
    // The worker that had it says that the CRM took it: that is true, whatever a person did meanwhile.
    accept(&bed, held[0].message, "hubspot");
    image.restore(&tx, at(60)).unwrap();
    assert_eq!(states(&bed, recorded.message), [State::Waiting, State::Done]);
    assert!(lease(2_000).is_empty());
}

#[test]
fn a_push_that_was_under_way_is_looked_up_first() {
    let bed = Bed::new();
    let tx = bed.tx();
    let recorded = logged(&bed, 1, "a@x");
    let lease = |at_| outbox::lease(&tx, "hubspot", at(at_), 9, u64::MAX, Duration::from_secs(100)).unwrap();
    let held = lease(10).remove(0);
    let image = Image::take(&tx, recorded.message).unwrap().unwrap();
    message::take_out(&tx, recorded.message, at(50)).unwrap();
    assert!(!outbox::retry_later(&tx, &held, at(55), true, None, None, at(54)).unwrap());
    assert_eq!(states(&bed, recorded.message), [State::Abandoned, State::Abandoned]);
    image.restore(&tx, at(60)).unwrap();
    assert!(lease(1_000)[0].uncertain);
}

#[test]
fn the_rest_of_a_thread_stays_and_forgets_who_was_in_the_one_mail_only() {
    let bed = Bed::new();
    let tx = bed.tx();
    let first = logged(&bed, 1, "a@x");
    let thread = first.thread.unwrap();
    let second = bed.record(
        bed.inbox,
        2,
        &mail("b@y", "In-Reply-To: <a@x>\nCc: cem@client.example"),
        &other(joined(thread), Rule::ReplyInLoggedThread),
    );
    let before = everything(&bed, second.message);
    let image = Image::take(&tx, second.message).unwrap().unwrap();
    message::take_out(&tx, second.message, at(50)).unwrap();
    let row = thread::get(&tx, thread).unwrap().unwrap();
    assert_eq!((row.messages, row.last), (1, at(1_001)));
    assert!(!thread::participants(&tx, thread).unwrap().iter().any(|a| a.local() == "cem"));
    image.restore(&tx, at(60)).unwrap();
    assert_eq!(everything(&bed, second.message), before);
}

#[test]
fn a_conversation_that_went_on_meanwhile_is_joined() {
    let bed = Bed::new();
    let tx = bed.tx();
    let first = logged(&bed, 1, "a@x");
    let image = Image::take(&tx, first.message).unwrap().unwrap();
    message::take_out(&tx, first.message, at(50)).unwrap();
    let next = bed.record(bed.sent, 2, &mail("c@x", "References: <a@x>"), &log(Thread::New));
    image.restore(&tx, at(60)).unwrap();
    let row = message::get(&tx, first.message).unwrap().unwrap();
    assert_eq!(row.thread, next.thread);
    assert_eq!(bed.number("SELECT messages FROM thread"), 2);
}

#[test]
fn a_number_that_another_thread_took_is_left_to_it() {
    let bed = Bed::new();
    let tx = bed.tx();
    let first = logged(&bed, 1, "a@x");
    let image = Image::take(&tx, first.message).unwrap().unwrap();
    message::take_out(&tx, first.message, at(50)).unwrap();
    let unrelated = bed.record(bed.sent, 2, &mail("z@x", ""), &log(Thread::New));
    assert_eq!(unrelated.thread, first.thread, "the number is free");
    image.restore(&tx, at(60)).unwrap();
    let back = message::get(&tx, first.message).unwrap().unwrap();
    assert_ne!(back.thread, unrelated.thread);
    assert_eq!(bed.number("SELECT count(*) FROM thread"), 2);
}

#[test]
fn an_answer_is_taken_back_though_it_was_carried_out() {
    let bed = Bed::new();
    let tx = bed.tx();
    let envelope = mail("q@x", "");
    let asked = bed.record(bed.sent, 1, &envelope, &super::ask());
    let before = everything(&bed, asked.message);
    for answered in [log(Thread::New), ignore()] {
        let image = Image::take(&tx, asked.message).unwrap().unwrap();
        message::set_answer(&tx, asked.message, Answer::Log).unwrap();
        let now = bed.decide_again(bed.sent, 1, &envelope, &answered);
        if now.newly_logged {
            queue(&bed, asked.message, 1);
        }
        image.restore(&tx, at(60)).unwrap();
        let row = message::get(&tx, asked.message).unwrap().unwrap();
        assert_eq!((row.outcome, row.thread), (Outcome::Ask, None));
        assert_eq!(message::answer(&tx, asked.message).unwrap(), None);
        assert_eq!(bed.number("SELECT count(*) FROM asked_address"), 2);
        assert_eq!(bed.number("SELECT count(*) FROM thread"), 0);
        assert_eq!(bed.number("SELECT count(*) FROM body"), 0);
        assert!(states(&bed, asked.message).iter().all(|s| *s == State::Abandoned));
    }
    assert!(before.contains("Ask"));
}

#[test]
fn logged_again_it_goes_to_the_crm_that_does_not_have_it() {
    let bed = Bed::new();
    let tx = bed.tx();
    let recorded = logged(&bed, 1, "a@x");
    accept(&bed, recorded.message, "hubspot");
    message::take_out(&tx, recorded.message, at(50)).unwrap();
    let again = bed.decide_again(bed.sent, 1, &mail("a@x", ""), &log(Thread::New));
    assert!(again.newly_logged);
    queue(&bed, recorded.message, 1);
    assert_eq!(states(&bed, recorded.message), [State::Waiting, State::Done]);
}

#[test]
fn an_image_of_a_message_that_is_gone_restores_nothing() {
    let bed = Bed::new();
    let tx = bed.tx();
    let recorded = logged(&bed, 1, "a@x");
    let image = Image::take(&tx, recorded.message).unwrap().unwrap();
    crate::account::remove(&tx, bed.account).unwrap();
    assert!(!image.restore(&tx, at(60)).unwrap());
    assert!(Image::take(&tx, recorded.message).unwrap().is_none());
}
