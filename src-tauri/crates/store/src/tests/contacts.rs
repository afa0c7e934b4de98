//! The index of contacts.

use super::{Bed, address, at};
use crate::Ledger;
use crate::contact::{self, Cursor};
use std::time::Instant;
use threadline_core::contact::Contact;

fn person(id: &str, addresses: &[&str]) -> Contact {
    Contact {
        remote_id: id.to_owned(),
        addresses: addresses.iter().map(|a| address(a)).collect(),
        name: Some(format!("Name {id}")),
    }
}

#[test]
fn many_addresses_are_looked_up_at_once() {
    let bed = Bed::new();
    let tx = bed.tx();
    let bob = person("1", &["bob@x.example", "bob@home.example"]);
    let cem = person("2", &["cem@x.example"]);
    contact::upsert(&tx, "hubspot", &[bob.clone(), cem.clone()], at(1)).unwrap();
    contact::upsert(&tx, "folder", &[person("9", &["dora@x.example"])], at(1)).unwrap();
    let wanted = ["bob@home.example", "cem@x.example", "dora@x.example"].map(address);
    let found = contact::lookup(&tx, "hubspot", &wanted).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[&wanted[0]], bob, "with all its addresses, the main one first");
    assert_eq!(found[&wanted[1]], cem);
    // One address twice, two of one contact.
    let both = ["bob@x.example", "bob@home.example", "bob@x.example"].map(address);
    let found = contact::lookup(&tx, "hubspot", &both).unwrap();
    assert_eq!(found[&both[0]], bob);
    assert_eq!(found[&both[1]], bob);
    assert!(contact::lookup(&tx, "hubspot", &[]).unwrap().is_empty());
}

#[test]
fn a_page_that_comes_again_replaces_what_was_there() {
    let bed = Bed::new();
    let tx = bed.tx();
    let upsert = |contact: Contact| contact::upsert(&tx, "s", &[contact], at(1)).unwrap();
    let look = |a| contact::lookup(&tx, "s", &[address(a)]).unwrap();
    upsert(person("1", &["a@x.example", "b@x.example"]));
    upsert(person("1", &["c@x.example", "b@x.example"]));
    assert!(look("a@x.example").is_empty());
    let now = &look("b@x.example")[&address("b@x.example")];
    assert_eq!(now.addresses, ["c@x.example", "b@x.example"].map(address));
    // Another contact takes the address over.
    upsert(person("2", &["b@x.example"]));
    assert_eq!(look("b@x.example")[&address("b@x.example")].remote_id, "2");
    assert_eq!(look("c@x.example")[&address("c@x.example")].addresses, [address("c@x.example")]);
    contact::remove(&tx, "s", "2").unwrap();
    assert!(look("b@x.example").is_empty());
    assert_eq!(contact::count(&tx, "s").unwrap(), 1);
}

#[test]
fn pages_and_cursors() {
    let bed = Bed::new();
    let tx = bed.tx();
    let all: Vec<Contact> = (0..5).map(|i| person(&i.to_string(), &[&format!("p{i}@x.example")])).collect();
    contact::upsert(&tx, "s", &all, at(1)).unwrap();
    let first = contact::page(&tx, "s", "", 3).unwrap();
    let rest = contact::page(&tx, "s", &first[2].remote_id, 3).unwrap();
    assert_eq!([first, rest].concat(), all);
    assert_eq!(contact::cursor(&tx, "s").unwrap(), None);
    for complete in [false, true] {
        let cursor = Cursor { cursor: "{\"after\":\"7\"}".into(), complete };
        contact::set_cursor(&tx, "s", &cursor).unwrap();
        assert_eq!(contact::cursor(&tx, "s").unwrap(), Some(cursor));
    }
    while contact::clear(&tx, "s", 1).unwrap() {}
    assert_eq!(contact::count(&tx, "s").unwrap(), 0);
    assert_eq!(contact::cursor(&tx, "s").unwrap(), None);
    assert_eq!(bed.number("SELECT count(*) FROM contact_address"), 0);
}

#[test]
#[allow(clippy::print_stdout)]
fn a_hundred_thousand_contacts() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("ledger.db"), &super::key()).unwrap();
    for round in ["new", "again"] {
        let begun = Instant::now();
        for page in 0..1_000 {
            let contacts: Vec<Contact> = (page * 100..page * 100 + 100)
                .map(|i| person(&i.to_string(), &[&format!("p{i}@x.example")]))
                .collect();
            ledger.write_blocking(move |tx| contact::upsert(tx, "s", &contacts, at(page))).unwrap();
        }
        println!("100,000 contacts, {round}: {:?}", begun.elapsed());
    }
    let wanted: Vec<_> = (0..500).map(|i| address(&format!("p{}@x.example", i * 199))).collect();
    let begun = Instant::now();
    let found = ledger.read_blocking(move |tx| contact::lookup(tx, "s", &wanted)).unwrap();
    println!("500 addresses looked up: {:?}", begun.elapsed());
    assert_eq!(found.len(), 500);
    assert_eq!(ledger.read_blocking(|tx| contact::count(tx, "s")).unwrap(), 100_000);
}

#[test]
fn contacts_are_found_by_parts_of_name_and_address() {
    let bed = Bed::new();
    let tx = bed.tx();
    let named = |id: &str, name: &str, addresses: &[&str]| Contact {
        name: Some(name.into()),
        ..person(id, addresses)
    };
    let bob = named("1", "Bob Meier", &["bob@x.example", "bob_m@home.example"]);
    let cem = named("2", "Cem 100% Kaya", &["cem@x.example"]);
    contact::upsert(&tx, "hubspot", &[bob, cem], at(1)).unwrap();
    let found = |words: &str| -> Vec<String> {
        let found = contact::find(&tx, "hubspot", words, 9).unwrap();
        found.into_iter().map(|person| person.address.to_string()).collect()
    };
    assert_eq!(found("MEIER"), ["bob@x.example", "bob_m@home.example"]);
    assert_eq!(found("x.ex"), ["bob@x.example", "cem@x.example"]);
    // What stands for anything in SQL stands for itself.
    assert_eq!((found("%"), found("_")), (vec!["cem@x.example".into()], vec!["bob_m@home.example".into()]));
    assert_eq!(found("\\"), Vec::<String>::new());
    assert_eq!(contact::find(&tx, "hubspot", "", 2).unwrap().len(), 2);
    assert_eq!(contact::find(&tx, "folder", "bob", 9).unwrap(), []);
}
