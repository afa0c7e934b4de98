//! Own addresses that sent mail shows, and what a calendar sends.

use super::{address, inbox, mail, sent, world};
use threadline_core::arrival::{Arrival, Role};
use threadline_core::decide::{Seen, Verdict, decide};
use threadline_core::own::{Lesson, Own, learnt};
use threadline_core::record::Direction;
use threadline_core::rule::{Rule, Rules};

const SENT: Seen<'_> = Seen { role: Role::Sent, folder: "Sent", begins: None };

fn learns(arrival: &Arrival, seen: Seen<'_>, rules: &Rules) -> Option<String> {
    learns_as(arrival, seen, rules, &[])
}

/// What is learnt where these names stood on earlier mail from Ann's own address.
fn learns_as(arrival: &Arrival, seen: Seen<'_>, rules: &Rules, names: &[&str]) -> Option<String> {
    let (_, known) = world();
    let own = Own { names: names.iter().map(|name| (*name).to_owned()).collect() };
    match learnt(arrival, seen, &known, rules, &own)? {
        Lesson::Address(address) => Some(address.to_string()),
        Lesson::Name(name) => Some(format!("name {name}")),
    }
}

#[test]
fn sent_mail_shows_an_own_address_and_moved_mail_does_not() {
    let (rules, _) = world();
    let alias = "From: ann@brand.example\nTo: carl@customer.example";
    assert_eq!(learns(&mail(alias), SENT, &rules).as_deref(), Some("ann@brand.example"));
    for other in [
        // It was delivered to somebody, goes to Ann, goes to nobody else, is a contact's, a colleague's, a machine's, never logged.
        "Return-Path: <x@y.example>\nFrom: ann@brand.example\nTo: carl@customer.example",
        "From: ann@brand.example\nTo: carl@customer.example, ann+x@firm.example",
        "From: ann@brand.example\nTo: ann@brand.example",
        "From: ann@brand.example",
        "From: carl@customer.example\nTo: x@y.example",
        "From: bob@firm.example\nTo: carl@customer.example",
        "From: ann@brand.example\nTo: carl@customer.example\nAuto-Submitted: auto-generated",
        "From: doctor@clinic.example\nTo: carl@customer.example",
    ] {
        assert_eq!(learns(&mail(other), SENT, &rules), None, "{other}");
    }
    let inbox = Seen { role: Role::Inbox, folder: "INBOX", begins: None };
    assert_eq!(learns(&mail(alias), inbox, &rules), None);
    let mut told = rules.clone();
    told.not_own.push(address("ann@brand.example"));
    assert_eq!(learns(&mail(alias), SENT, &told), None, "the person said no");
}

#[test]
fn where_one_folder_holds_all_the_label_says_what_was_sent() {
    let (rules, known) = world();
    let all = Seen { role: Role::All, folder: "All Mail", begins: None };
    let labelled = |from: &str, label: Option<&str>| Arrival {
        labels: label.map(|label| vec![label.to_owned()]),
        ..mail(&format!("From: {from}\nTo: carl@customer.example"))
    };
    assert!(learns(&labelled("ann@brand.example", Some("\\Sent")), all, &rules).is_some());
    for label in [Some("\\Inbox"), None] {
        assert_eq!(learns(&labelled("ann@brand.example", label), all, &rules), None);
    }
    // An alias of the own domain is no stranger that writes to Ann.
    let alias = decide(&labelled("a.smith@firm.example", Some("\\Sent")), all, &known, &rules);
    assert_eq!((alias.rule, alias.direction), (Rule::SentToContact, Direction::Outgoing));
}

#[test]
fn what_was_learnt_and_is_taken_away_is_not_learnt_again() {
    let mut rules = Rules::for_mailbox(&address("ann@firm.example"));
    let brand = address("ann@brand.example");
    rules.learn(&brand);
    assert!(rules.is_own(&brand) && rules.learnt == [brand.clone()]);
    rules.own.retain(|a| *a != brand);
    rules.settle_learnt();
    assert_eq!((rules.learnt.len(), rules.not_own.as_slice()), (0, &[brand.clone()][..]));
    rules.own.push(brand);
    rules.settle_learnt();
    assert!(rules.not_own.is_empty(), "the person says that it is theirs");
}

#[test]
fn a_calendars_answer_is_named_and_an_invitation_is_mail() {
    let reply = |method: &str| {
        inbox(&format!(
            "From: carl@customer.example\nTo: ann@firm.example\nIn-Reply-To: <t@x>\nContent-Type: text/calendar; charset=\"utf-8\"; method={method}"
        ))
    };
    for method in ["REPLY", "\"Reply\"", "reply; name=x.ics"] {
        assert_eq!(
            (reply(method).verdict, reply(method).rule),
            (Verdict::Ignore, Rule::CalendarReply),
            "{method}"
        );
    }
    assert_eq!(reply("REQUEST").rule, Rule::ReplyInLoggedThread);
    let own = sent("To: carl@customer.example\nContent-Type: text/calendar; method=REPLY");
    assert_eq!(own.rule, Rule::SentToContact, "the person's own answer is the person's own");
}

