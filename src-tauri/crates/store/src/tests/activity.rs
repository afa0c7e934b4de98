//! What happened, in one list.

use super::{Bed, ask, at, ignore, log, mail};
use crate::activity::{self, Activity, Kind};
use crate::health::{self, Owner};
use crate::job::{self, Kind as JobKind};
use crate::message::{self, Outcome};
use crate::outbox::{self, Accepted};
use crate::place::Place;
use crate::set_aside;
use std::time::Duration;
use threadline_core::decide::Thread;
use threadline_core::health::{Channel, Health, State};
use threadline_core::reason::Reason;
use threadline_core::rule::Rule;

fn all(bed: &Bed) -> Vec<Activity> {
    activity::since(&bed.tx(), 0, 99).unwrap()
}

#[test]
fn decisions_and_pushes_are_told_once_and_in_order() {
    let bed = Bed::new();
    let tx = bed.tx();
    let recorded = bed.record(bed.sent, 1, &mail("a@x", ""), &log(Thread::New));
    bed.record(bed.sent, 1, &mail("a@x", ""), &log(Thread::New));
    bed.record(bed.inbox, 1, &mail("b@y", ""), &ignore());
    let key = message::get(&tx, recorded.message).unwrap().unwrap().key.unwrap();
    outbox::add(&tx, "hubspot", recorded.message, &key, at(1)).unwrap();
    let lease =
        || outbox::lease(&tx, "hubspot", at(90), 1, u64::MAX, Duration::from_secs(9)).unwrap().remove(0);
    let held = lease();
    outbox::retry_later(&tx, &held, at(80), false, Some(Reason::CrmRejected), Some("no"), at(70)).unwrap();
    let accepted = Accepted { remote_id: None, link: None, how: "created".into(), at: at(95) };
    outbox::accept(&tx, lease().id, &accepted).unwrap();
    outbox::accept(&tx, held.id, &accepted).unwrap();
    let rows = all(&bed);
    let kinds: Vec<_> = rows.iter().map(|r| (r.kind, r.at)).collect();
    assert_eq!(
        kinds,
        [
            (Kind::Decided, at(5_000)),
            (Kind::Decided, at(5_000)),
            (Kind::PushFailed, at(70)),
            (Kind::Pushed, at(95))
        ]
    );
    assert_eq!((rows[0].outcome, rows[0].rule), (Some(Outcome::Log), Some(Rule::SentToContact)));
    assert_eq!(rows[0].folder.as_deref(), Some("Sent"));
    assert_eq!(rows[0].subject.as_deref(), Some("About a@x"));
    assert_eq!(rows[0].with.as_ref().unwrap().as_str(), "bob@client.example");
    assert_eq!((rows[1].outcome, &rows[1].subject), (Some(Outcome::Ignore), &None));
    assert_eq!((rows[2].reason, rows[2].words.as_deref()), (Some(Reason::CrmRejected), Some("no")));
    assert_eq!((rows[3].reason, rows[3].owner.clone()), (None, Owner::Sink("hubspot".into())));
}

#[test]
fn only_of_logged_mail_there_is_text() {
    let bed = Bed::new();
    let tx = bed.tx();
    bed.record(bed.sent, 1, &mail("q@x", ""), &ask());
    let logged = bed.record(bed.sent, 2, &mail("a@x", ""), &log(Thread::New));
    message::take_out(&tx, logged.message, at(6_000)).unwrap();
    let rows = all(&bed);
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|r| r.subject.is_none() && r.with.is_none()), "{rows:?}");
    assert_eq!(rows[2].rule, Some(Rule::TakenOut));
}

