//! A ledger that a benchmark fills: with decisions about mails, as the engine stores them.

use crate::ANN;
use anyhow::Result;
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;
use threadline_core::address::Address;
use threadline_core::decide::{Decision, Thread, Verdict};
use threadline_core::envelope::Envelope;
use threadline_core::record::{Association, Direction};
use threadline_core::rule::Rule;
use threadline_engine::clock::SystemClock;
use threadline_engine::settings::{AccountSettings, Encryption};
use threadline_engine::{Engine, Home};
use threadline_secrets::Memory;
use threadline_store::message::{self, NewDecision, Recorded};
use threadline_store::place::Place;
use threadline_store::{Key, Ledger, StoreError, Tx};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// A new ledger alone.
pub fn ledger(dir: &Path) -> Result<Ledger> {
    Ok(Ledger::open(&dir.join("ledger.db"), &Key::from_bytes([7; 32]))?)
}

/// An engine on a new data folder in `dir`.
pub fn engine(dir: &Path) -> Result<Engine> {
    let home = Home::open(&dir.join("data"))?;
    Ok(Engine::open(home, Arc::new(Memory::new()), Arc::new(SystemClock::start()), None)?.0)
}

/// The same with Ann's mailbox; gives its number too.
pub fn engine_with_ann(dir: &Path, runtime: &Runtime) -> Result<(Engine, i64)> {
    let engine = engine(dir)?;
    let ann = Address::parse(ANN)?;
    let settings = AccountSettings::new(ann.clone(), "localhost".into(), Encryption::Tls);
    runtime.block_on(engine.add_account(settings, Some(Zeroizing::new("secret".into()))))?;
    let account = runtime.block_on(engine.account(&ann))?.id;
    Ok((engine, account))
}

/// A mail in a folder.
pub struct Mail<'a> {
    pub account: i64,
    pub folder: i64,
    pub uid: u32,
    pub header: &'a str,
    pub direction: Direction,
    pub time: Timestamp,
    /// In bytes.
    pub size: u32,
}

impl Mail<'_> {
    pub fn place(&self) -> Place {
        Place { folder: self.folder, uidvalidity: 1, uid: self.uid }
    }

    pub fn log(
        &self,
        tx: &Tx<'_>,
        thread: Thread,
        contacts: Vec<Association>,
    ) -> Result<Recorded, StoreError> {
        let rule = match self.direction {
            Direction::Outgoing => Rule::SentToContact,
            _ => Rule::ReplyInLoggedThread,
        };
        self.decide(tx, rule, Verdict::Log { thread, contacts })
    }

    /// A stranger's.
    pub fn ignore(&self, tx: &Tx<'_>) -> Result<Recorded, StoreError> {
        self.decide(tx, Rule::UnknownSender, Verdict::Ignore)
    }

    fn decide(&self, tx: &Tx<'_>, rule: Rule, verdict: Verdict) -> Result<Recorded, StoreError> {
        let decision = Decision {
            verdict,
            rule,
            direction: self.direction,
            link: None,
            apart_from: None,
            hidden: Vec::new(),
        };
        message::record(
            tx,
            &NewDecision {
                account: self.account,
                place: Some(self.place()),
                envelope: &Envelope::parse(self.header.as_bytes()),
                decision: &decision,
                rule_version: 1,
                time: self.time,
                size: self.size,
                at: self.time,
            },
        )
    }
}