const ANN: &[&str] = &["ann müller"];

#[test]
fn an_address_of_the_own_domain_is_the_persons_by_their_name_alone() {
    let (rules, _) = world();
    let to = "To: carl@customer.example";
    let own = mail(&format!("From: \"Müller, Ann (Sales)\" <ann@firm.example>\n{to}"));
    assert_eq!(learns(&own, SENT, &rules).as_deref(), Some("name ann müller"));
    assert_eq!(learns_as(&own, SENT, &rules, ANN), None, "it is known");
    for from in [
        "Ann Müller <a.mueller@firm.example>",
        "\"Müller, Ann\" <Ann.Mueller@Firm.example>",
        "Ann M. Müller | Firm <ann.m@sub.firm.example>",
        "Ann Müller <ann.mueller+offers@firm.example>",
    ] {
        let arrival = mail(&format!("From: {from}\n{to}"));
        assert!(learns_as(&arrival, SENT, &rules, ANN).is_some(), "{from}");
        assert_eq!(learns_as(&arrival, SENT, &rules, &[]), None, "{from}: her name is not known yet");
        // Two people send from her address: it is a shared one.
        assert_eq!(learns_as(&arrival, SENT, &rules, &["ann müller", "bob miller"]), None, "{from}");
        let inbox = Seen { role: Role::Inbox, folder: "INBOX", begins: None };
        assert_eq!(learns_as(&arrival, inbox, &rules, ANN), None, "{from}");
        let delivered = mail(&format!("Return-Path: <x@y.example>\nFrom: {from}\n{to}"));
        assert_eq!(learns_as(&delivered, SENT, &rules, ANN), None, "{from}: it was moved there");
    }
    for other in [
        // A shared mailbox, a colleague, another Ann, no name, one word, somebody's address under her name.
        "Ann Müller <sales@firm.example>",
        "Sales Team <sales@firm.example>",
        "Bob Miller <bob@firm.example>",
        "Ann Miller <ann.miller@firm.example>",
        "a.mueller@firm.example",
        "Ann <ann.mueller@firm.example>",
        "Ann Müller <bob.miller@firm.example>",
    ] {
        let arrival = mail(&format!("From: {other}\n{to}"));
        assert_eq!(learns_as(&arrival, SENT, &rules, ANN), None, "{other}");
    }
}

#[test]
fn who_writes_for_whom_is_not_the_same_person() {
    let (rules, _) = world();
    let learns =
        |header: &str| learns_as(&mail(&format!("{header}\nTo: carl@customer.example")), SENT, &rules, ANN);
    // Under another address of hers, as some servers tell it.
    let brand = "From: Ann Müller <office@brand.example>\nSender: ann@firm.example";
    assert_eq!(learns(brand).as_deref(), Some("office@brand.example"));
    let submitted = "From: Ann Müller <ann@firm.example>\nSender: Ann Müller <ann.mueller@brand.example>";
    assert_eq!(learns(submitted).as_deref(), Some("ann.mueller@brand.example"));
    for other in [
        // Ann for her boss, for a partner's firm, an assistant for Ann.
        "From: Bea Boss <boss@firm.example>\nSender: Ann Müller <ann@firm.example>",
        "From: Paul Partner <paul@partner.example>\nSender: Ann Müller <ann@firm.example>",
        "From: paul@partner.example\nSender: Ann Müller <ann@firm.example>",
        "From: Ann Müller <ann@firm.example>\nSender: Ava Aide <aide@firm.example>",
        "From: Ann Müller <ann@firm.example>\nSender: aide@firm.example",
        "From: Ann Müller <a.mueller@firm.example>\nSender: Ava Aide <aide@firm.example>",
    ] {
        assert_eq!(learns(other), None, "{other}");
    }
}

#[test]
fn an_old_copied_mail_teaches_nothing() {
    let (rules, _) = world();
    let begins = Some("2026-06-01T00:00:00Z".parse().unwrap());
    for from in ["Ann Müller <a.mueller@firm.example>", "ann@former.example", "Ann Other <ann@firm.example>"]
    {
        let arrival = |date: &str| Arrival {
            internal_date: date.parse().unwrap(),
            ..mail(&format!("From: {from}\nTo: carl@customer.example"))
        };
        let seen = Seen { begins, ..SENT };
        assert_eq!(learns_as(&arrival("2024-03-01T00:00:00Z"), seen, &rules, ANN), None, "{from}");
        assert!(learns_as(&arrival("2026-06-10T00:00:00Z"), seen, &rules, ANN).is_some(), "{from}");
    }
}
