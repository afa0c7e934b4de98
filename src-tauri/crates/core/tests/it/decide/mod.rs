//! Every rule of `decide`, each with the mail that it was made for.
#![allow(clippy::unwrap_used, reason = "what tests share may unwrap as they do")]

mod aliases;
mod hidden;
mod links;
mod word;

use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;
use threadline_core::address::Address;
use threadline_core::arrival::{Arrival, Role};
use threadline_core::contact::Contact;
use threadline_core::decide::{Decision, Known, KnownThread, Seen, Thread, Verdict, decide};
use threadline_core::envelope::Envelope;
use threadline_core::id::MessageId;
use threadline_core::matching::{Clue, Link, traces};
use threadline_core::record::{Association, Direction};
use threadline_core::rule::{
    Answer, CreateContacts, LogMode, OtherAddress, Participants, PrivateTime, Rule, Rules,
};

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn mail(header: &str) -> Arrival {
    Arrival {
        uid: 1,
        internal_date: Timestamp::UNIX_EPOCH,
        size: 1_000,
        flags: Vec::new(),
        labels: None,
        envelope: Envelope::parse(format!("{}\r\n\r\n", header.replace('\n', "\r\n")).as_bytes()),
    }
}

fn flagged(header: &str, flag: &str) -> Arrival {
    Arrival { flags: vec![flag.into()], ..mail(header) }
}

/// Ann of firm.example; Carl of customer.example is contact 7; a logged thread 3 holds <t@x> with Carl.
fn world() -> (Rules, Known) {
    let rules = Rules {
        never_addresses: vec![address("doctor@clinic.example")],
        never_domains: vec!["bank.example".into()],
        never_folders: vec!["Private".into()],
        ..Rules::for_mailbox(&address("ann@firm.example"))
    };
    let carl = Contact {
        remote_id: "7".into(),
        addresses: vec![address("carl@customer.example"), address("c.carlson@customer.example")],
        name: Some("Carl".into()),
    };
    let thread = KnownThread {
        id: 3,
        participants: HashSet::from([address("ann@firm.example"), address("carl@customer.example")]),
        contacts: vec![Association {
            address: address("carl@customer.example"),
            name: Some("Carl".into()),
            remote_id: Some("7".into()),
            may_create: false,
        }],
        last: Timestamp::UNIX_EPOCH,
    };
    let known = Known {
        threads: [(Clue::Id(MessageId::parse("t@x").unwrap()), vec![Arc::new(thread)])].into(),
        contacts: carl.addresses.iter().map(|a| (a.clone(), carl.clone())).collect(),
        contacts_complete: true,
        answer: None,
        sent_here: false,
        relayed: None,
        crm_has_contacts: true,
        crm_addresses: Vec::new(),
    };
    (rules, known)
}

fn at(arrival: &Arrival, role: Role, folder: &str) -> Decision {
    let (rules, known) = world();
    decide(arrival, Seen { role, folder, begins: None }, &known, &rules)
}

fn sent(header: &str) -> Decision {
    at(&mail(&format!("From: ann@firm.example\n{header}")), Role::Sent, "Sent")
}

fn inbox(header: &str) -> Decision {
    at(&mail(header), Role::Inbox, "INBOX")
}

fn is_log(decision: &Decision, thread: Thread, rule: Rule) -> bool {
    decision.rule == rule && matches!(&decision.verdict, Verdict::Log { thread: t, .. } if *t == thread)
}

#[test]
fn a_mail_to_a_contact_is_logged_on_the_contact_alone() {
    let decision = sent("To: Carl <carl@customer.example>, stranger@else.example, bob@firm.example");
    assert!(is_log(&decision, Thread::New, Rule::SentToContact), "{decision:?}");
    assert_eq!(decision.direction, Direction::Outgoing);
    let Verdict::Log { contacts, .. } = decision.verdict else { panic!() };
    assert_eq!(contacts.len(), 1);
    assert_eq!(contacts[0].remote_id.as_deref(), Some("7"));
}

#[test]
fn two_addresses_of_one_contact_are_one_association() {
    let Verdict::Log { contacts, .. } = sent("To: carl@customer.example, c.carlson@customer.example").verdict
    else {
        panic!()
    };
    assert_eq!(contacts.len(), 1);
}

