//! Mails on their way out.

use super::{Bed, address, at, id, log, mail as mail_of};
use crate::send::{self, Copy, CopyRule, NewSending, Recipient, Sending, State, Told};
use crate::template;
use threadline_core::decide::Thread;
use threadline_core::reason::Reason;
use threadline_core::template::Template;

fn new(bed: &Bed, name: &str, due: i64) -> NewSending {
    let recipient = |text: &str, blind| Recipient { address: address(text), blind, refused: None };
    NewSending {
        account: bed.account,
        message_id: id(&format!("{name}@firm.example")),
        request: None,
        sender: address("ann@firm.example"),
        recipients: vec![recipient("bob@client.example", false), recipient("eve@else.example", true)],
        subject: "Offer".into(),
        raw: b"Subject: Offer\r\n\r\nx".to_vec(),
        due: at(due),
        at: at(1),
    }
}

fn add(bed: &Bed, name: &str, due: i64) -> i64 {
    send::add(&bed.tx(), &new(bed, name, due)).unwrap().0
}

fn get(bed: &Bed, id: i64) -> Sending {
    send::get(&bed.tx(), id).unwrap().unwrap()
}

fn told(words: &str) -> Told {
    Told { reason: Some(Reason::Throttled), words: words.into() }
}

#[test]
fn a_mail_goes_from_step_to_step_and_no_step_twice() {
    let bed = Bed::new();
    let tx = bed.tx();
    let mail = add(&bed, "a", 10);
    assert_eq!(send::next_due(&tx, bed.account, State::Waiting).unwrap(), Some(at(10)));
    assert!(send::due(&tx, bed.account, State::Waiting, at(9)).unwrap().is_empty());
    let due = send::due(&tx, bed.account, State::Waiting, at(10)).unwrap();
    assert_eq!(due.len(), 1);
    let mut recipients = due[0].recipients.clone();
    recipients[1].refused = Some("550 no".into());
    assert!(send::begin(&tx, mail, &recipients, at(11)).unwrap());
    assert!(!send::begin(&tx, mail, &recipients, at(11)).unwrap(), "another one has it");
    assert!(!send::cancel(&tx, mail, at(11)).unwrap());
    assert!(!send::retry(&tx, mail, at(11)).unwrap());
    assert!(send::sent(&tx, mail, "250 ok", at(12)).unwrap());
    assert!(!send::sent(&tx, mail, "250 ok", at(12)).unwrap());
    let sent = get(&bed, mail);
    assert_eq!((sent.state, sent.ended_at, sent.submitted_at), (State::Sent, Some(at(12)), Some(at(11))));
    assert_eq!(sent.recipients, recipients);
    for late in [
        send::cancel(&tx, mail, at(13)),
        send::retry(&tx, mail, at(13)),
        send::settle_sent(&tx, mail, at(13)),
    ] {
        assert!(!late.unwrap());
    }
    send::not_sent(&tx, mail, &told("x"), at(20)).unwrap();
    send::unknown(&tx, mail, &told("x"), at(20)).unwrap();
    send::refused(&tx, mail, &recipients, &told("x"), at(20)).unwrap();
    assert_eq!(get(&bed, mail), sent, "what is sent stays sent");
}

#[test]
fn what_was_on_its_way_when_the_program_ended_is_unknown() {
    let bed = Bed::new();
    let tx = bed.tx();
    let (going, waiting) = (add(&bed, "a", 1), add(&bed, "b", 1));
    let recipients = get(&bed, going).recipients;
    assert!(send::begin(&tx, going, &recipients, at(2)).unwrap());
    assert_eq!(send::interrupted(&tx, bed.account, &[waiting, going], "ended", at(3)).unwrap(), 0);
    assert_eq!(send::interrupted(&tx, bed.account, &[waiting], "ended", at(3)).unwrap(), 1);
    assert_eq!((get(&bed, going).state, get(&bed, waiting).state), (State::Unknown, State::Waiting));
    assert_eq!(send::interrupted(&tx, bed.account, &[], "ended", at(3)).unwrap(), 0);
    send::still_unknown(&tx, going, at(30)).unwrap();
    let looked = get(&bed, going);
    assert_eq!((looked.due, looked.attempts, looked.words.as_deref()), (at(30), 1, Some("ended")));
    assert!(!send::cancel(&tx, going, at(3)).unwrap(), "it may be sent");
    // The person knows.
    assert!(send::settle_sent(&tx, going, at(31)).unwrap());
    assert_eq!(get(&bed, going).copy.unwrap().copy, Copy::Open);
}

#[test]
fn what_is_refused_can_be_tried_again_for_everybody() {
    let bed = Bed::new();
    let tx = bed.tx();
    let mail = add(&bed, "a", 1);
    send::not_sent(&tx, mail, &told("later"), at(60)).unwrap();
    let waits = get(&bed, mail);
    assert_eq!((waits.state, waits.attempts, waits.due), (State::Waiting, 1, at(60)));
    assert_eq!((waits.reason, waits.words.as_deref()), (Some(Reason::Throttled), Some("later")));
    send::noted(&tx, mail, &told("no way there")).unwrap();
    assert_eq!((get(&bed, mail).due, get(&bed, mail).attempts), (at(60), 1));
    let mut recipients = waits.recipients;
    recipients[0].refused = Some("550 no".into());
    send::refused(&tx, mail, &recipients, &told("550"), at(61)).unwrap();
    assert_eq!(get(&bed, mail).state, State::Refused);
    assert!(send::retry(&tx, mail, at(62)).unwrap());
    let again = get(&bed, mail);
    assert_eq!((again.state, again.due, again.attempts, again.ended_at), (State::Waiting, at(62), 0, None));
    assert!(again.recipients.iter().all(|r| r.refused.is_none()) && again.recipients[1].blind);
    assert_eq!(again.recipients[0].address, address("bob@client.example"));
}

