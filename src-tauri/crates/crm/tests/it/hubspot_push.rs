//! What reaches the portal, and what does not.

use crate::bench::*;
use threadline_core::address::Mailbox;
use threadline_core::record::{Association, Direction};
use threadline_crm::{Accepted, Dedupe, Delivery, How, HubspotSink, Kind, Retry, Sink};
use threadline_testkit::hubspot::{FakeHubspot, Fault, Object, Options};

const UPSERT: &str = "POST /crm/v3/objects/emails/batch/upsert";
const CREATE: &str = "POST /crm/v3/objects/emails/batch/create";
const SEARCH: &str = "POST /crm/v3/objects/emails/search";

async fn push_one(sink: &HubspotSink, delivery: &Delivery) -> Accepted {
    sink.push(std::slice::from_ref(delivery)).await.remove(0).unwrap()
}

fn only(portal: &FakeHubspot) -> Object {
    let mut emails = portal.emails();
    assert_eq!(emails.len(), 1);
    emails.remove(0)
}

#[tokio::test]
async fn a_mail_arrives_with_all_its_fields_contact_and_owner() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    let sam = portal.add_owner("sam@own.example");
    let sink = hubspot(&portal, &clock);
    let found = sink.connect().await.unwrap();
    assert_eq!(found.dedupe, Dedupe::UniqueProperty);
    assert_eq!(found.id.as_deref(), Some("7654321"));
    assert!(portal.properties()["threadline_message_id"].unique);

    let mut mail = delivery(1, "ann@buyer.example", Some(&ann.to_string()));
    mail.record.cc = vec![Mailbox::new(None, address("carl@buyer.example"))];
    let accepted = push_one(&sink, &mail).await;

    let email = only(&portal);
    assert_eq!(email.get("hs_timestamp"), "1772618340000");
    assert_eq!(email.get("hs_email_direction"), "EMAIL");
    assert_eq!(email.get("hs_email_status"), "SENT");
    assert_eq!(email.get("hs_email_subject"), "Offer 1");
    assert_eq!(email.get("hs_email_text"), "Dear Ann 1");
    assert_eq!(email.get("hs_email_html"), "<p>Dear Ann 1</p>");
    assert_eq!(email.get("hs_email_message_id"), "<mail-1@own.example>");
    assert_eq!(email.get("hubspot_owner_id"), sam.to_string());
    assert_eq!(email.get("threadline_message_id"), mail.record.key.to_string());
    let headers: serde_json::Value = serde_json::from_str(email.get("hs_email_headers")).unwrap();
    assert_eq!(
        headers,
        serde_json::json!({
            "from": {"email": "sam@own.example", "firstName": "Sam", "lastName": "Seller"},
            "to": [{"email": "ann@buyer.example", "firstName": "Ann van", "lastName": "Lee"}],
            "cc": [{"email": "carl@buyer.example"}],
        })
    );
    assert_eq!(portal.links(email.id), [ann]);
    assert_eq!(accepted.how, How::Created);
    assert_eq!(accepted.remote_id, Some(email.id.to_string()));
    assert_eq!(accepted.contacts, [(address("ann@buyer.example"), ann.to_string())]);
    let link = accepted.link.unwrap();
    assert!(link.starts_with("https://app.hubspot.com/contacts/7654321/record/0-1/"), "{link}");
    let text = accepted.sent.iter().find(|e| e.field == "hs_email_text").unwrap();
    assert_eq!((text.object.as_str(), text.bytes), ("email", 10));
    assert!(accepted.sent.iter().any(|e| e.object == "association"));
}

#[tokio::test]
async fn a_reply_is_incoming_and_no_bcc_goes_anywhere() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let sink = hubspot(&portal, &clock);
    let mut mail = delivery(1, "ann@buyer.example", None);
    mail.record.direction = Direction::Incoming;
    push_one(&sink, &mail).await;
    assert_eq!(only(&portal).get("hs_email_direction"), "INCOMING_EMAIL");
    for request in portal.requests() {
        assert!(!format!("{request:?}").contains(BCC), "{}", request.line);
    }
}