#[test]
fn a_contact_in_bcc_counts() {
    let decision = sent("To: bob@firm.example\nBcc: carl@customer.example");
    assert!(is_log(&decision, Thread::New, Rule::SentToContact), "{decision:?}");
}

#[test]
fn a_reply_joins_its_thread_by_either_field() {
    for header in ["In-Reply-To: <t@x>", "References: <r@x> <t@x>", "In-Reply-To: Ann's mail of Monday <t@x>"]
    {
        let decision = inbox(&format!("From: carl@customer.example\nTo: ann@firm.example\n{header}"));
        assert!(is_log(&decision, Thread::Join(3), Rule::ReplyInLoggedThread), "{header}: {decision:?}");
    }
}

#[test]
fn a_colleague_of_the_contact_may_answer_and_a_stranger_is_asked() {
    let colleague = inbox("From: eve@customer.example\nTo: ann@firm.example\nIn-Reply-To: <t@x>");
    assert!(is_log(&colleague, Thread::Join(3), Rule::ReplyInLoggedThread), "{colleague:?}");
    let stranger = inbox("From: mallory@else.example\nTo: ann@firm.example\nIn-Reply-To: <t@x>");
    assert_eq!((stranger.verdict, stranger.rule), (Verdict::Ask, Rule::StrangerInThread));
}

#[test]
fn an_answer_that_came_over_a_shared_address_is_no_newsletter() {
    let over_a_list = "To: sales@firm.example\nList-Id: <sales.firm.example>\nPrecedence: list";
    let answer = inbox(&format!("From: carl@customer.example\n{over_a_list}\nIn-Reply-To: <t@x>"));
    assert!(is_log(&answer, Thread::Join(3), Rule::ReplyInLoggedThread), "{answer:?}");
    let stranger = inbox(&format!("From: mallory@else.example\n{over_a_list}\nIn-Reply-To: <t@x>"));
    assert_eq!(stranger.rule, Rule::Newsletter);
    assert_eq!(inbox(&format!("From: carl@customer.example\n{over_a_list}")).rule, Rule::Newsletter);
}

#[test]
fn everything_else_is_ignored_asked_or_held_by_name() {
    let to_ann = "To: ann@firm.example";
    for (decision, verdict, rule) in [
        (sent("To: doctor@clinic.example, carl@customer.example"), Verdict::Ignore, Rule::NeverAddress),
        (sent("To: clerk@branch.bank.example"), Verdict::Ignore, Rule::NeverDomain),
        (sent("To: bob@firm.example"), Verdict::Ignore, Rule::OnlyColleagues),
        (sent("To: ann@firm.example"), Verdict::Ignore, Rule::OnlyOwnAddresses),
        (sent("To: new@third.example"), Verdict::Ask, Rule::UnknownRecipient),
        (inbox(&format!("From: carl@customer.example\n{to_ann}")), Verdict::Ask, Rule::NewFromContact),
        (inbox(&format!("From: x@third.example\n{to_ann}")), Verdict::Ignore, Rule::UnknownSender),
        (inbox(&format!("From: x@third.example\n{to_ann}\nList-Id: <n>")), Verdict::Ignore, Rule::Newsletter),
        (
            inbox(&format!(
                "From: carl@customer.example\n{to_ann}\nIn-Reply-To: <t@x>\nAuto-Submitted: auto-replied"
            )),
            Verdict::Ignore,
            Rule::AutoReply,
        ),
        (
            inbox(&format!("From: MAILER-DAEMON@customer.example\n{to_ann}\nIn-Reply-To: <t@x>")),
            Verdict::Ignore,
            Rule::Bounce,
        ),
        (inbox(&format!("From: MAILER-DAEMON@firm.example\n{to_ann}")), Verdict::Ignore, Rule::Bounce),
        (inbox("To: ann@firm.example\nIn-Reply-To: <t@x>"), Verdict::Ignore, Rule::NoSender),
        (
            at(&mail("From: carl@customer.example\nIn-Reply-To: <t@x>"), Role::Other, "Private"),
            Verdict::Ignore,
            Rule::NeverFolder,
        ),
        (
            at(
                &flagged("From: ann@firm.example\nTo: carl@customer.example", "$crmnever"),
                Role::Sent,
                "Sent",
            ),
            Verdict::Ignore,
            Rule::KeywordNever,
        ),
        (
            at(&flagged("From: ann@firm.example\nTo: carl@customer.example", "\\Draft"), Role::Sent, "Sent"),
            Verdict::Ignore,
            Rule::Draft,
        ),
    ] {
        assert_eq!((decision.verdict, decision.rule), (verdict, rule));
    }
}

