//! Mail that is logged on each of those whom it hides from each other.

use super::{Bed, address, at, contact, log, mail};
use crate::job::{self, Kind};
use crate::message::{self, Outcome};
use crate::outbox::{self, State, Way};
use crate::{association, hidden, reference, thread};
use threadline_core::decide::{Decision, Thread};
use threadline_core::hidden::Hidden;
use threadline_core::matching::{Clue, clues};
use threadline_core::record::Association;
use threadline_core::rule::Rule;

const BCC: &str = "Bcc: Dora <dora@else.example>, Eve <eve@third.example>";

fn one(who: &str) -> Hidden {
    let contact = Association { remote_id: Some(who.to_owned()), ..contact(who) };
    Hidden { thread: Thread::New, contact }
}

/// To Bob, and to Dora and Eve in Bcc.
fn decision() -> Decision {
    Decision { hidden: vec![one("dora@else.example"), one("eve@third.example")], ..log(Thread::New) }
}

#[test]
fn each_has_a_record_a_conversation_and_a_key_of_their_own_and_nobody_is_named_to_another() {
    let bed = Bed::new();
    let envelope = mail("1@x", BCC);
    let first = bed.record(bed.sent, 1, &envelope, &decision());
    // Seen once more, in another place, it is the same.
    bed.record(bed.inbox, 7, &envelope, &decision());
    let tx = bed.tx();
    let group = hidden::group(&tx, first.message).unwrap();
    assert_eq!((group.len(), group[0]), (3, first.message));
    let mut told = Vec::new();
    for id in &group {
        let row = message::get(&tx, *id).unwrap().unwrap();
        let thread = row.thread.unwrap();
        let people: Vec<String> =
            thread::participants(&tx, thread).unwrap().iter().map(ToString::to_string).collect();
        let on: Vec<String> =
            association::of_message(&tx, *id).unwrap().iter().map(|a| a.address.to_string()).collect();
        assert_eq!((row.outcome, row.rule), (Outcome::Log, Rule::SentToContact));
        told.push((row.key.unwrap(), thread, people, on));
    }
    let people: Vec<_> = told.iter().map(|(.., people, on)| (people.as_slice(), on.as_slice())).collect();
    let ann = "ann@firm.example";
    for ((people, on), who) in
        people.iter().zip(["bob@client.example", "dora@else.example", "eve@third.example"])
    {
        assert_eq!((*people, *on), (&[ann.to_owned(), who.to_owned()][..], &[who.to_owned()][..]));
    }
    for n in 0..3 {
        assert!((n + 1..3).all(|m| told[n].0 != told[m].0 && told[n].1 != told[m].1));
    }
    // What is known of a copy leads to what it is a copy of.
    assert_eq!(hidden::group(&tx, group[2]).unwrap(), group);
    assert_eq!(hidden::places(&tx, group[2]).unwrap().len(), 2);
    assert_eq!(message::known(&tx, bed.account, &envelope).unwrap().unwrap().message, first.message);
    assert!(group.iter().all(|id| message::is_its_header(&tx, *id, &envelope).unwrap()));
}

#[test]
fn an_answer_finds_every_conversation_of_the_mail() {
    let bed = Bed::new();
    bed.record(bed.sent, 1, &mail("1@x", BCC), &decision());
    let answer = mail("2@y", "In-Reply-To: <1@x>");
    let found: Vec<Clue> = clues(&answer).into_iter().map(|(_, clue)| clue).collect();
    let known = thread::known(&bed.tx(), bed.account, found).unwrap();
    let sharing: Vec<usize> = known.values().map(Vec::len).collect();
    assert_eq!(sharing, [3]);
    assert!(reference::waiting_for(&bed.tx(), bed.account, &[]).unwrap().is_empty());
}

