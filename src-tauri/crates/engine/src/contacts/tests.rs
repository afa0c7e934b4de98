//! The index of contacts, on a real ledger.

use super::*;
use crate::settings::CrmSettings;
use crate::testing::World;
use std::sync::Mutex;
use threadline_core::rule::LogMode;
use threadline_crm::{Accepted, ContactPage, Dedupe, Delivery, Portal};

/// A CRM that gives these pages, one after the other.
#[derive(Debug)]
struct Pages(&'static str, Mutex<Vec<ContactPage>>);

#[async_trait::async_trait]
impl Sink for Pages {
    fn name(&self) -> &'static str {
        "hubspot"
    }

    async fn connect(&self) -> Result<Portal, CrmError> {
        Ok(Portal {
            name: self.0.to_owned(),
            id: Some(self.0.to_owned()),
            dedupe: Dedupe::UniqueProperty,
            missing_scopes: Vec::new(),
        })
    }

    fn most(&self) -> usize {
        1
    }

    async fn push(&self, _: &[Delivery]) -> Vec<Result<Accepted, CrmError>> {
        Vec::new()
    }

    fn has_contacts(&self) -> bool {
        true
    }

    async fn contacts(&self, _: Option<&str>) -> Result<ContactPage, CrmError> {
        let mut left = self.1.lock().unwrap();
        match left.is_empty() {
            true => Err(CrmError::new("the puppet", threadline_core::reason::Reason::CrmGone)),
            false => Ok(left.remove(0)),
        }
    }
}

fn page(address: Option<&str>, more: bool) -> ContactPage {
    let contact = |address: &str| Contact {
        remote_id: address.to_owned(),
        addresses: vec![Address::parse(address).unwrap()],
        name: None,
    };
    ContactPage {
        contacts: address.map(contact).into_iter().collect(),
        archived: Vec::new(),
        next: "{}".to_owned(),
        more,
        first_pull_done: !more,
    }
}

fn at_portal(name: &'static str, pages: Vec<ContactPage>) -> Pages {
    Pages(name, Mutex::new(pages))
}

/// Pulls as one who was made now.
async fn pulled(shared: &Arc<Shared>, sink: &dyn Sink) -> Result<u64, PullError> {
    let doubt = shared.ledger.read_blocking(|tx| portal::doubted(tx, "hubspot")).unwrap();
    pull(shared, sink, doubt).await
}

/// A mailbox under HubSpot whose mail is held, since no contacts are there yet.
fn holding() -> World {
    let world = World::new(LogMode::KnownContacts, &[CrmSettings::Hubspot { base_url: None }]);
    world.sends(1, "carl@customer.example");
    assert!(world.jobs().is_empty(), "it is not held");
    world
}

#[tokio::test]
async fn mail_that_was_held_is_decided_when_the_last_page_is_empty() {
    let world = holding();
    let sink = at_portal("1", vec![page(Some("carl@customer.example"), true), page(None, false)]);
    assert_eq!(pulled(&world.mailbox.shared, &sink).await.unwrap(), 1);
    assert_eq!(world.jobs().len(), 1);
}

#[tokio::test]
async fn mail_that_was_held_is_decided_though_the_run_with_the_last_page_was_killed() {
    let world = holding();
    let sink = at_portal("1", vec![page(Some("carl@customer.example"), true)]);
    assert!(matches!(pulled(&world.mailbox.shared, &sink).await, Err(PullError::Crm(_))));
    let ledger = &world.mailbox.shared.ledger;
    // The last page was stored, and nothing after it.
    let complete = Cursor { cursor: "{}".to_owned(), complete: true };
    ledger.write_blocking(move |tx| contact::set_cursor(tx, "hubspot", &complete)).unwrap();
    assert!(world.jobs().is_empty());
    let next = at_portal("1", vec![page(None, false)]);
    pulled(&world.mailbox.shared, &next).await.unwrap();
    assert_eq!(world.jobs().len(), 1);
}

#[tokio::test]
async fn mail_that_was_held_is_decided_by_the_local_list_when_the_crm_is_gone() {
    let world = holding();
    world.mailbox.shared.set_crms(&crate::crms::CrmList::default());
    decide_again_locally(&world.mailbox.shared).await.unwrap();
    assert_eq!(world.jobs().len(), 1);
}

#[tokio::test]
async fn contacts_of_another_portal_do_not_stay() {
    let world = holding();
    let shared = &world.mailbox.shared;
    let count = || shared.ledger.read_blocking(|tx| contact::count(tx, "hubspot")).unwrap();
    pulled(shared, &at_portal("1", vec![page(Some("carl@customer.example"), false)])).await.unwrap();
    pulled(shared, &at_portal("1", vec![page(Some("dora@customer.example"), false)])).await.unwrap();
    assert_eq!(count(), 2);
    pulled(shared, &at_portal("2", vec![page(Some("zoe@customer.example"), false)])).await.unwrap();
    assert_eq!(count(), 1);
}