#[tokio::test]
async fn the_second_push_of_a_key_stores_and_changes_nothing() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    let first = hubspot(&portal, &clock);
    let mut mail = delivery(1, "ann@buyer.example", Some(&ann.to_string()));
    push_one(&first, &mail).await;
    // A colleague's computer has the same mail, with another contact on it.
    let bob = portal.add_contact("bob@buyer.example", "Bob", "Lee");
    let second = hubspot(&portal, &clock);
    mail.record.text = "changed".into();
    mail.record.contacts[0] = Association {
        address: address("bob@buyer.example"),
        name: None,
        remote_id: Some(bob.to_string()),
        may_create: true,
    };
    let accepted = push_one(&second, &mail).await;
    assert_eq!(accepted.how, How::Existing);
    let email = only(&portal);
    assert_eq!(email.get("hs_email_text"), "Dear Ann 1", "what is there is not touched");
    assert_eq!(portal.links(email.id), [ann, bob], "both contacts see it");
    assert_eq!(portal.count(UPSERT), 1);
}

#[tokio::test]
async fn a_mail_that_hubspot_logged_is_linked_and_not_touched() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    let sink = hubspot(&portal, &clock);
    // Portals hold ids with brackets and without, and in their own case.
    for (n, id) in [(1, "<Mail-1@own.example>"), (2, "mail-2@own.example")] {
        let own = portal.add_own_email(id, "as it was");
        let accepted = push_one(&sink, &delivery(n, "ann@buyer.example", Some(&ann.to_string()))).await;
        assert_eq!(accepted.how, How::Linked);
        assert_eq!(accepted.remote_id, Some(own.to_string()));
        assert_eq!(portal.links(own), [ann]);
    }
    // An alias id counts as well.
    let own = portal.add_own_email("<rewritten@outlook.example>", "as it was");
    let mut mail = delivery(3, "ann@buyer.example", Some(&ann.to_string()));
    mail.record.ids.push("rewritten@outlook.example".into());
    assert_eq!(push_one(&sink, &mail).await.remote_id, Some(own.to_string()));
    assert_eq!(portal.emails().len(), 3);
    assert!(portal.emails().iter().all(|e| e.get("hs_email_subject") == "as it was"));
    assert!(portal.emails().iter().all(|e| e.get("threadline_message_id").is_empty()));
    assert_eq!(portal.count(UPSERT), 0);
}

#[tokio::test]
async fn a_mail_whose_id_was_rewritten_for_a_colleague_is_one_record() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let mine = delivery(1, "ann@buyer.example", None);
    push_one(&hubspot(&portal, &clock), &mine).await;
    // The colleague's server kept the first id in another field, and gave the mail one of its own.
    let mut theirs = delivery(2, "ann@buyer.example", None);
    theirs.record.ids.extend(mine.record.ids.clone());
    assert_ne!(theirs.record.key, mine.record.key);
    assert_eq!(push_one(&hubspot(&portal, &clock), &theirs).await.how, How::Existing);
    assert_eq!(only(&portal).get("threadline_message_id"), mine.record.key.to_string());
}

#[tokio::test]
async fn unknown_contacts_are_looked_up_then_made_and_a_conflict_names_them() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    portal.change_contact(ann, &[("hs_additional_emails", "ann@home.example;ann@old.example")]);
    let sink = hubspot(&portal, &clock);
    let mails = [
        delivery(1, "ann@buyer.example", None),
        delivery(2, "ann@old.example", None),
        delivery(3, "new@buyer.example", None),
        delivery(4, "new@buyer.example", None),
    ];
    let answers: Vec<Accepted> = sink.push(&mails).await.into_iter().map(Result::unwrap).collect();
    let contacts = portal.contacts();
    assert_eq!(contacts.len(), 2, "one was made");
    let new = &contacts[1];
    assert_eq!(
        (new.get("email"), new.get("firstname"), new.get("lastname")),
        ("new@buyer.example", "Ann van", "Lee")
    );
    let ids: Vec<&str> = answers.iter().map(|a| a.contacts[0].1.as_str()).collect();
    let (ann, new) = (ann.to_string(), new.id.to_string());
    assert_eq!(ids, [&ann, &ann, &new, &new]);
    assert!(answers[2].sent.iter().any(|e| e.object == "contact" && e.field == "firstname" && e.bytes == 7));
    assert!(answers[0].sent.iter().any(|e| e.object == "contact" && e.field == "search:email"));
}

#[tokio::test]
async fn a_contact_that_only_the_conflict_names_is_used() {
    let clock = clock();
    let portal = portal(Options { read_by_other_address: false, ..Options::default() }, &clock).await;
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    portal.change_contact(ann, &[("hs_additional_emails", "ann@home.example")]);
    let sink = hubspot(&portal, &clock);
    let accepted = push_one(&sink, &delivery(1, "ann@home.example", None)).await;
    assert_eq!(accepted.contacts, [(address("ann@home.example"), ann.to_string())]);
    assert_eq!(portal.links(only(&portal).id), [ann]);
    assert_eq!(portal.contacts().len(), 1);
}