#[test]
fn the_list_is_paged_by_id_and_shortened_from_its_end() {
    let bed = Bed::new();
    let tx = bed.tx();
    for uid in 1..=7 {
        bed.record(bed.inbox, uid, &mail(&format!("{uid}@y"), ""), &ignore());
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = activity::newest(&tx, before, 3).unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        seen.extend(page.iter().map(|r| r.id));
    }
    assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(activity::since(&tx, 5, 9).unwrap().iter().map(|r| r.id).collect::<Vec<_>>(), [6, 7]);
    assert_eq!(activity::keep(&tx, 2).unwrap(), 5);
    assert_eq!(activity::keep(&tx, 2).unwrap(), 0);
    assert_eq!(all(&bed).iter().map(|r| r.id).collect::<Vec<_>>(), [6, 7]);
}

#[test]
fn trouble_and_its_end_are_told_once_for_all_channels() {
    let bed = Bed::new();
    let tx = bed.tx();
    let owner = Owner::Account(bed.account);
    let set = |state, reason, since| {
        for channel in [Channel::Inbox, Channel::Sent] {
            let health = Health {
                channel,
                state,
                phase: None,
                reason,
                since: at(since),
                evidence: None,
                next_try: None,
            };
            health::set(&tx, &owner, &health).unwrap();
        }
    };
    set(State::Working, None, 1);
    set(State::Connected, None, 2);
    assert!(all(&bed).is_empty(), "a start is no news");
    set(State::Retrying, Some(Reason::ConnectionReset), 3);
    set(State::Retrying, Some(Reason::ConnectionReset), 4);
    set(State::NeedsAttention, Some(Reason::ConnectionReset), 5);
    set(State::Connected, None, 6);
    let rows: Vec<_> = all(&bed).iter().map(|r| (r.state.unwrap(), r.reason, r.at)).collect();
    let reset = Some(Reason::ConnectionReset);
    assert_eq!(
        rows,
        [
            (State::Retrying, reset, at(3)),
            (State::NeedsAttention, reset, at(5)),
            (State::Connected, None, at(6))
        ]
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    let bed = Bed::new();
    let tx = bed.tx();
    let place = Place { folder: bed.inbox, uidvalidity: 1, uid: 4 };
    set_aside::add(&tx, place, "torn", Some(Reason::ProtocolError), at(3)).unwrap();
    let recorded = bed.record(bed.sent, 1, &mail("a@x", ""), &log(Thread::New));
    let job = job::add(&tx, JobKind::Body, recorded.message, place, at(0)).unwrap();
    job::set_aside(&tx, job, Some(Reason::FolderMissing), Some("gone"), at(8)).unwrap();
    let rows = all(&bed);
    let told: Vec<_> =
        rows.iter().filter(|r| r.kind == Kind::SetAside).map(|r| (r.at, r.words.as_deref())).collect();
    assert_eq!(told, [(at(3), Some("torn")), (at(8), Some("gone"))]);
    assert_eq!(rows[0].folder.as_deref(), Some("INBOX"));
}

#[test]
fn troubles_that_ended_long_ago_are_left_out() {
    let bed = Bed::new();
    let tx = bed.tx();
    let owner = Owner::Sink("hubspot".into());
    let set = |state, since| {
        let reason = (state != State::Connected).then_some(Reason::PasswordChanged);
        let health = Health {
            channel: Channel::Crm,
            state,
            phase: None,
            reason,
            since: at(since),
            evidence: None,
            next_try: None,
        };
        health::set(&tx, &owner, &health).unwrap();
    };
    for (state, since) in [
        (State::NeedsAttention, 10),
        (State::Connected, 20),
        (State::Retrying, 30),
        (State::Connected, 40),
        (State::Offline, 50),
    ] {
        set(state, since);
    }
    let times = |after| {
        let periods = health::troubles(&tx, at(after)).unwrap();
        periods.iter().map(|p| (p.health.since, p.until)).collect::<Vec<_>>()
    };
    assert_eq!(times(0).len(), 3);
    assert_eq!(times(25), [(at(30), Some(at(40))), (at(50), None)]);
    assert_eq!(times(99), [(at(50), None)]);
}