#[tokio::test]
async fn which_portal_it_is_stays_in_doubt_until_its_contacts_are_read() {
    let world = holding();
    let shared = &world.mailbox.shared;
    let in_doubt = || shared.ledger.read_blocking(|tx| portal::in_doubt(tx, "hubspot")).unwrap();
    let doubt = || shared.ledger.write_blocking(|tx| portal::doubt(tx, "hubspot")).unwrap();
    doubt();
    assert!(pulled(shared, &at_portal("1", vec![page(Some("carl@customer.example"), true)])).await.is_err());
    assert!(in_doubt(), "more contacts are to come");
    pulled(shared, &at_portal("1", vec![page(None, false)])).await.unwrap();
    assert!(!in_doubt());
    // Who was made before the CRM was set anew has the old secret.
    let before = shared.ledger.read_blocking(|tx| portal::doubted(tx, "hubspot")).unwrap();
    doubt();
    pull(shared, &at_portal("1", vec![page(None, false)]), before).await.unwrap();
    assert!(in_doubt());
    // Contacts that cannot be read now were read before: it is the same portal.
    assert!(pulled(shared, &at_portal("1", vec![])).await.is_err());
    assert!(!in_doubt());
    doubt();
    assert!(pulled(shared, &at_portal("2", vec![])).await.is_err());
    assert!(in_doubt(), "another one, and none of its contacts are here");
    pulled(shared, &at_portal("2", vec![page(None, false)])).await.unwrap();
    assert!(!in_doubt());
}

#[tokio::test]
async fn the_local_list_is_replaced() {
    let world = World::new(LogMode::KnownContacts, &[]);
    let shared = &world.mailbox.shared;
    let list = |from: usize, to: usize| -> Vec<Contact> {
        (from..to).map(|i| page(Some(&format!("{i}@customer.example")), false).contacts.remove(0)).collect()
    };
    let told = Mutex::new(Vec::new());
    replace_local(shared, list(0, CHUNK + 10), |stored| told.lock().unwrap().push(stored)).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [CHUNK, CHUNK + 10]);
    let names = || shared.ledger.read_blocking(|tx| contact::count(tx, LOCAL)).unwrap();
    assert_eq!(names(), CHUNK as u64 + 10);
    world.clock.advance(Duration::from_secs(1));
    replace_local(shared, list(CHUNK, CHUNK + 3), |_| {}).await.unwrap();
    assert_eq!(names(), 3);
}

#[test]
fn columns_are_found_in_any_order_and_case() {
    let csv = "Last Name,First_Name,E-Mail\nCarlson,Carl,Carl@Customer.example\n,,nobody\nX,,x@y.example\n";
    let (mut contacts, imported) = read_csv(csv.as_bytes()).unwrap();
    contacts.sort_by(|a, b| a.remote_id.cmp(&b.remote_id));
    assert_eq!(imported, Imported { contacts: 2, left_out: 1 });
    assert_eq!(contacts[0].remote_id, "carl@customer.example");
    assert_eq!(contacts[0].name.as_deref(), Some("Carl Carlson"));
}

#[test]
fn a_list_without_addresses_is_told_with_its_line() {
    let error = read_csv("who,what\na,b\n".as_bytes()).unwrap_err();
    assert_eq!(error.code(), "contact_list");
    assert!(error.to_string().contains("line 1"), "{error}");
    let error = read_csv(&b"email\n\xff@x\n"[..]).unwrap_err();
    assert!(error.to_string().contains("UTF-8"), "{error}");
}

#[test]
fn semicolons_and_tabs_stand_between_columns_too() {
    for csv in [
        "name;e-mail\nCarlson, Carl;carl@customer.example\n",
        "Name\tEmail\nCarlson, Carl\tcarl@customer.example",
    ] {
        let (contacts, imported) = read_csv(csv.as_bytes()).unwrap();
        assert_eq!(imported, Imported { contacts: 1, left_out: 0 }, "{csv}");
        assert_eq!(contacts[0].name.as_deref(), Some("Carlson, Carl"));
    }
    assert_eq!(read_csv("email\ncarl@customer.example".as_bytes()).unwrap().1.contacts, 1);
}

#[test]
fn a_mark_that_nothing_closes_replaces_nothing() {
    let csv =
        "email,name\nann@x.example,Ann\ncarl@x.example,\"Carl\ndora@x.example,Dora\nemil@x.example,Emil\n";
    let error = read_csv(csv.as_bytes()).unwrap_err();
    assert_eq!(error.code(), "contact_list");
    assert!(error.to_string().contains("line 3") && error.to_string().contains("closed nowhere"), "{error}");
    // A field of several lines is one, and a mark that is only written is none that opens.
    for csv in [
        "email,name\nann@x.example,\"Ann\nof X\"\ncarl@x.example,Carl 5\" pipes\n",
        "email,name\r\nann@x.example,\"Ann\r\nof X\"\r\n\r\ncarl@x.example,Carl 5\" pipes\r\n\r\n",
        "email,name\ncarl@x.example,Carl\nann@x.example,\"Ann\nof X\"\n",
    ] {
        assert_eq!(read_csv(csv.as_bytes()).unwrap().1, Imported { contacts: 2, left_out: 0 }, "{csv}");
    }
}

#[test]
fn a_list_without_any_address_replaces_nothing() {
    for csv in ["email,name\ncarl,Carl\n", "email\n"] {
        let error = read_csv(csv.as_bytes()).unwrap_err();
        assert_eq!(error.code(), "contact_list");
        assert!(error.to_string().contains("stays as it was"), "{error}");
    }
}