#[tokio::test]
async fn an_address_that_hubspot_refuses_stops_its_own_mail_only() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let sink = hubspot(&portal, &clock);
    let answers =
        sink.push(&[delivery(1, "ann@localhost", None), delivery(2, "ann@buyer.example", None)]).await;
    let error = answers[0].as_ref().unwrap_err();
    assert_eq!(error.reason, threadline_core::reason::Reason::CrmRejected);
    assert_eq!(error.kind, threadline_crm::Kind::Row);
    assert!(!error.to_string().contains("ann@localhost"), "{error}");
    assert!(answers[1].is_ok());
    assert_eq!(portal.emails().len(), 1);
}

#[tokio::test]
async fn a_hundred_mails_go_in_few_requests() {
    let clock = clock();
    let portal = portal(Options { crowd: 100, ..Options::default() }, &clock).await;
    let sink = hubspot(&portal, &clock);
    sink.connect().await.unwrap();
    portal.forget_requests();
    let mails: Vec<Delivery> = (0..100)
        .map(|n| delivery(n, &format!("person{n}@crowd{n}.example"), Some(&(1_000_001 + n).to_string())))
        .collect();
    let answers = sink.push(&mails).await;
    assert!(answers.iter().all(|a| a.as_ref().is_ok_and(|a| a.how == How::Created)));
    assert_eq!(portal.emails().len(), 100);
    // Look up by key, search twice (a search has 3,000 characters), owner, upsert, associate.
    assert_eq!(
        portal.requests().len(),
        6,
        "{:?}",
        portal.requests().iter().map(|r| &r.line).collect::<Vec<_>>()
    );
    assert_eq!(portal.links(portal.emails()[7].id), [1_000_008]);
}

#[tokio::test]
async fn large_mails_are_cut_and_sent_in_several_requests() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee").to_string();
    let sink = hubspot(&portal, &clock);
    let mails: Vec<Delivery> = (0..4)
        .map(|n| {
            let mut mail = delivery(n, "ann@buyer.example", Some(&ann));
            mail.record.text = "ä".repeat(1_048_576);
            mail.record.html = None;
            mail
        })
        .collect();
    assert!(sink.push(&mails).await.iter().all(Result::is_ok));
    assert_eq!(portal.count(UPSERT), 2);
    let text = portal.emails()[0].get("hs_email_text").to_owned();
    assert!(text.len() <= 2_000_000 && text.ends_with("longer than HubSpot takes.]"));
}

#[tokio::test]
async fn one_key_twice_in_a_batch_is_one_record() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let sink = hubspot(&portal, &clock);
    let mail = delivery(1, "ann@buyer.example", None);
    let answers = sink.push(&[mail.clone(), mail]).await;
    let hows: Vec<How> = answers.into_iter().map(|a| a.unwrap().how).collect();
    assert_eq!(hows, [How::Created, How::Existing]);
    only(&portal);
}

#[tokio::test]
async fn a_contact_that_is_gone_is_looked_up_again_or_left_out() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let old = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    let gone = portal.add_contact("gone@buyer.example", "Gone", "Lee");
    portal.archive_contact(old);
    portal.archive_contact(gone);
    let new = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    let sink = hubspot(&portal, &clock);
    let mut mail = delivery(1, "ann@buyer.example", Some(&old.to_string()));
    mail.record.contacts.push(Association {
        address: address("gone@buyer.example"),
        name: None,
        remote_id: Some(gone.to_string()),
        may_create: true,
    });
    let accepted = push_one(&sink, &mail).await;
    assert_eq!(accepted.contacts, [(address("ann@buyer.example"), new.to_string())]);
    assert_eq!(portal.links(only(&portal).id), [new]);
    // One contact alone goes another way.
    let mail = delivery(2, "ann@buyer.example", Some(&old.to_string()));
    assert_eq!(push_one(&sink, &mail).await.contacts[0].1, new.to_string());
}

