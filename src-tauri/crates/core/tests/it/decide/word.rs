//! The person's own word: gestures, the logging address, and what is never logged.

use super::*;

#[test]
fn a_copy_to_the_logging_address_says_log_this() {
    let (mut rules, mut known) = world();
    rules.mode = LogMode::OnlyWhenISay;
    let seen = Seen { role: Role::Sent, folder: "Sent", begins: None };
    for people in [
        "To: carl@customer.example, ann+crm@firm.example",
        "To: carl@customer.example\nCc: Ann+CRM@firm.example",
        "To: carl@customer.example\nBcc: ann+crm@firm.example",
    ] {
        let copied = mail(&format!("From: ann@firm.example\n{people}"));
        let decision = decide(&copied, seen, &known, &rules);
        assert!(is_log(&decision, Thread::New, Rule::LoggingAddress), "{people}: {decision:?}");
    }
    // Nobody else's mail is logged by it, and nothing that is never logged.
    let received = mail("From: carl@customer.example\nTo: ann+crm@firm.example");
    let inbox = Seen { role: Role::Inbox, folder: "INBOX", begins: None };
    assert_eq!(decide(&received, inbox, &known, &rules).rule, Rule::OnlyWhenISay);
    let never = mail("From: ann@firm.example\nTo: doctor@clinic.example\nBcc: ann+crm@firm.example");
    assert_eq!(decide(&never, seen, &known, &rules).rule, Rule::NeverAddress);
    // An address of another domain is nobody to log on.
    rules.logging_addresses = vec![address("log@else.example")];
    let copied = mail("From: ann@firm.example\nTo: new@third.example\nBcc: log@else.example");
    known.crm_has_contacts = false;
    let Verdict::Log { contacts, .. } = decide(&copied, seen, &known, &rules).verdict else { panic!() };
    assert_eq!(contacts.iter().map(|c| c.address.as_str()).collect::<Vec<_>>(), ["new@third.example"]);
}

#[test]
fn a_forward_to_the_logging_address_waits_for_its_original() {
    let to_log = sent("To: ann+crm@firm.example\nSubject: Fwd: x");
    assert_eq!((to_log.verdict, to_log.rule), (Verdict::Hold, Rule::ForwardToLog));
    let marked = flagged("From: ann@firm.example\nTo: ann@firm.example\nSubject: WG: x", "$CrmLog");
    assert_eq!(at(&marked, Role::Inbox, "INBOX").rule, Rule::ForwardToLog);
    for nothing in ["To: ann+crm@firm.example\nSubject: x", "To: ann@firm.example\nSubject: Fwd: x"] {
        assert_eq!(sent(nothing).rule, Rule::OnlyOwnAddresses, "{nothing}");
    }
    // Somebody else who writes under that name is not believed.
    let forged = inbox("From: ann@firm.example\nTo: ann+crm@firm.example\nSubject: Fwd: x");
    assert_eq!(forged.rule, Rule::OnlyOwnAddresses);
}

#[test]
fn what_is_put_into_the_log_folder_is_logged_but_for_what_never_is() {
    let put = |header: &str| at(&mail(header), Role::Other, "INBOX.Threadline.Log");
    // The person's own mail, moved there from Sent, went out.
    let own = put("From: ann@firm.example\nTo: carl@customer.example");
    assert!(is_log(&own, Thread::New, Rule::LogFolder), "{own:?}");
    assert_eq!(own.direction, Direction::Outgoing);
    let list = put("From: carl@customer.example\nTo: ann@firm.example\nList-Id: <n>");
    assert!(is_log(&list, Thread::New, Rule::LogFolder), "{list:?}");
    assert_eq!(put("From: doctor@clinic.example\nTo: ann@firm.example").rule, Rule::NeverAddress);
    assert_eq!(put("From: ann@firm.example\nTo: ann@firm.example\nSubject: Fwd: x").rule, Rule::ForwardToLog);
}

#[test]
fn words_and_private_times_keep_mail_out_whatever_else_is_said() {
    let (mut rules, known) = world();
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    rules.never_words = vec!["confidential".into()];
    rules.private_times =
        vec![PrivateTime { from: at("2026-06-01T10:00:00Z"), until: at("2026-06-01T12:00:00Z") }];
    let rule = |role, from: &str, when: &str, more: &str| {
        let header = format!("From: {from}\nTo: carl@customer.example, ann@firm.example\n{more}");
        let arrival = Arrival { internal_date: at(when), ..flagged(&header, "$CrmLog") };
        decide(&arrival, Seen { role, folder: "x", begins: None }, &known, &rules).rule
    };
    let (ann, carl) = ("ann@firm.example", "carl@customer.example");
    let noon = "2026-06-01T11:00:00Z";
    assert_eq!(rule(Role::Sent, ann, "2026-06-01T09:59:59Z", "Subject: x"), Rule::KeywordLog);
    assert_eq!(rule(Role::Sent, ann, noon, "Subject: x"), Rule::PrivateTime);
    assert_eq!(rule(Role::Sent, ann, "2026-06-01T12:00:00Z", "Subject: x"), Rule::KeywordLog);
    assert_eq!(rule(Role::Inbox, carl, noon, "Subject: x"), Rule::KeywordLog, "what comes in is not meant");
    assert_eq!(rule(Role::Inbox, carl, noon, "Subject: Re: CONFIDENTIAL: x"), Rule::NeverWord);
}

