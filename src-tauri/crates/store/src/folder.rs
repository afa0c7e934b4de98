//! `folder`: a watched folder, and how far it was read.

use crate::error::StoreError;
use crate::sql::named;
use crate::tx::Tx;
use rusqlite::{Row, params};
use threadline_core::arrival::Role;

pub(crate) const SQL: &str = "
CREATE TABLE folder (
  id          INTEGER PRIMARY KEY,
  account     INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
  name        TEXT NOT NULL,
  role        TEXT NOT NULL,
  uidvalidity INTEGER,
  next_uid    INTEGER,
  modseq      INTEGER,
  UNIQUE (account, name)
) STRICT;
";

/// How far a folder was read: every message below `next_uid` is in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub uidvalidity: u32,
    pub next_uid: u32,
    /// HIGHESTMODSEQ (RFC 7162), where the server has it; below 2^63.
    pub modseq: Option<u64>,
}

/// A watched folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    pub id: i64,
    pub account: i64,
    /// Full name, decoded.
    pub name: String,
    pub role: Role,
    /// `None` until the folder was read for the first time.
    pub cursor: Option<Cursor>,
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Inbox => "inbox",
        Role::Sent => "sent",
        Role::All => "all",
        Role::Other => "other",
    }
}

pub(crate) fn role(name: &str) -> Option<Role> {
    [Role::Inbox, Role::Sent, Role::All, Role::Other].into_iter().find(|r| role_name(*r) == name)
}

const COLUMNS: &str = "id, account, name, role, uidvalidity, next_uid, modseq";

fn read(row: &Row<'_>) -> rusqlite::Result<Folder> {
    let uidvalidity: Option<u32> = row.get("uidvalidity")?;
    let next_uid: Option<u32> = row.get("next_uid")?;
    let modseq: Option<i64> = row.get("modseq")?;
    Ok(Folder {
        id: row.get("id")?,
        account: row.get("account")?,
        name: row.get("name")?,
        role: named(row, "role", role)?,
        cursor: uidvalidity.zip(next_uid).map(|(uidvalidity, next_uid)| Cursor {
            uidvalidity,
            next_uid,
            modseq: modseq.map(i64::cast_unsigned),
        }),
    })
}

/// The folder of this name, made where it is new; its role becomes the one given.
pub fn ensure(tx: &Tx<'_>, account: i64, name: &str, role: Role) -> Result<Folder, StoreError> {
    tx.run(
        "INSERT INTO folder (account, name, role) VALUES (?1, ?2, ?3)
         ON CONFLICT (account, name) DO UPDATE SET role = ?3",
        params![account, name, role_name(role)],
    )?;
    let sql = format!("SELECT {COLUMNS} FROM folder WHERE account = ?1 AND name = ?2");
    tx.one(&sql, params![account, name], read)?.ok_or(StoreError::NotFound { what: "mailbox", id: account })
}

pub fn get(tx: &Tx<'_>, id: i64) -> Result<Option<Folder>, StoreError> {
    tx.one(&format!("SELECT {COLUMNS} FROM folder WHERE id = ?1"), [id], read)
}

/// The mailbox's folders by name.
pub fn list(tx: &Tx<'_>, account: i64) -> Result<Vec<Folder>, StoreError> {
    tx.all(&format!("SELECT {COLUMNS} FROM folder WHERE account = ?1 ORDER BY name"), [account], read)
}

/// Moves the cursor. Call it in the transaction that stores the decisions it covers.
pub fn move_cursor(tx: &Tx<'_>, id: i64, cursor: &Cursor) -> Result<(), StoreError> {
    let modseq = cursor.modseq.map(|m| i64::try_from(m).unwrap_or(i64::MAX));
    let changed = tx.run(
        "UPDATE folder SET uidvalidity = ?2, next_uid = ?3, modseq = ?4 WHERE id = ?1",
        params![id, cursor.uidvalidity, cursor.next_uid, modseq],
    )?;
    match changed {
        0 => Err(StoreError::NotFound { what: "folder", id }),
        _ => Ok(()),
    }
}

/// Removes a folder that the server does not have any more, with its places and open jobs. Messages stay.
pub fn remove(tx: &Tx<'_>, id: i64) -> Result<(), StoreError> {
    tx.run("DELETE FROM folder WHERE id = ?1", [id])?;
    Ok(())
}
