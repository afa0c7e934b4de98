//! Conversations that a person divides and joins, and takes back.

use super::{Bed, at, joined, log, mail, other};
use crate::message;
use crate::thread::{self, Why};
use std::collections::BTreeSet;
use threadline_core::decide::Thread;
use threadline_core::rule::Rule;

/// A conversation of five: `c` and `d` answer `b`, which answers `a`; `e` answers `a`.
fn conversation(bed: &Bed) -> (i64, [i64; 5]) {
    let first = bed.record(bed.sent, 1, &mail("a@x", ""), &log(Thread::New));
    let thread = first.thread.unwrap();
    let reply = |uid, id: &str, of: &str| {
        let decision = other(joined(thread), Rule::ReplyInLoggedThread);
        let more = format!("In-Reply-To: <{of}>\nCc: {}@client.example", id.replace('@', ""));
        bed.record(bed.inbox, uid, &mail(id, &more), &decision).message
    };
    let (b, c) = (reply(2, "b@x", "a@x"), reply(3, "c@x", "b@x"));
    let (d, e) = (reply(4, "d@x", "c@x"), reply(5, "e@x", "a@x"));
    (thread, [first.message, b, c, d, e])
}

fn of(bed: &Bed, thread: i64) -> Vec<i64> {
    message::of_thread(&bed.tx(), thread).unwrap().iter().map(|m| m.id).collect()
}

/// The conversations, each with its messages and the number of people in it.
fn all(bed: &Bed) -> BTreeSet<(Vec<i64>, usize)> {
    let threads = thread::page(&bed.tx(), 0, 100).unwrap();
    let people = |id| thread::participants(&bed.tx(), id).unwrap().len();
    threads.iter().map(|t| (of(bed, t.thread.id), people(t.thread.id))).collect()
}

#[test]
fn what_answers_a_message_goes_with_it_and_comes_back() {
    let bed = Bed::new();
    let (thread, [a, b, c, d, e]) = conversation(&bed);
    let before = all(&bed);
    let new = thread::split(&bed.tx(), b, at(9)).unwrap().unwrap();
    assert_eq!((of(&bed, thread), of(&bed, new)), (vec![a, e], vec![b, c, d]));
    assert_eq!(thread::apart(&bed.tx(), new).unwrap(), Some((thread, Why::ByHand)));
    assert_eq!(thread::apart(&bed.tx(), thread).unwrap(), None);
    let rows = |id| thread::get(&bed.tx(), id).unwrap().unwrap();
    assert_eq!((rows(thread).messages, rows(new).messages), (2, 3));
    assert_eq!(thread::undo(&bed.tx()).unwrap(), Some(3));
    assert_eq!(all(&bed), before);
    assert_eq!(thread::undo(&bed.tx()).unwrap(), None);
}

#[test]
fn the_first_message_cannot_be_split_off() {
    let bed = Bed::new();
    let (_, [a, ..]) = conversation(&bed);
    assert_eq!(thread::split(&bed.tx(), a, at(9)).unwrap(), None);
    assert_eq!(thread::split(&bed.tx(), 999, at(9)).unwrap(), None);
}

#[test]
fn two_conversations_become_one_and_two_again() {
    let bed = Bed::new();
    let (one, _) = conversation(&bed);
    let two = bed.record(bed.sent, 9, &mail("z@x", ""), &log(Thread::New)).thread.unwrap();
    let before = all(&bed);
    assert!(thread::merge(&bed.tx(), one, two, at(9)).unwrap());
    assert_eq!(all(&bed).len(), 1);
    assert!(thread::get(&bed.tx(), one).unwrap().is_none());
    assert!(!thread::merge(&bed.tx(), one, two, at(9)).unwrap());
    assert!(!thread::merge(&bed.tx(), two, two, at(9)).unwrap());
    assert_eq!(thread::undo(&bed.tx()).unwrap(), Some(5));
    assert_eq!(all(&bed), before);
}

#[test]
fn changes_are_taken_back_the_newest_first() {
    let bed = Bed::new();
    let (thread, [_, b, c, ..]) = conversation(&bed);
    let before = all(&bed);
    let second = thread::split(&bed.tx(), b, at(9)).unwrap().unwrap();
    thread::split(&bed.tx(), c, at(10)).unwrap().unwrap();
    assert_eq!(all(&bed).len(), 3);
    assert!(thread::merge(&bed.tx(), second, thread, at(11)).unwrap());
    for left in [3, 2, 1] {
        thread::undo(&bed.tx()).unwrap().unwrap();
        assert_eq!(all(&bed).len(), left);
    }
    assert_eq!(all(&bed), before);
}
