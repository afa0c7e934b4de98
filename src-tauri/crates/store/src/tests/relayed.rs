//! What the person said of mails that went through the relay.

use super::{Bed, at, id};
use crate::relayed::{Counts, accepted, counts, forget, pass, refused, unknown, word};
use threadline_core::rule::Answer;

#[test]
fn a_word_is_found_by_any_id_and_the_no_counts() {
    let bed = Bed::new();
    let tx = bed.tx();
    let account = bed.account;
    pass(&tx, account, &id("a@x"), Some(Answer::Log), at(1)).unwrap();
    pass(&tx, account, &id("b@x"), Some(Answer::Ignore), at(1)).unwrap();
    pass(&tx, account, &id("c@x"), None, at(1)).unwrap();
    let of = |ids: &[&str]| word(&tx, account, &ids.iter().map(|i| id(i)).collect::<Vec<_>>()).unwrap();
    assert_eq!(of(&["a@x"]), Some(Answer::Log));
    assert_eq!(of(&["z@x", "a@x", "b@x"]), Some(Answer::Ignore));
    assert_eq!(of(&["c@x", "z@x"]), None);
    // Nobody else's.
    assert_eq!(word(&tx, account + 1, &[id("a@x")]).unwrap(), None);
}

#[test]
fn what_was_said_stays_said_unless_the_mail_was_refused() {
    let bed = Bed::new();
    let tx = bed.tx();
    let account = bed.account;
    let of = |text: &str| word(&tx, account, &[id(text)]).unwrap();
    // Handed in twice, for two recipients: the second one refused.
    pass(&tx, account, &id("a@x"), Some(Answer::Ignore), at(1)).unwrap();
    accepted(&tx, account, &id("a@x")).unwrap();
    pass(&tx, account, &id("a@x"), None, at(2)).unwrap();
    refused(&tx, account, &id("a@x")).unwrap();
    assert_eq!(of("a@x"), Some(Answer::Ignore));
    // Refused, and handed in again without a word.
    pass(&tx, account, &id("b@x"), Some(Answer::Ignore), at(1)).unwrap();
    refused(&tx, account, &id("b@x")).unwrap();
    pass(&tx, account, &id("b@x"), None, at(2)).unwrap();
    assert_eq!(of("b@x"), None);
}

#[test]
fn they_are_counted_and_forgotten() {
    let bed = Bed::new();
    let tx = bed.tx();
    let account = bed.account;
    for (text, when) in [("a@x", 10), ("b@x", 20), ("c@x", 30), ("old@x", 1)] {
        pass(&tx, account, &id(text), None, at(when)).unwrap();
    }
    for text in ["a@x", "b@x", "old@x"] {
        accepted(&tx, account, &id(text)).unwrap();
    }
    unknown(&tx, account, &id("c@x")).unwrap();
    unknown(&tx, account, &id("a@x")).unwrap();
    let counted = counts(&tx, account, at(5), at(15)).unwrap();
    assert_eq!(counted, Counts { accepted: 2, unknown: 1, unseen: 1 });
    assert_eq!(forget(&tx, at(15)).unwrap(), 2);
    assert_eq!(counts(&tx, account, at(0), at(99)).unwrap(), Counts { accepted: 1, unknown: 1, unseen: 1 });
}
