//! On whom a mail is logged at HubSpot, and on whom not.

use crate::bench::*;
use threadline_core::reason::Reason;
use threadline_core::record::Association;
use threadline_crm::{CrmError, Delivery, How, HubspotSink, Kind, Retry, Sink};
use threadline_testkit::hubspot::{Fault, Options};

const MAKE: &str = "POST /crm/v3/objects/contacts";
const LOOK_UP: &str = "POST /crm/v3/objects/contacts/batch/read";
const LINK: &str = "PUT /crm/v4/objects/emails";

fn stranger(name: &str, may_create: bool) -> Association {
    Association { address: address(name), name: None, remote_id: None, may_create }
}

async fn fails(sink: &HubspotSink, delivery: &Delivery) -> CrmError {
    sink.push(std::slice::from_ref(delivery)).await.remove(0).unwrap_err()
}

#[tokio::test]
async fn nobody_is_made_a_contact_whom_the_rules_do_not_allow() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    let sink = hubspot(&portal, &clock);
    let mut mail = delivery(1, "ann@buyer.example", Some(&ann.to_string()));
    mail.record.contacts.push(stranger("eve@buyer.example", false));
    let accepted = sink.push(std::slice::from_ref(&mail)).await.remove(0).unwrap();
    assert_eq!(accepted.contacts, [(address("ann@buyer.example"), ann.to_string())]);
    assert!(portal.requests().iter().all(|r| r.line != MAKE));
    // With nobody left, it is set aside, and says why.
    mail = delivery(2, "ann@buyer.example", None);
    mail.record.contacts = vec![stranger("eve@buyer.example", false)];
    let error = fails(&sink, &mail).await;
    assert_eq!((error.kind, error.retry), (Kind::Row, Retry::Never));
    assert!(error.to_string().contains("Add the contact in HubSpot"), "{error}");
    assert_eq!(error.sent[0].field, "search:email", "what was asked left the computer too");
    assert_eq!(portal.emails().len(), 1);
    // Once she is there, she is found.
    let eve = portal.add_contact("eve@buyer.example", "Eve", "Lee");
    let accepted = sink.push(&[mail]).await.remove(0).unwrap();
    assert_eq!(accepted.contacts[0].1, eve.to_string());
}

#[tokio::test]
async fn one_contact_that_is_refused_does_not_cost_the_others_the_mail() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    let sink = hubspot(&portal, &clock);
    let mut mail = delivery(1, "ann@buyer.example", Some(&ann.to_string()));
    // HubSpot takes no address of a host without a domain.
    mail.record.contacts.push(stranger("new@intranet", true));
    let accepted = sink.push(std::slice::from_ref(&mail)).await.remove(0).unwrap();
    assert_eq!(accepted.contacts.len(), 1);
    mail = delivery(2, "new@intranet", None);
    let error = fails(&sink, &mail).await;
    assert_eq!((error.reason, error.kind), (Reason::CrmRejected, Kind::Row));
}

#[tokio::test]
async fn two_copies_of_one_mail_are_logged_on_the_contacts_of_both() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    let bob = portal.add_contact("bob@buyer.example", "Bob", "Lee");
    let sink = hubspot(&portal, &clock);
    let mine = delivery(1, "ann@buyer.example", Some(&ann.to_string()));
    let mut hers = mine.clone();
    hers.record.contacts[0].address = address("bob@buyer.example");
    hers.record.contacts[0].remote_id = Some(bob.to_string());
    let answers = sink.push(&[mine, hers]).await;
    assert!(answers.iter().all(Result::is_ok));
    let emails = portal.emails();
    assert_eq!((emails.len(), portal.links(emails[0].id)), (1, vec![ann, bob]));
}

#[tokio::test]
async fn a_look_up_that_is_refused_blames_no_row_of_many() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let sink = hubspot(&portal, &clock);
    sink.connect().await.unwrap();
    portal.inject(LOOK_UP, Fault::Status(400));
    let error = fails(&sink, &delivery(1, "ann@buyer.example", None)).await;
    assert_eq!((error.reason, error.kind), (Reason::CrmRejected, Kind::Batch));
}

#[tokio::test]
async fn a_contact_that_goes_meanwhile_does_not_refuse_a_searched_mail() {
    let clock = clock();
    let options = Options { property_forbidden: true, ..Options::default() };
    let portal = portal(options, &clock).await;
    let gone = portal.add_contact("gone@buyer.example", "Gone", "Lee");
    let ann = portal.add_contact("ann@buyer.example", "Ann", "Lee");
    portal.archive_contact(gone);
    let sink = hubspot(&portal, &clock);
    let mut mail = delivery(1, "ann@buyer.example", Some(&ann.to_string()));
    mail.record
        .contacts
        .push(Association { remote_id: Some(gone.to_string()), ..stranger("gone@buyer.example", false) });
    let accepted = sink.push(std::slice::from_ref(&mail)).await.remove(0).unwrap();
    assert_eq!(accepted.how, How::Created);
    assert_eq!(portal.links(portal.emails()[0].id), [ann]);
    assert!(portal.count(LINK) <= 2);
}