/// The email is there, but a person would find it nowhere.
#[tokio::test]
async fn a_mail_that_lies_on_nobody_is_set_aside() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let gone = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    portal.archive_contact(gone);
    let sink = hubspot(&portal, &clock);
    let mail = delivery(1, "ann@buyer.example", Some(&gone.to_string()));
    let error = sink.push(std::slice::from_ref(&mail)).await.remove(0).unwrap_err();
    assert_eq!((error.kind, error.retry, error.uncertain), (Kind::Row, Retry::Never, true));
    assert!(error.to_string().contains("nobody to log it on"), "{error}");
    // In a batch only that one is refused, and where the contact is back it is finished, not doubled.
    let ben = portal.add_contact("ben@buyer.example", "Ben", "Lee");
    let other = delivery(2, "ben@buyer.example", Some(&ben.to_string()));
    let answers = sink.push(&[mail.clone(), other]).await;
    assert!(answers[0].is_err() && answers[1].is_ok(), "{answers:?}");
    let new = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    push_one(&sink, &mail).await;
    let emails = portal.emails();
    assert_eq!(emails.len(), 2);
    assert!(emails.iter().any(|email| portal.links(email.id) == [new]));
}

#[tokio::test]
async fn an_association_that_is_refused_is_told() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    let sink = hubspot(&portal, &clock);
    sink.connect().await.unwrap();
    portal.inject("PUT /crm/v4/objects/emails", Fault::Status(400));
    let mail = delivery(1, "ann@buyer.example", Some(&ann.to_string()));
    let error = sink.push(std::slice::from_ref(&mail)).await.remove(0).unwrap_err();
    assert_eq!((error.kind, error.retry, error.uncertain), (Kind::Row, Retry::Never, true));
    push_one(&sink, &mail).await;
    assert_eq!(portal.links(only(&portal).id), [ann]);
}

#[tokio::test]
async fn a_portal_without_the_property_is_searched_first() {
    let clock = clock();
    let options = Options { property_forbidden: true, ..Options::default() };
    let portal = portal(options, &clock).await;
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    let sink = hubspot(&portal, &clock);
    assert_eq!(sink.connect().await.unwrap().dedupe, Dedupe::Search);
    let mail = delivery(1, "ann@buyer.example", Some(&ann.to_string()));
    assert_eq!(push_one(&sink, &mail).await.how, How::Created);
    let email = only(&portal);
    assert_eq!(portal.links(email.id), [ann]);
    assert_eq!(email.get("threadline_message_id"), "");
    // A second computer finds it.
    assert_eq!(push_one(&hubspot(&portal, &clock), &mail).await.remote_id, Some(email.id.to_string()));
    // A mail without an id is found by one that is made of its key.
    let mut bare = delivery(2, "ann@buyer.example", Some(&ann.to_string()));
    bare.record.message_id = None;
    bare.record.ids.clear();
    push_one(&sink, &bare).await;
    assert_eq!(push_one(&hubspot(&portal, &clock), &bare).await.how, How::Linked);
    assert_eq!(portal.emails().len(), 2);
    assert_eq!((portal.count(CREATE), portal.count(UPSERT)), (2, 0));
    assert!(portal.count(SEARCH) >= 4);
}

#[tokio::test]
async fn a_property_that_somebody_made_already_is_used_if_it_is_unique() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    hubspot(&portal, &clock).connect().await.unwrap();
    portal.set(|o| o.property_forbidden = true);
    let sink = hubspot(&portal, &clock);
    assert_eq!(sink.connect().await.unwrap().dedupe, Dedupe::UniqueProperty);
    portal.forget_requests();
    sink.connect().await.unwrap();
    assert!(portal.requests().is_empty(), "connecting again costs nothing");
}

#[tokio::test]
async fn two_computers_make_the_property_in_one_moment() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    // It was made, but the answer was lost; the retry and the other computer meet 409 or find it.
    portal.inject("POST /crm/v3/properties", threadline_testkit::hubspot::Fault::DropAfter);
    let sink = hubspot(&portal, &clock);
    assert!(sink.connect().await.is_err());
    assert_eq!(sink.connect().await.unwrap().dedupe, Dedupe::UniqueProperty);
}

#[tokio::test]
async fn neither_property_nor_search_is_said_at_once() {
    let clock = clock();
    let options = Options { property_forbidden: true, message_id_settable: false, ..Options::default() };
    let portal = portal(options, &clock).await;
    let error = hubspot(&portal, &clock).connect().await.unwrap_err();
    assert_eq!(error.reason, threadline_core::reason::Reason::ScopeMissing);
    assert!(error.to_string().contains("threadline_message_id"), "{error}");
}

#[tokio::test]
async fn a_read_only_message_id_is_left_out() {
    let clock = clock();
    let portal = portal(Options { message_id_settable: false, ..Options::default() }, &clock).await;
    let sink = hubspot(&portal, &clock);
    push_one(&sink, &delivery(1, "ann@buyer.example", None)).await;
    assert_eq!(only(&portal).get("hs_email_message_id"), "");
}
