//! Property: in whatever order, and however often, the copies of some mails are seen, the ledger ends up the same.

use super::{Bed, ask, hold, ignore, log, mail};
use crate::message::Outcome;
use crate::{account, folder};
use proptest::prelude::*;
use std::collections::BTreeSet;
use threadline_core::arrival::Role;
use threadline_core::decide::{Decision, Thread};
use threadline_core::envelope::Envelope;

/// A copy of a mail: which mail, how its ids look here, and what was decided.
#[derive(Debug, Clone, Copy)]
struct Copy {
    mail: u8,
    ids: u8,
    outcome: u8,
}

impl Copy {
    fn envelope(self) -> Envelope {
        let n = self.mail;
        match self.ids {
            0 => mail(&format!("old{n}@x"), ""),
            1 => mail(&format!("new{n}@x"), ""),
            _ => mail(&format!("new{n}@x"), &format!("X-Microsoft-Original-Message-ID: <old{n}@x>")),
        }
    }

    fn decision(self) -> Decision {
        match self.outcome {
            0 => ignore(),
            1 => hold(),
            2 => ask(),
            _ => log(Thread::New),
        }
    }
}

/// What the ledger says in the end: each message with its outcome, its places, and the number of its ids.
type State = (BTreeSet<(Outcome, Vec<u32>, i64)>, i64);

/// Sees the copies in a mailbox of its own; the copy at `i` of the list always lies at UID `i + 1`.
fn play(bed: &mut Bed, copies: &[Copy], order: &[usize]) -> State {
    let run = bed.number("SELECT count(*) FROM account");
    {
        let tx = bed.tx();
        let owner = super::address(&format!("run{run}@firm.example"));
        let account = account::insert(&tx, &owner, "{}", super::at(0)).unwrap();
        let inbox = folder::ensure(&tx, account, "INBOX", Role::Inbox).unwrap().id;
        bed.account = account;
        bed.inbox = inbox;
    }
    for i in order {
        let uid = u32::try_from(*i).unwrap() + 1;
        let copy = copies[*i];
        bed.record(bed.inbox, uid, &copy.envelope(), &copy.decision());
    }
    let mut statement = bed
        .conn
        .prepare(
            "SELECT verdict, (SELECT group_concat(uid) FROM (SELECT uid FROM place WHERE message = m.id ORDER BY uid)),
               (SELECT count(*) FROM message_id WHERE message = m.id) FROM message m WHERE account = ?1",
        )
        .unwrap();
    let messages = statement
        .query_map([bed.account], |row| {
            let outcome = Outcome::from_name(&row.get::<_, String>(0)?).unwrap();
            let places: String = row.get(1)?;
            let places = places.split(',').map(|uid| uid.parse().unwrap()).collect();
            Ok((outcome, places, row.get(2)?))
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let threads = bed.number(&format!("SELECT count(*) FROM thread WHERE account = {}", bed.account));
    (messages, threads)
}

#[test]
fn neither_order_nor_repetition_matters() {
    let copy = (0..3_u8, 0..3_u8, 0..4_u8).prop_map(|(mail, ids, outcome)| Copy { mail, ids, outcome });
    let copies = proptest::collection::vec(copy, 1..9);
    let cases = copies.prop_flat_map(|copies| {
        let all: Vec<usize> = (0..copies.len()).collect();
        let twice: Vec<usize> = all.iter().chain(&all).copied().collect();
        (Just(copies), Just(all).prop_shuffle(), Just(twice).prop_shuffle())
    });
    let bed = Bed::new();
    bed.conn.execute_batch("PRAGMA synchronous = OFF").unwrap();
    let config = ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() };
    let bed = std::cell::RefCell::new(bed);
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&cases, |(copies, order, twice)| {
            let mut bed = bed.borrow_mut();
            let once = play(&mut bed, &copies, &order);
            let in_order: Vec<usize> = (0..copies.len()).collect();
            prop_assert_eq!(&once, &play(&mut bed, &copies, &in_order));
            prop_assert_eq!(&once, &play(&mut bed, &copies, &twice));
            Ok(())
        })
        .unwrap();
}
