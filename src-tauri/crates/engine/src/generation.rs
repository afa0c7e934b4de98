//! Counters in the ledger by which a running engine sees what was set, also by another process.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use threadline_store::{StoreError, Tx, setting};

/// The setting that holds the counters.
const NAME: &str = "generations";

/// What a change concerns.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'a> {
    /// There is something to read or to push, or the list of mailboxes and CRMs is another one. Nothing that is the same
    /// as before is connected anew.
    News,
    /// This mailbox connects anew.
    Account(i64),
    /// This CRM connects anew.
    Crm(&'a str),
    /// The relay starts anew.
    Relay,
    /// Everything connects anew.
    All,
}

/// How often each part was set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Generations {
    changes: u64,
    all: u64,
    accounts: BTreeMap<i64, u64>,
    crms: BTreeMap<String, u64>,
    #[serde(default)]
    relay: u64,
}

impl Generations {
    pub fn of_account(&self, id: i64) -> (u64, u64) {
        (self.all, self.accounts.get(&id).copied().unwrap_or_default())
    }

    pub fn of_crm(&self, kind: &str) -> (u64, u64) {
        (self.all, self.crms.get(kind).copied().unwrap_or_default())
    }

    pub fn of_relay(&self) -> u64 {
        self.relay
    }
}

pub(crate) fn read(tx: &Tx<'_>) -> Result<Generations, StoreError> {
    Ok(setting::get(tx, NAME)?.unwrap_or_default())
}

/// Call it in the transaction that stores the change.
pub(crate) fn count_up(tx: &Tx<'_>, part: Part<'_>) -> Result<(), StoreError> {
    let mut now = read(tx)?;
    now.changes += 1;
    match part {
        Part::News => {}
        Part::Account(id) => *now.accounts.entry(id).or_default() += 1,
        Part::Crm(kind) => *now.crms.entry(kind.to_owned()).or_default() += 1,
        Part::Relay => now.relay += 1,
        Part::All => now.all += 1,
    }
    setting::set(tx, NAME, &now)
}