#[test]
fn no_contact_is_made_where_the_rules_make_none() {
    let (mut rules, known) = world();
    let decide_at = |rules: &Rules, header: &str, role| {
        let mail = mail(header);
        match decide(&mail, Seen { role, folder: "x", begins: None }, &known, rules).verdict {
            Verdict::Log { contacts, .. } => {
                contacts.iter().map(|c| (c.address.to_string(), c.may_create)).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        }
    };
    // A colleague of Carl's, who is no contact, answers: it is logged on Carl.
    let reply = "From: eve@customer.example\nTo: ann@firm.example\nIn-Reply-To: <t@x>";
    let carl = || vec![("carl@customer.example".to_owned(), false)];
    assert_eq!(decide_at(&rules, reply, Role::Inbox), carl());
    rules.create_contacts = CreateContacts::WhenIWrite;
    assert_eq!(decide_at(&rules, reply, Role::Inbox), carl(), "Ann did not write to Eve");
    let new = "From: ann@firm.example\nTo: new@third.example";
    assert_eq!(decide_at(&rules, new, Role::Sent), [("new@third.example".to_owned(), true)]);
    rules.create_contacts = CreateContacts::Never;
    rules.mode = LogMode::EveryoneOutside;
    let asked = decide(&mail(new), Seen { role: Role::Sent, folder: "x", begins: None }, &known, &rules);
    assert_eq!((asked.verdict, asked.rule), (Verdict::Ask, Rule::UnknownRecipient));
    let local = Known { crm_has_contacts: false, ..known.clone() };
    let logged = decide(&mail(new), Seen { role: Role::Sent, folder: "x", begins: None }, &local, &rules);
    assert!(is_log(&logged, Thread::New, Rule::SentToOutsider), "{logged:?}");
}

#[test]
fn without_the_contacts_nothing_is_decided_about_strangers() {
    let (rules, mut known) = world();
    known.contacts_complete = false;
    let seen = |role| Seen { role, folder: "x", begins: None };
    let out =
        decide(&mail("From: ann@firm.example\nTo: new@third.example"), seen(Role::Sent), &known, &rules);
    let inn =
        decide(&mail("From: new@third.example\nTo: ann@firm.example"), seen(Role::Inbox), &known, &rules);
    for decision in [out, inn] {
        assert_eq!((decision.verdict, decision.rule), (Verdict::Hold, Rule::ContactsNotLoaded));
    }
}

#[test]
fn the_modes_say_who_counts() {
    let (mut rules, known) = world();
    let seen = Seen { role: Role::Sent, folder: "Sent", begins: None };
    let arrival = mail("From: ann@firm.example\nTo: New <new@third.example>");
    rules.create_contacts = CreateContacts::WhenIWrite;
    let created = decide(&arrival, seen, &known, &rules);
    let Verdict::Log { contacts, .. } = &created.verdict else { panic!("{created:?}") };
    assert_eq!((contacts[0].remote_id.as_deref(), contacts[0].name.as_deref()), (None, Some("New")));
    rules.mode = LogMode::OnlyWhenISay;
    assert_eq!(decide(&arrival, seen, &known, &rules).rule, Rule::OnlyWhenISay);
    rules.mode = LogMode::EveryoneOutside;
    assert_eq!(decide(&arrival, seen, &known, &rules).rule, Rule::SentToOutsider);
}

#[test]
fn direction_comes_from_the_sender_and_an_alias_in_sent_is_own() {
    let alias = at(&mail("From: sales@firm.example\nTo: carl@customer.example"), Role::Sent, "Sent");
    assert_eq!(alias.direction, Direction::Outgoing);
    let colleague = at(&mail("From: bob@firm.example\nTo: ann@firm.example"), Role::Inbox, "INBOX");
    assert_eq!(colleague.direction, Direction::Incoming);
    let for_the_record =
        "From: bob@firm.example\nTo: carl@customer.example\nCc: ann@firm.example\nIn-Reply-To: <t@x>";
    let decision = inbox(for_the_record);
    assert!(is_log(&decision, Thread::Join(3), Rule::ReplyInLoggedThread), "{decision:?}");
    assert_eq!(decision.direction, Direction::Outgoing, "it went out of the firm");
}

#[test]
fn a_mail_under_the_own_name_is_sent_mail_only_where_the_server_has_it_so() {
    let header = "From: ann@firm.example\nTo: carl@customer.example";
    let told = |role, labels: Option<&[&str]>| {
        let labels = labels.map(|l| l.iter().map(|l| (*l).to_owned()).collect());
        let decision = at(&Arrival { labels, ..mail(header) }, role, "x");
        (decision.rule, decision.direction)
    };
    let sent = (Rule::SentToContact, Direction::Outgoing);
    let asked = (Rule::OwnNotInSent, Direction::Incoming);
    assert_eq!(told(Role::Sent, None), sent);
    assert_eq!(told(Role::Inbox, None), asked);
    assert_eq!(told(Role::Other, None), asked);
    // Gmail says by a label what was sent.
    assert_eq!(told(Role::All, Some(&["\\Sent"])), sent);
    assert_eq!(told(Role::All, Some(&["\\Inbox"])), asked);
    assert_eq!(told(Role::All, None), sent);
    // A forgery that concerns nobody is no question.
    let spam = inbox("From: ann@firm.example\nTo: someone@third.example\nIn-Reply-To: <q@x>");
    assert_eq!((spam.verdict, spam.rule), (Verdict::Ignore, Rule::OwnNotInSent));
    // One that quotes a logged mail is.
    let quoting = inbox("From: ann@firm.example\nTo: someone@third.example\nIn-Reply-To: <t@x>");
    assert_eq!((quoting.verdict, quoting.rule), (Verdict::Ask, Rule::OwnNotInSent));
    assert_eq!(inbox("From: ann+x@firm.example\nTo: carl@customer.example").rule, Rule::OwnNotInSent);
}

#[test]
fn mail_from_before_the_beginning_is_no_news_unless_it_was_asked_for() {
    let (rules, known) = world();
    let begins: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
    let rule = |role, internal: &str, header: &str, begins| {
        let arrival = Arrival { internal_date: internal.parse().unwrap(), ..mail(header) };
        decide(&arrival, Seen { role, folder: "x", begins }, &known, &rules).rule
    };
    let (old, new) = ("2026-05-01T00:00:00Z", "2026-06-10T00:00:00Z");
    let sent = "From: ann@firm.example\nTo: carl@customer.example\nDate: ";
    let sent_old = format!("{sent}Fri, 1 May 2026 00:00:00 +0000");
    let sent_new = format!("{sent}Wed, 10 Jun 2026 00:00:00 +0000");
    let (older, logged) = (Rule::OlderThanBeginning, Rule::SentToContact);
    assert_eq!(rule(Role::Sent, old, &sent_old, Some(begins)), older);
    assert_eq!(rule(Role::Sent, new, &sent_old, Some(begins)), logged, "a clock that is wrong");
    assert_eq!(rule(Role::Sent, new, &sent_new, Some(begins)), logged);
    assert_eq!(rule(Role::Sent, old, &sent_old, None), logged, "the history was asked for");
    assert_eq!(rule(Role::Sent, "2026-05-31T00:00:00Z", sent, Some(begins)), logged, "it waited on its way");
    let received = "From: carl@customer.example\nTo: ann@firm.example";
    assert_eq!(rule(Role::Inbox, old, received, Some(begins)), older);
    // Who is in a logged conversation is believed, whatever their clock says.
    let answer = format!("{received}\nIn-Reply-To: <t@x>");
    assert_eq!(rule(Role::Inbox, old, &answer, Some(begins)), Rule::ReplyInLoggedThread);
}

proptest! {
    /// No combination of people, ids, keywords and modes logs a mail with a never-log address or domain on it.
    #[test]
    fn no_rule_logs_a_never_log_address(
        field in prop::sample::select(vec!["From", "To", "Cc", "Bcc"]),
        bad in prop::sample::select(vec!["doctor@clinic.example", "DOCTOR@Clinic.Example", "x@bank.example", "x@y.bank.example"]),
        others in prop::collection::vec(prop::sample::select(vec![
            "ann@firm.example", "carl@customer.example", "bob@firm.example", "new@third.example",
        ]), 0..4),
        parent in prop::sample::select(vec!["", "In-Reply-To: <t@x>\n"]),
        flag in prop::sample::select(vec!["\\Seen", "$CrmLog"]),
        mode in prop::sample::select(vec![LogMode::KnownContacts, LogMode::EveryoneOutside, LogMode::OnlyWhenISay]),
        role in prop::sample::select(vec![Role::Inbox, Role::Sent, Role::All]),
    ) {
        let (mut rules, known) = world();
        rules.mode = mode;
        let to = others.join(", ");
        let header = match field {
            "From" => format!("From: {bad}\nTo: {to}\n{parent}X: y"),
            "To" => format!("From: ann@firm.example\nTo: {bad}, {to}\n{parent}X: y"),
            _ => format!("From: ann@firm.example\nTo: {to}\n{field}: {bad}\n{parent}X: y"),
        };
        let seen = Seen { role, folder: "x", begins: None };
        let decision = decide(&flagged(&header, flag), seen, &known, &rules);
        prop_assert_eq!(decision.verdict, Verdict::Ignore);
    }

    /// Decided twice, by the same knowledge, it is the same; and what was logged joins its own thread when it is seen again.
    #[test]
    fn deciding_is_idempotent(
        people in prop::collection::vec(prop::sample::select(vec![
            "ann@firm.example", "carl@customer.example", "bob@firm.example", "new@third.example",
        ]), 1..5),
        parent in prop::sample::select(vec!["", "In-Reply-To: <t@x>\n", "References: <t@x>\n"]),
        subject in prop::sample::select(vec!["Re: The offer", "Fwd: The offer", "The offer"]),
        role in prop::sample::select(vec![Role::Inbox, Role::Sent, Role::All]),
    ) {
        let (rules, mut known) = world();
        let to = people[1..].join(", ");
        let mail = mail(&format!("Message-ID: <m@x>\nFrom: {}\nTo: {to}\nSubject: {subject}\n{parent}X: y", people[0]));
        let seen = Seen { role, folder: "x", begins: None };
        let first = decide(&mail, seen, &known, &rules);
        prop_assert_eq!(&decide(&mail, seen, &known, &rules), &first);
        if let Verdict::Log { contacts, .. } = &first.verdict {
            let everybody = mail.envelope.from.iter().chain(mail.envelope.recipients());
            let own = KnownThread {
                id: 8,
                participants: everybody.map(|m| m.address.clone()).collect(),
                contacts: contacts.clone(),
                last: mail.time(),
            };
            known.threads.insert(Clue::Id(MessageId::parse("m@x").unwrap()), vec![Arc::new(own)]);
            let again = decide(&mail, seen, &known, &rules);
            prop_assert!(matches!(again.verdict, Verdict::Log { thread: Thread::Join(8), .. }), "{:?}", again);
        }
    }

    /// Whatever is logged is logged on somebody, and never on a colleague.
    #[test]
    fn a_logged_mail_is_on_somebody_outside(
        people in prop::collection::vec(prop::sample::select(vec![
            "ann@firm.example", "carl@customer.example", "bob@firm.example", "new@third.example", "eve@customer.example",
        ]), 1..5),
        parent in prop::sample::select(vec!["", "In-Reply-To: <t@x>\n"]),
        mode in prop::sample::select(vec![LogMode::KnownContacts, LogMode::EveryoneOutside]),
    ) {
        let (mut rules, known) = world();
        rules.mode = mode;
        let header = format!("From: {}\nTo: {}\n{parent}X: y", people[0], people[1..].join(", "));
        let decision = decide(&mail(&header), Seen { role: Role::All, folder: "x", begins: None }, &known, &rules);
        if let Verdict::Log { contacts, .. } = decision.verdict {
            prop_assert!(!contacts.is_empty());
            prop_assert!(contacts.iter().all(|c| !rules.is_colleague(&c.address)));
        }
    }
}

#[test]
fn a_debug_print_shows_no_mail_text() {
    let arrival = mail(
        "From: Ann Secret <ann@firm.example>\nTo: carl@customer.example\nSubject: Secret\nMessage-ID: <Secret@x>",
    );
    let (rules, known) = world();
    let decision = decide(&arrival, Seen { role: Role::Sent, folder: "Sent", begins: None }, &known, &rules);
    let body = threadline_core::message::Body::parse(b"Subject: Secret\r\n\r\nSecret\r\n");
    let shown = format!("{arrival:?} {decision:?} {body:?}");
    assert!(!shown.contains("Secret") && !shown.contains("carl") && !shown.contains("Carl"), "{shown}");
}
