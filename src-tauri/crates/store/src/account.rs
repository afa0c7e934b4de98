//! `account`: a mailbox that is watched.

use crate::error::StoreError;
use crate::sql::{address, maybe_time, time, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::{Row, params};
use threadline_core::address::Address;

pub(crate) const SQL: &str = "
CREATE TABLE account (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  address       TEXT NOT NULL UNIQUE,
  settings      TEXT NOT NULL CHECK (json_valid(settings)),
  paused_until  INTEGER,
  created       INTEGER NOT NULL,
  worked_secret INTEGER NOT NULL DEFAULT 0 CHECK (worked_secret IN (0, 1))
) STRICT;
";

/// The fifth version: from when on a mailbox is read, and how often it became another one.
pub(crate) const FIFTH: &str = "
ALTER TABLE account ADD COLUMN reads_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
UPDATE account SET reads_from = created;
";

/// A mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: i64,
    pub address: Address,
    /// The engine's own settings, JSON.
    pub settings: String,
    /// Until when the person paused it.
    pub paused_until: Option<Timestamp>,
    pub created: Timestamp,
    /// Mail that arrived earlier is not read: when it was added, or further back where the person asked for that.
    pub reads_from: Timestamp,
    /// How often another mailbox took its place.
    pub epoch: u32,
    /// True when the server accepted the present secret at least once.
    pub worked_secret: bool,
}

const COLUMNS: &str = "id, address, settings, paused_until, created, reads_from, epoch, worked_secret";

fn read(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: row.get("id")?,
        address: address(row, "address")?,
        settings: row.get("settings")?,
        paused_until: maybe_time(row, "paused_until")?,
        created: time(row, "created")?,
        reads_from: time(row, "reads_from")?,
        epoch: row.get("epoch")?,
        worked_secret: row.get("worked_secret")?,
    })
}

/// Adds a mailbox; gives its id. A second one with the same address is [`StoreError::Refused`].
pub fn insert(tx: &Tx<'_>, address: &Address, settings: &str, created: Timestamp) -> Result<i64, StoreError> {
    tx.insert(
        "INSERT INTO account (address, settings, created, reads_from) VALUES (?1, ?2, ?3, ?3)",
        params![address.as_str(), settings, us(created)],
    )
}

pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<Account>, StoreError> {
    tx.one(&format!("SELECT {COLUMNS} FROM account WHERE id = ?1"), [id], read)
}

pub fn by_address(tx: &Tx<'_>, address: &Address) -> Result<Option<Account>, StoreError> {
    tx.one(&format!("SELECT {COLUMNS} FROM account WHERE address = ?1"), [address.as_str()], read)
}

/// All mailboxes, the oldest first.
pub fn list(tx: &Tx<'_>) -> Result<Vec<Account>, StoreError> {
    tx.all(&format!("SELECT {COLUMNS} FROM account WHERE id > 0 ORDER BY id"), [], read)
}

pub fn set_settings(tx: &Tx<'_>, id: i64, settings: &str) -> Result<(), StoreError> {
    let changed = tx.run("UPDATE account SET settings = ?2 WHERE id = ?1", params![id, settings])?;
    found(changed, id)
}

/// Pauses the mailbox until a time, or ends the pause.
pub fn set_paused(tx: &Tx<'_>, id: i64, until: Option<Timestamp>) -> Result<(), StoreError> {
    let changed = tx.run("UPDATE account SET paused_until = ?2 WHERE id = ?1", params![id, until.map(us)])?;
    found(changed, id)
}

/// Notes whether the present secret was accepted; false when a new one is stored.
pub fn set_worked_secret(tx: &Tx<'_>, id: i64, worked: bool) -> Result<(), StoreError> {
    let changed = tx.run("UPDATE account SET worked_secret = ?2 WHERE id = ?1", params![id, worked])?;
    found(changed, id)
}

/// Mail that arrived since then is read too: the person asked for it.
pub fn read_from(tx: &Tx<'_>, id: i64, at: Timestamp) -> Result<(), StoreError> {
    let changed =
        tx.run("UPDATE account SET reads_from = min(reads_from, ?2) WHERE id = ?1", params![id, us(at)])?;
    found(changed, id)
}

/// Another mailbox is at this address now: what was known of places on the server is forgotten, and nothing is read that
/// arrived before `now`. Jobs are left without a place; their messages may come up in the new mailbox.
pub fn begin_anew(tx: &Tx<'_>, id: i64, now: Timestamp) -> Result<(), StoreError> {
    let changed =
        tx.run("UPDATE account SET reads_from = ?2, epoch = epoch + 1 WHERE id = ?1", params![id, us(now)])?;
    tx.run("DELETE FROM place WHERE folder IN (SELECT id FROM folder WHERE account = ?1)", [id])?;
    tx.run("DELETE FROM set_aside WHERE account = ?1", [id])?;
    // No folder has this UIDVALIDITY, so nothing is fetched for them (RFC 3501 §2.3.1.1).
    tx.run("UPDATE job SET uidvalidity = 0 WHERE account = ?1", [id])?;
    tx.run("UPDATE folder SET uidvalidity = NULL, next_uid = NULL, modseq = NULL WHERE account = ?1", [id])?;
    found(changed, id)
}

/// The mailbox as it was in this epoch; [`StoreError::NotFound`] where it is gone, or another one took its place.
pub fn still(tx: &Tx<'_>, id: i64, epoch: u32) -> Result<Account, StoreError> {
    let found = get(tx, id)?.filter(|account| account.epoch == epoch);
    found.ok_or(StoreError::NotFound { what: "mailbox", id })
}

/// Removes the mailbox and all that the ledger knows through it; what the CRM has stays there.
pub fn remove(tx: &Tx<'_>, id: i64) -> Result<(), StoreError> {
    let changed = tx.run("DELETE FROM account WHERE id = ?1", [id])?;
    found(changed, id)
}

fn found(changed: usize, id: i64) -> Result<(), StoreError> {
    match changed {
        0 => Err(StoreError::NotFound { what: "mailbox", id }),
        _ => Ok(()),
    }
}
