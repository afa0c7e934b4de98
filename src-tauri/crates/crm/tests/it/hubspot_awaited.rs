//! Mail that HubSpot logs by itself.

use super::bench::{clock, delivery, hubspot};
use std::sync::Arc;
use std::time::Duration;
use threadline_core::reason::Reason;
use threadline_crm::{Awaited, Delivery, How, Kind, Retry, Sink};
use threadline_testkit::hubspot::{FakeHubspot, Options};

fn awaited(n: usize, how: Awaited) -> Delivery {
    Delivery { awaited: Some(how), ..delivery(n, "ann@client.example", None) }
}

#[tokio::test]
async fn it_is_looked_for_linked_and_never_written() {
    let clock = clock();
    for property_forbidden in [false, true] {
        let options = Options { property_forbidden, ..Options::default() };
        let portal = FakeHubspot::start(options, Arc::new(clock.clone())).await.unwrap();
        let ann = portal.add_contact("ann@client.example", "Ann", "");
        let sink = hubspot(&portal, &clock);
        let waits = sink.push(&[awaited(1, Awaited::Still)]).await.remove(0).unwrap_err();
        assert_eq!((waits.reason, waits.kind), (Reason::CrmRecordMissing, Kind::Row));
        assert_eq!(waits.retry, Retry::After(Duration::from_secs(60)));
        let over = sink.push(&[awaited(1, Awaited::TooLong)]).await.remove(0).unwrap_err();
        assert_eq!((over.reason, over.retry), (Reason::CrmRecordMissing, Retry::Never));
        assert!(portal.emails().is_empty(), "nothing is written");
        // HubSpot's logger comes.
        let own = portal.add_own_email("<mail-1@Own.example>", "Offer 1");
        for how in [Awaited::Still, Awaited::TooLong] {
            let found = sink.push(&[awaited(1, how)]).await.remove(0).unwrap();
            assert_eq!((found.remote_id, found.how), (Some(own.to_string()), How::Linked));
        }
        assert_eq!((portal.emails().len(), portal.links(own)), (1, vec![ann]));
        assert_eq!(portal.emails()[0].get("hs_email_text"), "as HubSpot logged it");
    }
}

#[tokio::test]
async fn who_is_no_contact_there_stops_nothing() {
    let clock = clock();
    let portal = FakeHubspot::start(Options::default(), Arc::new(clock.clone())).await.unwrap();
    let own = portal.add_own_email("<mail-1@own.example>", "Offer 1");
    let mut mail = awaited(1, Awaited::Still);
    mail.record.contacts[0].may_create = false;
    let found = hubspot(&portal, &clock).push(&[mail]).await.remove(0).unwrap();
    assert_eq!((found.remote_id, portal.contacts().len()), (Some(own.to_string()), 0));
}
