//! What delivery reports and automatic answers say of logged mail.

use super::{Bed, address, at, contact, id, ignore, log, mail, other};
use crate::job::{self, Kind};
use crate::notice::{self, Failure, Reported};
use crate::{hidden, thread};
use jiff::civil::Date;
use threadline_core::conversation::ThreadState::{self, AwaitingReply, Bounced, OutOfOffice};
use threadline_core::decide::{Decision, Thread, Verdict};
use threadline_core::hidden::Hidden;
use threadline_core::report::Lasting;
use threadline_core::rule::Rule;

fn failure() -> Failure {
    Failure { address: address("bob@client.example"), code: Some("5.1.1".into()), lasting: Lasting::Hard }
}

/// Ann's mail to Bob, sent at 1,010, and a report that came later and names no id, with the job that reads it.
fn world(bed: &Bed, later: u32) -> (i64, job::Job) {
    let thread = bed.record(bed.sent, 10, &mail("a@x", ""), &log(Thread::New)).thread.unwrap();
    let report =
        bed.record(bed.inbox, later, &mail("r@y", ""), &other(Verdict::Ignore, Rule::Bounce)).message;
    let tx = bed.tx();
    let place = crate::place::of_message(&tx, report).unwrap()[0];
    let job = job::add(&tx, Kind::Report, report, place, job::AT_ONCE).unwrap();
    (thread, job::get(&tx, job).unwrap().unwrap())
}

fn state(bed: &Bed, thread: i64) -> ThreadState {
    thread::get(&bed.tx(), thread).unwrap().unwrap().state
}

#[test]
fn a_report_marks_the_mail_by_its_id() {
    let bed = Bed::new();
    let (thread, job) = world(&bed, 20);
    assert_eq!(state(&bed, thread), AwaitingReply);
    let said = Reported { original: Some(id("a@x")), failures: vec![failure()], harmless: false };
    assert_eq!(notice::finish_report(&bed.tx(), &job, &said, at(30)).unwrap(), [thread]);
    assert_eq!(state(&bed, thread), Bounced);
    let told = notice::bounced(&bed.tx(), Some(thread)).unwrap();
    assert_eq!(
        (told.len(), told[0].code.as_deref(), told[0].lasting),
        (1, Some("5.1.1"), Some(Lasting::Hard))
    );
    assert_eq!((told[0].address.as_str(), told[0].time), ("bob@client.example", at(1_020)));
    assert!(job::get(&bed.tx(), job.id).unwrap().is_none());
}

#[test]
fn a_report_without_an_id_marks_the_newest_mail_to_the_recipient() {
    let bed = Bed::new();
    let (thread, job) = world(&bed, 20);
    let said = Reported { failures: vec![failure()], ..Reported::default() };
    assert_eq!(notice::finish_report(&bed.tx(), &job, &said, at(30)).unwrap(), [thread]);
    assert_eq!(state(&bed, thread), Bounced);
}

#[test]
fn what_is_about_other_mail_marks_nothing() {
    let stranger = Failure { address: address("eve@other.example"), ..failure() };
    for said in [
        // An id that is not logged: a private mail, though to a contact.
        Reported { original: Some(id("private@x")), failures: vec![failure()], harmless: false },
        Reported { failures: vec![stranger], ..Reported::default() },
        Reported { original: Some(id("a@x")), harmless: true, failures: Vec::new() },
        Reported::default(),
    ] {
        let bed = Bed::new();
        let (thread, job) = world(&bed, 20);
        assert!(notice::finish_report(&bed.tx(), &job, &said, at(30)).unwrap().is_empty(), "{said:?}");
        assert_eq!(state(&bed, thread), AwaitingReply);
        assert!(notice::bounced(&bed.tx(), None).unwrap().is_empty());
    }
    let bed = Bed::new();
    let (thread, job) = world(&bed, 20 + 6 * 24 * 3_600);
    let said = Reported { failures: vec![failure()], ..Reported::default() };
    notice::finish_report(&bed.tx(), &job, &said, at(30)).unwrap();
    assert_eq!(state(&bed, thread), AwaitingReply, "a mail of a week ago");
}

