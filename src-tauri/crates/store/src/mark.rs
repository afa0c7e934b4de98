//! The keyword that is written back to messages which a CRM has: which of them bear it by Threadline's hand.

use crate::error::StoreError;
use crate::place::{self, Place};
use crate::sql::{most, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::params;

/// The ninth version.
pub(crate) const NINTH: &str = "
ALTER TABLE message ADD COLUMN marked_at INTEGER;
CREATE INDEX message_to_mark ON message (account, id)
  WHERE verdict = 'log' AND clock_at IS NOT NULL AND marked_at IS NULL;
CREATE INDEX message_marked_out ON message (account, id) WHERE verdict <> 'log' AND marked_at IS NOT NULL;
";

/// Logged messages that every CRM has accepted and that are not marked, in each of their places but those in `except`; the
/// oldest first.
pub fn to_mark(
    tx: &Tx<'_>,
    account: i64,
    except: &[i64],
    limit: usize,
) -> Result<Vec<(i64, Place)>, StoreError> {
    tx.all(
        "SELECT m.id, p.folder, p.uidvalidity, p.uid FROM message m INDEXED BY message_to_mark
           CROSS JOIN place p ON p.message = m.id
         WHERE m.account = ?1 AND m.verdict = 'log' AND m.clock_at IS NOT NULL AND m.marked_at IS NULL
           AND p.folder NOT IN (SELECT value FROM json_each(?2)) ORDER BY m.id LIMIT ?3",
        params![account, crate::sql::ids(except), most(limit)],
        |row| Ok((row.get("id")?, place::read(row)?)),
    )
}

/// Messages that are marked and not logged any more.
pub fn to_take_back(
    tx: &Tx<'_>,
    account: i64,
    except: &[i64],
    limit: usize,
) -> Result<Vec<(i64, Place)>, StoreError> {
    tx.all(
        "SELECT m.id, p.folder, p.uidvalidity, p.uid FROM message m INDEXED BY message_marked_out
           CROSS JOIN place p ON p.message = m.id
         WHERE m.account = ?1 AND m.verdict <> 'log' AND m.marked_at IS NOT NULL
           AND p.folder NOT IN (SELECT value FROM json_each(?2)) ORDER BY m.id LIMIT ?3",
        params![account, crate::sql::ids(except), most(limit)],
        |row| Ok((row.get("id")?, place::read(row)?)),
    )
}

/// Notes that a message bears the keyword (`Some`), or does not any more.
pub fn set(tx: &Tx<'_>, message: i64, marked_at: Option<Timestamp>) -> Result<(), StoreError> {
    tx.run("UPDATE message SET marked_at = ?2 WHERE id = ?1", params![message, marked_at.map(us)])?;
    Ok(())
}
