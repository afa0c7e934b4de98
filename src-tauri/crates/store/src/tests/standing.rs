//! How a thread stands: kept with each change of its messages.

use super::{Bed, at, ignore, joined, log, mail, other};
use crate::message::Recorded;
use crate::thread;
use jiff::Timestamp;
use threadline_core::conversation::ThreadState::{
    self, AwaitingReply, Bounced, OutOfOffice, Received, Replied,
};
use threadline_core::decide::{Decision, Thread, Verdict};
use threadline_core::record::Direction;
use threadline_core::rule::Rule;

fn bounce() -> Decision {
    other(Verdict::Ignore, Rule::Bounce)
}

fn auto_reply() -> Decision {
    other(Verdict::Ignore, Rule::AutoReply)
}

fn reply(thread: i64) -> Decision {
    other(joined(thread), Rule::ReplyInLoggedThread)
}

fn standing(bed: &Bed, thread: i64) -> (ThreadState, Timestamp, Direction) {
    let row = thread::get(&bed.tx(), thread).unwrap().unwrap();
    (row.state, row.state_since, row.direction)
}

/// Ann's mail, sent at 1,010.
fn sent(bed: &Bed) -> Recorded {
    bed.record(bed.sent, 10, &mail("a@x", ""), &log(Thread::New))
}

#[test]
fn a_thread_waits_until_somebody_answers() {
    let bed = Bed::new();
    let thread = sent(&bed).thread.unwrap();
    assert_eq!(standing(&bed, thread), (AwaitingReply, at(1_010), Direction::Outgoing));
    bed.record(bed.inbox, 20, &mail("b@y", "In-Reply-To: <a@x>"), &reply(thread));
    assert_eq!(standing(&bed, thread), (Replied, at(1_020), Direction::Incoming));
    bed.record(bed.sent, 30, &mail("c@x", "In-Reply-To: <b@y>"), &log(Thread::Join(thread)));
    assert_eq!(standing(&bed, thread), (AwaitingReply, at(1_030), Direction::Outgoing));
}

#[test]
fn a_thread_that_somebody_else_began_is_received() {
    let bed = Bed::new();
    let mut decision = log(Thread::New);
    (decision.direction, decision.rule) = (Direction::Incoming, Rule::ReceivedFromOutsider);
    let thread = bed.record(bed.inbox, 5, &mail("b@y", ""), &decision).thread.unwrap();
    assert_eq!(standing(&bed, thread), (Received, at(1_005), Direction::Incoming));
}

#[test]
fn a_notice_counts_in_both_orders_of_arrival_until_a_person_answers() {
    for (decision, want) in [(bounce(), Bounced), (auto_reply(), OutOfOffice)] {
        for notice_first in [false, true] {
            let bed = Bed::new();
            let notice = || bed.record(bed.inbox, 12, &mail("n@mailer", "In-Reply-To: <a@x>"), &decision);
            if notice_first {
                notice();
            }
            let thread = sent(&bed).thread.unwrap();
            if !notice_first {
                notice();
            }
            assert_eq!(standing(&bed, thread), (want, at(1_012), Direction::Outgoing), "{notice_first}");
            bed.record(bed.inbox, 20, &mail("b@y", "In-Reply-To: <a@x>"), &reply(thread));
            assert_eq!(standing(&bed, thread), (Replied, at(1_020), Direction::Incoming));
            assert_eq!(thread::get(&bed.tx(), thread).unwrap().unwrap().messages, 2, "no notice is logged");
        }
    }
}

#[test]
fn other_ignored_mail_and_notices_of_other_mail_change_nothing() {
    let bed = Bed::new();
    let thread = sent(&bed).thread.unwrap();
    bed.record(bed.inbox, 12, &mail("i@y", "In-Reply-To: <a@x>"), &ignore());
    bed.record(bed.inbox, 13, &mail("n@mailer", "In-Reply-To: <other@x>"), &bounce());
    assert_eq!(standing(&bed, thread).0, AwaitingReply);
    // What answers an incoming message is no report about a sent one.
    bed.record(bed.inbox, 20, &mail("b@y", "In-Reply-To: <a@x>"), &reply(thread));
    bed.record(bed.inbox, 30, &mail("m@mailer", "In-Reply-To: <b@y>"), &bounce());
    assert_eq!(standing(&bed, thread).0, Replied);
}

#[test]
fn a_notice_that_is_decided_otherwise_is_none_any_more() {
    let bed = Bed::new();
    let thread = sent(&bed).thread.unwrap();
    let envelope = mail("n@mailer", "In-Reply-To: <a@x>");
    bed.record(bed.inbox, 12, &envelope, &auto_reply());
    assert_eq!(standing(&bed, thread).0, OutOfOffice);
    bed.decide_again(bed.inbox, 12, &envelope, &reply(thread));
    assert_eq!(standing(&bed, thread), (Replied, at(1_012), Direction::Incoming));
}

#[test]
fn two_rows_that_prove_to_be_one_leave_one_thread_that_is_found() {
    let bed = Bed::new();
    bed.record(bed.sent, 1, &mail("old@x", ""), &log(Thread::New));
    bed.record(bed.inbox, 2, &mail("new@x", ""), &log(Thread::New));
    let both = mail("new@x", "X-Microsoft-Original-Message-ID: <old@x>");
    bed.record(bed.sent, 3, &both, &log(Thread::New));
    for table in ["thread", "thread_text", "message"] {
        assert_eq!(bed.number(&format!("SELECT count(*) FROM {table}")), 1, "{table}");
    }
    assert_eq!(bed.number("SELECT messages FROM thread"), 1);
}
