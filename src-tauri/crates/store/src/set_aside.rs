//! `set_aside`: messages that could not be taken in, one by one, so that nothing waits behind them.

use crate::activity;
use crate::error::StoreError;
use crate::place;
use crate::place::Place;
use crate::sql::{ids, most, reason, time, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::{Row, params};
use threadline_core::reason::Reason;

pub(crate) const SQL: &str = "
CREATE TABLE set_aside (
  id          INTEGER PRIMARY KEY,
  account     INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
  folder      INTEGER NOT NULL REFERENCES folder ON DELETE CASCADE,
  uidvalidity INTEGER NOT NULL,
  uid         INTEGER NOT NULL,
  what        TEXT NOT NULL,
  reason      TEXT,
  at          INTEGER NOT NULL,
  UNIQUE (folder, uidvalidity, uid)
) STRICT;
CREATE INDEX set_aside_by_account ON set_aside (account, id);
";

/// The fifth version: whether it is to be read once more.
pub(crate) const FIFTH: &str = "
ALTER TABLE set_aside ADD COLUMN again INTEGER NOT NULL DEFAULT 0 CHECK (again IN (0, 1));
";

/// A message that could not be taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    pub id: i64,
    pub account: i64,
    pub place: Place,
    /// What is the matter with it, in words without mail text.
    pub what: String,
    pub reason: Option<Reason>,
    pub at: Timestamp,
}

/// Sets a message aside; again, with a new cause, where it is there already.
pub fn add(
    tx: &Tx<'_>,
    place: Place,
    what: &str,
    reason: Option<Reason>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let changed = tx.run(
        "INSERT INTO set_aside (account, folder, uidvalidity, uid, what, reason, at)
         SELECT account, id, ?2, ?3, ?4, ?5, ?6 FROM folder WHERE id = ?1
         ON CONFLICT (folder, uidvalidity, uid) DO UPDATE SET what = ?4, reason = ?5, at = ?6, again = 0",
        params![place.folder, place.uidvalidity, place.uid, what, reason.map(Reason::code), us(at)],
    )?;
    match changed {
        0 => Err(StoreError::NotFound { what: "folder", id: place.folder }),
        _ => activity::set_aside(tx, place.folder, None, reason, Some(what), at),
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<SetAside> {
    Ok(SetAside {
        id: row.get("id")?,
        account: row.get("account")?,
        place: place::read(row)?,
        what: row.get("what")?,
        reason: reason(row, "reason")?,
        at: time(row, "at")?,
    })
}

/// The mailbox's messages that were set aside, by id, from behind `after` (0 for the first page).
pub fn page(tx: &Tx<'_>, account: i64, after: i64, limit: usize) -> Result<Vec<SetAside>, StoreError> {
    tx.all(
        "SELECT * FROM set_aside WHERE account = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
        params![account, after, most(limit)],
        read,
    )
}

/// Lets each of the mailbox's messages be read once more; gives their number.
pub fn retry(tx: &Tx<'_>, account: i64) -> Result<usize, StoreError> {
    tx.run("UPDATE set_aside SET again = 1 WHERE account = ?1", [account])
}

/// The first of the mailbox's messages that is to be read once more.
pub fn next_again(tx: &Tx<'_>, account: i64, folders: &[i64]) -> Result<Option<SetAside>, StoreError> {
    tx.one(
        "SELECT * FROM set_aside WHERE account = ?1 AND again = 1
         AND folder IN (SELECT value FROM json_each(?2)) ORDER BY id LIMIT 1",
        params![account, ids(folders)],
        read,
    )
}

/// Takes a message off the list: it was taken in after all, or it is tried again.
pub fn remove(tx: &Tx<'_>, id: i64) -> Result<(), StoreError> {
    tx.run("DELETE FROM set_aside WHERE id = ?1", [id])?;
    Ok(())
}
