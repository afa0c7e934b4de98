//! The history of states.

use super::{Bed, at, ignore, log, mail};
use crate::health::{self, Owner};
use threadline_core::health::{Channel, Health, State};
use threadline_core::reason::{Phase, Reason};

fn state(channel: Channel, state: State, reason: Option<Reason>, since: i64) -> Health {
    Health {
        channel,
        state,
        phase: Some(Phase::Auth),
        reason,
        since: at(since),
        evidence: Some(format!("at {since}")),
        next_try: Some(at(since + 60)),
    }
}

#[test]
fn a_period_begins_only_when_state_or_reason_change() {
    let bed = Bed::new();
    let tx = bed.tx();
    let owner = Owner::Account(bed.account);
    let set = |s, reason, since| health::set(&tx, &owner, &state(Channel::Inbox, s, reason, since)).unwrap();
    assert!(set(State::Connected, None, 10));
    assert!(!set(State::Connected, None, 20));
    assert!(set(State::Retrying, Some(Reason::ConnectionReset), 30));
    assert!(!set(State::Retrying, Some(Reason::ConnectionReset), 40));
    assert!(set(State::NeedsAttention, Some(Reason::PasswordChanged), 50));
    let present = health::present(&tx, &owner).unwrap();
    assert_eq!(present, [state(Channel::Inbox, State::NeedsAttention, Some(Reason::PasswordChanged), 50)]);
    let history = health::page(&tx, 0, 10).unwrap();
    let times: Vec<_> = history.iter().map(|p| (p.health.since, p.until)).collect();
    assert_eq!(times, [(at(10), Some(at(30))), (at(30), Some(at(50))), (at(50), None)]);
    assert_eq!(history[1].health.evidence.as_deref(), Some("at 40"), "the newest words of the period");
    assert_eq!(history[0].owner, owner);
    assert!(set(State::Connected, None, 70));
}

#[test]
fn an_outage_keeps_its_beginning_while_its_reason_changes() {
    let bed = Bed::new();
    let tx = bed.tx();
    let owner = Owner::Account(bed.account);
    let set = |s, reason, since| health::set(&tx, &owner, &state(Channel::Inbox, s, reason, since)).unwrap();
    assert!(set(State::Connected, None, 10));
    assert!(set(State::Retrying, Some(Reason::ConnectionTimeout), 20));
    assert!(set(State::Retrying, Some(Reason::ConnectionRefused), 30));
    assert!(set(State::NeedsAttention, Some(Reason::ConnectionRefused), 40));
    let present = &health::present(&tx, &owner).unwrap()[0];
    assert_eq!(
        (present.state, present.reason, present.since),
        (State::NeedsAttention, Some(Reason::ConnectionRefused), at(20))
    );
    assert_eq!(present.evidence.as_deref(), Some("at 40"));
    // What a person must mend is another matter than what the network did.
    assert!(set(State::NeedsAttention, Some(Reason::PasswordChanged), 50));
    assert!(set(State::Retrying, Some(Reason::ConnectionTimeout), 60));
    assert_eq!(health::present(&tx, &owner).unwrap()[0].since, at(60));
    assert_eq!(health::page(&tx, 0, 10).unwrap().len(), 4);
}

#[test]
fn channels_and_owners_are_apart() {
    let bed = Bed::new();
    let tx = bed.tx();
    let owners = [Owner::Account(bed.account), Owner::Sink("hubspot".into()), Owner::Sink("folder".into())];
    for owner in &owners {
        for channel in [Channel::Crm, Channel::Smtp] {
            assert!(health::set(&tx, owner, &state(channel, State::Connected, None, 1)).unwrap());
        }
    }
    for owner in &owners {
        assert_eq!(health::present(&tx, owner).unwrap().len(), 2, "{owner:?}");
    }
    let page: Vec<Owner> = health::page(&tx, 0, 99).unwrap().into_iter().map(|p| p.owner).collect();
    assert_eq!(page[2], owners[1]);
}

#[test]
fn every_name_reads_back() {
    let bed = Bed::new();
    let tx = bed.tx();
    let owner = Owner::Sink("s".into());
    use Phase::{Append, Auth, Dns, Fetch, Greeting, Idle, Keychain, Push, Select, Send, Tcp, Tls};
    let states = [
        State::Connected,
        State::Working,
        State::Retrying,
        State::Offline,
        State::NeedsAttention,
        State::Paused,
    ];
    let phases = [Keychain, Dns, Tcp, Tls, Greeting, Auth, Select, Idle, Fetch, Append, Send, Push];
    let reasons = Reason::ALL.iter().enumerate();
    for (i, reason) in reasons {
        let mut wanted = state(Channel::Sent, states[i % states.len()], Some(*reason), 1);
        wanted.phase = Some(phases[i % phases.len()]);
        health::set(&tx, &owner, &wanted).unwrap();
        assert_eq!(health::present(&tx, &owner).unwrap(), [wanted]);
    }
}

#[test]
fn what_did_not_change_is_not_written() {
    let bed = Bed::new();
    let tx = bed.tx();
    let owner = Owner::Sink("webhook".to_owned());
    let one = state(Channel::Crm, State::Connected, None, 10);
    assert!(health::set(&tx, &owner, &one).unwrap());
    let before = bed.conn.total_changes();
    assert!(!health::set(&tx, &owner, &Health { since: at(99), ..one.clone() }).unwrap());
    assert_eq!(bed.conn.total_changes(), before);
    health::set(&tx, &owner, &Health { next_try: None, ..one }).unwrap();
    assert_eq!(bed.conn.total_changes(), before + 1);
}

#[test]
fn what_came_during_a_disconnect_and_was_decided_after_it_was_delayed() {
    use threadline_core::decide::Thread;
    let bed = Bed::new();
    for uid in 1..=3 {
        // Of second 1_000 + uid, and decided at 5_000.
        bed.record(bed.inbox, uid, &mail(&format!("in-{uid}"), ""), &ignore());
    }
    bed.record(bed.sent, 2, &mail("out", ""), &log(Thread::New));
    let delayed = |channel, since, until| {
        health::delayed(&bed.tx(), bed.account, channel, at(since), at(until)).unwrap()
    };
    assert_eq!(delayed(Channel::Inbox, 1_000, 2_000), 3);
    assert_eq!(delayed(Channel::Inbox, 1_002, 1_003), 1);
    assert_eq!(delayed(Channel::Sent, 1_000, 2_000), 1);
    assert_eq!(delayed(Channel::Inbox, 0, 9_000), 0, "decided before its end");
    assert_eq!(health::delayed(&bed.tx(), bed.account + 1, Channel::Inbox, at(0), at(2_000)).unwrap(), 0);
}
