//! Pulling contacts, all of them and then what changed.

use crate::bench::*;
use std::collections::BTreeSet;
use std::time::Duration;
use threadline_core::reason::Reason;
use threadline_crm::{ContactPage, HubspotSink, Sink};
use threadline_testkit::hubspot::{Fault, Options};

const LIST: &str = "GET /crm/v3/objects/contacts";
const SEARCH: &str = "POST /crm/v3/objects/contacts/search";

/// Pages until there are no more; answers all of them.
async fn pull(sink: &HubspotSink, cursor: Option<&str>) -> (Vec<ContactPage>, String) {
    let mut pages: Vec<ContactPage> = Vec::new();
    let mut cursor = cursor.map(str::to_owned);
    loop {
        let page = sink.contacts(cursor.as_deref()).await.unwrap();
        let (more, next) = (page.more, page.next.clone());
        pages.push(page);
        assert!(pages.len() < 20_000, "the pull does not end");
        if !more {
            return (pages, next);
        }
        cursor = Some(next);
    }
}

fn ids(pages: &[ContactPage]) -> Vec<String> {
    pages.iter().flat_map(|p| p.contacts.iter().map(|c| c.remote_id.clone())).collect()
}

#[tokio::test]
async fn all_contacts_come_once_then_only_what_changed() {
    let clock = clock();
    let portal = portal(Options { crowd: 350, ..Options::default() }, &clock).await;
    let sink = hubspot(&portal, &clock);
    clock.advance(Duration::from_secs(3600));
    let (pages, cursor) = pull(&sink, None).await;
    let all = ids(&pages);
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (350, 350));
    assert!(!pages[0].first_pull_done && pages.last().unwrap().first_pull_done);
    let first = &pages[0].contacts[0];
    assert_eq!(first.name.as_deref(), Some("Person 0"));
    assert_eq!(first.addresses, [address("person0@crowd0.example")]);

    clock.advance(Duration::from_secs(600));
    let (pages, cursor) = pull(&sink, Some(&cursor)).await;
    assert_eq!(ids(&pages), Vec::<String>::new());

    let new = portal.add_contact("New@Buyer.example", "", "Lee");
    portal
        .change_contact(1_000_005, &[("hs_additional_emails", "second@home.example;person4@crowd4.example")]);
    clock.advance(Duration::from_secs(600));
    let (pages, cursor) = pull(&sink, Some(&cursor)).await;
    assert_eq!(ids(&pages), ["1000005".to_owned(), new.to_string()]);
    let contacts = &pages[0].contacts;
    assert_eq!(contacts[0].addresses, [address("person4@crowd4.example"), address("second@home.example")]);
    assert_eq!(
        (contacts[1].addresses[0].as_str(), contacts[1].name.as_deref()),
        ("new@buyer.example", Some("Lee"))
    );

    // A contact that lost its address can match nothing any more.
    portal.change_contact(new, &[("email", "")]);
    clock.advance(Duration::from_secs(600));
    let (pages, _) = pull(&sink, Some(&cursor)).await;
    assert_eq!(pages[0].archived, [new.to_string()]);
}

#[tokio::test]
async fn half_a_million_contacts_are_pulled_and_a_broken_pull_goes_on() {
    let clock = clock();
    let portal = portal(Options { crowd: 500_000, ..Options::default() }, &clock).await;
    let sink = hubspot(&portal, &clock);
    clock.advance(Duration::from_secs(3600));
    let mut cursor: Option<String> = None;
    let (mut seen, mut last) = (0, 0);
    for _ in 0..50 {
        let page = sink.contacts(cursor.as_deref()).await.unwrap();
        for contact in &page.contacts {
            let id: u64 = contact.remote_id.parse().unwrap();
            assert!(id > last, "each comes once, in order");
            last = id;
        }
        seen += page.contacts.len();
        cursor = Some(page.next);
    }
    assert_eq!(seen, 5_000);
    // Near the end, as a pull that runs for a while would be: the cursor is all that is needed.
    let text = cursor.unwrap().replace(&last.to_string(), "1499950");
    let (pages, _) = pull(&hubspot(&portal, &clock), Some(&text)).await;
    assert_eq!((ids(&pages).len(), ids(&pages)[49].as_str()), (50, "1500000"));
    assert_eq!(portal.count(LIST), 51);
}

