//! The first transaction on a real ledger: in whatever order mail is seen, the same is logged in the same threads.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use threadline_core::arrival::Role;
use threadline_core::envelope::Envelope;
use threadline_store::{Key, Ledger, account};

mod conversations;

const ANN: &str = "ann@firm.example";

/// A mail of the story: its folder and its header.
type Mail = (&'static str, Role, &'static str);

/// A conversation with a contact, another one with the same contact, and mail that must stay out.
const STORY: &[Mail] = &[
    ("Sent", Role::Sent, "Message-ID: <a1@x>\nFrom: ann@firm.example\nTo: carl@customer.example"),
    (
        "INBOX",
        Role::Inbox,
        "Message-ID: <a2@x>\nFrom: carl@customer.example\nTo: ann@firm.example\nIn-Reply-To: <a1@x>\nReferences: <a1@x>",
    ),
    (
        "Sent",
        Role::Sent,
        "Message-ID: <a3@x>\nFrom: ann@firm.example\nTo: carl@customer.example\nIn-Reply-To: <a2@x>\nReferences: <a1@x> <a2@x>",
    ),
    (
        "INBOX",
        Role::Inbox,
        "Message-ID: <a4@x>\nFrom: eve@customer.example\nTo: ann@firm.example\nIn-Reply-To: <a3@x>\nReferences: <a1@x> <a2@x> <a3@x>",
    ),
    ("Sent", Role::Sent, "Message-ID: <b1@x>\nFrom: ann@firm.example\nTo: dora@second.example"),
    (
        "INBOX",
        Role::Inbox,
        "Message-ID: <b2@x>\nFrom: dora@second.example\nTo: ann@firm.example\nIn-Reply-To: <b1@x>",
    ),
    ("Sent", Role::Sent, "Message-ID: <p1@x>\nFrom: ann@firm.example\nTo: friend@private.example"),
    (
        "INBOX",
        Role::Inbox,
        "Message-ID: <p2@x>\nFrom: friend@private.example\nTo: ann@firm.example\nIn-Reply-To: <p1@x>",
    ),
    (
        "INBOX",
        Role::Inbox,
        "Message-ID: <n1@x>\nFrom: news@list.example\nTo: ann@firm.example\nList-Id: <n>\nIn-Reply-To: <a1@x>",
    ),
    ("Sent", Role::Sent, "Message-ID: <c1@x>\nFrom: ann@firm.example\nTo: bob@firm.example"),
    (
        "Sent",
        Role::Sent,
        "Message-ID: <a5@x>\nFrom: ann@firm.example\nTo: carl@customer.example\nReferences: <a1@x> <a4@x>",
    ),
    // Carl brings Paul in, who answers the mail with which all began.
    (
        "INBOX",
        Role::Inbox,
        "Message-ID: <a6@x>\nFrom: carl@customer.example\nTo: ann@firm.example\nCc: paul@partner.example\nReferences: <a1@x> <a5@x>",
    ),
    (
        "INBOX",
        Role::Inbox,
        "Message-ID: <a7@x>\nFrom: paul@partner.example\nTo: ann@firm.example\nIn-Reply-To: <a1@x>",
    ),
    // Ann passes her first mail on to Dora: that is another conversation.
    (
        "Sent",
        Role::Sent,
        "Message-ID: <f1@x>\nFrom: ann@firm.example\nTo: dora@second.example\nSubject: Fwd: x\nReferences: <a1@x>",
    ),
    (
        "INBOX",
        Role::Inbox,
        "Message-ID: <f2@x>\nFrom: dora@second.example\nTo: ann@firm.example\nIn-Reply-To: <f1@x>\nReferences: <a1@x> <f1@x>",
    ),
    // Exchange's own conversations, and a program that names nothing else.
    (
        "Sent",
        Role::Sent,
        "Message-ID: <e1@x>\nFrom: ann@firm.example\nTo: carl@customer.example\nThread-Index: AdLUZmZmZmZmZmZmZmZmZmZmZmZmZg==",
    ),
    (
        "INBOX",
        Role::Inbox,
        "Message-ID: <e2@x>\nFrom: carl@customer.example\nTo: ann@firm.example\nThread-Index: AdLUZmZmZmZmZmZmZmZmZmZmZmZmZgABAgME",
    ),
    // Somebody else writes under Ann's name, and quotes a logged mail.
    (
        "INBOX",
        Role::Inbox,
        "Message-ID: <z1@x>\nFrom: ann@firm.example\nTo: carl@customer.example\nIn-Reply-To: <a1@x>",
    ),
    // A copy to herself is the mail in Sent.
    ("INBOX", Role::Inbox, "Message-ID: <b1@x>\nFrom: ann@firm.example\nTo: dora@second.example"),
];

fn arrival(uid: u32, header: &str) -> Arrival {
    Arrival {
        uid,
        internal_date: Timestamp::UNIX_EPOCH,
        size: 100,
        flags: Vec::new(),
        labels: None,
        envelope: Envelope::parse(format!("{}\r\n\r\n", header.replace('\n', "\r\n")).as_bytes()),
    }
}