#[test]
fn a_warning_takes_the_mark_back_that_its_header_made() {
    let bed = Bed::new();
    let (thread, _) = world(&bed, 20);
    let warning =
        bed.record(bed.inbox, 40, &mail("w@y", "In-Reply-To: <a@x>"), &other(Verdict::Ignore, Rule::Bounce));
    assert_eq!(state(&bed, thread), Bounced);
    let tx = bed.tx();
    let place = crate::place::of_message(&tx, warning.message).unwrap()[0];
    let job = job::add(&tx, Kind::Report, warning.message, place, job::AT_ONCE).unwrap();
    let job = job::get(&tx, job).unwrap().unwrap();
    let said = Reported { original: Some(id("a@x")), harmless: true, failures: Vec::new() };
    notice::finish_report(&tx, &job, &said, at(50)).unwrap();
    assert_eq!(state(&bed, thread), AwaitingReply);
}

#[test]
fn an_absence_is_kept_with_the_conversation() {
    let bed = Bed::new();
    let thread = bed.record(bed.sent, 10, &mail("a@x", ""), &log(Thread::New)).thread.unwrap();
    let answer = bed.record(
        bed.inbox,
        20,
        &mail("o@y", "In-Reply-To: <a@x>"),
        &other(Verdict::Ignore, Rule::AutoReply),
    );
    let tx = bed.tx();
    assert!(notice::answers_logged(&tx, answer.message).unwrap());
    let place = crate::place::of_message(&tx, answer.message).unwrap()[0];
    let job = job::add(&tx, Kind::Report, answer.message, place, job::AT_ONCE).unwrap();
    let job = job::get(&tx, job).unwrap().unwrap();
    let day = Date::new(2022, 1, 5).unwrap();
    let bob = address("bob@client.example");
    notice::finish_answer(&tx, &job, Some(&bob), Some(day), at(30)).unwrap();
    assert_eq!(notice::away(&tx, thread).unwrap(), [(bob, day)]);
    let ignored = bed.record(bed.inbox, 60, &mail("n@y", "In-Reply-To: <other@x>"), &ignore());
    assert!(!notice::answers_logged(&tx, ignored.message).unwrap());
    assert!(!notice::answers_nothing(&tx, ignored.message).unwrap());
}

const DORA: &str = "dora@else.example";
const EVE: &str = "eve@third.example";

/// Ann's mail to Bob, and to Dora and Eve in Bcc: the three conversations.
fn hiding(bed: &Bed) -> Vec<i64> {
    let one = |who| Hidden { thread: Thread::New, contact: contact(who) };
    let decision = Decision { hidden: vec![one(DORA), one(EVE)], ..log(Thread::New) };
    let first = bed.record(bed.sent, 10, &mail("a@x", &format!("Bcc: {DORA}, {EVE}")), &decision).message;
    let tx = bed.tx();
    let thread = |id: &i64| crate::message::get(&tx, *id).unwrap().unwrap().thread.unwrap();
    hidden::group(&tx, first).unwrap().iter().map(thread).collect()
}

/// A notice of this rule with the job that reads it.
fn notice_with(bed: &Bed, rule: Rule, more: &str) -> job::Job {
    let notice = bed.record(bed.inbox, 20, &mail("n@y", more), &other(Verdict::Ignore, rule)).message;
    let tx = bed.tx();
    let place = crate::place::of_message(&tx, notice).unwrap()[0];
    let job = job::add(&tx, Kind::Report, notice, place, job::AT_ONCE).unwrap();
    job::get(&tx, job).unwrap().unwrap()
}