#[test]
fn a_copy_is_seen_to_until_it_is_where_it_belongs_and_then_the_text_goes() {
    let bed = Bed::new();
    let tx = bed.tx();
    let mail = add(&bed, "a", 1);
    assert!(send::copies_due(&tx, bed.account, at(99)).unwrap().is_empty());
    let recipients = get(&bed, mail).recipients;
    send::begin(&tx, mail, &recipients, at(2)).unwrap();
    send::sent(&tx, mail, "250", at(3)).unwrap();
    assert_eq!(send::next_copy(&tx, bed.account).unwrap(), Some(at(3)));
    send::choose_copy(&tx, mail, CopyRule::SpecialUse, "Sent").unwrap();
    send::copy_failed(&tx, mail, "full", at(50)).unwrap();
    assert!(send::copies_due(&tx, bed.account, at(49)).unwrap().is_empty());
    let failed = get(&bed, mail);
    assert_eq!(failed.state, State::Sent);
    let copied = failed.copy.unwrap();
    assert_eq!((copied.copy, copied.rule, copied.tries), (Copy::Failed, Some(CopyRule::SpecialUse), 1));
    assert_eq!(send::forget(&tx, at(1_000)).unwrap(), 0, "it has something left to do");
    assert!(send::retry_copy(&tx, mail, at(10)).unwrap());
    assert_eq!(send::copies_due(&tx, bed.account, at(10)).unwrap().len(), 1);
    assert!(send::raw(&tx, mail).unwrap().is_some());
    send::end_copy(&tx, mail, Copy::Appended, CopyRule::SpecialUse, Some("Sent")).unwrap();
    let copied = get(&bed, mail).copy.unwrap();
    assert_eq!((copied.copy, copied.folder.as_deref(), copied.words), (Copy::Appended, Some("Sent"), None));
    assert!(send::raw(&tx, mail).unwrap().is_none());
    assert!(!send::retry_copy(&tx, mail, at(10)).unwrap());
    assert_eq!(send::forget(&tx, at(3)).unwrap(), 0);
    assert_eq!(send::forget(&tx, at(4)).unwrap(), 1);
}

#[test]
fn a_text_that_is_purged_is_not_kept_for_its_copy() {
    let bed = Bed::new();
    let tx = bed.tx();
    let mail = add(&bed, "a", 1);
    let recipients = get(&bed, mail).recipients;
    send::begin(&tx, mail, &recipients, at(2)).unwrap();
    send::sent(&tx, mail, "250", at(3)).unwrap();
    send::copy_failed(&tx, mail, "full", at(50)).unwrap();
    let message = bed.record(bed.sent, 1, &mail_of("a@firm.example", ""), &log(Thread::New)).message;
    send::set_message(&tx, mail, message).unwrap();
    crate::retention::purge_text(&tx, message, at(60)).unwrap();
    assert!(send::raw(&tx, mail).unwrap().is_none());
    let copied = get(&bed, mail).copy.unwrap();
    assert_eq!((copied.copy, copied.due), (Copy::None, None));
    assert_eq!(get(&bed, mail).subject, "Offer", "its header has a time of its own");
}

#[test]
fn one_request_is_one_mail_and_a_header_names_its_own() {
    let bed = Bed::new();
    let tx = bed.tx();
    let asked = |name: &str| NewSending { request: Some("r1".into()), ..new(&bed, name, 1) };
    let (first, is_new) = send::add(&tx, &asked("a")).unwrap();
    assert!(is_new);
    assert_eq!(send::add(&tx, &asked("b")).unwrap(), (first, false));
    add(&bed, "c", 1);
    assert_eq!(send::newest(&tx, 10).unwrap().len(), 2);
    let found = send::of_header(&tx, bed.account, &super::mail("a@firm.example", "")).unwrap();
    assert_eq!(found.map(|sending| sending.id), Some(first));
    assert!(send::of_header(&tx, bed.account, &super::mail("x@firm.example", "")).unwrap().is_none());
    assert!(send::of_header(&tx, bed.account + 1, &super::mail("a@firm.example", "")).unwrap().is_none());
    assert!(send::cancel(&tx, first, at(2)).unwrap());
    assert!(!send::retry(&tx, first, at(3)).unwrap(), "its text is gone");
}

#[test]
fn names_are_found_again_and_explained() {
    for rule in CopyRule::ALL {
        assert!(rule.explanation().ends_with('.') && !rule.name().is_empty());
    }
    assert_eq!(State::ALL.iter().filter(|state| state.may_be_sent()).count(), 3);
}

#[test]
fn a_template_is_kept_by_its_name() {
    let bed = Bed::new();
    let tx = bed.tx();
    let text = |subject: &str| Template { subject: subject.into(), text: "x".into(), html: None };
    template::put(&tx, "offer", &text("one"), at(1)).unwrap();
    template::put(&tx, "offer", &text("two"), at(2)).unwrap();
    template::put(&tx, "after", &text("three"), at(3)).unwrap();
    let all: Vec<_> =
        template::list(&tx).unwrap().into_iter().map(|k| (k.name, k.template.subject)).collect();
    assert_eq!(all, [("after".into(), "three".into()), ("offer".to_owned(), "two".to_owned())]);
    assert_eq!(template::get(&tx, "offer").unwrap().unwrap().changed_at, at(2));
    assert!(template::remove(&tx, "offer").unwrap() && !template::remove(&tx, "offer").unwrap());
}
