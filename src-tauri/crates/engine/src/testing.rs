//! A mailbox on a real ledger in a folder of its own, without a server: for the tests of this crate.

use crate::engine::Account;
use crate::home::Home;
use crate::ingest;
use crate::mailbox::Mailbox;
use crate::settings::{AccountSettings, CrmSettings, Encryption};
use crate::shared::Shared;
use jiff::Timestamp;
use std::sync::Arc;
use threadline_core::address::Address;
use threadline_core::arrival::{Arrival, Role};
use threadline_core::envelope::Envelope;
use threadline_core::rule::LogMode;
use threadline_secrets::Memory;
use threadline_store::job::{self, Job};
use threadline_store::{account, folder, setting};
use threadline_testkit::clock::HandClock;

pub struct World {
    _dir: tempfile::TempDir,
    pub mailbox: Mailbox,
    pub clock: HandClock,
    /// The Sent folder's row.
    pub sent: i64,
}

impl World {
    /// A mailbox of this mode under these CRMs.
    pub fn new(mode: LogMode, crms: &[CrmSettings]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(&dir.path().join("data")).unwrap();
        let secrets = Arc::new(Memory::new());
        let (ledger, _) = home.open_ledger(&*secrets, Timestamp::UNIX_EPOCH, None).unwrap();
        let clock = HandClock::at(Timestamp::UNIX_EPOCH);
        let ann = Address::parse("ann@firm.example").unwrap();
        let mut settings = AccountSettings::new(ann.clone(), "imap.firm.example".into(), Encryption::Tls);
        settings.rules.mode = mode;
        let list = crms.to_vec();
        let (id, sent) = ledger
            .write_blocking(move |tx| {
                let none = [CrmSettings::Ledger];
                setting::set(tx, "crms", &if list.is_empty() { &none[..] } else { &list })?;
                let id = account::insert(tx, &ann, "{}", Timestamp::UNIX_EPOCH)?;
                Ok((id, folder::ensure(tx, id, "Sent", Role::Sent)?.id))
            })
            .unwrap();
        let shared = Arc::new(Shared::new(home, ledger, secrets, Arc::new(clock.clone())));
        shared.set_crms(&crms.to_vec().into());
        Self {
            _dir: dir,
            mailbox: Mailbox::new(shared, Account { id, settings, paused_until: None, epoch: 0 }),
            clock,
            sent,
        }
    }

    /// Ann's mail to somebody comes up in her Sent folder.
    pub fn sends(&self, uid: u32, to: &str) {
        self.sees(uid, &format!("Message-ID: <{uid}@x>\r\nFrom: ann@firm.example\r\nTo: {to}\r\n\r\n"));
    }

    /// A message with this header comes up there.
    pub fn sees(&self, uid: u32, header: &str) {
        let arrival = Arrival {
            uid,
            internal_date: Timestamp::UNIX_EPOCH,
            size: 100,
            flags: Vec::new(),
            labels: None,
            envelope: Envelope::parse(header.as_bytes()),
        };
        let (of, sent) = (self.mailbox.for_ingest(), self.sent);
        self.mailbox
            .shared
            .ledger
            .write_blocking(move |tx| {
                let Some(folder) = folder::get(tx, sent)? else { return Ok(Vec::new()) };
                ingest::store_one(tx, &of, &folder, 1, &arrival, Timestamp::UNIX_EPOCH)
            })
            .unwrap();
    }

    /// What is to be read from the server now.
    pub fn jobs(&self) -> Vec<Job> {
        let (id, sent) = (self.mailbox.id, self.sent);
        let ledger = &self.mailbox.shared.ledger;
        ledger.read_blocking(move |tx| job::due(tx, id, &[sent], Timestamp::UNIX_EPOCH, 9)).unwrap()
    }
}