#[test]
fn a_report_marks_the_conversation_of_whom_the_mail_did_not_reach() {
    let failed = |who| Failure { address: address(who), ..failure() };
    // By its id, whether or not its header names it, and by the recipient alone.
    for (more, original) in [("In-Reply-To: <a@x>", Some("a@x")), ("", Some("a@x")), ("", None)] {
        for (who, which) in [("bob@client.example", 0), (DORA, 1), (EVE, 2)] {
            let bed = Bed::new();
            let threads = hiding(&bed);
            let job = notice_with(&bed, Rule::Bounce, more);
            let said = Reported { original: original.map(id), failures: vec![failed(who)], harmless: false };
            assert_eq!(notice::finish_report(&bed.tx(), &job, &said, at(30)).unwrap(), [threads[which]]);
            for (n, thread) in threads.iter().enumerate() {
                let told = notice::bounced(&bed.tx(), Some(*thread)).unwrap();
                let told: Vec<&str> = told.iter().map(|b| b.address.as_str()).collect();
                match n == which {
                    true => assert_eq!((state(&bed, *thread), &told[..]), (Bounced, &[who][..])),
                    false => assert_eq!((state(&bed, *thread), &told[..]), (AwaitingReply, &[][..]), "{who}"),
                }
            }
        }
    }
}

#[test]
fn a_report_that_names_nobody_on_the_mail_marks_every_conversation_of_it() {
    let elsewhere = Failure { address: address("forwarded@inside.example"), ..failure() };
    for failures in [Vec::new(), vec![elsewhere]] {
        let bed = Bed::new();
        let threads = hiding(&bed);
        let job = notice_with(&bed, Rule::Bounce, "");
        let nobody = failures.is_empty();
        let said = Reported { original: Some(id("a@x")), failures, harmless: false };
        let mut told = notice::finish_report(&bed.tx(), &job, &said, at(30)).unwrap();
        told.sort_unstable();
        assert_eq!(told, threads);
        for (thread, who) in threads.iter().zip(["bob@client.example", DORA, EVE]) {
            let told = notice::bounced(&bed.tx(), Some(*thread)).unwrap();
            assert_eq!((state(&bed, *thread), told.len()), (Bounced, 1));
            assert_eq!(told[0].lasting.is_none(), nobody);
            assert_eq!(told[0].address.as_str(), if nobody { who } else { "forwarded@inside.example" });
        }
    }
}

#[test]
fn several_who_were_not_reached_are_marked_and_the_others_are_not() {
    let bed = Bed::new();
    let threads = hiding(&bed);
    let job = notice_with(&bed, Rule::Bounce, "References: <a@x>");
    let failed = |who| Failure { address: address(who), ..failure() };
    let said =
        Reported { original: Some(id("a@x")), failures: vec![failed(DORA), failed(EVE)], harmless: false };
    notice::finish_report(&bed.tx(), &job, &said, at(30)).unwrap();
    let states: Vec<ThreadState> = threads.iter().map(|thread| state(&bed, *thread)).collect();
    assert_eq!(states, [AwaitingReply, Bounced, Bounced]);
}

#[test]
fn who_is_away_is_so_in_their_own_conversation() {
    let day = Date::new(2022, 1, 5).unwrap();
    for (who, which) in [("bob@client.example", 0), (DORA, 1), (EVE, 2)] {
        let bed = Bed::new();
        let threads = hiding(&bed);
        let job = notice_with(&bed, Rule::AutoReply, "In-Reply-To: <a@x>");
        notice::finish_answer(&bed.tx(), &job, Some(&address(who)), Some(day), at(30)).unwrap();
        for (n, thread) in threads.iter().enumerate() {
            let away = notice::away(&bed.tx(), *thread).unwrap();
            match n == which {
                true => assert_eq!((state(&bed, *thread), away), (OutOfOffice, vec![(address(who), day)])),
                false => assert_eq!((state(&bed, *thread), away), (AwaitingReply, Vec::new()), "{who}"),
            }
        }
    }
}
