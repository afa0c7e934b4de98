//! Messages that are to be decided again.

use crate::error::StoreError;
use crate::place::Place;
use crate::sql::most;
use crate::tx::Tx;
use rusqlite::{Row, params};

/// A message, and a place where its header can be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recheck {
    pub message: i64,
    pub place: Place,
}

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Recheck> {
    Ok(Recheck { message: row.get("message")?, place: crate::place::read(row)? })
}

/// The mailbox's held messages by id, from behind `after` (0 for the first page): for when the contacts are complete.
pub fn held(tx: &Tx<'_>, account: i64, after: i64, limit: usize) -> Result<Vec<Recheck>, StoreError> {
    tx.all(
        "SELECT m.id AS message, min(p.folder) AS folder, p.uidvalidity, p.uid
         FROM message m CROSS JOIN place p ON p.message = m.id
         WHERE m.account = ?1 AND m.verdict = 'hold' AND m.id > ?2
         GROUP BY m.id ORDER BY m.id LIMIT ?3",
        params![account, after, most(limit)],
        read,
    )
}

/// The mailbox's messages to an unknown recipient who is a contact of the sink now, by id, from behind `after`.
pub fn asked_of_contacts(
    tx: &Tx<'_>,
    account: i64,
    sink: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<Recheck>, StoreError> {
    tx.all(
        "SELECT m.id AS message, min(p.folder) AS folder, p.uidvalidity, p.uid
         FROM message m CROSS JOIN place p ON p.message = m.id
         WHERE m.account = ?1 AND m.verdict = 'ask' AND m.id > ?3 AND m.rule = 'unknown_recipient'
           AND EXISTS (SELECT 1 FROM asked_address a CROSS JOIN contact_address c
                       ON c.sink = ?2 AND c.address = a.address WHERE a.message = m.id)
         GROUP BY m.id ORDER BY m.id LIMIT ?4",
        params![account, sink, after, most(limit)],
        read,
    )
}