#[test]
fn who_is_logged_on_with_the_others_already_stays_so_and_who_was_taken_out_does_not_come_back() {
    let bed = Bed::new();
    let envelope = mail("1@x", BCC);
    let mut together = log(Thread::New);
    if let threadline_core::decide::Verdict::Log { contacts, .. } = &mut together.verdict {
        contacts.push(contact("dora@else.example"));
    }
    let first = bed.record(bed.sent, 1, &envelope, &together);
    bed.record(bed.inbox, 7, &envelope, &decision());
    let group = hidden::group(&bed.tx(), first.message).unwrap();
    assert_eq!(group.len(), 2, "Eve alone");
    message::take_out(&bed.tx(), group[1], at(9)).unwrap();
    bed.record(bed.inbox, 8, &envelope, &decision());
    let row = message::get(&bed.tx(), group[1]).unwrap().unwrap();
    assert_eq!((row.outcome, row.rule), (Outcome::Ignore, Rule::TakenOut));
    assert_eq!(hidden::group(&bed.tx(), first.message).unwrap(), group);
    assert_eq!(address("eve@third.example").domain(), "third.example");
}

#[test]
fn each_text_is_read_and_pushed() {
    let bed = Bed::new();
    let first = bed.record(bed.sent, 1, &mail("1@x", BCC), &decision());
    let tx = bed.tx();
    let place = hidden::places(&tx, first.message).unwrap()[0];
    job::add(&tx, Kind::Body, first.message, place, job::AT_ONCE).unwrap();
    let jobs = hidden::waiting(&tx, first.message).unwrap();
    assert_eq!(jobs.len(), 3);
    for job in jobs {
        job::finish_body(&tx, job.id, b"raw", false, &["hubspot"], at(1)).unwrap();
    }
    assert_eq!(bed.number("SELECT count(DISTINCT key) FROM outbox WHERE state = 'waiting'"), 3);
}

#[test]
fn what_a_crm_logs_by_itself_is_found_there_pushed_elsewhere_and_asked_about_in_the_end() {
    let bed = Bed::new();
    let decision = Decision { rule: Rule::CrmAddress, ..log(Thread::New) };
    let message = bed.record(bed.sent, 1, &mail("1@x", ""), &decision).message;
    let tx = bed.tx();
    let place = hidden::places(&tx, message).unwrap()[0];
    let job = job::add(&tx, Kind::Body, message, place, job::AT_ONCE).unwrap();
    job::finish_body(&tx, job, b"raw", false, &["folder", "hubspot"], at(1)).unwrap();
    let ways: Vec<Way> = outbox::of_message(&tx, message).unwrap().iter().map(|e| e.way).collect();
    assert_eq!(ways, [Way::Push, Way::Find]);
    let lease = |now| {
        let mut rows =
            outbox::lease(&tx, "hubspot", at(now), 9, u64::MAX, std::time::Duration::from_secs(60)).unwrap();
        (rows.len() == 1).then(|| rows.remove(0))
    };
    let leased = lease(2).unwrap();
    assert_eq!(leased.way, Way::Find);
    assert!(outbox::missing(&tx).unwrap().is_empty());
    outbox::set_aside(&tx, &leased, false, None, None, at(3)).unwrap();
    let missing = outbox::missing(&tx).unwrap().remove(0).id;
    assert!(outbox::push_after_all(&tx, missing).unwrap() && !outbox::leave(&tx, missing, at(4)).unwrap());
    let pushed = lease(5).unwrap();
    assert_eq!((pushed.way, pushed.uncertain), (Way::Push, true));
    outbox::set_aside(&tx, &pushed, false, None, None, at(6)).unwrap();
    assert!(outbox::missing(&tx).unwrap().is_empty(), "it is a push like any other now");
}

#[test]
fn what_is_left_waits_for_nothing() {
    let bed = Bed::new();
    let decision = Decision { rule: Rule::CrmAddress, ..log(Thread::New) };
    let message = bed.record(bed.sent, 1, &mail("1@x", ""), &decision).message;
    let tx = bed.tx();
    let key = message::get(&tx, message).unwrap().unwrap().key.unwrap();
    outbox::add(&tx, "hubspot", message, &key, at(1)).unwrap();
    let leased = outbox::lease(&tx, "hubspot", at(2), 9, u64::MAX, std::time::Duration::from_secs(60))
        .unwrap()
        .remove(0);
    outbox::set_aside(&tx, &leased, false, None, None, at(3)).unwrap();
    assert!(outbox::leave(&tx, leased.id, at(4)).unwrap());
    assert_eq!(outbox::get(&tx, leased.id).unwrap().unwrap().state, State::Abandoned);
    assert_eq!(crate::retention::standing(&tx, message).unwrap().clock.map(|(_, at)| at), Some(at(4)));
    assert!(!outbox::push_after_all(&tx, leased.id).unwrap());
}