#[test]
fn all_or_any_of_the_people_outside_must_be_contacts() {
    let (mut rules, known) = world();
    let both = mail("From: ann@firm.example\nTo: carl@customer.example, new@third.example");
    let seen = Seen { role: Role::Sent, folder: "Sent", begins: None };
    assert_eq!(decide(&both, seen, &known, &rules).rule, Rule::SentToContact);
    rules.participants = Participants::All;
    assert_eq!(decide(&both, seen, &known, &rules).rule, Rule::UnknownRecipient);
    let one = mail("From: ann@firm.example\nTo: carl@customer.example, bob@firm.example");
    assert_eq!(decide(&one, seen, &known, &rules).rule, Rule::SentToContact);
}

#[test]
fn the_keyword_logs_what_no_other_rule_would() {
    let (rules, mut known) = world();
    let seen = Seen { role: Role::Inbox, folder: "INBOX", begins: None };
    let arrival = flagged("From: new@third.example\nTo: ann@firm.example", "$CrmLog");
    known.crm_has_contacts = false;
    assert!(is_log(&decide(&arrival, seen, &known, &rules), Thread::New, Rule::KeywordLog));
    // A CRM with contacts of its own logs mail on one of them, and the rules make none.
    known.crm_has_contacts = true;
    let asked = decide(&arrival, seen, &known, &rules);
    assert_eq!((asked.verdict, asked.rule), (Verdict::Ask, Rule::NoContact));
    for machine in ["List-Id: <n>", "Auto-Submitted: auto-replied"] {
        let mail =
            flagged(&format!("From: carl@customer.example\nTo: ann@firm.example\n{machine}"), "$CrmLog");
        assert!(is_log(&decide(&mail, seen, &known, &rules), Thread::New, Rule::KeywordLog), "{machine}");
    }
}

#[test]
fn what_the_person_says_counts_but_for_what_is_never_logged() {
    let (rules, known) = world();
    let seen = Seen { role: Role::Sent, folder: "Sent", begins: None };
    let told = |answer, to: &str| {
        let known = Known { answer: Some(answer), ..known.clone() };
        decide(&mail(&format!("From: ann@firm.example\nTo: {to}")), seen, &known, &rules)
    };
    let logged = told(Answer::Log, "new@third.example");
    assert!(is_log(&logged, Thread::New, Rule::ToldToLog), "{logged:?}");
    let Verdict::Log { contacts, .. } = logged.verdict else { panic!() };
    assert!(contacts[0].may_create);
    assert_eq!(told(Answer::Ignore, "carl@customer.example").rule, Rule::ToldNotTo);
    assert_eq!(told(Answer::Log, "doctor@clinic.example").rule, Rule::NeverAddress);
    assert_eq!(told(Answer::Log, "bob@firm.example").rule, Rule::OnlyColleagues);
}

#[test]
fn the_relays_switch_is_the_persons_word_of_one_mail() {
    let (mut rules, known) = world();
    let seen = Seen { role: Role::Sent, folder: "Sent", begins: None };
    let sent = |rules: &Rules, relayed, answer, to: &str| {
        let known = Known { relayed: Some(relayed), answer, ..known.clone() };
        decide(&mail(&format!("From: ann@firm.example\nTo: {to}")), seen, &known, rules)
    };
    let kept_out = sent(&rules, Answer::Ignore, None, "carl@customer.example");
    assert_eq!((kept_out.verdict, kept_out.rule), (Verdict::Ignore, Rule::RelayNoLog));
    rules.mode = LogMode::OnlyWhenISay;
    let logged = sent(&rules, Answer::Log, None, "carl@customer.example");
    assert!(is_log(&logged, Thread::New, Rule::RelayLog), "{logged:?}");
    // As with every gesture no contact is made by it, and what is never logged is not.
    let asked = sent(&rules, Answer::Log, None, "new@third.example");
    assert_eq!((asked.verdict, asked.rule), (Verdict::Ask, Rule::NoContact));
    assert_eq!(sent(&rules, Answer::Log, None, "doctor@clinic.example").rule, Rule::NeverAddress);
    assert_eq!(sent(&rules, Answer::Log, None, "bob@firm.example").rule, Rule::OnlyColleagues);
    // What is said later counts.
    let later = sent(&rules, Answer::Ignore, Some(Answer::Log), "carl@customer.example");
    assert_eq!(later.rule, Rule::ToldToLog);
    let later = sent(&rules, Answer::Log, Some(Answer::Ignore), "carl@customer.example");
    assert_eq!(later.rule, Rule::ToldNotTo);
}
