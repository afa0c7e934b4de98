//! Mail to several contacts in Bcc, and mail to a CRM's own address.

use super::{address, is_log, mail, world};
use std::collections::HashSet;
use std::sync::Arc;
use threadline_core::arrival::Role;
use threadline_core::contact::Contact;
use threadline_core::decide::{Decision, Known, KnownThread, Seen, Thread, Verdict, decide};
use threadline_core::id::MessageId;
use threadline_core::matching::Clue;
use threadline_core::record::Association;
use threadline_core::rule::{Rule, Rules};

const SENT: Seen<'_> = Seen { role: Role::Sent, folder: "Sent", begins: None };

/// As `world`, with Dora of the same firm as Carl, contact 8, and Eve of another one, contact 9.
fn people() -> (Rules, Known) {
    let (rules, mut known) = world();
    for (id, who) in [("8", "dora@customer.example"), ("9", "eve@third.example")] {
        let contact = Contact { remote_id: id.into(), addresses: vec![address(who)], name: None };
        known.contacts.insert(address(who), contact);
    }
    (rules, known)
}

fn sent(known: &Known, header: &str) -> Decision {
    let (rules, _) = people();
    decide(&mail(&format!("From: ann@firm.example\n{header}")), SENT, known, &rules)
}

fn on(decision: &Decision) -> Vec<&str> {
    let Verdict::Log { contacts, .. } = &decision.verdict else { panic!("{decision:?}") };
    contacts.iter().map(|c| c.address.as_str()).collect()
}

fn hidden(decision: &Decision) -> Vec<(&str, Thread)> {
    decision.hidden.iter().map(|one| (one.contact.address.as_str(), one.thread)).collect()
}

/// A logged conversation with one person, under this id.
fn thread(known: &mut Known, id: i64, of: &str, who: &str) {
    let contact = &known.contacts[&address(who)];
    let thread = KnownThread {
        id,
        participants: HashSet::from([address("ann@firm.example"), address(who)]),
        contacts: vec![Association {
            address: address(who),
            name: None,
            remote_id: Some(contact.remote_id.clone()),
            may_create: false,
        }],
        last: jiff::Timestamp::UNIX_EPOCH,
    };
    known.threads.entry(Clue::Id(MessageId::parse(of).unwrap())).or_default().push(Arc::new(thread));
}

#[test]
fn those_in_bcc_are_logged_on_alone_and_those_in_to_and_cc_together() {
    let (_, known) = people();
    let open = sent(&known, "To: carl@customer.example\nCc: dora@customer.example\nBcc: eve@third.example");
    assert_eq!(on(&open), ["carl@customer.example", "dora@customer.example"]);
    assert_eq!(hidden(&open), [("eve@third.example", Thread::New)]);
    assert!(is_log(&open, Thread::New, Rule::SentToContact), "{open:?}");
    let all = sent(
        &known,
        "To: ann@firm.example\nBcc: carl@customer.example, dora@customer.example, eve@third.example",
    );
    assert_eq!(on(&all), ["carl@customer.example"]);
    assert_eq!(hidden(&all), [("dora@customer.example", Thread::New), ("eve@third.example", Thread::New)]);
    // Who is in To as well hides from nobody, and one contact alone hides nobody.
    let twice = sent(&known, "To: carl@customer.example, eve@third.example\nBcc: eve@third.example");
    assert_eq!((on(&twice).len(), hidden(&twice).len()), (2, 0));
    let one = sent(&known, "To: bob@firm.example\nBcc: eve@third.example");
    assert_eq!((on(&one).len(), hidden(&one).len()), (1, 0));
}

#[test]
fn each_joins_the_conversation_that_is_theirs_alone() {
    let (_, mut known) = people();
    known.threads.clear();
    // The last mail to all of them is in three conversations, the newest first.
    for (id, who) in [(12, "eve@third.example"), (11, "dora@customer.example"), (10, "carl@customer.example")]
    {
        thread(&mut known, id, "last@x", who);
    }
    let header =
        "Bcc: carl@customer.example, dora@customer.example, eve@third.example\nIn-Reply-To: <last@x>";
    let next = sent(&known, header);
    assert!(is_log(&next, Thread::Join(10), Rule::SentInLoggedThread), "{next:?}");
    assert_eq!(
        hidden(&next),
        [("dora@customer.example", Thread::Join(11)), ("eve@third.example", Thread::Join(12))]
    );
    assert_eq!(next.apart_from, None);
    // Her answer goes into hers, though Carl of the same firm has one of the same mail.
    let answer = mail("From: dora@customer.example\nTo: ann@firm.example\nIn-Reply-To: <last@x>");
    let (rules, _) = people();
    let seen = Seen { role: Role::Inbox, folder: "INBOX", begins: None };
    let answer = decide(&answer, seen, &known, &rules);
    assert!(is_log(&answer, Thread::Join(11), Rule::ReplyInLoggedThread), "{answer:?}");
}

#[test]
fn what_the_crm_logs_by_itself_is_logged_once_and_on_those_who_see_each_other() {
    let (rules, mut known) = people();
    known.crm_addresses = vec![address("7@bcc.hubspot.com")];
    let copied = sent(&known, "To: carl@customer.example\nBcc: 7@bcc.hubspot.com, eve@third.example");
    assert!(is_log(&copied, Thread::New, Rule::CrmAddress), "{copied:?}");
    assert_eq!((on(&copied), hidden(&copied).len()), (vec!["carl@customer.example"], 0));
    // The CRM makes contacts by its own rules.
    let stranger = sent(&known, "To: new@else.example\nBcc: 7@bcc.hubspot.com");
    assert!(is_log(&stranger, Thread::New, Rule::CrmAddress), "{stranger:?}");
    assert_eq!(on(&stranger), ["new@else.example"]);
    let alone = sent(&known, "To: 7@bcc.hubspot.com");
    assert_eq!((alone.verdict, alone.rule), (Verdict::Ignore, Rule::CrmAddress));
    // Never-log counts before it, and who writes in does not speak for the person.
    let never = sent(&known, "To: doctor@clinic.example\nBcc: 7@bcc.hubspot.com");
    assert_eq!((never.verdict, never.rule), (Verdict::Ignore, Rule::NeverAddress));
    let received = mail("From: new@else.example\nTo: ann@firm.example, 7@bcc.hubspot.com");
    let seen = Seen { role: Role::Inbox, folder: "INBOX", begins: None };
    assert_eq!(decide(&received, seen, &known, &rules).rule, Rule::UnknownSender);
}