struct World {
    _dir: tempfile::TempDir,
    ledger: Ledger,
    mailbox: Mailbox,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&dir.path().join("ledger.db"), &Key::from_bytes([7; 32])).unwrap();
        let address = Address::parse(ANN).unwrap();
        let of = address.clone();
        let id = ledger
            .write_blocking(move |tx| {
                let contacts = ["carl@customer.example", "dora@second.example"].map(|a| Contact {
                    remote_id: a.to_owned(),
                    addresses: vec![Address::parse(a).unwrap()],
                    name: None,
                });
                contact::upsert(tx, LOCAL, &contacts, Timestamp::UNIX_EPOCH)?;
                account::insert(tx, &of, "{}", Timestamp::UNIX_EPOCH)
            })
            .unwrap();
        let rules = Rules::for_mailbox(&address);
        Self {
            _dir: dir,
            ledger,
            mailbox: Mailbox {
                id,
                epoch: 0,
                address,
                rules,
                contact_sources: vec![LOCAL.into()],
                history: false,
            },
        }
    }

    /// A mail is seen; its UID is its place in the story.
    fn see(&self, index: usize) -> Vec<Event> {
        let (name, role, header) = STORY[index];
        let mailbox = self.mailbox.clone();
        let uid = u32::try_from(index).unwrap() + 1;
        self.ledger
            .write_blocking(move |tx| {
                let folder = folder::ensure(tx, mailbox.id, name, role)?;
                let cursor = Cursor { uidvalidity: 1, next_uid: uid + 1, modseq: None };
                let batch = Batch {
                    folder,
                    uidvalidity: cursor.uidvalidity,
                    cursor: Some(cursor),
                    arrivals: vec![arrival(uid, header)],
                    unreadable: Vec::new(),
                };
                store(tx, &mailbox, &batch, Timestamp::UNIX_EPOCH)
            })
            .unwrap()
    }

    /// Does the recheck jobs as the mailbox does, until none is left.
    fn recheck_all(&self) {
        loop {
            let mailbox = self.mailbox.clone();
            let did = self
                .ledger
                .write_blocking(move |tx| {
                    let due = due(tx, mailbox.id)?;
                    let rechecks: Vec<_> = due.into_iter().filter(|j| j.kind == Kind::Recheck).collect();
                    for j in &rechecks {
                        let folder = folder::get(tx, j.place.folder)?.unwrap();
                        let (_, _, header) = STORY[j.place.uid as usize - 1];
                        recheck(
                            tx,
                            &mailbox,
                            &folder,
                            j.place,
                            &arrival(j.place.uid, header),
                            Timestamp::UNIX_EPOCH,
                        )?;
                        job::done(tx, j.id)?;
                    }
                    Ok(rechecks.len())
                })
                .unwrap();
            if did == 0 {
                return;
            }
        }
    }

    /// What is logged: each message's id with those that share its thread.
    fn logged(&self) -> BTreeSet<BTreeSet<String>> {
        let rows = self.ledger.read_blocking(|tx| message::logged_page(tx, 0, 100)).unwrap();
        let mut threads: HashMap<i64, BTreeSet<String>> = HashMap::new();
        for row in rows {
            let id = row.headers.unwrap().ids[0].to_string();
            threads.entry(row.thread.unwrap()).or_default().insert(id);
        }
        threads.into_values().collect()
    }
}

fn due(tx: &Tx<'_>, account: i64) -> Result<Vec<job::Job>, StoreError> {
    let folders: Vec<i64> = folder::list(tx, account)?.iter().map(|f| f.id).collect();
    job::due(tx, account, &folders, Timestamp::UNIX_EPOCH, 100)
}

fn expected() -> BTreeSet<BTreeSet<String>> {
    let thread = |ids: &[&str]| ids.iter().map(|i| (*i).to_owned()).collect::<BTreeSet<_>>();
    BTreeSet::from([
        thread(&["a1@x", "a2@x", "a3@x", "a4@x", "a5@x", "a6@x", "a7@x"]),
        thread(&["b1@x", "b2@x"]),
        thread(&["e1@x", "e2@x"]),
        thread(&["f1@x", "f2@x"]),
    ])
}

#[test]
fn the_story_in_its_own_order() {
    let world = World::new();
    for index in 0..STORY.len() {
        world.see(index);
    }
    world.recheck_all();
    assert_eq!(world.logged(), expected());
}

#[test]
fn seen_again_it_is_told_and_queued_once() {
    let world = World::new();
    assert_eq!(world.see(0).len(), 1);
    assert!(world.see(0).is_empty());
    let id = world.mailbox.id;
    let jobs = world.ledger.read_blocking(move |tx| due(tx, id)).unwrap();
    assert_eq!(jobs.len(), 1);
}

