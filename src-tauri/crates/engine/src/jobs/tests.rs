//! Jobs that fail, on a real ledger.

use super::*;
use crate::home::Home;
use crate::settings::{AccountSettings, Encryption};
use crate::shared::Shared;
use std::sync::Arc;
use threadline_core::address::Address;
use threadline_core::arrival::{Arrival, Role};
use threadline_core::envelope::Envelope;
use threadline_core::reason::{Evidence, Phase};
use threadline_core::rule::LogMode;
use threadline_secrets::Memory;
use threadline_store::{account, folder};
use threadline_testkit::clock::HandClock;

struct World {
    _dir: tempfile::TempDir,
    mailbox: Mailbox,
    job: i64,
}

/// A mailbox with the body of one logged mail to be read.
fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(&dir.path().join("data")).unwrap();
    let secrets = Arc::new(Memory::new());
    let (ledger, _) = home.open_ledger(&*secrets, Timestamp::UNIX_EPOCH).unwrap();
    let clock = HandClock::at(Timestamp::UNIX_EPOCH);
    let ann = Address::parse("ann@firm.example").unwrap();
    let mut settings = AccountSettings::new(ann.clone(), "imap.firm.example".into(), Encryption::Tls);
    settings.rules.mode = LogMode::EveryoneOutside;
    let id = ledger.write_blocking(move |tx| account::insert(tx, &ann, "{}", Timestamp::UNIX_EPOCH)).unwrap();
    let mailbox = Mailbox::new(Arc::new(Shared::new(home, ledger, secrets, Arc::new(clock))), id, settings);
    let header =
        "Message-ID: <1@x>\r\nFrom: ann@firm.example\r\nTo: carl@customer.example\r\n\r\n".as_bytes();
    let arrival = Arrival {
        uid: 1,
        internal_date: Timestamp::UNIX_EPOCH,
        size: 100,
        flags: Vec::new(),
        envelope: Envelope::parse(header),
    };
    let of = mailbox.for_ingest();
    let job = mailbox
        .shared
        .ledger
        .write_blocking(move |tx| {
            let sent = folder::ensure(tx, id, "Sent", Role::Sent)?;
            ingest::store_one(tx, &of, &sent, 1, &arrival, Timestamp::UNIX_EPOCH)?;
            Ok(job::due(tx, id, &[sent.id], Timestamp::UNIX_EPOCH, 9)?.remove(0).id)
        })
        .unwrap();
    World { _dir: dir, mailbox, job }
}

impl World {
    fn job(&self) -> Job {
        let id = self.job;
        self.mailbox.shared.ledger.read_blocking(move |tx| job::get(tx, id)).unwrap().unwrap()
    }

    async fn fails(&self, signal: Signal) -> Job {
        let error = MailError::new("imap.firm.example", Evidence::new(Phase::Fetch, signal, "words"));
        put_off(&self.mailbox, &self.job(), &error).await.unwrap();
        self.job()
    }
}

#[tokio::test]
async fn a_network_that_fails_is_at_fault_in_no_message() {
    let world = world();
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let job = world.fails(Signal::TimedOut).await;
        assert!(!job.set_aside && job.attempts == 0, "{job:?}");
        pauses.push(job.next_try.as_second());
    }
    assert_eq!(pauses[..4], [5, 10, 20, 40]);
    assert_eq!(pauses[11], 30 * 60, "the longest pause");
    world.mailbox.mended(world.job);
    assert_eq!(world.fails(Signal::Reset).await.next_try.as_second(), 5);
}

#[tokio::test]
async fn a_message_that_breaks_the_connection_each_time_is_set_aside() {
    let world = world();
    for attempt in 1..ATTEMPTS {
        let job = world.fails(Signal::Malformed).await;
        assert_eq!((job.set_aside, job.attempts), (false, attempt));
    }
    assert!(world.fails(Signal::Malformed).await.set_aside);
}

#[tokio::test]
async fn what_the_server_refuses_is_set_aside_too() {
    let world = world();
    for _ in 1..ATTEMPTS {
        let job = world.fails(Signal::Imap { status: ImapStatus::No, code: None }).await;
        assert!(!job.set_aside);
    }
    assert!(world.fails(Signal::Imap { status: ImapStatus::No, code: None }).await.set_aside);
}
