//! Own addresses that sent mail shows, and what a calendar sends.

use super::{address, inbox, mail, sent, world};
use threadline_core::arrival::{Arrival, Role};
use threadline_core::decide::{Seen, Verdict, decide, learnt};
use threadline_core::record::Direction;
use threadline_core::rule::{Rule, Rules};

const SENT: Seen<'_> = Seen { role: Role::Sent, folder: "Sent", begins: None };

fn learns(arrival: &Arrival, seen: Seen<'_>, rules: &Rules) -> Option<String> {
    let (_, known) = world();
    learnt(arrival, seen, &known, rules).map(ToString::to_string)
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