#[test]
fn an_earlier_id_that_another_mail_has_makes_no_double_of_it() {
    let world = World::new();
    world.see(0);
    world.see(4);
    assert_eq!(world.logged().len(), 2);
    // A mail that claims to be both at once: merged, one of them would be lost.
    let forged = "Message-ID: <b1@x>\nX-Microsoft-Original-Message-ID: <a1@x>\nFrom: eve@evil.example\nTo: ann@firm.example\nDate: Mon, 5 Jan 2026 10:00:00 +0000";
    let mailbox = world.mailbox.clone();
    world
        .ledger
        .write_blocking(move |tx| {
            let folder = folder::ensure(tx, mailbox.id, "INBOX", Role::Inbox)?;
            store_one(tx, &mailbox, &folder, 1, &arrival(99, forged), Timestamp::UNIX_EPOCH)
        })
        .unwrap();
    let logged = world.logged();
    assert_eq!(logged.len(), 2, "{logged:?}");
    assert_eq!(logged.iter().map(BTreeSet::len).collect::<Vec<_>>(), [1, 1], "{logged:?}");
}

#[test]
fn an_event_about_mail_that_stays_out_holds_no_text() {
    let world = World::new();
    for (index, (_, _, header)) in STORY.iter().enumerate() {
        for event in world.see(index) {
            let Event::Decided { verdict, subject, with, .. } = &event else { panic!("{event:?}") };
            if *verdict != VerdictName::Log {
                assert!(subject.is_none() && with.is_none(), "{header}: {event:?}");
            }
        }
    }
}

#[test]
fn kept_out_in_one_folder_it_is_not_let_in_by_another() {
    let mut world = World::new();
    world.mailbox.rules.never_folders = vec!["Sent".into()];
    world.see(0);
    world.mailbox.rules.never_folders.clear();
    world.see(0);
    assert!(world.logged().is_empty());
}

#[test]
fn an_old_mail_that_is_copied_into_sent_is_no_news() {
    let world = World::new();
    let mailbox = world.mailbox.clone();
    let day = |n: i64| Timestamp::from_second(n * 86_400).unwrap();
    let seen = move |history: bool| {
        let of = Mailbox { history, ..mailbox.clone() };
        world
            .ledger
            .write_blocking(move |tx| {
                let folder = folder::ensure(tx, of.id, "Sent", Role::Sent)?;
                let old = Arrival { internal_date: day(-30), ..arrival(1, STORY[0].2) };
                store_one(tx, &of, &folder, 1, &old, day(1))?;
                message::logged_page(tx, 0, 9)
            })
            .unwrap()
            .len()
    };
    assert_eq!(seen(false), 0);
    assert_eq!(seen(true), 1, "its history was asked for");
    assert_eq!(seen(false), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_arrival_does_not_change_what_is_logged(
        order in Just((0..STORY.len()).collect::<Vec<_>>()).prop_shuffle(),
        pauses in prop::collection::vec(any::<bool>(), STORY.len()),
    ) {
        let world = World::new();
        for (index, pause) in order.into_iter().zip(pauses) {
            world.see(index);
            if pause {
                world.recheck_all();
            }
        }
        world.recheck_all();
        prop_assert_eq!(world.logged(), expected());
    }
}

#[test]
fn an_alias_of_the_own_domain_is_learnt_once_the_persons_name_is_known() {
    let world = crate::testing::World::new(threadline_core::rule::LogMode::EveryoneOutside, &[]);
    let (account, stored) = (world.mailbox.id, serde_json::to_string(&world.mailbox.settings).unwrap());
    let set = move |tx: &Tx<'_>| account::set_settings(tx, account, &stored);
    world.mailbox.shared.ledger.write_blocking(set).unwrap();
    let own = || {
        let row = world.mailbox.shared.ledger.read_blocking(move |tx| account::get(tx, account)).unwrap();
        let rules = serde_json::from_str::<AccountSettings>(&row.unwrap().settings).unwrap().rules;
        let shown: Vec<String> = rules.own.iter().map(ToString::to_string).collect();
        (shown, rules.learnt.len(), rules.version)
    };
    let sees = |uid: u32, from: &str| {
        world.sees(
            uid,
            &format!("Message-ID: <{uid}@x>\r\nFrom: {from}\r\nTo: carl@customer.example\r\n\r\n"),
        );
    };
    sees(1, "Ann Smith <a.smith@firm.example>");
    assert_eq!(own(), (vec![ANN.to_owned()], 0, 1), "whose name it is, is not known");
    sees(2, "Ann Smith <ann@firm.example>");
    assert_eq!(own().1, 0);
    for (uid, other) in [
        (3, "Sales <sales@firm.example>"),
        (4, "Bob Smith <bob.smith@firm.example>"),
        (5, "smith@firm.example"),
    ] {
        sees(uid, other);
    }
    assert_eq!(own(), (vec![ANN.to_owned()], 0, 1));
    sees(6, "\"Smith, Ann\" <a.smith+x@firm.example>");
    assert_eq!(own(), (vec![ANN.to_owned(), "a.smith@firm.example".to_owned()], 1, 2));
    // A second name on the mailbox's own address: several people send from it.
    sees(7, "Bob Smith <ann@firm.example>");
    sees(8, "Ann Smith <ann.smith@firm.example>");
    assert_eq!(own().1, 1);
}
