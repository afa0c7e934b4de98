//! To which conversation a message belongs.

use super::*;

#[test]
fn each_link_leads_to_the_conversation_and_a_subject_alone_is_asked() {
    let root = "Thread-Index: AdLUZmZmZmZmZmZmZmZmZmZmZmZmZg==";
    let original = Envelope::parse(
        format!("From: ann@firm.example\nTo: carl@customer.example\nSubject: The offer\n{root}\n\n")
            .as_bytes(),
    );
    let (rules, mut known) = world();
    let thread = known.threads.values().next().unwrap().clone();
    for clue in traces(&original, Direction::Outgoing) {
        known.threads.insert(clue, thread.clone());
    }
    let seen = Seen { role: Role::Inbox, folder: "INBOX", begins: None };
    let decide = |from: &str, more: &str| {
        decide(&mail(&format!("From: {from}\nTo: ann@firm.example\n{more}")), seen, &known, &rules)
    };
    let carl = "carl@customer.example";
    for (more, link) in [
        ("Message-ID: <t@x>", Link::OwnId),
        ("Message-ID: <n@x>\nX-Google-Original-Message-ID: <t@x>", Link::OwnId),
        ("References: <t@x> <unknown@x>\nIn-Reply-To: <other@x>", Link::References),
        ("In-Reply-To: Ann's mail of Monday, <t@x>, ann@firm.example", Link::InReplyTo),
        (root, Link::ThreadIndex),
    ] {
        let decision = decide(carl, more);
        assert!(is_log(&decision, Thread::Join(3), Rule::ReplyInLoggedThread), "{more}: {decision:?}");
        assert_eq!(decision.link, Some(link), "{more}");
        let stranger = decide("mallory@else.example", more);
        assert_eq!((stranger.verdict, stranger.rule), (Verdict::Ask, Rule::StrangerInThread), "{more}");
    }
    let by_subject = decide(carl, "Subject: AW: the offer");
    assert_eq!((by_subject.verdict, by_subject.rule), (Verdict::Ask, Rule::SameSubject));
    assert_eq!(decide(carl, "Subject: The offer").rule, Rule::NewFromContact);
    assert_eq!(decide("mallory@else.example", "Subject: AW: the offer").rule, Rule::UnknownSender);
    let late = Arrival {
        internal_date: Timestamp::from_second(40 * 86_400).unwrap(),
        ..mail(&format!("From: {carl}\nSubject: Re: the offer"))
    };
    assert_eq!(threadline_core::decide::decide(&late, seen, &known, &rules).rule, Rule::NewFromContact);
}

#[test]
fn the_contacts_other_addresses_are_the_contact() {
    // By the CRM, and by a tag; an address of a third firm that nobody knows is asked about.
    for from in ["c.carlson@customer.example", "carl+work@customer.example", "Carl@CUSTOMER.example"] {
        let decision = inbox(&format!("From: {from}\nTo: ann@firm.example\nIn-Reply-To: <t@x>"));
        assert!(is_log(&decision, Thread::Join(3), Rule::ReplyInLoggedThread), "{from}: {decision:?}");
    }
    let (rules, mut known) = world();
    let home = address("carl@home.example");
    let carl = known.contacts[&address("carl@customer.example")].clone();
    let at_home = mail("From: carl@home.example\nTo: ann@firm.example\nIn-Reply-To: <t@x>");
    let seen = Seen { role: Role::Inbox, folder: "INBOX", begins: None };
    assert_eq!(decide(&at_home, seen, &known, &rules).rule, Rule::StrangerInThread);
    known.contacts.insert(home, carl);
    assert!(is_log(&decide(&at_home, seen, &known, &rules), Thread::Join(3), Rule::ReplyInLoggedThread));
}

#[test]
fn an_old_mail_passed_on_does_not_pull_the_new_reader_into_its_conversation() {
    let (rules, mut known) = world();
    for who in ["dora@second.example", "eve@customer.example"] {
        let contact = Contact { remote_id: who.into(), addresses: vec![address(who)], name: None };
        known.contacts.insert(address(who), contact);
    }
    let seen = Seen { role: Role::Sent, folder: "Sent", begins: None };
    let thread = |to: &str, more: &str| {
        let mail = mail(&format!("From: ann@firm.example\nTo: {to}\nReferences: <t@x>\n{more}"));
        match decide(&mail, seen, &known, &rules).verdict {
            Verdict::Log { thread, .. } => thread,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(thread("dora@second.example", "Subject: Re: x"), Thread::New);
    assert_eq!(thread("carl@customer.example, dora@second.example", "Subject: Fwd: x"), Thread::Join(3));
    // A colleague of the contact: the answer goes on there, what is passed on does not.
    assert_eq!(thread("eve@customer.example", "Subject: Re: x"), Thread::Join(3));
    assert_eq!(thread("eve@customer.example", "Subject: WG: x"), Thread::New);
    assert_eq!(thread("eve@customer.example", "X-Forwarded-Message-Id: <t@x>"), Thread::New);
}

#[test]
fn an_old_thread_sent_to_somebody_else_is_a_new_conversation() {
    let (rules, mut known) = world();
    let dora = Contact { remote_id: "9".into(), addresses: vec![address("dora@second.example")], name: None };
    known.contacts.insert(dora.addresses[0].clone(), dora);
    let arrival = mail("From: ann@firm.example\nTo: dora@second.example\nReferences: <t@x>");
    let decision = decide(&arrival, Seen { role: Role::Sent, folder: "Sent", begins: None }, &known, &rules);
    assert!(is_log(&decision, Thread::New, Rule::SentToContact), "{decision:?}");
    let unknown = sent("To: new@third.example\nReferences: <t@x>");
    assert_eq!((unknown.verdict, unknown.rule), (Verdict::Ask, Rule::UnknownRecipient));
}

#[test]
fn what_the_person_said_of_an_address_is_remembered() {
    let (mut rules, known) = world();
    let at_home = mail("From: carl@home.example\nTo: ann@firm.example\nIn-Reply-To: <t@x>");
    let seen = Seen { role: Role::Inbox, folder: "INBOX", begins: None };
    assert_eq!(decide(&at_home, seen, &known, &rules).rule, Rule::StrangerInThread);
    rules.other_addresses =
        vec![OtherAddress { address: address("carl@home.example"), of: address("carl@customer.example") }];
    assert!(is_log(&decide(&at_home, seen, &known, &rules), Thread::Join(3), Rule::ReplyInLoggedThread));
}