#[tokio::test]
async fn what_changes_during_the_first_pull_is_not_missed() {
    let clock = clock();
    let portal = portal(Options { crowd: 250, ..Options::default() }, &clock).await;
    let sink = hubspot(&portal, &clock);
    clock.advance(Duration::from_secs(3600));
    let page = sink.contacts(None).await.unwrap();
    clock.advance(Duration::from_secs(600));
    portal.change_contact(1_000_003, &[("firstname", "Changed")]);
    clock.advance(Duration::from_secs(600));
    let (pages, _) = pull(&sink, Some(&page.next)).await;
    let changed = pages.iter().flat_map(|p| &p.contacts).find(|c| c.remote_id == "1000003").unwrap();
    assert_eq!(changed.name.as_deref(), Some("Changed 2"));
}

#[tokio::test]
async fn more_changes_than_a_search_can_page_all_come() {
    let clock = clock();
    let portal = portal(Options { crowd: 12_345, ..Options::default() }, &clock).await;
    let sink = hubspot(&portal, &clock);
    // The crowd all changed at one moment, which is after this cursor's.
    let cursor = r#"{"phase":"idle","since":0,"round":0,"bin":9000000000000}"#;
    let (pages, _) = pull(&sink, Some(cursor)).await;
    let all: BTreeSet<String> = ids(&pages).into_iter().collect();
    assert_eq!(all.len(), 12_345);
    assert_eq!(portal.count(LIST), 0);
    assert!(portal.count(SEARCH) >= 123);
}

#[tokio::test]
async fn a_change_that_the_search_shows_late_is_not_missed() {
    let clock = clock();
    let portal = portal(Options::default(), &clock).await;
    let sink = hubspot(&portal, &clock);
    let (_, cursor) = pull(&sink, None).await;
    clock.advance(Duration::from_secs(3600));
    let slow = portal.add_contact("slow@buyer.example", "", "");
    portal.delay_in_search(slow, jiff::SignedDuration::from_secs(30));
    clock.advance(Duration::from_secs(10));
    let quick = portal.add_contact("quick@buyer.example", "", "");
    let (pages, cursor) = pull(&sink, Some(&cursor)).await;
    assert_eq!(ids(&pages), [quick.to_string()], "the search does not show the other yet");
    clock.advance(Duration::from_secs(60));
    let (pages, cursor) = pull(&sink, Some(&cursor)).await;
    assert!(ids(&pages).contains(&slow.to_string()), "it is older than what was seen last");
    // When all has settled, nothing is told again.
    clock.advance(Duration::from_secs(600));
    let (_, cursor) = pull(&sink, Some(&cursor)).await;
    let (pages, _) = pull(&sink, Some(&cursor)).await;
    assert_eq!(ids(&pages), Vec::<String>::new());
}

#[tokio::test]
async fn deleted_contacts_are_told_once_a_day() {
    let clock = clock();
    let portal = portal(Options { crowd: 150, ..Options::default() }, &clock).await;
    portal.archive_contact(1_000_001);
    let sink = hubspot(&portal, &clock);
    clock.advance(Duration::from_secs(86_400));
    let (_, cursor) = pull(&sink, None).await;
    portal.archive_contact(1_000_077);
    clock.advance(Duration::from_secs(43_200));
    let (pages, cursor) = pull(&sink, Some(&cursor)).await;
    assert!(pages.iter().all(|p| p.archived.is_empty()));
    clock.advance(Duration::from_secs(43_200));
    let (pages, cursor) = pull(&sink, Some(&cursor)).await;
    let archived: Vec<&String> = pages.iter().flat_map(|p| &p.archived).collect();
    assert_eq!(archived, ["1000077"], "the one from before the first pull was never known");
    clock.advance(Duration::from_secs(2 * 86_400));
    let (pages, _) = pull(&sink, Some(&cursor)).await;
    assert!(pages.iter().all(|p| p.archived.is_empty()), "told once");
}

#[tokio::test]
async fn a_fault_leaves_the_cursor_where_it_was() {
    let clock = clock();
    let portal = portal(Options { crowd: 120, ..Options::default() }, &clock).await;
    let sink = hubspot(&portal, &clock);
    clock.advance(Duration::from_secs(3600));
    portal.inject(LIST, Fault::Status(503));
    let error = sink.contacts(None).await.unwrap_err();
    assert_eq!((error.reason, error.uncertain), (Reason::ServerUnavailable, false));
    let (pages, _) = pull(&sink, None).await;
    assert_eq!(ids(&pages).len(), 120);
    // A cursor of another version begins again.
    let (pages, _) = pull(&sink, Some("{\"phase\":\"unheard of\"}")).await;
    assert_eq!(ids(&pages).len(), 120);
}
